"""Time series: the protocol of a store of readings, and the values it takes and returns.

Two implementations: local files (`files`) and InfluxDB 2 (`influx`); `connect` opens either. Writing the same points
again changes nothing. A transient failure is `TimeSeriesUnavailable`: try again later, with jitter. A permanent one is
`TimeSeriesRefused`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from telemetry import behaviour_fields
from telemetry.instant import DAY_NS
from telemetry.ride_fields import FEATURES, LOADS, MOTION, TRIP
from telemetry.streams import MODES, POWERS

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
RAW_DEFAULT_DAYS = 30
TRIP_DEFAULT_DAYS = 90
MINUTE_DEFAULT_DAYS = 730
EVENTS_LIMIT = 10_000
# How far back the state at the beginning of a window is searched.
STATE_LOOK_BACK_NS = 7 * DAY_NS
# Windows from this length on are answered from the 1-minute reduction.
REDUCED_FROM_NS = 6 * HOUR_NS

AXES = ("x", "y", "z")
# The columns of each measurement (contract, section 5).
MEASUREMENTS: Mapping[str, tuple[str, ...]] = {
    "speed": ("v",),
    "displacement": ("z",),
    "vibration": tuple(f"{feature}_{axis}" for axis in AXES for feature in ("rms", "min", "max", "mean")),
    "door": ("state",),
    "infrared": ("presence", "curtain"),
    "status": ("online", "alarm", "mode", "power"),
    "trip": TRIP,
    "feature": (*MOTION, *FEATURES),
    "behaviour": behaviour_fields.FIELDS,
}
# For each channel of a sampled stream, the columns that hold its least, its greatest and its mean value.
REDUCIBLE: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "speed": {"v": ("v", "v", "v")},
    "displacement": {"z": ("z", "z", "z")},
    "vibration": {axis: (f"min_{axis}", f"max_{axis}", f"mean_{axis}") for axis in AXES},
}
# The aggregates of each column in the 1-minute reduction, named `{column}_{how}`.
REDUCTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "speed": {"v": ("min", "max", "mean")},
    "displacement": {"z": ("min", "max", "mean")},
    "vibration": {
        f"{feature}_{axis}": ("max", "mean") if feature == "rms" else (feature,)
        for axis in AXES
        for feature in ("rms", "min", "max", "mean")
    },
}
# What is measured of trips and observed is kept longer than readings, for `trip_days`.
KEPT_LONGER = ("trip", "feature", "behaviour")
EVENT_STREAMS = ("door", "infrared", "status")
# Rows of one instant have values of different fields: two kinds of behaviour may begin together.
MERGED = (*EVENT_STREAMS, "behaviour")
INTEGER_FIELDS = frozenset({"state", "presence", "curtain", "online", "alarm"})
TEXT_FIELDS: Mapping[str, tuple[str, ...]] = {"mode": MODES, "power": POWERS, "load_class": LOADS}

FloatArray = NDArray[np.floating[Any]]


class TimeSeriesUnavailable(Exception):
    """The store does not answer now; the same call may succeed later."""


class TimeSeriesRefused(Exception):
    """The store refuses for good: a wrong token, a wrong address, a point that it cannot hold."""


@dataclass(frozen=True, slots=True)
class Points:
    """Rows of one measurement as columns of one length.

    `lift` indexes `lift_ids` and `districts`. NaN in a field is left out. A field of `TEXT_FIELDS` holds the index of
    its text in that tuple.
    """

    measurement: str
    lift: NDArray[np.int32]
    lift_ids: Sequence[str]
    districts: Sequence[str]
    t_ns: NDArray[np.int64]
    fields: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass(frozen=True, slots=True)
class Readings:
    """Rows of one stream of one lift in the order of time; NaN where a row has no value of a channel."""

    t_ns: NDArray[np.int64]
    channels: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass(frozen=True, slots=True)
class Reduced:
    """One channel reduced to buckets; NaN is an empty bucket."""

    min: NDArray[np.float64]
    max: NDArray[np.float64]
    mean: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """A stream of one lift in buckets of one width: bucket k covers [t_ns[k], t_ns[k] + bucket_ns)."""

    stream: str
    from_ns: int
    to_ns: int
    bucket_ns: int
    t_ns: NDArray[np.int64]
    channels: Mapping[str, Reduced]


class TimeSeries(Protocol):
    """A store of readings. Instants are int64 UTC nanoseconds; a window includes `from_ns` and excludes `to_ns`."""

    def write(self, points: Sequence[Points]) -> None:
        """Store `points`: once this returns they are durable and can be read."""

    def series(self, lift_id: str, stream: str, from_ns: int, to_ns: int, points: int) -> Series:
        """Return a sampled stream in at most `points` buckets, each with its least, greatest and mean value."""

    def events(self, lift_id: str, stream: str, from_ns: int, to_ns: int, limit: int = EVENTS_LIMIT) -> Readings:
        """Return an event stream, unreduced, at most `limit` rows from the beginning of the window.

        The first row is the state at the beginning of the window, where that is known (its time is before `from_ns`).
        """

    def readings(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> Readings:
        """Return every raw row of a stream in the window."""

    def maintain(self, now_ns: int) -> None:
        """Do the housekeeping that is due, expiry included: call it every few seconds, from any thread."""

    def expire(self, now_ns: int) -> None:
        """Delete rows older than the retention."""

    def close(self) -> None:
        """Close files and connections."""
