"""Overspeed: the governor's switch, the machine brake, the safety gear and the ascending car overspeed protection.

    speed            /‾\\      trip: the safety gear grips (down), the ascending car overspeed protection (up)
                   /    \\
              ___/        \\  switch: opens the safety chain; the machine brake is applied
    rated ‾‾‾‾

All times follow from speeds and accelerations. Elementwise over lifts; speeds are signed (up positive). Values: EN
81-20 as quoted in docs/world.md, section 2.
"""

from __future__ import annotations

import numpy as np

from simulator.maths.stopping import (
    BRAKE_BUILD_S,
    CAR_PER_LOAD,
    G_MPS2,
    MIN_BRAKE_MPS2,
    Piece,
    brake_mps2,
    imbalance_mps2,
    moving_mass_kg,
)
from telemetry.arrays import F64

GEAR_GRIP, GEAR_BUILD_S = 1.6, 0.05
"""The safety gear's force over the weight of car and rated load, and the time in which the force builds up."""
GEAR_G = (0.2, 1.0)
ASCENDING_MPS2 = 4.0
"""The deceleration of a balanced car by the ascending car overspeed protection."""


def overspeed_switch_mps(rated_mps: F64) -> F64:
    """Return the speed at which the governor's switch opens the safety chain."""
    return 1.15 * rated_mps


def governor_trip_mps(rated_mps: F64) -> F64:
    """Return the highest speed at which the governor may trip a progressive safety gear."""
    return np.where(rated_mps > 1.0, 1.25 * rated_mps + 0.25 / rated_mps, 1.5)


def safety_gear_mps2(rated_kg: F64, load_kg: F64) -> F64:
    """Return the downward deceleration of a progressive safety gear on a car whose ropes hold."""
    grip_n = GEAR_GRIP * (1 + CAR_PER_LOAD) * rated_kg * G_MPS2
    gear_mps2 = grip_n / moving_mass_kg(rated_kg, load_kg) + imbalance_mps2(rated_kg, load_kg)
    return np.clip(gear_mps2, GEAR_G[0] * G_MPS2, GEAR_G[1] * G_MPS2)


def grip_mps2(sense: F64, rated_kg: F64, load_kg: F64) -> F64:
    """Return the deceleration by safety gear (down) or ascending car overspeed protection (up), at most 1 g."""
    ascending = brake_mps2(ASCENDING_MPS2 + 0 * sense, 1 + 0 * sense, sense, rated_kg, load_kg)
    return np.where(sense < 0, safety_gear_mps2(rated_kg, load_kg), ascending)


def overspeed_stop_pieces(v_mps: F64, rated_mps: F64, runs: F64, braked: F64, grip: F64, delay_s: F64) -> list[Piece]:
    """Return the pieces of the stop of cars whose governor switch has just opened the safety chain.

    Parameters
    ----------
    v_mps, rated_mps : array
        Signed speed, and rated speed.
    runs, braked : array
        Acceleration in the direction of travel, m/s², before the brake is applied and once its torque has built up.
        Where `braked` is negative the brake stops the car, else the governor trips.
    grip : array
        Deceleration after the trip, m/s².
    delay_s : array
        Delay of the brake.
    """
    sense, speed, trip = np.sign(v_mps), np.abs(v_mps), governor_trip_mps(rated_mps)
    braked = np.where(braked < 0, np.minimum(braked, -MIN_BRAKE_MPS2), np.maximum(braked, MIN_BRAKE_MPS2))
    zero = 0 * runs
    builds = (braked - runs) / BRAKE_BUILD_S
    pieces, a_last, tripped = [], runs, speed >= trip
    for a, j, lasts_s in ((runs, zero, delay_s), (runs, builds, BRAKE_BUILD_S), (braked, zero, np.inf)):
        rests_s, trips_s = np.minimum(_time_to_gain_s(-a, -j, speed), lasts_s), _time_to_gain_s(a, j, trip - speed)
        h = np.where(tripped, 0.0, np.minimum(rests_s, trips_s))
        pieces.append((sense * a, sense * j, h))
        tripped, a_last = tripped | (trips_s <= rests_s), np.where(h > 0, a + h * j, a_last)
        speed = speed + h * (a + h * j / 2)
    grips_s = np.where(tripped, GEAR_BUILD_S, 0.0)
    jerk = -(a_last + grip) / GEAR_BUILD_S
    left_mps = np.where(tripped, speed + grips_s * (a_last + grips_s * jerk / 2), 0.0)
    return [*pieces, (sense * a_last, sense * jerk, grips_s), (-sense * grip, 0 * grip, left_mps / grip)]


def _time_to_gain_s(a: F64, j: F64, more_mps: F64) -> F64:
    """Return the time in which acceleration a and jerk j raise the speed by `more_mps`; infinite if they never do."""
    under = a**2 + 2 * j * more_mps
    root = a + np.sqrt(np.maximum(under, 0.0))
    return np.where((under >= 0) & (root > 0), 2 * more_mps / np.maximum(root, 1e-12), np.inf)
