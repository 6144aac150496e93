"""From a score to findings: an on/off pair with hold times, for every lift at once.

    score on  __/‾‾‾‾‾‾‾‾‾‾\\_________/‾‾          hold: >= `readings` readings that span `hold_s`
    pending   __[~~~~]                            a reading below 1 ends it, an unknown one stops its clock
    open      ________[###############]           shut after `clear_readings` with off >= 1 that span `clear_s`
              onset ^ noticed ^
    peak              / / //    / grew            each row of an open level whose peak exceeds all before it
    again             ______^_____^               every `again_s` (0: never), where `readings` readings have on >= 1
Clocks count whole nanoseconds between readings, and nothing across a gap.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.observe.gaps import NEVER_NS
from detectors.rule import Level, Score
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

OPENED, SHUT, GREW, AGAIN = 1, -1, 2, 3

MEMORY = np.dtype(
    [
        ("since_ns", np.int64),
        ("last_ns", np.int64),
        ("found_ns", np.int64),
        ("held_ns", np.int64),
        ("count", np.int64),
        ("again", np.int64),
        ("peak", np.float64),
        ("open", np.bool_),
    ],
    align=True,
)
"""One record for each lift. `since_ns` is the onset, 0 where nothing is pending or open; `held_ns` and `count` are the
time and the readings served of what is waited for; `found_ns` is when it opened or was last found again, `again` the
readings since it is due again, `peak` the greatest value found of an open level."""


class Table(Protocol):
    """The columns of a table that a level reads: rows sorted by lift and then time."""

    @property
    def lift(self) -> NDArray[np.int32]: ...

    @property
    def t_ns(self) -> NDArray[np.int64]: ...

    @property
    def gap_ns(self) -> NDArray[np.int64]: ...


class Edges(NamedTuple):
    """Rows (places in the table) where a level `OPENED`, `GREW`, was found `AGAIN` or `SHUT`, and when it had begun."""

    place: NDArray[np.intp]
    kind: NDArray[np.int8]
    onset_ns: NDArray[np.int64]


NO_EDGES = Edges(np.empty(0, np.intp), np.empty(0, np.int8), np.empty(0, np.int64))


def start(n: int) -> Memory:
    """Return the records of a level that is quiet for `n` lifts."""
    return records(n, MEMORY, last_ns=NEVER_NS, found_ns=NEVER_NS, peak=np.nan)


def step(
    memory: Memory,
    level: Level,
    score: Score,
    table: Table,
    unknown: NDArray[np.bool_] | None = None,
    idle: NDArray[np.bool_] | None = None,
) -> tuple[Memory, Edges]:
    """Return the records after the rows of a table, and the edges of the level.

    Every clock stops at rows that are `unknown`; at rows that are `idle` a pending level is reset, an open one kept
    unless the level clears in every mode.
    """
    if _is_quiet(memory, score.on):
        return memory, NO_EDGES
    n = len(score.on)
    never = np.zeros(n, dtype=np.bool_)
    place, kind, onset_ns = np.empty(n, np.intp), np.empty(n, np.int8), np.empty(n, np.int64)
    memory = copied(memory)
    count = _run(
        memory, table.lift, table.t_ns, table.gap_ns,
        score.on, score.off, table.t_ns if score.since_ns is None else score.since_ns,
        score.evidence[level.peak] if level.peak else score.on,
        never if unknown is None else unknown, never if idle is None else idle,
        (level.readings, round(level.hold_s * 1e9)), (level.clear_readings, round(level.clear_s * 1e9)),
        round(level.again_s * 1e9), level.peak != "", level.clears_in_every_mode,
        place, kind, onset_ns,
    )  # fmt: skip
    return memory, Edges(place[:count], kind[:count], onset_ns[:count])


@compiled
def _is_quiet(memory: Any, on: Any) -> bool:
    """Return whether no level is pending or open, and no row rises."""
    for k in range(len(on)):
        if on[k] >= 1.0:
            return False
    pending = False
    for own in memory:
        pending = pending or own["since_ns"] != 0 or own["open"]
    return not pending


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any,
    on: Any, off: Any, since_ns: Any, peak: Any, unknown: Any, idle: Any,
    to_open: tuple[int, int], to_shut: tuple[int, int], again_ns: int, has_peak: bool, idle_clears: bool,
    place: Any, kind: Any, onset_ns: Any,
) -> int:  # fmt: skip
    """Advance the level by all rows; write its edges, and return their number."""
    count = 0
    for k in range(len(lift)):
        own = memory[lift[k]]
        value_on, value_off = on[k], off[k]
        if unknown[k]:
            value_on, value_off = np.nan, np.nan
        elif idle[k]:
            value_on, value_off = 0.0, value_off if idle_clears else np.nan
        was_open = own["open"]
        value = value_off if was_open else value_on
        edge = 0
        begun_ns = since_ns[k] if since_ns[k] > 0 else t_ns[k]
        if not np.isnan(value):
            edge = _count(own, value, t_ns[k], gap_ns[k], begun_ns, to_shut if was_open else to_open)
        if again_ns > 0 and edge == 0 and was_open and _is_due(own, value_on, t_ns[k], again_ns, to_open[0]):
            edge = AGAIN
        if has_peak and edge == 0 and was_open and peak[k] > own["peak"]:
            edge = GREW
        if edge > 0:
            own["peak"] = peak[k]
        if edge != 0:
            place[count], kind[count], onset_ns[count] = k, edge, own["since_ns"]
            count += 1
        if edge == SHUT:
            own["since_ns"] = 0
    return count


@compiled
def _is_due(own: Any, on: float, t_ns: int, again_ns: int, readings: int) -> bool:
    """Return whether enough readings show that an open level holds, `again_ns` after it was found."""
    if on < 1.0:
        own["again"] = 0
    elif on >= 1.0 and t_ns - own["found_ns"] >= again_ns:
        own["again"] += 1
        if own["again"] >= readings:
            own["again"], own["found_ns"] = 0, t_ns
            return True
    return False


@compiled
def _count(own: Any, value: float, t_ns: int, gap_ns: int, begun_ns: int, needed: tuple[int, int]) -> int:
    """Count one known reading towards opening or shutting; return the edge that results, or 0."""
    was_open = own["open"]
    if value < 1.0:
        own["count"], own["held_ns"], own["last_ns"] = 0, 0, NEVER_NS
        if not was_open:
            own["since_ns"] = 0
        return 0
    if own["count"] == 0:
        own["held_ns"] = 0
        if not was_open:
            own["since_ns"] = begun_ns
    elif t_ns - own["last_ns"] <= gap_ns:
        own["held_ns"] += t_ns - own["last_ns"]
    own["count"] += 1
    own["last_ns"] = t_ns
    if own["count"] < needed[0] or own["held_ns"] < needed[1]:
        return 0
    own["count"], own["held_ns"], own["last_ns"] = 0, 0, NEVER_NS
    own["open"] = not was_open
    if not was_open:
        own["again"], own["found_ns"] = 0, t_ns
    return SHUT if was_open else OPENED
