"""How a car moves: jerk-limited S-curves in closed form, held as piecewise cubics, one column for each lift.

    jerk  +j  0  -j  0  -j  0  +j          a curve is knots (t, z, v, a, j); between two knots z is a cubic,
    v     _/‾‾‾‾‾‾‾‾\\_                     before the first knot and after the last the car is at rest

Formulas: Peters, "Ideal Lift Kinematics"; all three distance cases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Lifts = NDArray[np.intp]

KNOTS = 12
_JERK_SIGNS = (1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0)
_BISECTIONS = 48


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


class Curves:
    """The motion of every car: `t`, `z`, `v`, `a`, `j` are (KNOTS, lifts), times in seconds of the world's clock."""

    def __init__(self, z_m: F64) -> None:
        shape = (KNOTS, len(z_m))
        self.t = np.zeros(shape)
        self.z = np.broadcast_to(z_m, shape).copy()
        self.v = np.zeros(shape)
        self.a = np.zeros(shape)
        self.j = np.zeros(shape)

    @property
    def end_s(self) -> F64:
        """When each car comes, or came, to rest."""
        return self.t[-1]

    @property
    def end_m(self) -> F64:
        """Where each car comes, or came, to rest."""
        return self.z[-1]

    def go(self, lift: Lifts, start_s: F64, target_m: F64, v_mps: F64, a_mps2: F64, j_mps3: F64) -> None:
        """Send these cars, at rest, to `target_m` by an S-curve that begins at `start_s`."""
        origin_m = self.end_m[lift]
        distance_m = target_m - origin_m
        sense = np.sign(distance_m)
        jerk_s, steady_s, cruise_s = segment_times(np.maximum(np.abs(distance_m), 1e-9), v_mps, a_mps2, j_mps3)
        lasts = (jerk_s, steady_s, jerk_s, cruise_s, jerk_s, steady_s, jerk_s)
        t, z, v, a = start_s, origin_m, np.zeros(len(lift)), np.zeros(len(lift))
        for k, (sign, h) in enumerate(zip(_JERK_SIGNS, lasts, strict=True)):
            j = sign * sense * j_mps3
            self._set(k, lift, t, z, v, a, j)
            t, z = t + h, z + h * (v + h * (a / 2 + h * j / 6))
            v, a = v + h * (a + h * j / 2), a + h * j
        self.rest(len(lasts), lift, t, target_m)

    def push(self, lift: Lifts, start_s: F64, a_mps2: F64, lasts_s: F64) -> None:
        """Let these cars, at rest, run away with a constant acceleration; `brake` must follow within `lasts_s`."""
        zero = np.zeros(len(lift))
        z = self.end_m[lift]
        self._set(0, lift, start_s, z, zero, a_mps2, zero)
        self.rest(1, lift, start_s + lasts_s, z + a_mps2 * lasts_s**2 / 2)

    def brake(self, lift: Lifts, at_s: F64, brake_mps2: F64) -> None:
        """Stop these moving cars from `at_s` on with a constant deceleration (a magnitude)."""
        z, v, _ = self.at(lift, at_s)
        stop_s = np.abs(v) / brake_mps2
        self._splice(lift, at_s, z, v, -np.sign(v) * brake_mps2, stop_s)

    def bounce(self, lift: Lifts, a_mps2: F64, lasts_s: float) -> None:
        """Throw these cars back from where their curve ends: up and down again with `a_mps2`, half the time each."""
        half = np.full(len(lift), lasts_s / 2)
        t, z, zero = self.end_s[lift], self.end_m[lift], np.zeros(len(lift))
        middle = KNOTS - 3
        self._set(middle, lift, t, z, zero, a_mps2, zero)
        self._set(middle + 1, lift, t + half, z + a_mps2 * half**2 / 2, a_mps2 * half, -a_mps2, zero)
        self.rest(middle + 2, lift, t + 2 * half, z + a_mps2 * half**2)

    def rest(self, first: int, lift: Lifts, t: F64, z: F64) -> None:
        """Fill the knots from `first` on with standing still at z from t."""
        zero = np.zeros(len(lift))
        for k in range(first, KNOTS):
            self._set(k, lift, t, z, zero, zero, zero)

    def at(self, lift: Lifts, t_s: F64) -> tuple[F64, F64, F64]:
        """Return position (m), speed (m/s) and acceleration (m/s²) of these cars.

        `t_s` is (lifts,) or (lifts, samples); the results have its shape.
        """
        column = lift if t_s.ndim == 1 else lift[:, None]
        knot = np.zeros(t_s.shape, dtype=np.intp)
        for k in range(1, KNOTS):
            knot += t_s >= self.t[k][column]
        h = np.maximum(t_s - self.t[knot, column], 0.0)
        z, v, a, j = (column_of[knot, column] for column_of in (self.z, self.v, self.a, self.j))
        return z + h * (v + h * (a / 2 + h * j / 6)), v + h * (a + h * j / 2), np.where(h > 0, a + h * j, 0.0)

    def stop_time_s(self, lift: Lifts, stop_m: F64, brake_mps2: F64) -> F64:
        """Return when to brake so as to come to rest at `stop_m`, a place inside the trip.

        Bisection on z + v|v|/2b, which grows along the way as long as the brake is harder than the drive's own.
        """
        low, high = self.t[0][lift].copy(), self.t[-1][lift].copy()
        sense = np.sign(self.z[-1][lift] - self.z[0][lift])
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            z, v, _ = self.at(lift, middle)
            beyond = (z + v * np.abs(v) / (2 * brake_mps2) - stop_m) * sense > 0
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return high

    def _splice(self, lift: Lifts, at_s: F64, z: F64, v: F64, a: F64, stop_s: F64) -> None:
        """Keep the knots before `at_s`; then a constant acceleration for `stop_s`, then rest."""
        place = np.minimum((self.t[:, lift] < at_s).sum(axis=0), KNOTS - 2)
        zero = np.zeros(len(lift))
        stop_m = z + stop_s * (v + stop_s * a / 2)
        for k in range(KNOTS):
            now, later = k == place, k > place
            self._set(k, lift[now], at_s[now], z[now], v[now], a[now], zero[now])
            self._set(k, lift[later], (at_s + stop_s)[later], stop_m[later], *(zero[later],) * 3)

    def _set(self, k: int, lift: Lifts, t: F64, z: F64, v: F64, a: F64, j: F64) -> None:
        self.t[k, lift], self.z[k, lift], self.v[k, lift], self.a[k, lift], self.j[k, lift] = t, z, v, a, j
