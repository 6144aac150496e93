"""From a score to findings: an on/off pair with hold times, for every lift at once.

    score on  __/‾‾‾‾‾‾‾‾‾‾\\_________/‾‾          hold: >= `readings` readings that span `hold_s`
    pending   __[~~~~]                            a reading below 1 ends it, an unknown one stops its clock
    open      ________[###############]           shut after `clear_readings` with off >= 1 that span `clear_s`
              onset ^ noticed ^
    peak              / / //    / grew            each row of an open level whose peak exceeds all before it
Clocks count whole nanoseconds between readings, and nothing across a gap.

A person may resolve an alert that clears by hand while its condition holds, and the trigger does not know of it. So a
level of such a rule opens again, after its hold time, for as long as readings say that the condition holds:

    score on  __/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾\\____
    opened    ____^     ^     ^            every `AGAIN_S`; where `off` is unknown, shut when `on` is below 1
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import Car
from detectors.observe.scan import NEVER_NS, Columns, only, scan
from detectors.rule import Level, Score

OPENED, SHUT, GREW = 1, -1, 2
AGAIN_S = 10.0


class Edges(NamedTuple):
    """Rows (places in the car's columns) where a level opened (`OPENED`), `GREW`, was `SHUT`, and when it had begun."""

    place: NDArray[np.intp]
    kind: NDArray[np.int8]
    onset_ns: NDArray[np.int64]


NO_EDGES = Edges(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.int8), np.empty(0, dtype=np.int64))


def start(n: int, level: Level) -> Columns:
    """Return the state of a level that is quiet for `n` lifts. `since_ns` is 0 where nothing is pending or open."""
    peak = {"peak": np.full(n, np.nan)} if level.peak else {}
    opened = {"opened_ns": np.full(n, NEVER_NS)} if level.by_hand else {}
    return {
        **peak,
        **opened,
        "since_ns": np.zeros(n, dtype=np.int64),
        "last_ns": np.full(n, NEVER_NS),
        "held_ns": np.zeros(n, dtype=np.int64),
        "count": np.zeros(n, dtype=np.int64),
        "open": np.zeros(n, dtype=np.bool_),
    }


def step(state: Columns, level: Level, score: Score, car: Car) -> tuple[Columns, Edges]:
    """Return the state after the batch, and where the level opened or was shut."""
    high = score.on >= 1.0
    active = state["since_ns"] != 0
    active[car.lift[high]] = True
    if not active.any():
        return state, NO_EDGES
    cut = only(car.rounds, active)
    places = np.arange(len(car))
    if not cut.sizes:
        return state, NO_EDGES
    off = score.off
    if level.by_hand:
        off = np.where(np.isnan(off) & ~np.isnan(score.on), score.on < 1.0, off)
    rows = {"t_ns": car.t_ns, "gap_ns": car.gap_ns, "on": score.on, "off": off, "place": places}
    if level.peak:
        rows["peak"] = score.evidence[level.peak]
    rows["since_ns"] = car.t_ns if score.since_ns is None else np.where(score.since_ns > 0, score.since_ns, car.t_ns)

    def advance(here: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        return _advance(level, here, row)

    state, made = scan(cut, state, advance, rows)
    hit = np.flatnonzero(made["edge"])
    return state, Edges(made["place"][hit], made["edge"][hit], made["onset_ns"][hit])


def _advance(level: Level, state: Columns, row: Columns) -> tuple[Columns, Columns]:
    """Carry the level over one row: what counts is `on` while it is quiet or pending, `off` while it is open."""
    if level.by_hand:
        state = _begin_again(state, row)
    was_open, since_ns = state["open"], state["since_ns"]
    series = np.where(was_open, row["off"], row["on"])
    known = ~np.isnan(series)
    high = known & (series >= 1.0)
    counting = state["count"] > 0
    dt_ns = row["t_ns"] - state["last_ns"]
    more_ns = np.where(counting & (dt_ns <= row["gap_ns"]), dt_ns, 0)
    count = np.where(known, np.where(high, state["count"] + 1, 0), state["count"])
    held_ns = np.where(known, np.where(high, state["held_ns"] + more_ns, 0), state["held_ns"])
    begun = np.where(counting, since_ns, row["since_ns"])
    since_ns = np.where(was_open, since_ns, np.where(known, np.where(high, begun, 0), since_ns))
    opens = ~was_open & high & (count >= level.readings) & (held_ns >= round(level.hold_s * 1e9))
    shuts = was_open & high & (count >= level.clear_readings) & (held_ns >= round(level.clear_s * 1e9))
    edge = np.where(opens, OPENED, np.where(shuts, SHUT, 0)).astype(np.int8)
    turned = edge != 0
    quiet = ~was_open & known & ~high
    peak = {}
    if level.peak:
        grew = was_open & ~turned & (row["peak"] > state["peak"])
        edge = np.where(grew, GREW, edge).astype(np.int8)
        peak = {"peak": np.where(grew | opens, row["peak"], state["peak"])}
    opened = {"opened_ns": np.where(opens, row["t_ns"], state["opened_ns"])} if level.by_hand else {}
    return {
        **peak,
        **opened,
        "since_ns": np.where(shuts, 0, since_ns),
        "last_ns": np.where(quiet | turned, NEVER_NS, np.where(known, row["t_ns"], state["last_ns"])),
        "held_ns": np.where(turned, 0, held_ns),
        "count": np.where(turned, 0, count),
        "open": (was_open | opens) & ~shuts,
    }, {"edge": edge, "onset_ns": since_ns, "place": row["place"]}


def _begin_again(state: Columns, row: Columns) -> Columns:
    """Return the state with those levels quiet that opened `AGAIN_S` ago or earlier and hold at this row."""
    again = state["open"] & (row["on"] >= 1.0) & (row["t_ns"] - state["opened_ns"] >= int(AGAIN_S * 1e9))
    counted = {name: np.where(again, 0, state[name]) for name in ("count", "held_ns")}
    return {**state, **counted, "open": state["open"] & ~again}
