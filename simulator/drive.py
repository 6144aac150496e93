"""How a lift's drive runs its car: its limits, how it approaches a landing, and how exactly it stops there.

The error of a stop has a part that belongs to the landing, one that comes and goes with the seasons, one of the lift's
condition, and one of this stop alone.
"""

from __future__ import annotations

import numpy as np

from simulator.cars import F64, Cars, Index
from simulator.scurve import Drive

CREEP_MPS, CREEP_S = 0.06, 1.5
HOMING_MPS, HOMING_MPS2, HOMING_MPS3 = 0.25, 0.3, 0.5
STOP_ERROR_SD_M = 0.0025
SEASONS_M, SEASONS_S = 0.003, 377 * 86_400.0
"""Ropes and rails work: at most 0.05 mm a day."""


def limits(cars: Cars, lift: Index, ratio: F64 | float = 1.0) -> Drive:
    """Return how these cars' drives run them; `ratio` multiplies the rated speed. Half of the drives creep in."""
    lifts, homing = cars.lifts, cars.homing[lift]
    return Drive(
        v_mps=np.where(homing, HOMING_MPS, lifts.rated_mps[lift]) * ratio,
        a_mps2=np.where(homing, HOMING_MPS2, lifts.a_mps2[lift]),
        j_mps3=np.where(homing, HOMING_MPS3, lifts.j_mps3[lift]),
        creep_mps=CREEP_MPS,
        creep_s=CREEP_S * np.maximum(2 * lifts.trait["creep"][lift] - 1, 0.0),
        rollback_m=cars.condition.rollback_m[lift],
    )


def landing_m(cars: Cars, lift: Index, floor: Index, t: F64) -> F64:
    """Return where these cars will stop that are sent to these landings now."""
    lifts = cars.lifts
    season = np.sin(2 * np.pi * (t / SEASONS_S + lifts.trait["season"][lift]))
    error_m = lifts.level_bias_m(lift, floor) + SEASONS_M * season + cars.condition.level_m[lift]
    return lifts.height(lift, floor) + error_m + STOP_ERROR_SD_M * cars.dice.bell(lift)
