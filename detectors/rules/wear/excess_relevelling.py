"""F26 excessive re-levelling: the car leaves its landing with the door open, and the drive brings it back.

    position   ‾\\__/‾\\__/‾\\__/‾     moves of 8 to 100 mm towards the landing, at no more than 0.30 m/s
    door       not closed             three at one stop, or at more than 5 % of the stops of a day

The position is the mean of the last three readings: the noise of one is no move. People who get in and out move the car
on its ropes by up to 6 mm, and a goods lift levels again for every load: once or twice at a stop are usual. A stop
counts from when the car has rested there for a second with its door open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import GAP_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED

READINGS = 3
STILL_M = 0.003
"""A car that has come back is under way again once it is farther from the landing by so much."""
HOURS, HOUR_NS = 24, 3_600_000_000_000
MEMORY = np.dtype(
    [
        ("offset_m", np.float64, (READINGS,)),  # the last readings at an open door, in a ring
        ("readings", np.int64),
        ("read_ns", np.int64),
        ("far_m", np.float64),  # the farthest from the landing since the last move
        ("comes_back", np.bool_),  # whether the move that was counted last is still under way
        ("moves", np.int64),  # at this stop
        ("open", np.bool_),  # whether the door was seen open at this stop
        ("first_hour", np.int64),  # the hour of the first stop of all
        ("hour", np.int64),  # the hour of the latest stop, and the stops of the last hours, and those with a move
        ("stops", np.int64, (HOURS,)),
        ("moved", np.int64, (HOURS,)),
        ("first_ns", np.int64),  # the first of the moves at this stop, and when the condition last held
        ("bad_ns", np.int64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class ExcessRelevelling:
    """Scores the moves at a stop, and the share of the day's stops with a move, as a share of their limits."""

    least_m: float = 0.008
    most_m: float = 0.100
    slow_mps: float = 0.30
    moves: int = 3
    share: float = 0.05
    stops: int = 50
    rests_s: float = 1.0
    normal_s: float = 86_400.0

    def start(self, n: int) -> Memory:
        """Return `n` lifts of which no stop was seen."""
        return records(n, MEMORY, offset_m=np.nan, far_m=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a position."""
        state, n = copied(state), len(rows)
        on, off = np.full((2, n), np.nan)
        moves, share, since_ns = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
        opened = ~np.isnan(rows.door) & (rows.door != CLOSED) & ~np.isnan(rows.z) & ~rows.z_doubt & ~rows.stale
        opened &= np.abs(rows.offset_m) <= facts.door_zone_m[rows.lift]
        leaves = np.abs(rows.v_last) > self.slow_mps
        opened &= ~leaves
        limits = (self.least_m, self.most_m, self.moves, self.share, self.stops, round(self.normal_s * 1e9))
        _run(
            state, rows.lift, rows.t_ns, opened, rows.still_s >= self.rests_s, rows.offset_m, rows.z, leaves, limits,
            on, off, moves, share, since_ns,
        )  # fmt: skip
        evidence = {"moves": moves, "share_percent": 100.0 * share}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, opened: Any, rests: Any, offset_m: Any, z: Any, leaves: Any, limits: Any,
    on: Any, off: Any, moves: Any, share: Any, since_ns: Any,
) -> None:  # fmt: skip
    least_m, most_m, moves_least, share_most, stops_least, normal_ns = limits
    for k in range(len(lift)):
        own = memory[lift[k]]
        if leaves[k]:
            own["moves"], own["open"], own["readings"], own["first_ns"] = 0, False, 0, 0
        if opened[k] and (own["open"] or rests[k]):
            _read(own, t_ns[k], abs(offset_m[k]), least_m, most_m)
        elif not np.isnan(z[k]):
            own["readings"] = 0
        stops, moved = own["stops"].sum(), own["moved"].sum()
        is_day = own["hour"] - own["first_hour"] >= HOURS - 1
        share[k] = moved / stops if stops >= stops_least and is_day else 0.0
        moves[k] = own["moves"]
        if not np.isnan(z[k]):
            on[k] = max(moves[k] / moves_least, share[k] / share_most if share[k] > share_most else 0.0)
            if on[k] >= 1.0:
                own["bad_ns"] = t_ns[k]
            off[k] = 1.0 if t_ns[k] - own["bad_ns"] >= normal_ns else 0.0
        since_ns[k] = own["first_ns"]


@compiled
def _read(own: Any, t_ns: int, offset_m: float, least_m: float, most_m: float) -> None:
    """Take in a position at the open door; count a move, once the car has come back far enough."""
    _count_stop(own, t_ns)
    if t_ns - own["read_ns"] > GAP_NS:
        own["readings"] = 0
    own["read_ns"] = t_ns
    own["offset_m"][own["readings"] % READINGS] = offset_m
    own["readings"] += 1
    if own["readings"] < READINGS:
        own["far_m"], own["comes_back"] = np.nan, False
        return
    mean_m = own["offset_m"].mean()
    if own["comes_back"] and mean_m <= own["far_m"] + STILL_M:
        own["far_m"] = min(own["far_m"], mean_m)
        return
    own["comes_back"] = False
    own["far_m"] = np.fmax(own["far_m"], mean_m)
    if least_m <= own["far_m"] - mean_m <= most_m:
        own["far_m"], own["comes_back"] = mean_m, True
        own["moves"] += 1
        if own["moves"] == 1:
            own["first_ns"] = t_ns
            own["moved"][own["hour"] % HOURS] += 1


@compiled
def _count_stop(own: Any, t_ns: int) -> None:
    """Count this stop once, in the hour at which its door was first seen open."""
    if own["open"]:
        return
    own["open"] = True
    hour = t_ns // HOUR_NS
    if own["hour"] == 0:
        own["first_hour"] = hour
    for gone in range(max(own["hour"] + 1, hour - HOURS + 1), hour + 1):
        own["stops"][gone % HOURS], own["moved"][gone % HOURS] = 0, 0
    own["hour"] = max(own["hour"], hour)
    own["stops"][own["hour"] % HOURS] += 1


LEVELS = (Level(MINOR, clear_readings=1),)
RULE = Rule.from_catalogue("excess-relevelling", ExcessRelevelling(), LEVELS, needs=("floors", "position_source"))
