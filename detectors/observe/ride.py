"""What the readings of the trip under way show of the ride, collected until the trip is finished.

speed     __/‾‾‾‾‾‾‾‾\\__/‾\\___    steady: within `STEADY_SHARE` of its mean for `STEADY_S`; the fastest one counts
position    /‾‾‾‾‾‾‾              back: the farthest in the other direction, within `START_S` after the car has
          \\/                      moved `LEFT_M` from where it rested
speed     x x x x x     x x x     the way by the speed alone is unknown where readings are missing
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import GAP_MOST_NS, NEVER_NS
from detectors.observe.rest import PEAK_INTERVAL_NS, STILL_MPS
from telemetry.compiled import compiled

STEADY_S = 1.0
STEADY_SHARE, STEADY_MPS = 0.02, 0.015
"""How far a steady speed may be from its mean: a share of it, and the noise of the sensor."""
STEADY_OF_PEAK = 0.95
"""A steady speed is that of the trip where it is so near to the greatest one: creeping before the stop is not."""
LEFT_M, START_NS = 0.005, 1_000_000_000
START_READINGS = 3
"""With fewer positions in that time a start backwards cannot be seen."""
BACK_MOST_M = 0.3
"""No start goes so far back: the position jumped."""

FIELDS = [
    ("ride_mps", np.float64),  # the speed as read last, and when
    ("ride_ns", np.int64),
    ("unread", np.bool_),  # whether readings of the speed are missing in the trip, or were not believed
    ("mean_mps", np.float64),  # the mean of the steady speed under way, and for how long it has been steady
    ("mean_s", np.float64),
    ("steady_mps", np.float64),  # the fastest steady speed of the trip, 0 without one
    ("rested_m", np.float64),  # where the car rested
    ("leaves_ns", np.int64),  # when it had moved `LEFT_M` from there
    ("low_m", np.float64),  # the farthest down and up within `START_S` after that
    ("high_m", np.float64),
    ("places", np.int64),  # the positions read in that time
]
START = dict.fromkeys(("ride_mps", "mean_mps", "rested_m"), np.nan) | {"ride_ns": NEVER_NS, "leaves_ns": NEVER_NS}


@compiled
def begin(own: Any, t_ns: int) -> None:
    """Begin anew at a row at which the car rests."""
    own["unread"], own["mean_mps"], own["steady_mps"] = False, np.nan, 0.0
    own["rested_m"] = own["z_fast"] if t_ns - own["z_ns"] <= GAP_MOST_NS else np.nan
    own["leaves_ns"], own["places"] = NEVER_NS, 0
    own["low_m"], own["high_m"] = 0.0, 0.0


@compiled
def forget(own: Any) -> None:
    """Reset what was read before a device was away."""
    own["ride_mps"], own["ride_ns"], own["rested_m"] = np.nan, NEVER_NS, np.nan


@compiled
def note(own: Any, t_ns: int, v_mps: float, is_believed: bool, z_m: float) -> None:
    """Take in a speed, and a position that was believed, read at this row (NaN where not).

    Near a speed that is not believed the way by the speed is not known.
    """
    if is_believed:
        _note_speed(own, t_ns, v_mps)
    elif not np.isnan(v_mps):
        own["unread"] = True
    if not np.isnan(z_m) and not np.isnan(own["rested_m"]):
        _note_place(own, t_ns, z_m - own["rested_m"])


@compiled
def _note_speed(own: Any, t_ns: int, v_mps: float) -> None:
    since_ns, speed, mean = t_ns - own["ride_ns"], abs(v_mps), own["mean_mps"]
    near = since_ns <= PEAK_INTERVAL_NS
    if not near and not (speed < STILL_MPS and abs(own["ride_mps"]) < STILL_MPS):
        own["unread"] = True
    if near and abs(speed - mean) <= STEADY_SHARE * mean + STEADY_MPS:
        own["mean_s"] += since_ns / 1e9
        own["mean_mps"] += (speed - mean) * (since_ns / 1e9) / own["mean_s"]
        if own["mean_s"] >= STEADY_S:
            own["steady_mps"] = max(own["steady_mps"], own["mean_mps"])
    else:
        own["mean_mps"], own["mean_s"] = speed, 0.0
    own["ride_mps"], own["ride_ns"] = v_mps, t_ns


@compiled
def _note_place(own: Any, t_ns: int, gone_m: float) -> None:
    if own["leaves_ns"] == NEVER_NS:
        if abs(gone_m) <= LEFT_M:
            return
        own["leaves_ns"] = t_ns
    if t_ns - own["leaves_ns"] <= START_NS:
        own["low_m"], own["high_m"] = min(own["low_m"], gone_m), max(own["high_m"], gone_m)
        own["places"] += 1


@compiled
def steady_mps(own: Any) -> float:
    """Return the steady speed of the trip, NaN where it had none at its greatest speed."""
    return own["steady_mps"] if own["steady_mps"] >= STEADY_OF_PEAK * own["peak_mps"] else np.nan


@compiled
def back_m(own: Any, distance_m: float) -> float:
    """Return how far the car moved against the trip's direction at its start, NaN where that cannot be seen."""
    back = -own["low_m"] if distance_m > 0.0 else own["high_m"]
    is_seen = own["places"] >= START_READINGS and own["missed_ns"] < own["left_ns"]
    return back if is_seen and back <= BACK_MOST_M else np.nan


@compiled
def way_m(own: Any) -> float:
    """Return the way of the trip by the speed alone, up positive, NaN where readings of it are missing."""
    is_read = own["ride_ns"] >= own["still_since_ns"] and not own["unread"] and own["missed_ns"] < own["left_ns"]
    return own["way_m"] if is_read else np.nan
