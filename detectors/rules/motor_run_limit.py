"""F22 motor run-time limit: the drive runs and the car stays where it is.

    speed      ___/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾     the sheave turns under the ropes
    position   ______________________     within 20 mm
    time          |---------------- the limit of the motor's run-time limiter

The limit is that of EN 81-20, 5.9.2.7.2: 45 s, or the time of the whole travel and 10 s more, at least 20 s. No run
lasts longer than the travel, so that a position sensor that is stuck looks like no jammed car. A speed that repeats
itself exactly is a stuck sensor, and unknown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe.gaps import NEVER_NS
from detectors.observe.rest import STILL_MPS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        *hold.FIELDS,
        ("from_m", np.float64),  # where the car is since the time began
        ("v", np.float64),  # the last speed, and how many readings in a row were equal to it
        ("equal", np.int64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class MotorRunLimit:
    """Scores how long the drive has run without moving the car, as a share of the limit.

    `gentle_mps2`, `gentle_mps3`: the acceleration and jerk of a slow drive, for the time of the whole travel.
    """

    moved_m: float = 0.020
    most_s: float = 45.0
    least_s: float = 20.0
    more_s: float = 10.0
    equal: int = 5
    gentle_mps2: float = 0.5
    gentle_mps3: float = 0.5

    def start(self, n: int) -> Memory:
        """Return `n` drives that do not run."""
        return records(n, MEMORY, last_ns=NEVER_NS, from_m=np.nan, v=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        state, since_ns = copied(state), np.empty(len(rows), np.int64)
        on, off, held_s = np.empty((3, len(rows)))
        limit_s = self._limit_s(facts)[rows.lift]
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.stale, rows.v, rows.z_last, limit_s, self.moved_m,
            self.equal, on, off, held_s, since_ns,
        )  # fmt: skip
        evidence = {"held_s": held_s, "limit_s": limit_s, "speed_mps": np.abs(rows.v)}
        return state, (Score(on, off, evidence, since_ns),)

    def _limit_s(self, facts: FleetFacts) -> F64:
        """Return the limit of each lift; NaN where its travel or rated speed is unknown."""
        rated = facts.rated_speed_mps
        travel_s = facts.top_m / rated + rated / self.gentle_mps2 + self.gentle_mps2 / self.gentle_mps3
        limiter_s = np.minimum(np.maximum(travel_s + self.more_s, self.least_s), self.most_s)
        return np.maximum(limiter_s, travel_s + self.more_s / 2)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, stale: Any, v: Any, z_last: Any, limit_s: Any, moved_m: float,
    equal: int, on: Any, off: Any, held_s: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        speed = v[k]
        holds = np.nan
        if not np.isnan(speed):
            own["equal"] = own["equal"] + 1 if speed == own["v"] else 0
            own["v"] = speed
            holds = 1.0 if abs(speed) >= STILL_MPS else 0.0
        if holds == 1.0 and (stale[k] or np.isnan(z_last[k]) or own["equal"] >= equal):
            holds = np.nan
        moved = abs(z_last[k] - own["from_m"]) >= moved_m
        if holds == 0.0 or moved or np.isnan(own["from_m"]):
            own["from_m"] = z_last[k]
        held_s[k] = hold.serve(own, t_ns[k], gap_ns[k], 0.0 if moved else holds)
        on[k], since_ns[k] = held_s[k] / limit_s[k], own["since_ns"]
        off[k] = 1.0 - holds if not moved else 1.0


LEVEL = Level(MAJOR, readings=1, by_hand=True)
NEEDS = ("floors", "position_source", "rated_speed_mps")
RULE = Rule.from_catalogue("motor-run-limit", MotorRunLimit(), (LEVEL,), needs=NEEDS)
