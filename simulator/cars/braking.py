"""Emergency stops of running cars: by a tripped drive, or by the machine brake under load and wear.

The stopping position follows from the motion. A worn brake stops a car later than a healthy one: past a landing, and
finally on the buffers of the car (below) or the counterweight (above).
"""

from __future__ import annotations

import numpy as np

from simulator.cars.state import Cars
from simulator.faults.cause import at_severity
from simulator.faults.cause_table import EFFECTS
from simulator.maths import stopping
from telemetry.arrays import F64, Index

BUFFER_M, COUNTERWEIGHT_M = 0.18, 0.60
"""The distance beyond the last landing at which the car, or its counterweight, meets its buffer."""

Brake = tuple[F64, F64, float]
"""Deceleration, delay and build-up time."""


def healthy_brake(cars: Cars, lift: Index, sense: F64) -> Brake:
    """Return how healthy brakes would stop these cars when going up (`sense` +1) or down (-1)."""
    return _brake(cars, lift, sense, np.ones(len(lift)), np.zeros(len(lift)))


def apply_brake(cars: Cars, lift: Index, t: F64) -> None:
    """Stop these cars from `t` on, and record when a healthy brake would have stopped them."""
    if not len(lift):
        return
    v_mps, condition = cars.trajectories.at(lift, t)[1], cars.condition
    should = stopping.brake_pieces(v_mps, *healthy_brake(cars, lift, np.sign(v_mps)))
    cars.healthy_stop_s[lift] = t + sum(lasts_s for _, _, lasts_s in should)
    brake = _brake(cars, lift, np.sign(v_mps), condition.brake_torque[lift], condition.brake_late_s[lift])
    cars.trajectories.brake(lift, t, *brake)
    stop_at_shaft_ends(cars, lift)


def _brake(cars: Cars, lift: Index, sense: F64, torque: F64, late_s: F64) -> Brake:
    """Return how brakes of this torque stop these cars; a tripped drive stops its car with the set deceleration."""
    cause = cars.cause[lift]
    trips, trips_mps2 = EFFECTS.trips_mps2[cause, 1] > 0, at_severity(EFFECTS.trips_mps2[cause], cars.severity[lift])
    lifts, load_kg = cars.lifts, cars.load_kg[lift]
    brake = stopping.brake_mps2(lifts.brake_mps2[lift], torque, sense, lifts.rated_kg[lift], load_kg)
    return (
        np.where(trips, trips_mps2, brake),
        np.where(trips, 0.0, stopping.BRAKE_DELAY_S + late_s),
        stopping.BRAKE_BUILD_S,
    )


def stop_at_shaft_ends(cars: Cars, lift: Index) -> None:
    """Stop cars that pass a shaft end on their buffer, or after the counterweight has met its buffer.

    A car whose counterweight sits on its buffer is decelerated by gravity only.
    """
    trajectories, lifts = cars.trajectories, cars.lifts
    low_m, high_m = np.full(len(lift), -BUFFER_M), lifts.height(lift, lifts.floors[lift] - 1) + COUNTERWEIGHT_M
    lands, sits = trajectories.end_m[lift] < low_m, trajectories.end_m[lift] > high_m
    down, up = lift[lands], lift[sits]
    if len(down):
        trajectories.hit_buffer(down, trajectories.pass_time_s(down, low_m[lands]), lifts.rated_mps[down])
    if len(up):
        trajectories.brake(up, trajectories.pass_time_s(up, high_m[sits]), np.full(len(up), stopping.G_MPS2))
