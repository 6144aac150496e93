"""The ride quality of a finished trip, out of its record."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.rides.boundaries import RUNS_SHARE
from detectors.observe.rides.memory import BINS, BINS_AN_OCTAVE, LEAST_MPS2, PROFILE
from telemetry.compiled import compiled
from telemetry.ride_fields import AXES, ORDERS, SHOCKS

CRUISE_LEAST_S = 1.0
STARTS_SHARE = 0.05
"""The A95 of accelerations is over the part from this share to `RUNS_SHARE` of the greatest speed."""


@compiled
def write(own: Any, hz: int, is_up: bool, motion: Any, shown: Any) -> None:
    """Write the quantities of `MOTION` and of `FEATURES` of a ride whose vibration was read as a whole at a rate."""
    if own["lines"] == 0 or own["profiles"] == 0:
        return
    _write_motion(own, is_up, motion)
    for row in range(AXES + 1):
        shown[row] = own["most"][row] if own["most"][row] > 0.0 else np.nan
        shown[AXES + 1 + row] = share_of(own["bins"][row], 0.95)
    _write_cruise(own, hz, shown[2 * (AXES + 1) :])


@compiled
def _write_motion(own: Any, is_up: bool, motion: Any) -> None:
    """Write accelerations without the sensor's bias: over a trip from rest to rest the true ones add up to nothing."""
    bias, sign = own["total"] / own["lines"], 1.0 if is_up else -1.0
    low, high = own["accel_low"] - bias, own["accel_high"] - bias
    motion[0], motion[1], motion[2] = (high, -low, own["jerk"]) if is_up else (-low, high, own["jerk"])
    motion[5] = share_of(own["jerk_bins"], 0.95)
    if own["profiles"] > PROFILE:
        return
    count = own["profiles"]
    speed = np.abs(own["profile_speed"][:count]) / 1000.0
    accel = sign * (own["profile_accel"][:count] / 1000.0 - bias)
    most = np.max(speed)
    fast = np.flatnonzero(speed >= RUNS_SHARE * most)
    begins, ends = fast[0], fast[-1]
    motion[3] = _a95(accel[:begins][speed[:begins] >= STARTS_SHARE * most])
    motion[4] = _a95(-accel[ends + 1 :][speed[ends + 1 :] >= STARTS_SHARE * most])
    motion[6] = _a95(speed[speed >= STARTS_SHARE * most])


@compiled
def _a95(values: Any) -> float:
    """Return the 95th percentile, linear between two values."""
    if len(values) == 0:
        return np.nan
    ordered, rank = np.sort(values), 0.95 * (len(values) - 1)
    below = int(rank)
    above = min(below + 1, len(values) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (rank - below))


@compiled
def share_of(bins: Any, share: float) -> float:
    """Return the value that this share of the counted ones does not exceed, by the bin in which it lies."""
    total = np.int64(0)
    for i in range(BINS):
        total += np.int64(bins[i])
    if total == 0:
        return np.nan
    rank, before = share * (total - 1), np.int64(0)
    for i in range(BINS):
        count = np.int64(bins[i])
        if rank < before + count:
            return float(LEAST_MPS2 * 2.0 ** ((i + (rank - before + 0.5) / count) / BINS_AN_OCTAVE))
        before += count
    return float(LEAST_MPS2 * 2.0 ** (BINS / BINS_AN_OCTAVE))


@compiled
def _write_cruise(own: Any, hz: int, shown: Any) -> None:
    """Write bands, kurtosis, crest factor, shocks and orders of the part at a constant speed."""
    samples, place = own["cruise_samples"], 0
    is_long = samples >= CRUISE_LEAST_S * hz
    bands = own["band"].shape[0]
    for axis in range(AXES):
        for band in range(bands):
            if is_long:
                shown[place] = np.sqrt(own["band"][band, axis] / samples)
            place += 1
    for axis in range(AXES):
        if is_long and own["square"][axis] > 0.0:
            shown[place + axis] = own["fourth"][axis] * samples / own["square"][axis] ** 2
            shown[place + AXES + axis] = own["crest"][axis] / np.sqrt(own["square"][axis] / samples)
    place += 2 * AXES
    for i in range(SHOCKS):
        if own["shock"][i, 0] > 0.0:
            shown[place + 2 * i], shown[place + 2 * i + 1] = own["shock"][i, 0], own["shock"][i, 1]
    place += 2 * SHOCKS
    for axis in range(AXES):
        for order in range(ORDERS):
            if own["segments"] > 0:
                shown[place] = np.sqrt(own["order"][axis, order] / own["segments"])
            place += 1
