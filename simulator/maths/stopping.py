"""How a car is stopped against its will: by the machine brake, and by a buffer, as pieces of constant jerk.

A piece is (acceleration at its start, jerk, how long). All functions are elementwise over lifts; speeds have their
direction (up positive), decelerations are magnitudes. Numbers: EN 81-20 as the domain notes quote it, section 2.

    machine brake  ─ delay ─/‾‾‾‾‾|    the deceleration builds up, stays, and ends with the speed
    linear spring  /\\                  grows with the way into the buffer; throws the car back
    oil buffer     /‾‾--..__|          peaks early and decays over the stroke; throws back a little
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telemetry.arrays import F64

Piece = tuple[F64, F64, F64]

G_MPS2 = 9.81
BRAKE_DELAY_S, BRAKE_BUILD_S = 0.10, 0.15
CAR_PER_LOAD, BALANCED_LOAD, MACHINE_PER_CAR = 2.0, 0.5, 2.0
MIN_BRAKE_MPS2 = 0.05
OIL_G = (0.6, 1.0)
"""What an oil buffer gives on average over its way: at least (the blow on its plunger), and at most."""
OIL_RISE, OIL_END = 0.1, 0.4
"""An oil buffer's deceleration rises during this share of its time, and ends at this share of its peak."""
SPRING_REBOUND, OIL_REBOUND = 0.35, 0.08
"""The speed that a buffer throws a car back with, over the speed that it came with."""
REBOUND_MPS2 = 5.0
LINEAR_UP_TO_MPS = 1.0


def displacement_m(v_mps: F64, pieces: Sequence[Piece]) -> F64:
    """Return the way, signed, of cars that come with `v_mps` and do these pieces."""
    v, way = v_mps, 0 * v_mps
    for a, j, h in pieces:
        way, v = way + h * (v + h * (a / 2 + h * j / 6)), v + h * (a + h * j / 2)
    return way


def brake_pieces(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> list[Piece]:
    """Return how a brake stops cars: coasting, a growing deceleration, a constant one."""
    v, sense, zero = np.abs(v_mps), np.sign(v_mps), 0 * v_mps
    grows_s = np.minimum(build_s, np.sqrt(2 * v * build_s / brake_mps2))
    left_mps = np.maximum(v - brake_mps2 * build_s / 2, 0.0)
    jerk = brake_mps2 / build_s if build_s else zero
    steady = (-sense * brake_mps2, zero, left_mps / brake_mps2)
    return [(zero, zero, zero + delay_s), (zero, -sense * jerk, grows_s), steady]


def stop_distance_m(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> F64:
    """Return the way, signed as the speed, of a car that is braked like that."""
    return displacement_m(v_mps, brake_pieces(v_mps, brake_mps2, delay_s, build_s))


def moving_mass_kg(rated_kg: F64, load_kg: F64) -> F64:
    """Return the mass that moves with a car: car, counterweight, load, and the machine's inertia at the rope."""
    car_kg = CAR_PER_LOAD * rated_kg
    return car_kg * (2 + MACHINE_PER_CAR) + BALANCED_LOAD * rated_kg + load_kg


def imbalance_mps2(rated_kg: F64, load_kg: F64) -> F64:
    """Return the acceleration, up positive, of a car that neither drive nor brake holds."""
    return G_MPS2 * (BALANCED_LOAD * rated_kg - load_kg) / moving_mass_kg(rated_kg, load_kg)


def brake_mps2(balanced_mps2: F64, torque: F64, sense: F64, rated_kg: F64, load_kg: F64) -> F64:
    """Return the deceleration of a machine brake that stops the balanced car with `balanced_mps2` at torque 1.

    The imbalance helps a car against its will and hinders it along it: an empty car going up brakes longest.
    """
    return np.maximum(balanced_mps2 * torque - sense * imbalance_mps2(rated_kg, load_kg), MIN_BRAKE_MPS2)


def buffer_stroke_m(rated_mps: F64) -> F64:
    """Return the least stroke: linear springs up to 1 m/s, oil beyond."""
    linear_m = np.maximum(0.135 * rated_mps**2, 0.065)
    return np.where(rated_mps <= LINEAR_UP_TO_MPS, linear_m, 0.0674 * rated_mps**2)


def buffer_pieces(v_mps: F64, rated_mps: F64) -> list[Piece]:
    """Return how a buffer stops cars that come down on it with `v_mps`: pressed in, thrown back, falling back."""
    v, zero, linear = np.abs(v_mps), 0 * v_mps, rated_mps <= LINEAR_UP_TO_MPS
    rises_s, peak_mps2, decays_s, end_mps2 = np.where(linear, _spring(v, rated_mps), _oil(v, rated_mps))
    back_mps = np.where(linear, SPRING_REBOUND, OIL_REBOUND) * v
    back_s = 2 * back_mps / np.maximum(end_mps2, MIN_BRAKE_MPS2)
    thrown_s = back_mps / REBOUND_MPS2
    return [
        (zero, peak_mps2 / np.maximum(rises_s, 1e-9), rises_s),
        (peak_mps2, -(peak_mps2 - end_mps2) / np.maximum(decays_s, 1e-9), decays_s),
        (end_mps2, -end_mps2 / np.maximum(back_s, 1e-9), back_s),
        (zero - REBOUND_MPS2, zero, 2 * thrown_s),
        (zero + REBOUND_MPS2, zero, thrown_s),
    ]


def _spring(v: F64, rated_mps: F64) -> tuple[F64, F64, F64, F64]:
    """Return how long a linear spring's deceleration rises and to what; it does not decay before the car rests.

    It grows with the way from 0; that is approximated as even growth over the quarter of the period in which the
    spring is pressed in by its stroke at 1.15 v.
    """
    press_s = 1.5 * buffer_stroke_m(rated_mps) / (1.15 * rated_mps)
    return press_s, 2 * v / press_s, 0 * v, 2 * v / press_s


def _oil(v: F64, rated_mps: F64) -> tuple[F64, F64, F64, F64]:
    """Return how long an oil buffer's deceleration rises, to what peak, how long it decays, and to what.

    A gravity stop from 1.15 v takes the whole stroke at a mean of 1 g; above 2.5 g EN 81-20, 5.8.2.2.3, allows 0.04 s
    at most. The orifices of a real one peak as the plunger is struck and decay as it slows: here two straight lines,
    to the peak p within r T and down to e p at T. With F = ∫f du and M = ∫u f du of that shape over u = t/T,

        v = p T F          way = ∫t a dt = p T² M          way = v² / 2 mean, from `OIL_G` and the stroke
    """
    r, e = OIL_RISE, OIL_END
    falls = 1 - r
    area = r / 2 + falls * (1 + e) / 2
    moment = r**2 / 3 + falls * (r * (1 + e) / 2 + falls * (1 + 2 * e) / 6)
    mean_mps2 = np.clip(v**2 / (2 * buffer_stroke_m(rated_mps)), OIL_G[0] * G_MPS2, OIL_G[1] * G_MPS2)
    lasts_s = v / (2 * mean_mps2) * area / moment
    peak_mps2 = v / np.maximum(lasts_s * area, 1e-9)
    return r * lasts_s, peak_mps2, falls * lasts_s, e * peak_mps2
