"""How the traction sheave turns: with the car, further where the ropes slip on it, and under a car that sits fast.

The law: each sheave has one angle. What turns with it (the speed encoder, the machine's bearing, the orders that the
car feels) takes it from here, as the way that the car would go if nothing slipped; it never jumps.
"""

from __future__ import annotations

import numpy as np

from simulator.cars.state import Cars
from telemetry.arrays import F64, Index


def sheave_travel_m(cars: Cars, lift: Index, drive_m: F64) -> F64:
    """Return how far these sheaves have turned through a second in which their drives were at `drive_m`, (lifts,
    samples)."""
    slip, spins_mps = cars.condition.slip[lift, None], cars.condition.spins_mps[lift, None]
    since_s = np.arange(drive_m.shape[1]) / drive_m.shape[1]
    return drive_m + cars.ahead_m[lift, None] + slip * (drive_m - drive_m[:, :1]) + spins_mps * since_s


def sheave_speed_mps(cars: Cars, lift: Index, drive_mps: F64) -> F64:
    """Return how fast these sheaves turn while their drives run at `drive_mps`, (lifts, samples)."""
    return drive_mps * (1 + cars.condition.slip[lift, None]) + cars.condition.spins_mps[lift, None]


def advance(cars: Cars, begin_s: F64) -> None:
    """Keep how far the sheaves have got ahead of their cars in the second that began at `begin_s`."""
    condition = cars.condition
    lift = np.flatnonzero((condition.slip != 0) | (condition.spins_mps != 0))
    before_m, after_m = (cars.trajectories.at(lift, begin_s[lift] + since_s)[0] for since_s in (0, 1))
    cars.ahead_m[lift] += condition.slip[lift] * (after_m - before_m) + condition.spins_mps[lift]
