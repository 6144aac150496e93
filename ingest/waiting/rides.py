"""Complete rides until the time series hold them: judging adds them, storing writes them and takes them off.

They are part of judging's snapshot, so that neither a restart nor an outage of the store loses one. Of more than
`WAITING_MOST` the oldest are dropped, and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.rides.table import RideTable
from store.series.timeseries import MEASUREMENTS, Points
from telemetry.arrays import F64
from telemetry.ride_fields import FIELDS

WAITING_MOST = 100_000
"""Some four hours of 10 000 lifts with 60 trips a day each: 100 MB."""
PLACE = {name: place for place, name in enumerate(FIELDS)}
MEASUREMENTS_OF_RIDES = ("trip", "feature")

Ride = tuple[str, str, int, F64]
"""Lift, district, begin of the trip by the lift's clock, and the values of `FIELDS`."""


class RidesWaiting:
    """A queue between two threads, the oldest ride first."""

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = threading.Lock()
        self._rides: deque[Ride] = deque()
        self._gone = 0

    def add(self, found: RideTable, lift_ids: Sequence[str], districts: Sequence[str]) -> None:
        """Add the rides of a batch; `lift_ids` and `districts` are those of all lifts."""
        starts, lifts = found.start_ns.tolist(), found.lift.tolist()
        new = [
            (lift_ids[lift], districts[lift], start_ns, found.values[k].copy())
            for k, (lift, start_ns) in enumerate(zip(lifts, starts, strict=True))
        ]
        with self._lock:
            self._rides.extend(new)
            while len(self._rides) > WAITING_MOST:
                self._rides.popleft()
                self._gone += 1
                self.dropped += 1

    def first(self, limit: int) -> tuple[int, list[Ride]]:
        """Return the oldest rides, at most `limit`, and the number of the ride after them."""
        with self._lock:
            some = [self._rides[k] for k in range(min(limit, len(self._rides)))]
            return self._gone + len(some), some

    def done(self, before: int) -> None:
        """Take off the rides before this number: the store holds them."""
        with self._lock:
            while self._gone < before and self._rides:
                self._rides.popleft()
                self._gone += 1

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return every ride as arrays."""
        with self._lock:
            rides = list(self._rides)
        return {
            "lift": np.array([ride[0] for ride in rides], dtype=np.str_),
            "district": np.array([ride[1] for ride in rides], dtype=np.str_),
            "start_ns": np.array([ride[2] for ride in rides], dtype=np.int64),
            "values": np.array([ride[3] for ride in rides], dtype=np.float64).reshape(-1, len(FIELDS)),
        }

    def unpack(self, packed: Mapping[str, NDArray[Any]]) -> None:
        """Add the rides of `pack`; those of a version with other fields are left out."""
        if "values" not in packed or packed["values"].shape[1:] != (len(FIELDS),):
            return
        columns = (packed[name].tolist() for name in ("lift", "district", "start_ns"))
        self._rides.extend(zip(*columns, packed["values"], strict=True))


def points_of(rides: Sequence[Ride], oldest_ns: int) -> list[Points]:
    """Return rides as rows of the measurements `trip` and `feature`, without those before `oldest_ns`."""
    kept = [ride for ride in rides if ride[2] >= oldest_ns]
    if not kept:
        return []
    lift_ids, districts, starts, values = zip(*kept, strict=True)
    t_ns, table = np.array(starts, dtype=np.int64), np.array(values)
    made = []
    for measurement in MEASUREMENTS_OF_RIDES:
        own = table[:, [PLACE[name] for name in MEASUREMENTS[measurement]]]
        lift = np.flatnonzero(~np.isnan(own).all(axis=1)).astype(np.int32)
        fields = {name: own[lift, k] for k, name in enumerate(MEASUREMENTS[measurement])}
        if len(lift):
            made.append(Points(measurement, lift, list(lift_ids), list(districts), t_ns[lift], fields))
    return made
