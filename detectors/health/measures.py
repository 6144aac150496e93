"""The measures of a day: one number a lift and day for each of `MEASURES`, from all trips of that day.

trips of a day   . : . . : .      the trimmed mean of a field over the trips, the mean where the field counts events
day                    x          NaN with fewer than `TRIPS_LEAST` trips that have the field

A measure that varies by shares of itself is kept as its natural logarithm, so that a change has the same size on a
quick and on a slow door. All of this room reckons in that scale; `shown` turns it back for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from telemetry.arrays import F64

DOOR, DRIVE, RIDE, SAFETY, SENSING = PARTS = ("door", "drive", "ride", "safety", "sensing")
TRIPS_LEAST = 5
LONG_TRIP_M = 6.0
"""On shorter trips, errors of a centimetre hide the slip of the ropes."""


class Measure(NamedTuple):
    """A measure of a day.

    `worse` is 1 where growing is worse, -1 where falling is; `is_log` whether the measure is kept as its logarithm.
    `spread` is the least spread from day to day that a healthy lift is credited with, `peer_spread` that between the
    means of healthy lifts of one kind. `limit` is where the part no longer does its work, by the rules of the
    catalogue; NaN where there is no such value.
    """

    name: str
    part: str
    unit: str
    worse: int
    is_log: bool
    spread: float
    peer_spread: float
    limit: float


MEASURES = (
    Measure("door_open_s", DOOR, "s", 1, True, 0.03, 0.25, 15.0),
    Measure("door_close_s", DOOR, "s", 1, True, 0.03, 0.25, 20.0),
    Measure("reversals", DOOR, "", 1, False, 0.03, 0.05, 3.0),
    Measure("stop_error_m", DRIVE, "m", 1, False, 0.0007, 0.002, 0.020),
    Measure("back_m", DRIVE, "m", 1, False, 0.001, 0.004, 0.030),
    Measure("slip", DRIVE, "", 1, False, 0.0010, 0.005, np.nan),
    Measure("speed_share", DRIVE, "", -1, False, 0.005, 0.02, 0.92),
    Measure("a95_x_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, 0.15),
    Measure("a95_y_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, 0.15),
    Measure("a95_z_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, 0.20),
    Measure("jerk_a95_mps3", RIDE, "m/s³", 1, True, 0.05, 0.30, 2.5),
    Measure("rms_x_mid_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, np.nan),
    Measure("rms_y_mid_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, np.nan),
    Measure("rms_z_mid_mps2", RIDE, "m/s²", 1, True, 0.05, 0.40, np.nan),
)
NAMES = tuple(measure.name for measure in MEASURES)
IS_LOG = np.array([measure.is_log for measure in MEASURES])
WORSE = np.array([measure.worse for measure in MEASURES], dtype=np.float64)
SPREAD = np.array([measure.spread for measure in MEASURES])
PEER_SPREAD = np.array([measure.peer_spread for measure in MEASURES])
TRIP_FIELDS = (
    *("door_open_s", "door_close_s", "reversals", "stop_error_m", "back_m"),
    *("way_m", "distance_m", "steady_mps", "power"),
)
FEATURE_FIELDS = tuple(measure.name for measure in MEASURES if measure.part == RIDE)
"""The fields of the measurements `trip` and `feature` that a day is made from."""
LOG_NAMES = tuple(measure.name for measure in MEASURES if measure.is_log)
MEAN_OF = ("reversals",)
TRIMMED = 0.2
"""The share of the trips of a day that is left out at each end: a mean of the rest varies less than a median."""


def measure_day(fields: Mapping[str, F64], rated_speed_mps: float) -> F64:
    """Return the measures of a day, (len(MEASURES),), NaN where a measure is unknown.

    Parameters
    ----------
    fields : the columns `TRIP_FIELDS` and `FEATURE_FIELDS` of the trips of the day; each of the two groups has a length
        of its own
    rated_speed_mps : of the lift, NaN unknown
    """
    of_trip = dict(fields)
    distance = np.abs(fields["distance_m"])
    is_long = distance >= LONG_TRIP_M
    with np.errstate(invalid="ignore", divide="ignore"):
        of_trip["stop_error_m"] = np.abs(fields["stop_error_m"])
        of_trip["slip"] = np.where(is_long, np.abs(fields["way_m"]) / distance - 1.0, np.nan)
        of_trip["speed_share"] = fields["steady_mps"] / rated_speed_mps
        for name in LOG_NAMES:
            of_trip[name] = np.where(fields[name] > 0.0, np.log(fields[name]), np.nan)
    return np.array([_middle(of_trip[name], name in MEAN_OF) for name in NAMES])


def _middle(values: F64, is_mean: bool) -> float:
    known = np.sort(values[~np.isnan(values)])
    if len(known) < TRIPS_LEAST:
        return np.nan
    cut = 0 if is_mean else int(TRIMMED * len(known))
    return float(known[cut : len(known) - cut].mean())


def shown(place: int, values: F64) -> F64:
    """Return values of the measure at a place of `MEASURES` in its unit."""
    return np.exp(values) if MEASURES[place].is_log else values


def nanmedian(values: F64) -> F64:
    """Return the median of the known values of each column, NaN where none is known."""
    median = np.full(values.shape[1], np.nan)
    known = ~np.isnan(values).all(axis=0)
    median[known] = np.nanmedian(values[:, known], axis=0)
    return median
