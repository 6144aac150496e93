"""F10 underspeed: trips that are long enough stay below the rated speed.

    speed   __/‾‾‾‾‾‾‾‾\\__   92 % of the rated speed
              |-------- |     steady for a second: the trip's speed

GB/T 10058 recommends no less than -8 %. Rescue runs in emergency-power mode or on battery are slow by design, and short
trips may have a lower speed of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import tally
from detectors.observe.trips import TripTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(tally.FIELDS, align=True)


@dataclass(frozen=True, slots=True)
class Underspeed:
    """Scores how many of the last trips with a steady speed were slow, as a share of `slow_trips`.

    `gentle_mps2`, `gentle_mps3`: a drive that accelerates so gently reaches its rated speed on any longer trip.
    """

    share: float = 0.92
    slow_trips: int = 3
    of_trips: int = 5
    normal_trips: int = 10
    gentle_mps2: float = 0.5
    gentle_mps3: float = 0.5

    def start(self, n: int) -> Memory:
        """Return `n` lifts without a trip."""
        return records(n, MEMORY)

    def step(self, state: Memory, trips: TripTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each trip that is long enough and has a steady speed."""
        state, n = copied(state), len(trips)
        rated = facts.rated_speed_mps[trips.lift]
        long_m = rated * self.gentle_mps2 / self.gentle_mps3 + rated**2 / self.gentle_mps2
        judged = (np.abs(trips.distance_m) > long_m) & ~trips.is_rescue
        steady = np.where(judged, trips.steady_mps, np.nan)
        on, off, slow, since_ns = *np.full((2, n), np.nan), np.zeros(n), np.empty(n, np.int64)
        limits = (self.share, self.slow_trips, self.of_trips, self.normal_trips)
        _run(state, trips.lift, trips.start_ns, steady, rated, limits, on, off, slow, since_ns)
        evidence = {"speed_mps": steady, "limit_mps": self.share * rated, "slow_trips": slow}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, steady: Any, rated: Any, limits: tuple[float, int, int, int], on: Any,
    off: Any, slow: Any, since_ns: Any,
) -> None:  # fmt: skip
    share, slow_trips, of_trips, normal_trips = limits
    for k in range(len(lift)):
        own = memory[lift[k]]
        if not np.isnan(steady[k] / rated[k]):
            slow[k] = tally.count(own, steady[k] < share * rated[k], start_ns[k], of_trips)
            on[k] = slow[k] / slow_trips
            off[k] = 1.0 if own["good"] >= normal_trips else 0.0
        since_ns[k] = own["first_ns"]


LEVELS = (Level(MINOR, readings=1, clear_readings=1),)
RULE = Rule.from_catalogue("underspeed", Underspeed(), LEVELS, needs=("rated_speed_mps",), table="trips")
