"""What the sensors of speed and position say, believed or set aside; and the rates worked out from it.

    position  3.0  3.0  1000  3.0  3.0        a wild sample is never believed
    believed  3.0  3.0   -    3.0  3.0
    position  3.0  3.0   9.0  9.0  9.1        a car that is elsewhere is believed at the second reading
    believed  3.0  3.0   -    9.0  9.1

A reading is believed when physics could have brought the car there from the last believed one, or when the one that was
set aside before it agrees with it. A position that jumped, where nothing was missed, may have lost its reference: it is
in doubt until two trips in a row have ended at a landing. All functions are elementwise over lifts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.scan import GAP_S, Columns, age_s
from detectors.observe.trips import STILL_MPS

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

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
"""How fast a car may be that says nothing of its speed, where its rated speed is unknown too."""
PLACE_SPEED_RATED = 1.5
SHAFT_BEYOND_M = 5.0
"""No pit and no headroom is deeper: a position beyond is no position."""

REFERENCE_M, REFERENCES = 0.05, 2
"""So near to a landing must so many trips in a row end, until a position that jumped is trusted again."""

ACCEL_TAU_S = 0.1
RATE_TAU_S = 0.3
CREEP_FAST_TAU_S = 1.0
CREEP_SLOW_TAU_S = 3.0
"""The two smoothed positions of a car that drifts 5 mm in 2 s stand 5 mm apart: (3 s - 1 s) x 2.5 mm/s."""


def possible_speed(v: F64, rated_mps: F64) -> F64:
    """Return the speeds without those that no car has (of this rated speed, where it is known)."""
    return np.where(np.abs(v) <= np.fmin(SPEED_MAX_RATED * rated_mps + SPEED_MAX_MORE_MPS, SPEED_MAX_MPS), v, np.nan)


def possible_place(z: F64, top_m: F64) -> F64:
    """Return the positions without those outside the shaft (which has no known top where `top_m` is NaN)."""
    return np.where((z < -SHAFT_BEYOND_M) | (z > top_m + SHAFT_BEYOND_M), np.nan, z)


def limits(rated_mps: F64) -> dict[str, F64]:
    """Return what each lift's readings are held against: its largest step of the speed, its speed when unknown."""
    return {
        "speed_step": np.fmax(SPEED_STEP_RATED * rated_mps, SPEED_STEP_MPS),
        "place_speed": np.where(np.isnan(rated_mps), PLACE_SPEED_MPS, PLACE_SPEED_RATED * rated_mps),
    }


def hear_speed(state: Columns, v: F64, t_ns: I64, largest_step: F64) -> dict[str, NDArray[Any]]:
    """Believe a speed that the last one could have become, or that the one set aside before it agrees with."""
    dt_s = age_s(t_ns, state["v_ns"])
    near = np.abs(v - state["v"]) <= SPEED_MARGIN_MPS + np.minimum(JERKED_MPS2 * dt_s, largest_step)
    odd_dt_s = age_s(t_ns, state["v_odd_ns"])
    agrees = np.abs(v - state["v_odd"]) <= SPEED_MARGIN_MPS + np.minimum(JERKED_MPS2 * odd_dt_s, largest_step)
    spoke = ~np.isnan(v)
    heard = spoke & (near | agrees | np.isnan(state["v"]))
    steady = heard & near & (dt_s <= GAP_S) & (dt_s > 0.0)
    raw = (v - state["v"]) / np.where(steady, dt_s, 1.0)
    smooth = state["accel"] + (raw - state["accel"]) * dt_s / (ACCEL_TAU_S + dt_s)
    aside = spoke & ~heard
    return {
        "heard": heard,
        "v": np.where(heard, v, state["v"]),
        "v_ns": np.where(heard, t_ns, state["v_ns"]),
        "v_odd": np.where(aside, v, np.where(heard, np.nan, state["v_odd"])),
        "v_odd_ns": np.where(aside, t_ns, state["v_odd_ns"]),
        "accel": np.where(steady, smooth, np.where(heard, 0.0, state["accel"])),
        "accel_now": np.where(steady, smooth, np.nan),
    }


def hear_place(state: Columns, z: F64, t_ns: I64, place_speed: F64) -> dict[str, NDArray[Any]]:
    """Believe a position within reach of the last one, or of the one set aside before it; work out its rate."""
    dt_s = age_s(t_ns, state["z_ns"])
    span_s = np.minimum(dt_s, GAP_S)
    known = np.fmax(np.abs(state["rate"]), np.abs(state["speed"]))
    known = np.where(np.isnan(known), place_speed, known)
    near = np.abs(z - state["z"]) <= PLACE_MARGIN_M + span_s * (known + PLACE_STEP_MPS2 * span_s)
    odd_s = np.minimum(age_s(t_ns, state["z_odd_ns"]), GAP_S)
    agrees = np.abs(z - state["z_odd"]) <= PLACE_MARGIN_M + odd_s * (place_speed + PLACE_STEP_MPS2 * odd_s)
    spoke = ~np.isnan(z)
    heard = spoke & (near | agrees | np.isnan(state["z"]))
    steady = heard & near & (dt_s <= GAP_S) & (dt_s > 0.0)
    raw = (z - state["z"]) / np.where(steady, dt_s, 1.0)
    last = state["rate"]
    smooth = np.where(np.isnan(last), raw, last + (raw - last) * dt_s / (RATE_TAU_S + dt_s))
    turned = (smooth * last < 0.0) & (np.minimum(np.abs(smooth), np.abs(last)) > STILL_MPS)
    aside = spoke & ~heard
    fast = state["z_fast"] + (z - state["z_fast"]) * dt_s / (CREEP_FAST_TAU_S + dt_s)
    slow = state["z_slow"] + (z - state["z_slow"]) * dt_s / (CREEP_SLOW_TAU_S + dt_s)
    return {
        "heard": heard,
        "z": np.where(heard, z, state["z"]),
        "z_ns": np.where(heard, t_ns, state["z_ns"]),
        "z_odd": np.where(aside, z, np.where(heard, np.nan, state["z_odd"])),
        "z_odd_ns": np.where(aside, t_ns, state["z_odd_ns"]),
        "rate": np.where(steady, smooth, np.where(heard, np.nan, last)),
        "rate_now": np.where(steady & ~turned, smooth, np.nan),
        "jumped": heard & ~near & (dt_s <= GAP_S),
        "z_fast": np.where(heard, np.where(np.isnan(state["z_fast"]), z, fast), state["z_fast"]),
        "z_slow": np.where(heard, np.where(np.isnan(state["z_slow"]), z, slow), state["z_slow"]),
    }


def refer(state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
    """Count the landings that a position which jumped still has to be found at."""
    doubted, miss_m = state["refer_to"] > 0, np.abs(row["offset_m"])
    arrived = doubted & (row["trips"] > state["refer_trips"])
    lost = row["jumped"] | (arrived & (miss_m > REFERENCE_M))
    left = np.where(lost, REFERENCES, state["refer_to"] - (arrived & (miss_m <= REFERENCE_M)))
    return {"refer_to": left, "refer_trips": row["trips"]}, {"refer_to": left, "place": row["place"]}
