"""F11 over-travel at the top and F12 at the bottom: the car's floor beyond its last landing.

    beyond   ______/‾150 mm‾    past any final limit switch (which no stream reports): as bad as it gets
                __/  50 mm      levelling stays within 35 mm of a landing: over-travel
    impact        |             on a buffer, while the car is beyond: as bad as 150 mm, until the car is back

An impact is seen in the vibration, or as a change by more than half of gravity in the speed that was read. A car gets
there by moving: a position that jumped there has lost its reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.features import IMPACT_MPS2
from detectors.observe.rows import RowTable
from detectors.rule import CRITICAL, MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records

TOP, BOTTOM = 1, -1
MEMORY = np.dtype([("hit", np.bool_)], align=True)
"""Whether the car has hit something since it went beyond its last landing."""


@dataclass(frozen=True, slots=True)
class Overtravel:
    """Scores the distance beyond the last landing as a share of two limits; an impact at the nearer one serves both.

    `lately_s`: for how long an impact in the vibration may be the cause of what is read now.
    """

    end: int
    over_m: float = 0.05
    far_m: float = 0.15
    impact_mps2: float = IMPACT_MPS2
    lately_s: float = 2.0

    def start(self, n: int) -> Memory:
        """Return `n` cars that have hit nothing."""
        return records(n, MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a position."""
        state = copied(state)
        near, far, beyond_m = np.empty((3, len(rows)))
        last_m = facts.top_m if self.end == TOP else np.ascontiguousarray(facts.landings_m[:, 0])
        _run(
            state, rows.lift, rows.t_ns, rows.z, rows.z_last, rows.z_doubt, rows.accel, rows.impact_ns, last_m,
            self.end, self.over_m, self.far_m, self.impact_mps2, round(self.lately_s * 1e9), near, far, beyond_m,
        )  # fmt: skip
        return state, (_score(near, beyond_m, self.over_m), _score(far, beyond_m, self.far_m))


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, z: Any, z_last: Any, z_doubt: Any, accel: Any, impact_ns: Any, last_m: Any,
    end: int, over_m: float, far_m: float, impact_mps2: float, lately_ns: int, near: Any, far: Any, beyond_m: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own, landing_m = memory[lift[k]], last_m[lift[k]]
        if z_doubt[k] or not (z_last[k] - landing_m) * end >= over_m:
            own["hit"] = False
        elif 0 <= t_ns[k] - impact_ns[k] <= lately_ns or abs(accel[k]) > impact_mps2:
            own["hit"] = True
        beyond = np.nan if z_doubt[k] else (z[k] - landing_m) * end
        beyond_m[k] = beyond
        near[k], far[k] = np.maximum(beyond / over_m, 0.0), np.maximum(beyond / far_m, 0.0)
        if own["hit"] and beyond >= over_m:
            far[k] = max(far[k], 1.0)


def _score(on: F64, beyond_m: F64, limit_m: float) -> Score:
    evidence = {"beyond_m": beyond_m, "limit_m": np.full_like(beyond_m, limit_m)}
    return Score(on=on, off=np.where(np.isnan(on), np.nan, on < 1.0), evidence=evidence)


LEVELS = (Level(MAJOR, hold_s=0.3, by_hand=True), Level(CRITICAL, hold_s=0.3, by_hand=True))

OVERTRAVEL_TOP = Rule.from_catalogue("overtravel-top", Overtravel(TOP), LEVELS, needs=("floors", "position_source"))

OVERTRAVEL_BOTTOM = Rule.from_catalogue(
    "overtravel-bottom", Overtravel(BOTTOM), LEVELS, needs=("floors", "position_source")
)
