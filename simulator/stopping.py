"""How a car is stopped against its will: brake, safety gear and buffer, as pieces of constant jerk, and the governor.

A piece is (acceleration at its start, jerk, how long). All functions are elementwise over lifts; speeds have their
direction (up positive), decelerations are magnitudes. Numbers: EN 81-20 as the domain notes quote it, section 2.

    machine brake  ─ delay ─/‾‾‾‾‾|    the deceleration builds up, stays, and ends with the speed
    linear spring  /\\                  grows with the way into the buffer; throws the car back
    oil buffer     |‾‾‾‾‾|             constant over the stroke; throws back a little
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Piece = tuple[F64, F64, F64]

G_MPS2 = 9.81
BRAKE_DELAY_S, BRAKE_BUILD_S = 0.10, 0.15
CAR_PER_LOAD, BALANCED_LOAD, MACHINE_PER_CAR = 2.0, 0.5, 2.0
LEAST_BRAKE_MPS2 = 0.05
GEAR_GRIP = 1.6
"""The safety gear's force over the weight of car and rated load."""
GEAR_G = (0.2, 1.0)
OIL_G = (0.6, 1.0)
"""What an oil buffer gives at least (the blow on its plunger) and at most."""
SPRING_RETURN, OIL_RETURN = 0.35, 0.08
"""The speed that a buffer throws a car back with, over the speed that it came with."""
THROWN_MPS2 = 5.0
LINEAR_UP_TO_MPS = 1.0


def brake_pieces(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> list[Piece]:
    """Return how a brake stops cars: coasting, a growing deceleration, a constant one."""
    sense, zero = np.sign(v_mps), 0 * v_mps
    grows_s, left_mps = _growth(np.abs(v_mps), brake_mps2, build_s)
    jerk = brake_mps2 / build_s if build_s else zero
    steady = (-sense * brake_mps2, zero, left_mps / brake_mps2)
    return [(zero, zero, zero + delay_s), (zero, -sense * jerk, grows_s), steady]


def stop_distance_m(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> F64:
    """Return the way, signed as the speed, of a car that is braked like that."""
    v = np.abs(v_mps)
    grows_s, left_mps = _growth(v, brake_mps2, build_s)
    jerk = brake_mps2 / build_s if build_s else 0.0
    way_m = v * delay_s + grows_s * (v - jerk * grows_s**2 / 6) + left_mps**2 / (2 * brake_mps2)
    return np.sign(v_mps) * way_m


def _growth(v: F64, brake_mps2: F64, build_s: float) -> tuple[F64, F64]:
    """Return how long the deceleration grows, and how fast the car is then (0: it stopped before)."""
    grows_s = np.minimum(build_s, np.sqrt(2 * v * build_s / brake_mps2))
    return grows_s, np.maximum(v - brake_mps2 * build_s / 2, 0.0)


def moved_kg(rated_kg: F64, load_kg: F64) -> F64:
    """Return the mass that moves with a car: car, counterweight, load, and the machine's inertia at the rope."""
    car_kg = CAR_PER_LOAD * rated_kg
    return car_kg * (2 + MACHINE_PER_CAR) + BALANCED_LOAD * rated_kg + load_kg


def imbalance_mps2(rated_kg: F64, load_kg: F64) -> F64:
    """Return the acceleration, up positive, of a car that neither drive nor brake holds."""
    return G_MPS2 * (BALANCED_LOAD * rated_kg - load_kg) / moved_kg(rated_kg, load_kg)


def brake_mps2(balanced_mps2: F64, torque: F64, sense: F64, rated_kg: F64, load_kg: F64) -> F64:
    """Return the deceleration of a machine brake that stops the balanced car with `balanced_mps2` at torque 1.

    The imbalance helps a car against its will and hinders it along it: an empty car going up brakes longest.
    """
    return np.maximum(balanced_mps2 * torque - sense * imbalance_mps2(rated_kg, load_kg), LEAST_BRAKE_MPS2)


def safety_gear_mps2(rated_kg: F64, load_kg: F64) -> F64:
    """Return the deceleration downwards of a progressive safety gear on a car whose ropes hold."""
    grip_n = GEAR_GRIP * (1 + CAR_PER_LOAD) * rated_kg * G_MPS2
    gear_mps2 = grip_n / moved_kg(rated_kg, load_kg) + imbalance_mps2(rated_kg, load_kg)
    return np.clip(gear_mps2, GEAR_G[0] * G_MPS2, GEAR_G[1] * G_MPS2)


def overspeed_switch_mps(rated_mps: F64) -> F64:
    """Return where the governor's switch opens the safety chain."""
    return 1.15 * rated_mps


def governor_trip_mps(rated_mps: F64) -> F64:
    """Return where the governor at the latest trips a progressive safety gear."""
    return np.where(rated_mps > 1.0, 1.25 * rated_mps + 0.25 / rated_mps, 1.5)


def buffer_stroke_m(rated_mps: F64) -> F64:
    """Return the least stroke: linear springs up to 1 m/s, oil beyond."""
    linear_m = np.maximum(0.135 * rated_mps**2, 0.065)
    return np.where(rated_mps <= LINEAR_UP_TO_MPS, linear_m, 0.0674 * rated_mps**2)


def buffer_pieces(v_mps: F64, rated_mps: F64) -> list[Piece]:
    """Return how a buffer stops cars that come down on it with `v_mps`: pressed in, thrown back, falling back.

    A linear spring's deceleration grows from 0; it is approximated as even growth over the quarter of its period that
    presses it in by its stroke at 1.15 v. An oil buffer's is constant over its stroke, at least that of the blow.
    """
    v, zero = np.abs(v_mps), 0 * v_mps
    stroke_m, linear = buffer_stroke_m(rated_mps), rated_mps <= LINEAR_UP_TO_MPS
    press_s = 1.5 * stroke_m / (1.15 * rated_mps)
    oil_mps2 = np.clip(v**2 / (2 * stroke_m), OIL_G[0] * G_MPS2, OIL_G[1] * G_MPS2)
    peak_mps2 = np.where(linear, 2 * v / press_s, oil_mps2)
    pressed_s = np.where(linear, press_s, v / oil_mps2)
    back_mps = np.where(linear, SPRING_RETURN, OIL_RETURN) * v
    back_s = 2 * back_mps / np.maximum(peak_mps2, LEAST_BRAKE_MPS2)
    thrown_s = back_mps / THROWN_MPS2
    return [
        (np.where(linear, 0.0, peak_mps2), np.where(linear, peak_mps2 / press_s, 0.0), pressed_s),
        (peak_mps2, -peak_mps2 / np.maximum(back_s, 1e-9), back_s),
        (zero - THROWN_MPS2, zero, 2 * thrown_s),
        (zero + THROWN_MPS2, zero, thrown_s),
    ]
