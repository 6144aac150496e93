"""Rope suspension: the car hangs on its ropes like a mass on a spring; drive and passengers excite it.

    x'' + 2 zeta omega x' + omega² (x - x_eq) = f - a          x: car over sheave, up positive; a: the drive's

    k = n E A / h (1:1), 2 n E A / h (2:1)     h: free rope from the sheave to the car       omega² = k / m
    a passenger of 75 kg moves x_eq by -75 g / k; the position loop compensates this as the car travels

The state is advanced exactly from sample to sample (constant input between two samples), one lift after the other.
Values: docs/world.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.cars.lifts import LiftParameters
from simulator.cars.state import Cars, EventLog
from simulator.maths.stopping import CAR_PER_LOAD, G_MPS2
from telemetry.arrays import F64, Index
from telemetry.compiled import compiled
from telemetry.streams import CLOSED

ROPE_EA_N = 70e9 * 0.49 * np.pi / 4 * 0.010**2
"""One rope of 10 mm: 70 GPa, 49 % steel."""
KG_PER_ROPE = 200.0
OVERHEAD_M = 4.0
DAMPING_FULL, DAMPING_DOWN = 0.05, 0.02
TAKEN_BACK_M = 0.6
"""The travel over which the position loop compensates the stretch by the load, except for 1/e."""
STEP_S, STEP_PARTS = 0.3, 6
JUMPS_HZ = 2.2
QUIET_M, QUIET_MPS, QUIET_KG = 2e-5, 2e-4, 1e-6
CHUNK_SAMPLES = 40_000


def stiffness_npm(ropes: F64, free_m: F64, rope_ratio: F64) -> F64:
    """Return the stiffness, N/m, of the suspension with ropes of free length `free_m`."""
    return rope_ratio * ropes * ROPE_EA_N / free_m


def natural_hz(stiffness: F64, hung_kg: F64) -> F64:
    """Return the natural frequency of a car on its ropes."""
    return np.sqrt(stiffness / hung_kg) / (2 * np.pi)


@dataclass(frozen=True, slots=True)
class Motion:
    """The true motion of the cars in one second: cars of `lift` as (lifts, samples), all others stand at `rest_m`.

    `z_m` and `a_mps2` are position and acceleration of the car, `drive_m` and `v_mps` position and speed of its drive.
    """

    lift: Index
    z_m: F64
    drive_m: F64
    v_mps: F64
    a_mps2: F64
    rest_m: F64


class Suspension:
    """The ropes of a range of lifts, sampled at `rate_hz`."""

    def __init__(self, lifts: LiftParameters, rate_hz: int) -> None:
        n = len(lifts.number)
        self.rate_hz = rate_hz
        self._ropes = np.maximum(np.round(lifts.rated_kg / KG_PER_ROPE), 3.0)
        self._top_m = np.nanmax(lifts.heights_m, axis=1) + OVERHEAD_M
        self._load_kg = np.zeros(n)
        self._coming = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0)
        self._x, self._v = np.zeros(n), np.zeros(n)
        self.stretch_m = np.zeros(n)

    def step(self, cars: Cars, log: EventLog, begin_s: F64) -> Motion:
        """Simulate the second in which the events of `log` occurred."""
        steps = self._steps(cars, log, begin_s)
        rings = (np.abs(self._x - self.stretch_m) > QUIET_M) | (np.abs(self._v) > QUIET_MPS)
        sinks = (cars.condition.sinks_mps != 0) & (cars.door != CLOSED)
        active = rings | sinks | (cars.trajectories.end_s > begin_s) | (cars.condition.jumping_kg > 0)
        active |= cars.condition.spins_mps != 0
        active[steps[0]] = True
        lift = np.flatnonzero(active)
        z, drive_m, v, a = (np.empty((len(lift), self.rate_hz)) for _ in range(4))
        for first in range(0, len(lift), CHUNK_SAMPLES // self.rate_hz):
            part = slice(first, first + CHUNK_SAMPLES // self.rate_hz)
            z[part], drive_m[part], v[part], a[part] = self._follow(cars, lift[part], begin_s, steps)
        return Motion(lift, z, drive_m, v, a, cars.trajectories.end_m + self.stretch_m)

    def _steps(self, cars: Cars, log: EventLog, begin_s: F64) -> tuple[Index, Index, F64]:
        """Return the load changes (lift, sample, kg); a change that is not in the log occurs at the start of the
        second.

        A passenger's weight shifts in parts, the last of them perhaps in the next second.
        """
        load_kg = _hung_kg(cars)
        changed = load_kg - self._load_kg
        for lift, _, kg in log.loads:
            np.subtract.at(changed, lift, kg)
        unseen = np.flatnonzero(np.abs(changed) > QUIET_KG)
        if not (len(unseen) or log.loads or len(self._coming[0])):
            self._load_kg = load_kg
            return self._coming
        lift = np.concatenate([unseen, *(lift for lift, _, _ in log.loads)])
        t_s = np.concatenate([begin_s[unseen], *(t_s for _, t_s, _ in log.loads)])
        kg = np.concatenate([changed[unseen], *(kg for _, _, kg in log.loads)])
        part_s = STEP_S * np.arange(STEP_PARTS)[:, None] / STEP_PARTS
        sample = np.maximum((t_s - begin_s[lift] + part_s) * self.rate_hz, 0.0).astype(np.intp).ravel()
        lift, kg = np.tile(lift, STEP_PARTS), np.tile(kg / STEP_PARTS, STEP_PARTS)
        lift, sample, kg = (np.concatenate(both) for both in zip(self._coming, (lift, sample, kg), strict=True))
        later = sample >= self.rate_hz
        self._coming = lift[later], sample[later] - self.rate_hz, kg[later]
        self._load_kg = load_kg
        return lift[~later], sample[~later], kg[~later]

    def _follow(self, cars: Cars, lift: Index, begin_s: F64, steps: tuple[Index, Index, F64]) -> tuple[F64, ...]:
        """Return positions, drive positions, drive speeds and accelerations of these cars in their second."""
        dt_s = 1 / self.rate_hz
        t_s = begin_s[lift, None] + np.arange(self.rate_hz) * dt_s
        drive_m, drive_mps, a = cars.trajectories.at(lift, t_s)
        z = drive_m.copy()
        omega, zeta, k = self._spring(cars, lift, z[:, 0], drive_mps[:, 0])
        jumps = _jumping_mps2(cars, lift, t_s)
        push = jumps - a
        push[:, :-1] = (push[:, :-1] + push[:, 1:]) / 2
        moves = self._moves(cars, lift, steps, k)
        keeps = np.exp(-np.abs(drive_mps) * dt_s / TAKEN_BACK_M)
        x, v, eq = self._x[lift], self._v[lift], self.stretch_m[lift]
        _swing(x, v, eq, (keeps, moves, push), jumps, omega, zeta, transition(omega, zeta, dt_s), z, a)
        quiet = (np.abs(x - eq) <= QUIET_M) & (np.abs(v) <= QUIET_MPS)
        self._x[lift], self._v[lift] = np.where(quiet, eq, x), np.where(quiet, 0.0, v)
        self.stretch_m[lift] = eq
        return z, drive_m, drive_mps, a

    def _spring(self, cars: Cars, lift: Index, z_m: F64, drive_mps: F64) -> tuple[F64, F64, F64]:
        """Return natural frequency, rad/s, damping ratio and stiffness of these cars on their ropes."""
        lifts = cars.lifts
        rated_kg = lifts.rated_kg[lift]
        load = _hung_kg(cars)[lift] / rated_kg
        free_m = np.maximum(self._top_m[lift] - z_m, OVERHEAD_M / 2)
        k = stiffness_npm(self._ropes[lift], free_m, lifts.rope_ratio[lift])
        omega = 2 * np.pi * natural_hz(k, rated_kg * (CAR_PER_LOAD + load))
        return omega, lifts.equipment.damping[lift] + DAMPING_FULL * load + DAMPING_DOWN * (drive_mps < 0), k

    def _moves(self, cars: Cars, lift: Index, steps: tuple[Index, Index, F64], k: F64) -> F64:
        """Return the change of the equilibrium at each sample, by load changes and by sinking at an open door."""
        moves = np.zeros((len(lift), self.rate_hz))
        moves -= (cars.condition.sinks_mps[lift] * (cars.door[lift] != CLOSED) / self.rate_hz)[:, None]
        changed_lift, sample, kg = steps
        if not len(changed_lift):
            return moves
        row = np.minimum(np.searchsorted(lift, changed_lift), len(lift) - 1)
        here = lift[row] == changed_lift
        np.subtract.at(moves, (row[here], sample[here]), G_MPS2 * kg[here] / k[row[here]])
        return moves


@compiled
def _swing(x: Any, v: Any, eq: Any, inputs: Any, jumps: Any, omega: Any, zeta: Any, moved: Any, z: Any, a: Any) -> None:
    """Advance cars on their ropes from sample to sample: `x`, `v` and `eq`; add `x` to `z`, and set `a`."""
    keeps, moves, push = inputs
    xx, xv, vx, vv = moved
    for k in range(len(x)):
        x_m, v_mps, eq_m, stiff = x[k], v[k], eq[k], omega[k] * omega[k]
        for i in range(z.shape[1]):
            eq_m = eq_m * keeps[k, i] + moves[k, i]
            rest_m = eq_m + push[k, i] / stiff
            off_m = x_m - rest_m
            z[k, i] += x_m
            a[k, i] = jumps[k, i] - stiff * (x_m - eq_m) - 2 * zeta[k] * omega[k] * v_mps
            x_m, v_mps = rest_m + xx[k] * off_m + xv[k] * v_mps, vx[k] * off_m + vv[k] * v_mps
        x[k], v[k], eq[k] = x_m, v_mps, eq_m


def _hung_kg(cars: Cars) -> F64:
    """Return the load in each car: passengers and goods."""
    return cars.load_kg + cars.condition.goods * cars.lifts.rated_kg


def transition(omega: F64, zeta: F64, dt_s: float) -> tuple[F64, F64, F64, F64]:
    """Return the transition matrix of a free oscillation (x, v) over `dt_s`: x of x, x of v, v of x, v of v."""
    damped = omega * np.sqrt(1 - zeta**2)
    fades, cos, sin = np.exp(-zeta * omega * dt_s), np.cos(damped * dt_s), np.sin(damped * dt_s)
    lean = zeta * omega / damped * sin
    return fades * (cos + lean), fades * sin / damped, -fades * omega**2 / damped * sin, fades * (cos - lean)


def _jumping_mps2(cars: Cars, lift: Index, t_s: F64) -> F64:
    """Return the acceleration of these cars by passengers who jump in step: weight between nothing and twice their
    own."""
    jumping_kg = np.minimum(cars.condition.jumping_kg[lift], cars.load_kg[lift])
    if not jumping_kg.any():
        return np.zeros(t_s.shape)
    hung_kg = cars.lifts.rated_kg[lift] * CAR_PER_LOAD + _hung_kg(cars)[lift]
    beat = 2 * np.pi * JUMPS_HZ * t_s
    return (G_MPS2 * jumping_kg / hung_kg)[:, None] * (np.sin(beat) + np.sin(2 * beat) / 3)
