"""The rotation of the traction sheave: with the car, ahead of it where the ropes slip, and under a jammed car.

Each sheave has one continuous angle. Everything that rotates with it (the speed encoder, the machine's bearing, the
sheave orders in the car's vibration) uses it here, as the travel of the car without slip.
"""

from __future__ import annotations

import numpy as np

from simulator.cars.state import Cars
from telemetry.arrays import F64, Index


def sheave_travel_m(cars: Cars, lift: Index, drive_m: F64) -> F64:
    """Return the travel of these sheaves in a second in which their drives are at `drive_m`, (lifts, samples)."""
    slip, spins_mps = cars.condition.slip[lift, None], cars.condition.spins_mps[lift, None]
    since_s = np.arange(drive_m.shape[1]) / drive_m.shape[1]
    return drive_m + cars.ahead_m[lift, None] + slip * (drive_m - drive_m[:, :1]) + spins_mps * since_s


def sheave_speed_mps(cars: Cars, lift: Index, drive_mps: F64) -> F64:
    """Return the speed of these sheaves' rims while their drives run at `drive_mps`, (lifts, samples)."""
    return drive_mps * (1 + cars.condition.slip[lift, None]) + cars.condition.spins_mps[lift, None]


def advance(cars: Cars, begin_s: F64) -> None:
    """Add the slip of the second that began at `begin_s` to `ahead_m`."""
    condition = cars.condition
    lift = np.flatnonzero((condition.slip != 0) | (condition.spins_mps != 0))
    if not len(lift):
        return
    before_m, after_m = (cars.trajectories.at(lift, begin_s[lift] + since_s)[0] for since_s in (0, 1))
    cars.ahead_m[lift] += condition.slip[lift] * (after_m - before_m) + condition.spins_mps[lift]
