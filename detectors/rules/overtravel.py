"""F11 over-travel at the top and F12 at the bottom: the car's floor beyond its last landing.

    beyond   ______/‾150 mm‾    past any final limit switch (which no stream reports): as bad as it gets
                __/  50 mm      levelling stays within 35 mm of a landing: over-travel
    impact        |             on a buffer, while the car is beyond: as bad as 150 mm, until the car is back

An impact is seen in the vibration, or as a change by more than half of gravity in the speed that was read. A car gets
there by moving: a position that jumped there has lost its reference, and so has one that is there although the speed
has not moved the car by half of that way, or has moved it by another way since its last stop at a landing. Where no
speed is read the position decides alone, and then it calls no rescue: only an impact does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.features import IMPACT_MPS2
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records

TOP, BOTTOM = 1, -1
MEMORY = np.dtype(
    [
        ("hit", np.bool_),  # whether the car has hit something since it went beyond its last landing
        ("inside_m", np.float64),  # the last position that was not beyond, NaN before the first
        ("way_m", np.float64),  # the way since by the speed, NaN where that is unknown
        ("v", np.float64),  # the latest speed, and when it was read
        ("t_ns", np.int64),
        ("stop_m", np.float64),  # the position at the last stop at a landing, NaN before the first
        ("trip_m", np.float64),  # the way since by the speed that was read, NaN where that is unknown
    ],
    align=True,
)
REFERENCE_M = 0.05
"""A car that rests so near to a landing is at it."""


@dataclass(frozen=True, slots=True)
class Overtravel:
    """Scores the distance beyond the last landing as a share of two limits; an impact at the nearer one serves both.

    `lately_s`: for how long an impact in the vibration may be the cause of what is read now. `moved`: the share of the
    way that the speed must account for, but for `slack_m`. `lost_m`, `lost_share`: since the last stop at a landing
    position and speed may differ by so much, and by this share of the way.
    """

    end: int
    over_m: float = 0.05
    far_m: float = 0.15
    impact_mps2: float = IMPACT_MPS2
    lately_s: float = 2.0
    moved: float = 0.5
    slack_m: float = 0.02
    lost_m: float = 0.25
    lost_share: float = 0.015

    def start(self, n: int) -> Memory:
        """Return `n` cars that have hit nothing, and whose position is unknown."""
        return records(n, MEMORY, inside_m=np.nan, way_m=np.nan, v=np.nan, t_ns=NEVER_NS, stop_m=np.nan, trip_m=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a position."""
        state = copied(state)
        near, far, beyond_m = np.empty((3, len(rows)))
        last_m = facts.top_m if self.end == TOP else np.ascontiguousarray(facts.landings_m[:, 0])
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, rows.z, rows.z_last, rows.z_doubt, rows.accel,
            rows.impact_ns, rows.at_rest, rows.offset_m, last_m, self.end, self.over_m, self.far_m, self.impact_mps2,
            round(self.lately_s * 1e9), (self.moved, self.slack_m), (self.lost_m, self.lost_share), near, far, beyond_m,
        )  # fmt: skip
        return state, (_score(near, beyond_m, self.over_m), _score(far, beyond_m, self.far_m))


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, z: Any, z_last: Any, z_doubt: Any, accel: Any,
    impact_ns: Any, at_rest: Any, offset_m: Any, last_m: Any, end: int, over_m: float, far_m: float,
    impact_mps2: float, lately_ns: int, moved: tuple[float, float], lost: tuple[float, float], near: Any,
    far: Any, beyond_m: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own, landing_m = memory[lift[k]], last_m[lift[k]]
        if z_doubt[k] or not (z_last[k] - landing_m) * end >= over_m:
            own["hit"] = False
        elif 0 <= t_ns[k] - impact_ns[k] <= lately_ns or abs(accel[k]) > impact_mps2:
            own["hit"] = True
        beyond = np.nan if z_doubt[k] else (z[k] - landing_m) * end
        if not np.isnan(v[k]):
            _add_way(own, t_ns[k], gap_ns[k], v[k], accel[k])
        if at_rest[k] and abs(offset_m[k]) <= REFERENCE_M and not (z_doubt[k] or np.isnan(z[k])):
            own["stop_m"], own["trip_m"] = z[k], 0.0
        gone_m = z[k] - own["stop_m"]
        apart_m, apart_most_m = abs(gone_m - own["trip_m"]), max(lost[0], lost[1] * abs(gone_m))
        if beyond < over_m:
            own["inside_m"], own["way_m"] = z[k], 0.0
        elif own["way_m"] * end < moved[0] * (z[k] - own["inside_m"]) * end - moved[1] or apart_m > apart_most_m:
            beyond = np.nan
        beyond_m[k] = beyond
        near[k], far[k] = np.maximum(beyond / over_m, 0.0), np.maximum(beyond / far_m, 0.0)
        if not apart_m <= apart_most_m and far[k] >= 1.0:
            far[k] = np.nan
        if own["hit"] and beyond >= over_m:
            far[k] = np.fmax(far[k], 1.0)


@compiled
def _add_way(own: Any, t_ns: int, gap_ns: int, v: float, accel: float) -> None:
    """Add the way since the last speed; across a gap it is unknown until the car is inside, or at a landing, again.

    A speed without an acceleration was worked out from the position, or jumped.
    """
    since_ns = t_ns - own["t_ns"]
    gone_m = (own["v"] + v) / 2 * since_ns / 1e9 if since_ns <= gap_ns else np.nan
    own["way_m"] += gone_m
    own["trip_m"] += gone_m if not np.isnan(accel) else np.nan
    own["v"], own["t_ns"] = v, t_ns


def _score(on: F64, beyond_m: F64, limit_m: float) -> Score:
    evidence = {"beyond_m": beyond_m, "limit_m": np.full_like(beyond_m, limit_m)}
    return Score(on=on, off=np.where(np.isnan(on), np.nan, on < 1.0), evidence=evidence)


LEVELS = (Level(MAJOR, hold_s=0.3, by_hand=True), Level(CRITICAL, hold_s=0.3, by_hand=True))

OVERTRAVEL_TOP = Rule.from_catalogue("overtravel-top", Overtravel(TOP), LEVELS, needs=("floors", "position_source"))

OVERTRAVEL_BOTTOM = Rule.from_catalogue(
    "overtravel-bottom", Overtravel(BOTTOM), LEVELS, needs=("floors", "position_source")
)
