"""Emergency stops by the machine brake and by buffers, as pieces of constant jerk.

A piece is (initial acceleration, jerk, duration). All functions are elementwise over lifts; speeds are signed (up
positive), decelerations are magnitudes. Values: EN 81-20 as quoted in docs/world.md, section 2.

    machine brake  ─ delay ─/‾‾‾‾‾|    the deceleration builds up, then stays constant until the car stops
    linear spring  /\\                  the deceleration grows with the compression; large rebound
    oil buffer     /‾‾--..__|          the deceleration peaks early and decays over the stroke; small rebound
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
"""The lowest (impact on the plunger) and highest mean deceleration of an oil buffer over its stroke."""
OIL_RISE, OIL_END = 0.1, 0.4
"""The share of its time in which an oil buffer's deceleration rises, and its final over its peak deceleration."""
SPRING_REBOUND, OIL_REBOUND = 0.35, 0.08
"""The rebound speed over the impact speed."""
REBOUND_MPS2 = 5.0
LINEAR_UP_TO_MPS = 1.0


def displacement_m(v_mps: F64, pieces: Sequence[Piece]) -> F64:
    """Return the signed displacement, m, of cars with initial speed `v_mps` over these pieces."""
    v, way = v_mps, 0 * v_mps
    for a, j, h in pieces:
        way, v = way + h * (v + h * (a / 2 + h * j / 6)), v + h * (a + h * j / 2)
    return way


def brake_pieces(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> list[Piece]:
    """Return the pieces of a stop by the machine brake: coasting, growing deceleration, constant deceleration."""
    v, sense, zero = np.abs(v_mps), np.sign(v_mps), 0 * v_mps
    grows_s = np.minimum(build_s, np.sqrt(2 * v * build_s / brake_mps2))
    left_mps = np.maximum(v - brake_mps2 * build_s / 2, 0.0)
    jerk = brake_mps2 / build_s if build_s else zero
    steady = (-sense * brake_mps2, zero, left_mps / brake_mps2)
    return [(zero, zero, zero + delay_s), (zero, -sense * jerk, grows_s), steady]


def stop_distance_m(v_mps: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> F64:
    """Return the signed displacement, m, of a stop by the machine brake."""
    return displacement_m(v_mps, brake_pieces(v_mps, brake_mps2, delay_s, build_s))


def moving_mass_kg(rated_kg: F64, load_kg: F64) -> F64:
    """Return the total moving mass: car, counterweight, load, and the machine's inertia at the rope."""
    car_kg = CAR_PER_LOAD * rated_kg
    return car_kg * (2 + MACHINE_PER_CAR) + BALANCED_LOAD * rated_kg + load_kg


def imbalance_mps2(rated_kg: F64, load_kg: F64) -> F64:
    """Return the acceleration, up positive, of a car that neither the drive nor the brake holds."""
    return G_MPS2 * (BALANCED_LOAD * rated_kg - load_kg) / moving_mass_kg(rated_kg, load_kg)


def brake_mps2(balanced_mps2: F64, torque: F64, sense: F64, rated_kg: F64, load_kg: F64) -> F64:
    """Return the deceleration of a machine brake that stops the balanced car with `balanced_mps2` at torque 1.

    The imbalance adds to the deceleration or reduces it; an empty car that goes up takes longest to stop.
    """
    return np.maximum(balanced_mps2 * torque - sense * imbalance_mps2(rated_kg, load_kg), MIN_BRAKE_MPS2)


def buffer_stroke_m(rated_mps: F64) -> F64:
    """Return the minimum buffer stroke: linear springs up to 1 m/s, oil buffers above."""
    linear_m = np.maximum(0.135 * rated_mps**2, 0.065)
    return np.where(rated_mps <= LINEAR_UP_TO_MPS, linear_m, 0.0674 * rated_mps**2)


def buffer_pieces(v_mps: F64, rated_mps: F64) -> list[Piece]:
    """Return the pieces of a stop on a buffer from speed `v_mps`: compression, rebound, fall back."""
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
    """Return rise time, peak, decay time and final deceleration of a linear spring, which does not decay before the car
    stops.

    The deceleration grows with the compression; it is approximated as even growth over the quarter period in which an
    impact at 1.15 v compresses the spring by its stroke.
    """
    press_s = 1.5 * buffer_stroke_m(rated_mps) / (1.15 * rated_mps)
    return press_s, 2 * v / press_s, 0 * v, 2 * v / press_s


def _oil(v: F64, rated_mps: F64) -> tuple[F64, F64, F64, F64]:
    """Return rise time, peak, decay time and final deceleration of an oil buffer.

    A gravity stop from 1.15 v takes the whole stroke at a mean of 1 g; EN 81-20, 5.8.2.2.3, allows more than 2.5 g for
    0.04 s at most. The orifices of a real buffer give a peak at the impact and a decay as the plunger slows down: here
    two straight lines, to the peak p within r T and down to e p at T. With F = ∫f du and M = ∫u f du of that shape over
    u = t/T,

        v = p T F          stroke = ∫t a dt = p T² M          stroke = v² / 2 mean, from `OIL_G` and the minimum stroke
    """
    r, e = OIL_RISE, OIL_END
    falls = 1 - r
    area = r / 2 + falls * (1 + e) / 2
    moment = r**2 / 3 + falls * (r * (1 + e) / 2 + falls * (1 + 2 * e) / 6)
    mean_mps2 = np.clip(v**2 / (2 * buffer_stroke_m(rated_mps)), OIL_G[0] * G_MPS2, OIL_G[1] * G_MPS2)
    lasts_s = v / (2 * mean_mps2) * area / moment
    peak_mps2 = v / np.maximum(lasts_s * area, 1e-9)
    return r * lasts_s, peak_mps2, falls * lasts_s, e * peak_mps2
