"""The trajectories of the cars: piecewise cubics, one column for each lift.

A trajectory is a sequence of knots (t, z, v, a, j). Between two knots z is a cubic; before the first and after the last
knot the car is at rest. A run is computed as a whole when it begins (`scurve`); an early stop (`stopping`) replaces the
rest of the run and never changes the past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simulator.maths.scurve import PLATEAU, RunLimits, run_pieces
from simulator.maths.stopping import Piece, brake_pieces, buffer_pieces, stop_distance_m
from telemetry.arrays import F64, Index
from telemetry.compiled import compiled

KNOTS = 14
KNOTS_KEPT = 8
_BISECTIONS = 48


class Trajectories:
    """The trajectory of every car: `t`, `z`, `v`, `a`, `j` are (KNOTS, lifts); times are seconds of simulated time."""

    def __init__(self, z_m: F64) -> None:
        shape = (KNOTS, len(z_m))
        self.t = np.zeros(shape)
        self.z = np.broadcast_to(z_m, shape).copy()
        self.v = np.zeros(shape)
        self.a = np.zeros(shape)
        self.j = np.zeros(shape)

    @property
    def end_s(self) -> F64:
        """When each car comes to rest, or came to rest."""
        return self.t[-1]

    @property
    def end_m(self) -> F64:
        """Where each car comes to rest, or came to rest."""
        return self.z[-1]

    def plateau(self, lift: Index) -> tuple[F64, F64]:
        """Return the time, s, at which new runs reach their top speed, and that speed, m/s."""
        return self.t[PLATEAU, lift], self.v[PLATEAU, lift]

    def run_to(self, lift: Index, start_s: F64, target_m: F64, run_limits: RunLimits) -> None:
        """Start runs of these resting cars to `target_m` at `start_s`."""
        t, z, v, a = start_s, self.at(lift, start_s)[0], np.zeros(len(lift)), np.zeros(len(lift))
        knots = np.zeros((5, KNOTS, len(lift)))
        for k, (j, h) in enumerate(run_pieces(target_m - z, run_limits)):
            knots[:, k] = t, z, v, a, j
            t, z = t + h, z + h * (v + h * (a / 2 + h * j / 6))
            v, a = v + h * (a + h * j / 2), a + h * j
        knots[:2, -1] = t, target_m
        self._set(slice(None), lift, *knots)

    def cancel_run(self, lift: Index) -> None:
        """Cancel the runs of these cars, which have just been started."""
        for k in range(1, KNOTS):
            self._set(k, lift, self.t[0, lift], self.z[0, lift], 0.0, 0.0, 0.0)

    def accelerate(self, lift: Index, start_s: F64, a_mps2: F64, lasts_s: F64) -> None:
        """Accelerate these cars constantly from `start_s` on; a braking must replace this within `lasts_s`."""
        self.replace_rest(lift, start_s, [(a_mps2, 0 * a_mps2, lasts_s)])

    def brake(self, lift: Index, at_s: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0) -> None:
        """Stop these moving cars with a brake that is applied at `at_s`."""
        self.replace_rest(lift, at_s, brake_pieces(self.at(lift, at_s)[1], brake_mps2, delay_s, build_s))

    def hit_buffer(self, lift: Index, at_s: F64, rated_mps: F64) -> None:
        """Stop these descending cars on their buffers, which they touch at `at_s`."""
        self.replace_rest(lift, at_s, buffer_pieces(self.at(lift, at_s)[1], rated_mps))

    def replace_rest(self, lift: Index, at_s: F64, pieces: Sequence[Piece]) -> None:
        """Replace the trajectories from `at_s` on by these pieces, after which the cars rest."""
        z, v, _ = self.at(lift, at_s)
        place, t = self._drop_old_knots(lift, at_s), at_s
        for k, (a, j, h) in enumerate(pieces):
            self._set(place + k, lift, t, z, v, a, j)
            t, z, v = t + h, z + h * (v + h * (a / 2 + h * j / 6)), v + h * (a + h * j / 2)
        for k in range(len(pieces), KNOTS):
            self._set(np.minimum(place + k, KNOTS - 1), lift, t, z, 0.0, 0.0, 0.0)

    def _drop_old_knots(self, lift: Index, at_s: F64) -> Index:
        """Drop the oldest knots so that at most `KNOTS_KEPT` precede `at_s`; return how many precede it."""
        before = (self.t[:, lift] < at_s).sum(axis=0)
        shift = np.maximum(before - KNOTS_KEPT, 0)
        knots = np.minimum(np.arange(KNOTS)[:, None] + shift, KNOTS - 1)
        for column in (self.t, self.z, self.v, self.a, self.j):
            column[:, lift] = column[knots, lift]
        return before - shift

    def at(self, lift: Index, t_s: F64) -> tuple[F64, F64, F64]:
        """Return position (m), speed (m/s) and acceleration (m/s²) of these cars at `t_s`.

        `t_s` is (lifts,) or (lifts, samples); the results have the same shape.
        """
        at_s = np.ascontiguousarray(t_s).reshape(len(lift), 1 if t_s.ndim == 1 else t_s.shape[1])
        z, v, a = np.empty(at_s.shape), np.empty(at_s.shape), np.empty(at_s.shape)
        _evaluate((self.t, self.z, self.v, self.a, self.j), lift, at_s, z, v, a)
        return z.reshape(t_s.shape), v.reshape(t_s.shape), a.reshape(t_s.shape)

    def brake_time_s(
        self, lift: Index, stop_m: F64, brake_mps2: F64, delay_s: F64 | float = 0.0, build_s: float = 0.0
    ) -> F64:
        """Return when the brake must be applied for these cars to stop at `stop_m`, a position within the run.

        The stop position moves monotonically with the time of braking as long as the brake decelerates harder than the
        drive.
        """
        return self._time_s(lift, stop_m, lambda v: stop_distance_m(v, brake_mps2, delay_s, build_s))

    def pass_time_s(self, lift: Index, z_m: F64) -> F64:
        """Return when these cars pass `z_m`, a position within the run."""
        return self._time_s(lift, z_m, np.zeros_like)

    def _time_s(self, lift: Index, z_m: F64, onward_m: Callable[[F64], F64]) -> F64:
        """Return when position plus `onward_m(speed)` reaches `z_m`, by bisection over the run."""
        low, high = self.t[0][lift].copy(), self.t[-1][lift].copy()
        sense = np.sign(self.z[-1][lift] - self.z[0][lift])
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            z, v, _ = self.at(lift, middle)
            beyond = (z + onward_m(v) - z_m) * sense > 0
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        return high

    def _set(
        self, k: int | slice | Index, lift: Index, t: F64, z: F64, v: F64 | float, a: F64 | float, j: F64 | float
    ) -> None:
        self.t[k, lift], self.z[k, lift], self.v[k, lift], self.a[k, lift], self.j[k, lift] = t, z, v, a, j


@compiled
def _evaluate(knots: Any, lift: Any, t_s: Any, z_m: Any, v_mps: Any, a_mps2: Any) -> None:
    """Evaluate the trajectories of these cars at `t_s` (lifts, samples), each in the piece that contains the time."""
    t, z, v, a, j = knots
    for row in range(t_s.shape[0]):
        car = lift[row]
        for i in range(t_s.shape[1]):
            now_s, knot = t_s[row, i], 0
            for k in range(1, t.shape[0]):
                knot += 1 if now_s >= t[k, car] else 0
            h = max(now_s - t[knot, car], 0.0)
            v_k, a_k, j_k = v[knot, car], a[knot, car], j[knot, car]
            z_m[row, i] = z[knot, car] + h * (v_k + h * (a_k / 2 + h * j_k / 6))
            v_mps[row, i] = v_k + h * (a_k + h * j_k / 2)
            a_mps2[row, i] = a_k + h * j_k if now_s >= t[0, car] else 0.0
