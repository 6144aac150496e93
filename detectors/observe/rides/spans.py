"""What a half wave, a reading of the line and a tenth of a second add to the vibration of a ride."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.rides import boundaries
from detectors.observe.rides.boundaries import EDGE_M
from detectors.observe.rides.memory import BINS, BINS_AN_OCTAVE, LEAST_MPS2, LINE, LOBES, PARTS, PROFILE, SEGMENT_M
from telemetry.compiled import compiled
from telemetry.ride_fields import AXES, ORDERS, SHOCKS

STEADY_MPS3 = 0.25
"""The acceleration is constant where the slope of the line through a second is less."""
MOVES_MPS = 0.1
CRUISE_MPS, CRUISE_MPS2 = 0.3, 0.15
"""A car cruises where it is faster, and the mean acceleration of a second is less."""
SHOCK_RATIO, NEAR_SHARE = 4.5, 0.1
"""A shock is a peak above that many times the local RMS, which follows the tenths of a second with this share."""
SHOCK_APART_M = 0.5
"""Shocks that are nearer to each other are one."""
LOG_LEAST = float(np.log2(LEAST_MPS2))


@compiled
def end_half_wave(own: Any, axis: int, part: int) -> None:
    """Let the peak-to-peak value of two half waves wait, where the car has passed boundary 1."""
    peak = abs(own["peak"][axis])
    if own["way_m"] >= EDGE_M and not np.isnan(own["last_peak"][axis]):
        place = own["lobes"][axis] % LOBES
        own["lobe"][axis, place], own["lobe_part"][axis, place] = peak + own["last_peak"][axis], part
        own["lobes"][axis] += 1
        if own["lobes"][axis] - own["gone"][axis] > LOBES:
            own["gone"][axis] += 1
    own["last_peak"][axis] = peak
    own["peak"][axis] = 0.0


@compiled
def take_line(own: Any, accel: float, line_hz: float) -> None:
    """Take in a reading of the acceleration: its extremes, the jerk of half a second, the spectrum while cruising."""
    own["line"][own["lines"] % LINE] = accel
    own["lines"] += 1
    own["total"] += accel
    if abs(own["v_mps"]) >= MOVES_MPS:
        own["moved"] = int(line_hz / 2)
    if own["moved"] > 0:
        own["moved"] -= 1
        own["accel_low"], own["accel_high"] = min(own["accel_low"], accel), max(own["accel_high"], accel)
        if own["lines"] >= int(line_hz / 2):
            jerk = abs(_slope(own, int(line_hz / 2), line_hz))
            own["jerk"] = max(own["jerk"], jerk)
            _count(own["jerk_bins"], jerk)
    if own["cruises"]:
        _take_wave(own, line_hz)
    own["mean"][:] = 0.0


@compiled
def _slope(own: Any, count: int, line_hz: float) -> float:
    """Return the slope of the least-squares line through the last readings of the acceleration, m/s³."""
    centre, top, place = (count - 1) / 2.0, 0.0, (own["lines"] - count) % LINE
    line = own["line"]
    for i in range(count):
        top += (i - centre) * line[place]
        place = place + 1 if place + 1 < LINE else 0
    return float(top * 12.0 / (count * (count * count - 1.0)) * line_hz)


@compiled
def end_part(own: Any, part: int, accel: float, line_hz: float, samples: int) -> None:
    """End a tenth of a second: the profile, whether the car cruises, shocks, and values that need not wait longer."""
    if part % 2 == 0:
        if own["profiles"] < PROFILE:
            own["profile_accel"][own["profiles"]] = np.int16(np.rint(min(max(accel, -32.0), 32.0) * 1000.0))
            own["profile_speed"][own["profiles"]] = np.int16(np.rint(min(max(own["v_mps"], -32.0), 32.0) * 1000.0))
        own["profiles"] += 1
    own["part_m"][part % PARTS] = own["way_m"]
    if np.isnan(own["edge"]) and own["way_m"] >= EDGE_M:
        own["edge"] = boundaries.passed(own, part, EDGE_M)
    count = int(line_hz)
    is_full = own["lines"] >= count
    steady = is_full and abs(_slope(own, count, line_hz)) < STEADY_MPS3
    own["part_steady"][(part - 5) % PARTS] = 1 if steady else 0
    _note_shocks(own, samples)
    mean = _mean_of_line(own, min(count, own["lines"]))
    was = own["cruises"]
    own["cruises"] = is_full and abs(own["v_mps"]) >= CRUISE_MPS and abs(mean) < CRUISE_MPS2
    if own["cruises"] and not was:
        own["wave"][:], own["wave_m"], own["waves"] = 0.0, 0.0, 0
    for axis in range(AXES):
        _settle(own, axis, part)


@compiled
def _mean_of_line(own: Any, count: int) -> float:
    total, place, line = 0.0, (own["lines"] - count) % LINE, own["line"]
    for _ in range(count):
        total += line[place]
        place = place + 1 if place + 1 < LINE else 0
    return total / max(count, 1)


@compiled
def _note_shocks(own: Any, samples: int) -> None:
    """Compare the horizontal peaks of a tenth of a second with the local RMS."""
    for axis in range(AXES - 1):
        square, peak, near = own["near_sum"][axis] / samples, own["near_peak"][axis], own["near"][axis]
        own["near_sum"][axis], own["near_peak"][axis] = 0.0, 0.0
        if not own["cruises"]:
            continue
        if near > 0.0 and peak > SHOCK_RATIO * np.sqrt(near):
            _keep_shock(own["shock"], peak / np.sqrt(near), own["z_m"])
        own["near"][axis] = square if near == 0.0 else near + (square - near) * NEAR_SHARE


@compiled
def _keep_shock(shocks: Any, ratio: float, z_m: float) -> None:
    """Keep a shock in the place of a smaller one: one at the same place, else the least."""
    least = 0
    for i in range(SHOCKS):
        if shocks[i, 0] > 0.0 and abs(shocks[i, 1] - z_m) < SHOCK_APART_M:
            least = i
            break
        if shocks[i, 0] < shocks[least, 0]:
            least = i
    if ratio > shocks[least, 0]:
        shocks[least, 0], shocks[least, 1] = ratio, z_m


@compiled
def _settle(own: Any, axis: int, part: int) -> None:
    """Count the values that ended at least half a second and `EDGE_M` ago."""
    while own["gone"][axis] < own["lobes"][axis]:
        place = own["gone"][axis] % LOBES
        at = own["lobe_part"][axis, place]
        if at > part - 6:
            return
        if at > part - PARTS:
            if own["way_m"] - own["part_m"][at % PARTS] < EDGE_M:
                return
            row = axis if axis < 2 or own["part_steady"][at % PARTS] == 1 else AXES
            own["most"][row] = max(own["most"][row], own["lobe"][axis, place])
            _count(own["bins"][row], own["lobe"][axis, place])
        own["gone"][axis] += 1


@compiled
def _count(bins: Any, value: float) -> None:
    place = int(BINS_AN_OCTAVE * (np.log2(max(value, LEAST_MPS2)) - LOG_LEAST))
    bins[min(place, BINS - 1)] += np.uint16(1)


@compiled
def _take_wave(own: Any, line_hz: float) -> None:
    """Add a reading to the Fourier sums over the segment of travel, with Hann's window; end the segment."""
    place = own["wave_m"] / SEGMENT_M
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * place)
    turn_re, turn_im = np.cos(2.0 * np.pi * place), np.sin(2.0 * np.pi * place)
    re, im = turn_re, turn_im
    for order in range(ORDERS):
        for axis in range(AXES):
            own["wave"][axis, order, 0] += window * own["mean"][axis] * re
            own["wave"][axis, order, 1] += window * own["mean"][axis] * im
        re, im = re * turn_re - im * turn_im, re * turn_im + im * turn_re
    own["waves"] += 1
    own["wave_m"] += abs(own["v_mps"]) / line_hz
    if own["wave_m"] >= SEGMENT_M:
        for axis in range(AXES):
            for order in range(ORDERS):
                re, im = own["wave"][axis, order, 0], own["wave"][axis, order, 1]
                own["order"][axis, order] += 16.0 * (re * re + im * im) / (own["waves"] * own["waves"])
        own["segments"] += 1
        own["wave"][:], own["wave_m"], own["waves"] = 0.0, 0.0, 0
