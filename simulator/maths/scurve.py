"""A lift's run in closed form: the jerk-limited S-curve, all three distance cases, with what comes before and after it.

    jerk  +j  0  -j  0  -j  0  +j   0   -j +j
    v     _/‾‾‾‾‾‾‾‾\\
                     \\______________
                        creeping     \\_

Formulas: Peters, "Ideal Lift Kinematics". A rollback before the run lengthens its S-curve, creeping before the stop
shortens it by a constant: the three cases stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.arrays import F64

ROLLBACK_S = 0.5
MIN_DISTANCE_M = 1e-9
_SIGNS = (-1.0, 1.0, -1.0, 1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 1.0)
"""The jerks of a run's pieces: three of rolling back, seven of the S-curve, creeping, two of stopping."""
PLATEAU = 6
"""The piece that is the cruise."""


def segment_times(distance_m: F64, v_mps: F64, a_mps2: F64, j_mps3: F64) -> tuple[F64, F64, F64]:
    """Return how long jerk, constant acceleration and cruise last, in seconds, elementwise.

    Parameters are magnitudes > 0. The trip takes 4 jerk + 2 acceleration + cruise times.

        A  d >= v a/j + v²/a       full speed
        B  d >= 2 a³/j²            full acceleration, never full speed
        C  otherwise               neither
    """
    a = np.minimum(a_mps2, np.sqrt(v_mps * j_mps3))
    jerk_s = a / j_mps3
    steady_s = np.maximum(v_mps / a - jerk_s, 0.0)
    cruise_s = distance_m / v_mps - 2 * jerk_s - steady_s
    middle_s = (np.sqrt(jerk_s**2 + 4 * distance_m / a) - 3 * jerk_s) / 2
    short_s = np.cbrt(distance_m / (2 * j_mps3))
    full = cruise_s >= 0
    short = ~full & (middle_s < 0)
    return (
        np.where(short, short_s, jerk_s),
        np.where(full, steady_s, np.where(short, 0.0, middle_s)),
        np.where(full, cruise_s, 0.0),
    )


def full_speed_distance_m(v_mps: F64, a_mps2: F64, j_mps3: F64) -> F64:
    """Return the shortest trip, m, that reaches v."""
    a = np.minimum(a_mps2, np.sqrt(v_mps * j_mps3))
    return v_mps * a / j_mps3 + v_mps**2 / a


def stopping_distance_m(v_mps: F64, a_mps2: F64, limit_mps2: F64, j_mps3: F64) -> F64:
    """Return how far a car still goes that has speed v and acceleration a (along its way), and is to stop smoothly.

    The acceleration ramps down to 0 with the jerk j first (`a` below 0 counts as 0); then the deceleration's S-curve.
    """
    a = np.maximum(a_mps2, 0.0)
    ramp_m, peak_mps = a / j_mps3 * (v_mps + a**2 / (3 * j_mps3)), v_mps + a**2 / (2 * j_mps3)
    brake = np.minimum(limit_mps2, np.sqrt(peak_mps * j_mps3))
    return ramp_m + peak_mps / 2 * (brake / j_mps3 + peak_mps / np.maximum(brake, MIN_DISTANCE_M))


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What drives of a run do, magnitudes, a column for each run: the S-curve's three limits; creeping at `creep_mps`
    for `creep_s` before the stop (0: not at all); rolling back `rollback_m` the wrong way before the start."""

    v_mps: F64
    a_mps2: F64
    j_mps3: F64
    creep_mps: F64 | float = 0.0
    creep_s: F64 | float = 0.0
    rollback_m: F64 | float = 0.0


def run_pieces(displacement_m: F64, run_limits: RunLimits) -> list[tuple[F64, F64]]:
    """Return the pieces of runs over `displacement_m` (signed): the jerk of each, m/s³, and how long it lasts, s.

    The ramp down to the creeping speed c instead of 0 is c/a shorter, and the stop from c takes 2 sqrt(c/j). What all
    that adds to the way does not depend on the speed before, so the S-curve's own three cases hold for the rest:

        E = c/2 (a/j - c/a) + c t + c sqrt(c/j)

    A run too short to have a ramp that contains c does not creep.
    """
    sense, j = np.sign(displacement_m), run_limits.j_mps3
    distance_m = np.maximum(np.abs(displacement_m) + run_limits.rollback_m, MIN_DISTANCE_M)
    limits = run_limits.v_mps, run_limits.a_mps2, j
    a = np.minimum(run_limits.a_mps2, np.sqrt(run_limits.v_mps * j))
    c, stop_s = run_limits.creep_mps, np.sqrt(run_limits.creep_mps / j)
    creeping_m = c / 2 * (a / j - c / a) + c * run_limits.creep_s + c * stop_s
    slow = segment_times(np.maximum(distance_m - creeping_m, MIN_DISTANCE_M), *limits)
    creeps = (distance_m > creeping_m) & (slow[1] >= c / a) & (run_limits.creep_s > 0)
    jerk_s, steady_s, cruise_s = np.where(creeps, slow, segment_times(distance_m, *limits))
    ramp_s, creep_s, stop_s = np.where(
        creeps, (steady_s - c / a, run_limits.creep_s + 0 * a, stop_s), (steady_s, 0 * a, 0 * a)
    )
    quarter_s = ROLLBACK_S / 4
    back_s = np.where(np.asarray(run_limits.rollback_m) > 0, quarter_s, 0 * a)
    back = run_limits.rollback_m / (2 * quarter_s**3)
    lasts = (
        back_s,
        2 * back_s,
        back_s,
        jerk_s,
        steady_s,
        jerk_s,
        cruise_s,
        jerk_s,
        ramp_s,
        jerk_s,
        creep_s,
        stop_s,
        stop_s,
    )
    jerks = (*(back,) * 3, *(j,) * 10)
    return [(sign * sense * jerk, last_s) for sign, jerk, last_s in zip(_SIGNS, jerks, lasts, strict=True)]
