"""When a car rests, and the trips between its rests: cut only here, for rules, pages and recordings.

    speed    ____/‾‾‾‾‾‾‾‾\\______________
    rest     ‾‾‾‾|         |‾‾‾‾‾‾‾‾‾‾‾‾‾‾     a single odd reading ends no rest
    trip         |·········|   ^ finished, once the car has rested for `STILL_S`
              left       stop  and has come more than `TRIP_MIN_M` from where it rested before

The distance is the difference of the positions at both rests; where the position is not read at both, the speed added
up (trapezoids). Both must confirm a trip: a car whose position stays the same makes no trip, whatever its speed, and
neither does a car at rest whose position jumps. The greatest speed of a trip is one that two readings in a row confirm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.compiled import compiled

STILL_MPS = 0.05
STILL_S = 2.0
STILL_NS = int(STILL_S * 1e9)
CREEP_M = 0.005
"""How far apart the two smoothed positions of a still car may be (`sensor`)."""
TRIP_MIN_M = 0.5
"""A shorter way is levelling."""

PEAK_INTERVAL_NS = 1_050_000_000
"""Readings of a running car that are further apart do not show its greatest speed."""

MOVING = -1
"""`still_ns` of a car that moves."""


@compiled
def rest(own: Any, t_ns: int, gap_ns: int, v_mps: float, z_m: float, place_read: bool) -> float:
    """Advance a car by one reading of speed or position; return the distance of a trip that is finished now, else NaN.

    Parameters
    ----------
    own : the car's record
    gap_ns : how long ago the last reading may be for the time between to count
    v_mps : the latest speed, NaN where it is too old
    z_m : the latest position, NaN where it is too old
    place_read : whether the position was read and believed at this reading
    """
    if not np.isnan(v_mps):
        _add_up(own, t_ns, gap_ns, v_mps)
    moves = abs(v_mps) >= STILL_MPS or abs(own["z_fast"] - own["z_slow"]) >= CREEP_M
    if place_read:
        own["z_slow"] = own["z_slower"]
    since_ns = t_ns - own["motion_ns"]
    counted_ns = since_ns if since_ns <= gap_ns else 0
    if moves and own["still_ns"] >= 0 and not own["doubt"]:
        own["doubt"] = True
        return np.nan
    own["doubt"] = False
    own["motion_ns"] = t_ns
    if moves:
        own["still_ns"], own["settled"] = MOVING, False
        if place_read:
            own["z_fast"] = own["z_slow"] = own["z"]
        return np.nan
    return _stand(own, t_ns, counted_ns, z_m)


@compiled
def _add_up(own: Any, t_ns: int, gap_ns: int, v_mps: float) -> None:
    """Add the distance since the last speed, and note the greatest speed, NaN once readings are too far apart."""
    before_mps, since_ns = own["before_mps"], t_ns - own["way_ns"]
    own["sure_mps"] = 0.0
    if since_ns <= gap_ns:
        own["way_m"] += (before_mps + v_mps) / 2 * since_ns / 1e9
        own["sure_mps"] = min(abs(v_mps), abs(before_mps))
    if since_ns > PEAK_INTERVAL_NS and abs(before_mps) >= STILL_MPS:
        own["peak_mps"] = np.nan
    elif not np.isnan(own["peak_mps"]):
        own["peak_mps"] = max(own["peak_mps"], min(abs(v_mps), abs(before_mps)))
    own["before_mps"], own["way_ns"] = v_mps, t_ns


@compiled
def _stand(own: Any, t_ns: int, counted_ns: int, z_m: float) -> float:
    """Count the rest; once `STILL_S` is full return the distance, NaN where that is no trip."""
    if own["still_ns"] < 0:
        own["still_ns"], own["still_since_ns"], own["z_stop"] = 0, t_ns, z_m
    else:
        own["still_ns"] += counted_ns
    if np.isnan(own["z_stop"]):
        own["z_stop"] = z_m
    if own["still_ns"] < STILL_NS or own["settled"]:
        return np.nan
    own["settled"] = True
    come_m = own["z_stop"] - own["z_left"]
    if np.isnan(come_m):
        come_m = own["way_m"]
    if not min(abs(come_m), abs(own["way_m"])) > TRIP_MIN_M:
        return np.nan
    own["trips"] += 1
    own["trip_ns"] = own["still_since_ns"]
    return float(come_m)


@compiled
def stay(own: Any, t_ns: int, z_m: float) -> None:
    """Note the place and the end of the rest, for the next trip."""
    own["left_ns"], own["way_m"], own["peak_mps"] = t_ns, 0.0, 0.0
    if not np.isnan(z_m):
        own["z_left"] = z_m
