"""Vibration of the ride under way, block by block, after ISO 18738-1.

    boundary   1            2         peak-to-peak values count from 0.5 m after the start to 0.5 m before the stop:
    way     0..|............|..stop   each waits until the car has gone on by that far, and until the line through
               0.5 m     0.5 m        the second around it shows whether the acceleration was constant

The way within a block is the speed at its begin, which the rows give, and the vertical acceleration added up. A block
that neither follows the one before nor begins at rest leaves the ride not measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.rest import STILL_MPS
from detectors.observe.rides import spans
from detectors.observe.rides.memory import LINE
from detectors.observe.rides.weighting import BANDS, CHAIN, SHAPES
from telemetry.compiled import compiled
from telemetry.ride_fields import AXES

LINE_HZ = 50
CALM_MPS2 = 0.15
"""A block of a car at rest whose vertical samples differ by no more has no departure in it."""
DEPARTS_WITHIN_S = 1.0
"""A ride begins in a block of a car at rest that is not calm; it goes on in the next one where the rows show the car at
rest until then: its speed was too low to be seen."""
SPEED_WITHIN_S = 0.35
"""Where speeds or positions of a running car come more seldom, its way during a block is not known."""
REST_WITHIN_S = 1.05
"""A standing car may read once a second: so old a reading shows that a block begins at rest, or holds the departure."""


@compiled
def shake(car: Any, own: Any, xyz: Any, t_ns: int, dt_ns: float, hz: int, sections: Any) -> None:
    """Take in a block of one lift.

    Parameters
    ----------
    car, own : the lift's records of the car (after the rows before the block) and of its vibration
    xyz : (3, samples) of the block, m/s²
    hz : the rate, 0 where the filters do not fit it
    sections : (sections, 5, 3) of that rate
    """
    follows = hz > 0 and car["hz"] == hz and abs(t_ns - car["end_ns"]) <= 1.5 * dt_ns
    samples, total = xyz.shape[1], 0.0
    low, high = xyz[2, 0], xyz[2, 0]
    for k in range(samples):
        low, high = min(low, xyz[2, k]), max(high, xyz[2, k])
        total += float(xyz[0, k]) + float(xyz[1, k]) + float(xyz[2, k])
    is_read = hz > 0 and not np.isnan(total)
    car["end_ns"], car["hz"] = t_ns + int(np.rint(samples * dt_ns)), hz if is_read else 0
    car["is_whole"] = is_read and (car["rests"] or (follows and car["is_whole"]))
    is_calm = car["rests"] and high - low <= CALM_MPS2
    was_under_way = car["under_way"]
    if not car["is_whole"] or is_calm or (car["rests"] and own["samples"] > DEPARTS_WITHIN_S * hz):
        car["under_way"] = False
    if not car["is_whole"] or is_calm:
        for axis in range(AXES):
            car["base"][axis] = _mean(xyz[axis])
        return
    since_s = (t_ns - car["t_ns"]) / 1e9
    if not car["under_way"]:
        _begin(own, t_ns)
        if car["rests"] and not was_under_way:
            for axis in range(AXES):
                car["base"][axis] = _mean(xyz[axis, : max(hz // 10, 1)])
        car["under_way"] = True
    stands = car["rests"] or abs(car["v_mps"]) < STILL_MPS
    if not car["rests"] and since_s <= SPEED_WITHIN_S:
        accel = own["line"][(own["lines"] - 1) % LINE] if own["lines"] > 0 else 0.0
        own["v_mps"] = car["v_mps"] + accel * since_s
    elif not car["rests"]:
        own["v_mps"] = 0.0
    own["z_m"] = car["z_m"] + own["v_mps"] * since_s
    if since_s > (REST_WITHIN_S if stands else SPEED_WITHIN_S) or np.isnan(car["v_mps"]):
        car["is_whole"], car["under_way"] = False, False
        return
    _filter(own, car["base"], xyz, hz, sections)


@compiled
def _mean(x: Any) -> float:
    total = 0.0
    for k in range(len(x)):
        total += float(x[k])
    return total / len(x)


@compiled
def _begin(own: Any, t_ns: int) -> None:
    """Begin a ride: nothing of it was measured."""
    own["begin_ns"], own["edge"] = t_ns, np.nan
    own["filter"][:], own["z_m"] = 0.0, np.nan
    own["v_mps"], own["way_m"], own["samples"], own["lines"], own["total"], own["moved"] = 0.0, 0.0, 0, 0, 0.0, 0
    own["peak"][:], own["last_peak"][:] = 0.0, np.nan
    own["lobes"][:], own["gone"][:] = 0, 0
    own["bins"][:], own["jerk_bins"][:], own["most"][:] = 0, 0, 0.0
    own["accel_low"], own["accel_high"], own["jerk"], own["profiles"] = 0.0, 0.0, 0.0, 0
    own["cruises"], own["cruise_samples"] = False, 0
    own["band"][:], own["square"][:], own["fourth"][:], own["crest"][:] = 0.0, 0.0, 0.0, 0.0
    own["near"][:], own["near_sum"][:], own["near_peak"][:], own["shock"][:] = 0.0, 0.0, 0.0, 0.0
    own["mean"][:], own["wave"][:], own["wave_m"], own["waves"] = 0.0, 0.0, 0.0, 0
    own["order"][:], own["segments"] = 0.0, 0


@compiled
def _filter(own: Any, base: Any, xyz: Any, hz: int, sections: Any) -> None:
    """Filter each sample, and take its values in."""
    state, weighted, shaped = own["filter"], np.empty(AXES), np.empty(AXES)
    part_of, line_of, dt_s = max(hz // 10, 1), max((hz + LINE_HZ // 2) // LINE_HZ, 1), 1.0 / hz
    for k in range(xyz.shape[1]):
        for axis in range(AXES):
            x = float(xyz[axis, k]) - base[axis]
            weighted[axis] = _chain(state, sections, 0, CHAIN, axis, x)
        z = float(xyz[2, k]) - base[2]
        accel = _chain(state, sections, CHAIN + BANDS + SHAPES, 1, 2, z)
        for axis in range(AXES):
            x = float(xyz[axis, k]) - base[axis]
            shaped[axis] = _chain(state, sections, CHAIN + BANDS, SHAPES, axis, x)
            own["mean"][axis] += x / line_of
            for band in range(BANDS):
                y = _chain(state, sections, CHAIN + band, 1, axis, x)
                if own["cruises"]:
                    own["band"][band, axis] += y * y
            if own["cruises"]:
                square = shaped[axis] * shaped[axis]
                own["square"][axis] += square
                own["fourth"][axis] += square * square
                own["crest"][axis] = max(own["crest"][axis], abs(shaped[axis]))
                own["near_sum"][axis] += square
                own["near_peak"][axis] = max(own["near_peak"][axis], abs(shaped[axis]))
            if weighted[axis] * own["peak"][axis] < 0.0:
                spans.end_half_wave(own, axis, own["samples"] // part_of)
            if abs(weighted[axis]) > abs(own["peak"][axis]):
                own["peak"][axis] = weighted[axis]
        own["v_mps"] += accel * dt_s
        own["way_m"] += abs(own["v_mps"]) * dt_s
        own["z_m"] += own["v_mps"] * dt_s
        if own["cruises"]:
            own["cruise_samples"] += 1
        own["samples"] += 1
        if own["samples"] % line_of == 0:
            spans.take_line(own, accel, hz / line_of)
        if own["samples"] % part_of == 0:
            spans.end_part(own, own["samples"] // part_of - 1, accel, hz / line_of, part_of)


@compiled
def _chain(state: Any, sections: Any, first: int, count: int, axis: int, x: float) -> float:
    """Return a sample after a chain of sections (transposed direct form II), and advance their states."""
    for i in range(first, first + count):
        y = sections[i, 0, axis] * x + state[i, 0, axis]
        state[i, 0, axis] = sections[i, 1, axis] * x - sections[i, 3, axis] * y + state[i, 1, axis]
        state[i, 1, axis] = sections[i, 2, axis] * x - sections[i, 4, axis] * y
        x = y
    return x
