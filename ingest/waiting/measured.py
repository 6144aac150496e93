"""Complete rides and observations until the time series hold them: judging adds them, storing writes them and takes
them off.

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

from store.series.timeseries import MEASUREMENTS, Points
from telemetry.arrays import F64, I32, I64, Memory
from telemetry.behaviour_fields import EVIDENCE, FIELDS, FIELDS_OF, KINDS

WAITING_MOST = 100_000
"""Some four hours of the rides of 10 000 lifts with 60 trips a day each: 100 MB."""

Measured = tuple[str, str, int, F64]
"""Lift, district, begin by the lift's clock, and the values of the fields."""


class MeasuredWaiting:
    """A queue between two threads of rows of some measurements, the oldest row first."""

    def __init__(self, *measurements: str) -> None:
        self.dropped = 0
        self._measurements = measurements
        self._fields = sum(len(MEASUREMENTS[name]) for name in measurements)
        self._lock = threading.Lock()
        self._rows: deque[Measured] = deque()
        self._gone = 0

    def add(self, lift: I32, start_ns: I64, values: F64, lift_ids: Sequence[str], districts: Sequence[str]) -> None:
        """Add the rows of a batch, (rows, fields) values; `lift_ids` and `districts` are those of all lifts."""
        new = [
            (lift_ids[own], districts[own], begin_ns, values[k].copy())
            for k, (own, begin_ns) in enumerate(zip(lift.tolist(), start_ns.tolist(), strict=True))
        ]
        with self._lock:
            self._rows.extend(new)
            while len(self._rows) > WAITING_MOST:
                self._rows.popleft()
                self._gone += 1
                self.dropped += 1

    def first(self, limit: int) -> tuple[int, list[Measured]]:
        """Return the oldest rows, at most `limit`, and the number of the row after them."""
        with self._lock:
            some = [self._rows[k] for k in range(min(limit, len(self._rows)))]
            return self._gone + len(some), some

    def done(self, before: int) -> None:
        """Take off the rows before this number: the store holds them."""
        with self._lock:
            while self._gone < before and self._rows:
                self._rows.popleft()
                self._gone += 1

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return every row as arrays."""
        with self._lock:
            rows = list(self._rows)
        return {
            "lift": np.array([row[0] for row in rows], dtype=np.str_),
            "district": np.array([row[1] for row in rows], dtype=np.str_),
            "start_ns": np.array([row[2] for row in rows], dtype=np.int64),
            "values": np.array([row[3] for row in rows], dtype=np.float64).reshape(-1, self._fields),
        }

    def unpack(self, packed: Mapping[str, NDArray[Any]]) -> None:
        """Add the rows of `pack`; those of a version with other fields are left out."""
        if "values" not in packed or packed["values"].shape[1:] != (self._fields,):
            return
        columns = (packed[name].tolist() for name in ("lift", "district", "start_ns"))
        self._rows.extend(zip(*columns, packed["values"], strict=True))

    def points(self, rows: Sequence[Measured], oldest_ns: int) -> list[Points]:
        """Return rows as points of the measurements, without those before `oldest_ns`."""
        kept = [row for row in rows if row[2] >= oldest_ns]
        if not kept:
            return []
        lift_ids, districts, starts, values = zip(*kept, strict=True)
        t_ns, table = np.array(starts, dtype=np.int64), np.array(values)
        made, begin = [], 0
        for measurement in self._measurements:
            names = MEASUREMENTS[measurement]
            own, begin = table[:, begin : begin + len(names)], begin + len(names)
            lift = np.flatnonzero(~np.isnan(own).all(axis=1)).astype(np.int32)
            fields = {name: own[lift, k] for k, name in enumerate(names)}
            if len(lift):
                made.append(Points(measurement, lift, list(lift_ids), list(districts), t_ns[lift], fields))
        return made


PLACE_OF = {kind: FIELDS.index(names[0]) for kind, names in FIELDS_OF.items()}


def behaviour_values(observed: Memory) -> F64:
    """Return the values of observations, records of `behaviour.observation.OBSERVATION`, as rows of `FIELDS`."""
    values = np.full((len(observed), len(FIELDS)), np.nan)
    for code, kind in enumerate(KINDS):
        own, width = observed["kind"] == code, len(EVIDENCE[kind])
        values[own, PLACE_OF[kind] : PLACE_OF[kind] + width] = observed["values"][own, :width]
    return values
