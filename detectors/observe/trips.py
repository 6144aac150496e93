"""The table of trips: one row for each finished trip. `rest` decides where a trip begins and ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, I64, Memory
from telemetry.streams import BATTERY, EMERGENCY_POWER

TRIP = np.dtype(
    [
        *((name, np.float64) for name in ("from_m", "to_m", "distance_m", "way_m", "back_m", "peak_mps", "steady_mps")),
        *((name, np.float64) for name in ("mode", "power")),
        *((name, np.int64) for name in ("t_ns", "start_ns", "stop_ns", "from_landing", "to_landing")),
        ("lift", np.int32),
    ],
    align=True,
)
"""A finished trip as the recurrence of the rows writes it."""


class TripColumns(NamedTuple):
    """The columns of `TripTable`."""

    lift: NDArray[np.int32]
    t_ns: I64
    gap_ns: I64
    start_ns: I64
    stop_ns: I64
    from_m: F64
    to_m: F64
    from_landing: I64
    to_landing: I64
    distance_m: F64
    way_m: F64
    back_m: F64
    peak_mps: F64
    steady_mps: F64
    mode: F64
    power: F64
    stale: NDArray[np.bool_]


class TripTable(TripColumns):
    """One row for each finished trip, sorted by lift and then time. NaN is unknown.

    `t_ns`                   the reading at which the trip is known to be over: the car has rested for `rest.STILL_S`
    `gap_ns`                 0: a level over trips counts trips (`readings`) and no time (`hold_s` must be 0); a rule
                             with a window of time keeps it in its own memory
    `start_ns`, `stop_ns`    the last reading at rest before it, and the first at rest after it: the time between is
                             longer than the trip by up to two intervals of the readings
    `from_m`, `to_m`         the positions at both rests; `from_landing`, `to_landing` the nearest landings, -1 unknown
    `distance_m`             the distance, up positive (`rest`)
    `way_m`                  the same by the speed alone (`ride`); NaN where readings of the speed are missing
    `back_m`                 how far the car moved in the other direction at its start (`ride`), 0 or more; NaN where
                             positions come too seldom
    `peak_mps`               the greatest speed that two readings in a row confirm; NaN where they come too seldom
    `steady_mps`             the mean of a speed that lasted a second (`ride`); NaN on a trip that has no such speed
    `mode`, `power`          the lift's mode and power as reported last
    `stale`                  False: a trip is never old
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])

    @property
    def is_rescue(self) -> NDArray[np.bool_]:
        """The trips on emergency power or on battery, which are slow and may end anywhere."""
        on_reserve: NDArray[np.bool_] = (self.mode == EMERGENCY_POWER) | (self.power == BATTERY)
        return on_reserve


def table(trips: Memory) -> TripTable:
    """Return records of `TRIP` as a table."""
    n = len(trips)
    own = {name: np.ascontiguousarray(trips[name]) for name in trips.dtype.names or ()}
    return TripTable(**own, gap_ns=np.zeros(n, dtype=np.int64), stale=np.zeros(n, dtype=np.bool_))
