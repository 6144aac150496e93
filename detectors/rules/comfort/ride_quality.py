"""F30, F31 and F32, ride quality: trips exceed the limits of GB/T 10058 again and again.

    trip     ok  bad ok  bad bad ok ok ...       three of the last ten: trend
    minor                 |                      1.5 times the limit on three of ten, or after seven days

The vertical vibration (F30) of many sound lifts is above the limit, because the car rings on its ropes after each
start: it counts where it is also 1.5 times as strong as over the lift's first twenty trips.

The jerk (F32) of some sound drives is a little above its limit: it counts where it is also 1.2 times that of the lift's
first twenty trips, and always from 1.5 times the limit on. While these are learned only such trips count.

F30 takes the vertical vibration, F31 the horizontal one: the greatest peak to peak and the A95 where the acceleration
is constant (`detectors.observe.rides`). F32 takes acceleration and jerk; a single trip above the limit of the
acceleration counts. Without vibration no trip is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import tally
from detectors.observe.rides.table import RideTable
from detectors.rule import MINOR, TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records

LEARNS = 20
MEMORY = np.dtype(
    [*tally.FIELDS, ("far_bits", np.int64), ("usual", np.float64), ("learned", np.int64)],
    align=True,
)
"""A tally of the trips above the limit; `far_bits` marks those of the last trips that were far above, and `usual` is
the mean share of the limit over the first `learned` trips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedTrips:
    """Scores how many of the last trips were beyond a limit, as a share of `trips`.

    `usual`: a trip counts where it is also so many times as bad as the lift's first trips; 0 for the limits alone.
    `bounded`: it counts in any case where it is `far` above the limit, the first trips too.
    """

    usual: float = 0.0
    bounded: bool = False
    far: float = 1.5
    trips: int = 3
    of_trips: int = 10
    good_trips: int = 10
    lasting_s: float = 7 * 86_400.0

    def start(self, n: int) -> Memory:
        """Return `n` lifts without a trip."""
        return records(n, MEMORY)

    def count(
        self, state: Memory, rides: RideTable, share: F64, at_once: Any, shown: dict[str, F64]
    ) -> tuple[Memory, tuple[Score, ...]]:
        """Return the memory and the two scores of rides whose `share` of the limit is above 1 where they are bad."""
        state, n = copied(state), len(rides)
        trend, minor, off, bad, since_ns = *np.full((3, n), np.nan), np.zeros(n), np.empty(n, np.int64)
        lasting_ns = round(self.lasting_s * 1e9)
        most = self.far if self.bounded else np.inf
        counts = (self.usual, most, self.far, self.trips, self.of_trips, self.good_trips, lasting_ns)
        _run(state, rides.lift, rides.start_ns, rides.t_ns, share, at_once, counts, trend, minor, off, bad, since_ns)
        evidence = shown | {"trips": bad}
        return state, (Score(trend, off, evidence, since_ns), Score(minor, off, evidence, since_ns))


@dataclass(frozen=True, slots=True)
class VibrationLimits(RepeatedTrips):
    """Scores how many of the last trips vibrated beyond the limits on one of `axes`."""

    axes: str
    pp_mps2: float
    a95_mps2: float

    def step(self, state: Memory, rides: RideTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each ride with vibration."""
        pp_mps2 = np.fmax.reduce([rides.column(f"pp_{axis}_mps2") for axis in self.axes])
        a95_mps2 = np.fmax.reduce([rides.column(f"a95_{axis}_mps2") for axis in self.axes])
        share = np.fmax(pp_mps2 / self.pp_mps2, a95_mps2 / self.a95_mps2)
        shown = {"pp_mps2": pp_mps2, "limit_pp_mps2": np.full(len(rides), self.pp_mps2)}
        shown |= {"a95_mps2": a95_mps2, "limit_a95_mps2": np.full(len(rides), self.a95_mps2)}
        return self.count(state, rides, share, np.zeros(len(rides), np.bool_), shown)


@dataclass(frozen=True, slots=True)
class HarshRide(RepeatedTrips):
    """Scores how many of the last trips started or stopped harshly.

    A trip that ends outside its door zone is an emergency stop or a fault of the drive, not a harsh ride.
    """

    accel_mps2: float = 1.5
    jerk_mps3: float = 2.5

    def step(self, state: Memory, rides: RideTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each ride with vibration that ends at a landing, or of which that is unknown."""
        landing = rides.column("to_landing")
        at_m = facts.landings_m[rides.lift, np.nan_to_num(landing).astype(np.int64)]
        strays = np.abs(rides.column("to_m") - at_m) > facts.door_zone_m[rides.lift]
        accel = np.where(strays, np.nan, np.fmax(rides.column("accel_mps2"), rides.column("decel_mps2")))
        jerk = np.where(strays, np.nan, rides.column("jerk_mps3"))
        share = np.fmax(accel / self.accel_mps2, jerk / self.jerk_mps3)
        shown = {"accel_mps2": accel, "limit_mps2": np.full(len(rides), self.accel_mps2)}
        shown |= {"jerk_mps3": jerk, "limit_mps3": np.full(len(rides), self.jerk_mps3)}
        return self.count(state, rides, share, accel > self.accel_mps2, shown)


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, t_ns: Any, share: Any, at_once: Any, counts: Any, trend: Any, minor: Any,
    off: Any, bad: Any, since_ns: Any,
) -> None:  # fmt: skip
    usual_share, most_share, far_share, trips, of_trips, good_trips, lasting_ns = counts
    for k in range(len(lift)):
        own = memory[lift[k]]
        limit = min(max(usual_share * own["usual"], 1.0), most_share)
        if not np.isnan(share[k]) and usual_share > 0.0 and own["learned"] < LEARNS:
            own["learned"] += 1
            own["usual"] += (share[k] - own["usual"]) / own["learned"]
            limit = most_share
        if not np.isnan(share[k]) and limit < np.inf:
            bad[k] = tally.count(own, share[k] > limit, start_ns[k], of_trips)
            far_limit = far_share if most_share < np.inf else far_share * limit
            own["far_bits"] = ((own["far_bits"] << 1) & ((1 << of_trips) - 1)) | (share[k] > far_limit)
            far = tally.ones(own["far_bits"], of_trips)
            trend[k] = max(bad[k] / trips, 1.0 if at_once[k] else 0.0)
            lasts = bad[k] >= trips and t_ns[k] - own["first_ns"] >= lasting_ns
            minor[k] = max(far / trips, 1.0 if lasts else 0.0)
            off[k] = 1.0 if own["good"] >= good_trips else 0.0
        since_ns[k] = own["first_ns"]


LEVELS = tuple(Level(severity, readings=1, clear_readings=1) for severity in (TREND, MINOR))
VERTICAL_VIBRATION = Rule.from_catalogue(
    "vertical-vibration", VibrationLimits("z", 0.30, 0.20, usual=1.5), LEVELS, table="rides"
)
HORIZONTAL_VIBRATION = Rule.from_catalogue(
    "horizontal-vibration", VibrationLimits("xy", 0.20, 0.15), LEVELS, table="rides"
)
HARSH_RIDE = Rule.from_catalogue("harsh-ride", HarshRide(usual=1.2, bounded=True), LEVELS, table="rides")
