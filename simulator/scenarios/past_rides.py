"""What a monitor would have measured of the rides of a past day: doors, levelling and ride quality, with wear.

measure    ────────────╱‾‾    a wear begins on its day and grows from then on; a repair ends it
           healthy    worn

Each lift has values of its own, drawn once from the seed; each ride varies about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from telemetry.arrays import F64, I64, Index
from telemetry.instant import DAY_NS

DOOR, LEVEL, ROUGH, SLIP = "door", "level", "rough", "slip"
DOOR_OPEN_S, DOOR_CLOSE_S, DOOR_SPREAD = (2.0, 2.5), (2.6, 3.3), 0.05
STOP_BIAS_M, STOP_SPREAD_M = 0.002, 0.003
BACK_M = 0.003
A95_X, A95_Z, A95_SPREAD = (0.045, 0.085), (0.06, 0.12), 0.25
JERK_MPS3 = (0.8, 1.2)
RMS_SHARE = 0.25
SLIP_SPREAD = 0.003


@dataclass(frozen=True, slots=True)
class Wear:
    """A growing wear of a lift, by its number in the fleet: its form, its begin, and its growth a day.

    A day adds this share of the healthy value (`door`, `rough`), so many metres (`level`), or this share of the way
    (`slip`).
    """

    lift: int
    form: str
    begin_ns: int
    growth: float

    def grown(self, day_ns: int) -> float:
        """Return how much has grown by a day."""
        return self.growth * max(0.0, (day_ns - self.begin_ns) / DAY_NS)


class PastTrips(NamedTuple):
    """Trips of a day: the lift of each, its begin and duration in seconds, both ends, and the speed it reached."""

    lift: Index
    start_s: F64
    lasts_s: F64
    origin_m: F64
    target_m: F64
    from_landing: Index
    to_landing: Index
    top_mps: F64

    @property
    def way_m(self) -> F64:
        """The way up."""
        return self.target_m - self.origin_m


def rides_of(
    trips: PastTrips, lifts: int, wears: Sequence[Wear], day_ns: I64 | int, seed: int
) -> tuple[dict[str, F64], dict[str, F64]]:
    """Return the columns of the measurements `trip` and `feature`, a row for each trip."""
    own, rng = np.random.default_rng((seed, 14)), np.random.default_rng((seed, int(day_ns), 14))
    n, lift = len(trips.lift), trips.lift
    slow, rough, off_m, slip = np.ones(lifts), np.ones(lifts), np.zeros(lifts), np.zeros(lifts)
    for wear in wears:
        grown = wear.grown(int(day_ns))
        slow[wear.lift] += grown if wear.form == DOOR else 0.0
        rough[wear.lift] += grown if wear.form == ROUGH else 0.0
        off_m[wear.lift] += grown if wear.form == LEVEL else 0.0
        slip[wear.lift] += grown if wear.form == SLIP else 0.0

    def value(low_high: tuple[float, float], spread: float) -> F64:
        return own.uniform(*low_high, lifts)[lift] * np.exp(spread * rng.normal(size=n))

    bias_m = own.normal(0.0, STOP_BIAS_M, lifts)
    off_m = np.where(bias_m < 0.0, -off_m, off_m) + bias_m
    distance = np.abs(trips.way_m)
    trip = {
        "from_landing": trips.from_landing.astype(float),
        "to_landing": trips.to_landing.astype(float),
        "from_m": trips.origin_m,
        "to_m": trips.target_m,
        "distance_m": trips.way_m,
        "duration_s": trips.lasts_s,
        "way_m": trips.way_m * (1.0 + slip[lift] + SLIP_SPREAD * rng.normal(size=n)),
        "peak_mps": trips.top_mps,
        "steady_mps": np.where(distance > 4.0 * trips.top_mps, trips.top_mps, np.nan),
        "stop_error_m": off_m[lift] + STOP_SPREAD_M * rng.normal(size=n),
        "back_m": np.abs(BACK_M * rng.normal(size=n)),
        "door_open_s": value(DOOR_OPEN_S, DOOR_SPREAD) * slow[lift],
        "door_close_s": value(DOOR_CLOSE_S, DOOR_SPREAD) * slow[lift],
        "reversals": (rng.random(n) < 0.03).astype(float),
    }
    x, y, z = (value(span, A95_SPREAD) * rough[lift] for span in (A95_X, A95_X, A95_Z))
    feature = {f"a95_{axis}_mps2": a95 for axis, a95 in (("x", x), ("y", y), ("z", z))}
    feature |= {f"rms_{axis}_mid_mps2": RMS_SHARE * a95 for axis, a95 in (("x", x), ("y", y), ("z", z))}
    return trip, feature | {"jerk_a95_mps3": value(JERK_MPS3, 0.1)}
