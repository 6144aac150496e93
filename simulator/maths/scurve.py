"""The jerk-limited S-curve of a run in closed form, with rollback before it and creeping before the stop.

    jerk  +j  0  -j  0  -j  0  +j   0   -j +j
    v     _/‾‾‾‾‾‾‾‾\\
                     \\______________
                        creeping     \\_

Source: R. D. Peters, "Ideal Lift Kinematics". A rollback lengthens the S-curve and creeping shortens it by a constant,
so Peters' three distance cases apply to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.arrays import F64

ROLLBACK_S = 0.5
MIN_DISTANCE_M = 1e-9
_SIGNS = (-1.0, 1.0, -1.0, 1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 1.0)
"""The signs of the jerks of a run's pieces: three of rollback, seven of the S-curve, one of creeping, two of
stopping."""
PLATEAU = 6
"""The index of the piece at constant top speed."""


def segment_times(distance_m: F64, v_mps: F64, a_mps2: F64, j_mps3: F64) -> tuple[F64, F64, F64]:
    """Return the durations of constant jerk, constant acceleration and constant speed of an S-curve, elementwise.

    Parameters
    ----------
    distance_m, v_mps, a_mps2, j_mps3 : array
        Distance of the run, and the limits of speed, acceleration and jerk; magnitudes > 0.

    Returns
    -------
    tuple of array
        Seconds. The run takes 4 jerk + 2 acceleration + 1 cruise times:

            A  d >= v a/j + v²/a       full speed
            B  d >= 2 a³/j²            full acceleration, not full speed
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
    """Return the shortest distance, m, over which a run reaches the speed limit."""
    a = np.minimum(a_mps2, np.sqrt(v_mps * j_mps3))
    return v_mps * a / j_mps3 + v_mps**2 / a


def stopping_distance_m(v_mps: F64, a_mps2: F64, limit_mps2: F64, j_mps3: F64) -> F64:
    """Return the distance, m, of a smooth stop from speed v and acceleration a in the direction of travel.

    The acceleration first falls to 0 with jerk j (a negative `a` counts as 0); the S-curve of the deceleration follows.
    """
    a = np.maximum(a_mps2, 0.0)
    ramp_m, peak_mps = a / j_mps3 * (v_mps + a**2 / (3 * j_mps3)), v_mps + a**2 / (2 * j_mps3)
    brake = np.minimum(limit_mps2, np.sqrt(peak_mps * j_mps3))
    return ramp_m + peak_mps / 2 * (brake / j_mps3 + peak_mps / np.maximum(brake, MIN_DISTANCE_M))


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of a run, as magnitudes with a column for each run.

    `v_mps`, `a_mps2`, `j_mps3` are those of the S-curve. The car creeps at `creep_mps` for `creep_s` before the stop
    (0: not at all) and rolls back by `rollback_m` before the start.
    """

    v_mps: F64
    a_mps2: F64
    j_mps3: F64
    creep_mps: F64 | float = 0.0
    creep_s: F64 | float = 0.0
    rollback_m: F64 | float = 0.0


def run_pieces(displacement_m: F64, run_limits: RunLimits) -> list[tuple[F64, F64]]:
    """Return the pieces of runs over `displacement_m` (signed) as (jerk in m/s³, duration in s).

    The ramp down to creeping speed c instead of 0 is c/a shorter, and the stop from c takes 2 sqrt(c/j). The distance
    that this adds does not depend on the speed before, so the three cases of the S-curve apply to the rest:

        E = c/2 (a/j - c/a) + c t + c sqrt(c/j)

    A run whose ramp down never has speed c does not creep.
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
