"""F27 rollback at start: the car moves against its direction before it sets off.

    position   _      /‾‾‾‾
                \\_  _/         the brake opens before the drive holds the load
                  \\/   ^ 10 mm on three of ten starts: trend; 30 mm once: major

By positions, within the first second. Where they come more seldom than three times a second, and from a barometer, no
start is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import tally
from detectors.observe.trips import TripTable
from detectors.rule import MAJOR, TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(tally.FIELDS, align=True)


@dataclass(frozen=True, slots=True)
class StartRollback:
    """Scores how many of the last starts went back by `back_m`, and how far one start went as a share of `far_m`."""

    back_m: float = 0.010
    far_m: float = 0.030
    starts: int = 3
    of_starts: int = 10
    normal_starts: int = 20

    def start(self, n: int) -> Memory:
        """Return `n` lifts without a trip."""
        return records(n, MEMORY)

    def step(self, state: Memory, trips: TripTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each trip whose start was seen."""
        state, n = copied(state), len(trips)
        on, off, bad, since_ns = *np.full((2, n), np.nan), np.zeros(n), np.empty(n, np.int64)
        limits = (self.back_m, self.starts, self.of_starts, self.normal_starts)
        _run(state, trips.lift, trips.start_ns, trips.back_m, limits, on, off, bad, since_ns)
        near = {"back_m": trips.back_m, "limit_m": np.full(n, self.back_m), "starts": bad}
        far = near | {"limit_m": np.full(n, self.far_m)}
        return state, (Score(on, off, near, since_ns), Score(trips.back_m / self.far_m, off, far, trips.start_ns))


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, back_m: Any, limits: tuple[float, int, int, int], on: Any, off: Any,
    bad: Any, since_ns: Any,
) -> None:  # fmt: skip
    limit_m, starts, of_starts, normal_starts = limits
    for k in range(len(lift)):
        own = memory[lift[k]]
        if not np.isnan(back_m[k]):
            bad[k] = tally.count(own, back_m[k] > limit_m, start_ns[k], of_starts)
            on[k] = bad[k] / starts
            off[k] = 1.0 if own["good"] >= normal_starts else 0.0
        since_ns[k] = own["first_ns"]


LEVELS = (Level(TREND, readings=1, clear_readings=1), Level(MAJOR, readings=1, clear_readings=1))
RULE = Rule.from_catalogue("start-rollback", StartRollback(), LEVELS, needs=("position_source",), table="trips")
