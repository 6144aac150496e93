"""Plausibility of speed and position readings, and the rates computed from believed readings.

    position  3.0  3.0  1000  3.0  3.0        a wild sample is never believed
    believed  3.0  3.0   -    3.0  3.0
    position  3.0  3.0   9.0  9.0  9.1        a car that is elsewhere is believed at the second reading
    believed  3.0  3.0   -    9.0  9.1

A reading is believed when physics could have brought the car there from the last believed one, or when the one that was
set aside before it agrees with it. A position that jumped, where no message was missed, may have lost its reference: it
is in doubt until two trips in a row have ended at a landing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import GAP_S, age_s
from detectors.observe.rest import STILL_MPS
from telemetry.compiled import compiled

JERKED_MPS2 = 12.0
"""No car changes its speed faster, even in free fall or on its safety gear."""
SPEED_MARGIN_MPS = 0.3
SPEED_STEP_MPS = 2.5
SPEED_STEP_RATED = 1.2
"""On a coarse feed a larger change than this (or this share of the rated speed) needs a second reading."""
SPEED_MAX_MPS = 25.0
SPEED_MAX_RATED, SPEED_MAX_MORE_MPS = 3.0, 1.0
"""No lift is faster than the first, and no car outruns its governor by more than this: a speed beyond is no speed."""

PLACE_MARGIN_M = 0.03
PLACE_STEP_MPS2 = 2.5
PLACE_SPEED_MPS = 4.0
"""How fast a car may be whose speed is not read, where its rated speed is unknown too."""
PLACE_SPEED_RATED = 1.5
SHAFT_BEYOND_M = 5.0
"""No pit and no headroom is deeper: a position beyond is no position."""

RESTING_M, RESTING_S = 0.35, (0.5, 1.05)
"""A car that stood, and whose speed reads rest now and so long before, has not come so far: the position jumped."""

REFERENCE_M, REFERENCES = 0.05, 2
"""So near to a landing must so many trips in a row end, until a position that jumped is trusted again."""

ACCEL_TAU_S = 0.1
RATE_TAU_S = 0.3
CREEP_FAST_TAU_S = 1.0
CREEP_SLOW_TAU_S = 3.0
"""The two smoothed positions of a car that drifts 5 mm in 2 s stand 5 mm apart: (3 s - 1 s) x 2.5 mm/s."""


@compiled
def possible_speed(v: float, rated_mps: float) -> float:
    """Return the speed, NaN where no car has it (of this rated speed, where that is known)."""
    return v if abs(v) <= np.fmin(SPEED_MAX_RATED * rated_mps + SPEED_MAX_MORE_MPS, SPEED_MAX_MPS) else np.nan


@compiled
def possible_place(z: float, top_m: float) -> float:
    """Return the position, NaN where it is outside the shaft (which has no known top where `top_m` is NaN)."""
    return np.nan if z < -SHAFT_BEYOND_M or z > top_m + SHAFT_BEYOND_M else z


@compiled
def believe_speed(own: Any, v: float, t_ns: int, rated_mps: float) -> tuple[bool, float]:
    """Check a speed: return whether it is believed, and the smoothed acceleration (m/s²), NaN after a jump or a gap.

    A speed is believed where the last one could have become it, or the one rejected before agrees with it.
    """
    if np.isnan(v):
        return False, np.nan
    largest_step = np.fmax(SPEED_STEP_RATED * rated_mps, SPEED_STEP_MPS)
    dt_s = age_s(t_ns, own["v_ns"])
    near = abs(v - own["v"]) <= SPEED_MARGIN_MPS + min(JERKED_MPS2 * dt_s, largest_step)
    aside_s = age_s(t_ns, own["v_odd_ns"])
    agrees = abs(v - own["v_odd"]) <= SPEED_MARGIN_MPS + min(JERKED_MPS2 * aside_s, largest_step)
    if not (near or agrees or np.isnan(own["v"])):
        own["v_odd"], own["v_odd_ns"] = v, t_ns
        return False, np.nan
    accel = np.nan
    if near and 0.0 < dt_s <= GAP_S:
        raw = (v - own["v"]) / dt_s
        own["accel"] += (raw - own["accel"]) * dt_s / (ACCEL_TAU_S + dt_s)
        accel = own["accel"]
    else:
        own["accel"] = 0.0
    own["v"], own["v_ns"], own["v_odd"] = v, t_ns, np.nan
    return True, accel


@compiled
def believe_place(own: Any, z: float, t_ns: int, rated_mps: float) -> tuple[bool, bool, float]:
    """Check a position: return whether it is believed, whether it jumped, and its rate (m/s), NaN where unknown.

    A position is believed within reach of the last one, or of the one rejected before. A rate that turns is unknown.
    """
    if np.isnan(z):
        return False, False, np.nan
    fastest = PLACE_SPEED_MPS if np.isnan(rated_mps) else PLACE_SPEED_RATED * rated_mps
    dt_s = age_s(t_ns, own["z_ns"])
    span_s = min(dt_s, GAP_S)
    speed = np.fmax(abs(own["rate"]), abs(own["speed"]))
    if np.isnan(speed):
        speed = fastest
    near = abs(z - own["z"]) <= PLACE_MARGIN_M + span_s * (speed + PLACE_STEP_MPS2 * span_s)
    near = near and not (abs(z - own["z"]) > RESTING_M and _rested(own, t_ns, dt_s))
    aside_s = min(age_s(t_ns, own["z_odd_ns"]), GAP_S)
    agrees = abs(z - own["z_odd"]) <= PLACE_MARGIN_M + aside_s * (fastest + PLACE_STEP_MPS2 * aside_s)
    if not (near or agrees or np.isnan(own["z"])):
        own["z_odd"], own["z_odd_ns"] = z, t_ns
        return False, False, np.nan
    rate_now = np.nan
    if near and 0.0 < dt_s <= GAP_S:
        raw, last = (z - own["z"]) / dt_s, own["rate"]
        rate = raw if np.isnan(last) else last + (raw - last) * dt_s / (RATE_TAU_S + dt_s)
        turned = rate * last < 0.0 and min(abs(rate), abs(last)) > STILL_MPS
        own["rate"] = rate
        rate_now = np.nan if turned else rate
    else:
        own["rate"] = np.nan
    own["z_fast"] = _smooth(own["z_fast"], z, dt_s, CREEP_FAST_TAU_S)
    own["z_slower"] = _smooth(own["z_slow"], z, dt_s, CREEP_SLOW_TAU_S)
    own["z"], own["z_ns"], own["z_odd"] = z, t_ns, np.nan
    return True, not near and dt_s <= GAP_S, rate_now


@compiled
def _rested(own: Any, t_ns: int, since_s: float) -> bool:
    """Return whether the position stood, and the speed reads rest now and did before, as far apart as positions."""
    read = own["v_ns"] == t_ns and max(abs(own["v"]), abs(own["before_mps"]), abs(own["rate"])) < STILL_MPS
    near = RESTING_S[0] <= since_s <= RESTING_S[1] and age_s(t_ns, own["way_ns"]) <= RESTING_S[1]
    return bool(read and near)


@compiled
def _smooth(last: float, new: float, dt_s: float, tau_s: float) -> float:
    return new if np.isnan(last) else last + (new - last) * dt_s / (tau_s + dt_s)


@compiled
def is_doubtful(own: Any, jumped: bool, offset_m: float) -> bool:
    """Return whether the position is in doubt: from a jump on, until trips have ended at landings again."""
    if own["refer_to"] == 0 and not jumped:
        return False
    arrived = own["refer_to"] > 0 and own["trips"] > own["refer_trips"]
    if jumped or (arrived and abs(offset_m) > REFERENCE_M):
        own["refer_to"] = REFERENCES
    elif arrived and abs(offset_m) <= REFERENCE_M:
        own["refer_to"] -= 1
    own["refer_trips"] = own["trips"]
    return bool(own["refer_to"] > 0)
