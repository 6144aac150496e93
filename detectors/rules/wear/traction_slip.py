"""F29 traction slip: the sheave turns further than the car comes, more than it used to.

    by speed     |‾‾‾‾‾‾‾‾‾‾‾‾‾|‾|     the way by the speed, which is that of the sheave
    by position  |‾‾‾‾‾‾‾‾‾‾‾‾‾|       the way of the car: more than 0.5 % and 50 mm apart, beside the usual difference

Two sources are needed: a speed that is not worked out from the position, and a position that is not counted at the
machine; with one source for both nothing is ever found. The usual ratio of both ways is learned from the lift's first
trips. A difference beyond `sensor_share` is a fault of a sensor (F24, F40).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import tally
from detectors.observe.trips import TripTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype([*tally.FIELDS, ("usual", np.float64), ("learned", np.int64)], align=True)
"""`usual` is the mean ratio of both ways less 1 over the first `learned` trips."""


@dataclass(frozen=True, slots=True)
class TractionSlip:
    """Scores how many of the last trips slipped, as a share of `slips`.

    `long_m`: shorter trips show no slip. `learns`: the trips from which the usual ratio is learned.
    """

    share: float = 0.005
    least_m: float = 0.050
    long_m: float = 6.0
    sensor_share: float = 0.10
    learns: int = 20
    slips: int = 5
    of_trips: int = 10
    good_trips: int = 10

    def start(self, n: int) -> Memory:
        """Return `n` lifts without a trip."""
        return records(n, MEMORY)

    def step(self, state: Memory, trips: TripTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each trip that is long enough and has both ways."""
        state, n = copied(state), len(trips)
        moved_m = trips.to_m - trips.from_m
        judged = (np.abs(moved_m) >= self.long_m) & ~trips.is_rescue
        excess = np.where(judged, trips.way_m / np.where(judged, moved_m, 1.0) - 1.0, np.nan)
        excess[np.abs(excess) > self.sensor_share] = np.nan
        on, off, slips, slip_m = *np.full((2, n), np.nan), np.zeros(n), np.full(n, np.nan)
        since_ns = np.empty(n, np.int64)
        limits = (self.share, self.least_m, self.learns, self.slips, self.of_trips, self.good_trips)
        _run(state, trips.lift, trips.start_ns, excess, np.abs(moved_m), limits, on, off, slips, slip_m, since_ns)
        limit_m = np.maximum(self.share * np.abs(moved_m), self.least_m)
        evidence = {"slip_m": slip_m, "limit_m": limit_m, "distance_m": np.abs(moved_m), "trips": slips}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, excess: Any, moved_m: Any, limits: Any, on: Any, off: Any, slips: Any,
    slip_m: Any, since_ns: Any,
) -> None:  # fmt: skip
    share, least_m, learns, slips_least, of_trips, good_trips = limits
    for k in range(len(lift)):
        own = memory[lift[k]]
        since_ns[k] = own["first_ns"]
        if np.isnan(excess[k]):
            continue
        if own["learned"] < learns:
            own["learned"] += 1
            own["usual"] += (excess[k] - own["usual"]) / own["learned"]
            continue
        slip_m[k] = abs(excess[k] - own["usual"]) * moved_m[k]
        slips[k] = tally.count(own, slip_m[k] > max(share * moved_m[k], least_m), start_ns[k], of_trips)
        on[k] = slips[k] / slips_least
        off[k] = 1.0 if own["good"] >= good_trips else 0.0
        since_ns[k] = own["first_ns"]


LEVELS = (Level(MAJOR, readings=1, clear_readings=1),)
RULE = Rule.from_catalogue("traction-slip", TractionSlip(), LEVELS, needs=("position_source",), table="trips")
