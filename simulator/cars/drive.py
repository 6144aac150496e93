"""The drive of a lift: limits of a run, creeping, and the error of a stop.

The stop error is the sum of a constant part of the landing, a seasonal part, a part of the lift's condition, and a
random part of each stop.
"""

from __future__ import annotations

import numpy as np

from simulator.cars.state import START, Cars
from simulator.maths.scurve import RunLimits
from telemetry.arrays import F64, Index
from telemetry.streams import OPEN

MIN_SPEED_SHARE = 0.2
"""A faulty drive keeps at least this share of its speed."""
HOMING_MPS, HOMING_MPS2, HOMING_MPS3 = 0.25, 0.3, 0.5
SEASONS_M, SEASONS_S = 0.003, 377 * 86_400.0
"""Rope and rail length varies over the year, by at most 0.05 mm a day."""
RELEVEL_M, RELEVEL_WITHIN_M, RELEVEL_ERROR_SD_M = (0.012, 0.020), 0.20, 0.002
"""The deviation at which a lift re-levels, within this range for each lift."""
RELEVEL_DRIVE = (0.05, 0.15, 0.5)


def run_limits(cars: Cars, lift: Index, ratio: F64 | float = 1.0) -> RunLimits:
    """Return the limits of these cars' runs; `ratio` multiplies the rated speed."""
    lifts, homing, condition = cars.lifts, cars.homing[lift], cars.condition
    v_mps = lifts.rated_mps[lift] * ratio * np.maximum(1 - condition.speed_loss[lift], MIN_SPEED_SHARE)
    return RunLimits(
        v_mps=np.where(homing, HOMING_MPS, v_mps),
        a_mps2=np.where(homing, HOMING_MPS2, lifts.a_mps2[lift] * (1 + condition.harsh[lift] / 8)),
        j_mps3=np.where(homing, HOMING_MPS3, lifts.j_mps3[lift] * (1 + condition.harsh[lift])),
        creep_mps=lifts.equipment.creep_mps[lift],
        creep_s=lifts.equipment.creep_s[lift],
        rollback_m=cars.condition.rollback_m[lift],
    )


def relevel(cars: Cars, stretch_m: F64, t: F64) -> None:
    """Re-level the cars with an open door whose load has moved them too far from their landing."""
    lift = np.flatnonzero((cars.door == OPEN) & (cars.trajectories.end_s <= t) & ~cars.battery & (cars.phase != START))
    level_offset_m = cars.trajectories.end_m[lift] + stretch_m[lift] - cars.lifts.height(lift, cars.floor[lift])
    low_m, high_m = RELEVEL_M
    bears_m = low_m + (high_m - low_m) * cars.lifts.trait["relevel"][lift]
    moves = (np.abs(level_offset_m) > bears_m) & (np.abs(level_offset_m) < RELEVEL_WITHIN_M)
    lift, level_offset_m = lift[moves], level_offset_m[moves]
    if len(lift):
        target_m = cars.trajectories.end_m[lift] - level_offset_m + RELEVEL_ERROR_SD_M * cars.random.normal(lift)
        cars.trajectories.run_to(
            lift, t[lift], target_m, RunLimits(*(np.full(len(lift), limit) for limit in RELEVEL_DRIVE))
        )


def stop_position_m(cars: Cars, lift: Index, floor: Index, t: F64) -> F64:
    """Return where these cars will stop if they are sent to these landings now."""
    lifts = cars.lifts
    season = np.sin(2 * np.pi * (t / SEASONS_S + lifts.trait["season"][lift]))
    error_m = lifts.level_bias_m(lift, floor) + SEASONS_M * season + cars.condition.level_m[lift]
    return lifts.height(lift, floor) + error_m + lifts.equipment.stop_error_sd_m[lift] * cars.random.normal(lift)
