"""Runaway cars: overspeed in a run, and unintended movement from a landing.

A faulty drive accelerates the car beyond rated speed, or gives no torque and the heavier side pulls. At the governor's
switch the chain opens, and the remaining brake torque acts (`maths.governor`). At a landing, the imbalance moves a car
that its brake does not hold; the protection against unintended car movement (EN 81-20, 5.6.7) detects that the car
leaves the door zone, and grips it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.cars import braking
from simulator.cars.state import Cars
from simulator.faults.cause import at_severity
from simulator.faults.cause_table import EFFECTS
from simulator.maths import stopping
from simulator.maths.governor import GEAR_BUILD_S, grip_mps2, overspeed_stop_pieces, overspeed_switch_mps
from telemetry.arrays import F64, Index

MIN_RUNAWAY_MPS2 = 0.1
"""A car does not run away with a smaller acceleration."""
FULL_SPEED = 0.9
"""A run must reach this share of the rated speed for a runaway."""


def accelerations(cars: Cars, lift: Index, sense: F64) -> tuple[F64, F64, F64]:
    """Return the accelerations of these cars in their direction of travel before and after braking, and when
    gripped."""
    cause, severity = cars.cause[lift], cars.severity[lift]
    rated_kg, load_kg = cars.lifts.rated_kg[lift], cars.load_kg[lift]
    runs_mps2 = at_severity(EFFECTS.thrust_mps2[cause], severity) + sense * stopping.imbalance_mps2(rated_kg, load_kg)
    torque = at_severity(EFFECTS.brake_torque_left[cause], severity) * cars.condition.brake_torque[lift]
    braked_mps2 = runs_mps2 - torque * cars.lifts.brake_mps2[lift]
    return runs_mps2, braked_mps2, grip_mps2(sense, rated_kg, load_kg)


def displacement_m(cars: Cars, lift: Index, v_mps: F64) -> F64:
    """Return the signed displacement of these cars from the start of a runaway at `v_mps` to the stop."""
    rated_mps, sense = cars.lifts.rated_mps[lift], np.sign(v_mps)
    runs_mps2, _, _ = accelerations(cars, lift, sense)
    away = (
        sense * np.maximum(runs_mps2, MIN_RUNAWAY_MPS2),
        0 * runs_mps2,
        _until_switch_s(rated_mps, v_mps, runs_mps2),
    )
    return stopping.displacement_m(v_mps, [away, *_overspeed_stop(cars, lift, sense * overspeed_switch_mps(rated_mps))])


def start(cars: Cars, lift: Index) -> tuple[Index, F64, F64]:
    """Start the runaways of those of these cars that reach full speed in the cause's direction with room to be stopped.

    Return these cars, when they run away, and when their governor's switch opens.
    """
    lifts, trajectories = cars.lifts, cars.trajectories
    plateau_s, v_mps = trajectories.plateau(lift)
    sense, rated_mps = EFFECTS.sense[cars.cause[lift]].astype(np.float64), lifts.rated_mps[lift]
    runs_mps2, _, _ = accelerations(cars, lift, sense)
    left_m = np.abs(trajectories.end_m[lift] - trajectories.at(lift, plateau_s)[0])
    fit = (v_mps * sense > FULL_SPEED * rated_mps) & (runs_mps2 >= MIN_RUNAWAY_MPS2)
    fit &= left_m > np.abs(displacement_m(cars, lift, sense * np.abs(v_mps)))
    lift, plateau_s, runs_s = lift[fit], plateau_s[fit], _until_switch_s(rated_mps, v_mps, runs_mps2)[fit]
    trajectories.accelerate(lift, plateau_s, (sense * runs_mps2)[fit], 2 * runs_s)
    return lift, plateau_s, plateau_s + runs_s


def open_chain(cars: Cars, lift: Index, t: F64) -> None:
    """Open the safety chain of these runaway cars."""
    cars.chain_opens_s[lift] = t
    cars.trajectories.replace_rest(lift, t, _overspeed_stop(cars, lift, cars.trajectories.at(lift, t)[1]))


def brake_slips(cars: Cars, lift: Index) -> NDArray[np.bool_]:
    """Return which of these standing cars their remaining brake torque does not hold."""
    return np.abs(_slip_mps2(cars, lift)) >= MIN_RUNAWAY_MPS2


def slip_from_landing(cars: Cars, lift: Index, t: F64) -> None:
    """Start the slip of these cars from their landings with open doors, until they are gripped or at a shaft end."""
    lifts, pull = cars.lifts, _slip_mps2(cars, lift)
    sense, zero = np.sign(pull), 0 * pull
    edge_m = lifts.height(lift, cars.floor[lift]) + sense * lifts.door_zone_m[lift]
    leaves_s = np.sqrt(2 * (edge_m - cars.trajectories.at(lift, t)[0]) / pull)
    slips_s = leaves_s + lifts.ucm_grip_delay_s[lift]
    grip = -sense * grip_mps2(sense, lifts.rated_kg[lift], cars.load_kg[lift])
    left_mps = pull * slips_s + (pull + grip) / 2 * GEAR_BUILD_S
    builds = (pull, (grip - pull) / GEAR_BUILD_S, zero + GEAR_BUILD_S)
    cars.chain_opens_s[lift] = t + leaves_s
    cars.trajectories.replace_rest(lift, t, [(pull, zero, slips_s), builds, (grip, zero, -left_mps / grip)])
    braking.stop_at_shaft_ends(cars, lift)


def _slip_mps2(cars: Cars, lift: Index) -> F64:
    """Return the acceleration of these standing cars, up positive: imbalance minus remaining brake torque."""
    lifts, cause = cars.lifts, cars.cause[lift]
    pull = stopping.imbalance_mps2(lifts.rated_kg[lift], cars.load_kg[lift])
    torque = at_severity(EFFECTS.brake_torque_left[cause], cars.severity[lift]) * cars.condition.brake_torque[lift]
    return np.sign(pull) * np.maximum(np.abs(pull) - torque * lifts.brake_mps2[lift], 0.0)


def _until_switch_s(rated_mps: F64, v_mps: F64, runs_mps2: F64) -> F64:
    """Return the time of a runaway until the governor's switch opens."""
    return (overspeed_switch_mps(rated_mps) - np.abs(v_mps)) / np.maximum(runs_mps2, MIN_RUNAWAY_MPS2)


def _overspeed_stop(cars: Cars, lift: Index, v_mps: F64) -> list[stopping.Piece]:
    runs_mps2, braked_mps2, gripped_mps2 = accelerations(cars, lift, np.sign(v_mps))
    delay_s = stopping.BRAKE_DELAY_S + cars.condition.brake_late_s[lift]
    return overspeed_stop_pieces(v_mps, cars.lifts.rated_mps[lift], runs_mps2, braked_mps2, gripped_mps2, delay_s)
