"""Runs with a pending fault: where it becomes active, and how the car is stopped.

run begins ── fault is placed ── fault due: overspeed, alarm, door, safety chain, end of the shaft ── car stopped
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.cars import braking, car_faults, drive, maintenance_visit, runaway
from simulator.cars.preparatory_trips import required_run_m
from simulator.cars.state import DOOR_SPRUNG, FAULT_DUE, FAULT_PENDING, RUN, Cars
from simulator.faults.cause import EMPTY_RUN, RIDE, SPRINGS_OPEN, STARTS_OPEN, at_severity
from simulator.faults.cause_table import EFFECTS
from simulator.maths.scurve import stopping_distance_m
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED, OPEN, OPENING

OUTSIDE_M = 0.12
"""The least distance from a door zone of a stop between landings; rope stretch cannot bring the car back into the
zone."""
FINAL_LIMIT_M = 0.10
"""The distance of the final limit switches beyond the last landings: before the buffers (EN 81-20, 5.12.2.2)."""


def speed_ratio(cars: Cars, lift: Index, target_m: F64) -> F64:
    """Return the top speed over the rated speed of runs about to begin; 1 where the effect would not show."""
    cause = cars.cause[lift]
    displacement_m = target_m - cars.trajectories.end_m[lift]
    sense = EFFECTS.sense[cause]
    shows = (np.abs(displacement_m) >= required_run_m(cars, lift) - car_faults.LEVEL_M) & (
        (sense == 0) | (sense == np.sign(displacement_m))
    )
    ratio = np.where(shows & ~cars.homing[lift], at_severity(EFFECTS.speed_ratio[cause], cars.severity[lift]), 1.0)
    return np.where(
        EFFECTS.inspection_speed[cause], maintenance_visit.INSPECTION_MPS / cars.lifts.rated_mps[lift], ratio
    )


def prepare_faults(cars: Cars, lift: Index) -> None:
    """Place the pending faults of cars on the runs that have just begun."""
    lift = lift[(cars.stage[lift] == FAULT_PENDING) & ~cars.homing[lift]]
    if not len(lift):
        return
    situation = EFFECTS.situation[cars.cause[lift]]
    lift = lift[
        (situation == EMPTY_RUN) | ((situation == RIDE) & (cars.riders[lift] > 0)) | (cars.door[lift] != CLOSED)
    ]
    cause, trajectories = cars.cause[lift], cars.trajectories
    door = EFFECTS.door[cause]
    _overrun_terminal(cars, lift[EFFECTS.slowdown_lost[cause, 1] > 0])
    _overspeed(cars, lift[EFFECTS.speed_ratio[cause, 1] > 1])
    _start_runaways(cars, lift[EFFECTS.runs_away[cause]])
    seized = lift[EFFECTS.car_jammed[cause]]
    cars.trajectories.cancel_run(seized)
    car_faults.immobilise(cars, seized, cars.trajectories.t[0][seized])
    at_once = lift[(door == STARTS_OPEN) | EFFECTS.during_ride[cause]]
    car_faults.activate(cars, at_once, trajectories.t[0][at_once])
    midway = lift[EFFECTS.alarm[cause] | (door == SPRINGS_OPEN)]
    cars.set_phase(midway, FAULT_DUE, (trajectories.t[0][midway] + trajectories.end_s[midway]) / 2)
    _stop_between(cars, lift[EFFECTS.brake_falls[cause] | (EFFECTS.trips_mps2[cause, 1] > 0)])


def _stop_between(cars: Cars, lift: Index) -> None:
    """Place the fault where a healthy brake would stop the car outside the door zones of the two landings around
    mid-run."""
    heights, from_m, to_m = cars.lifts.heights_m[lift], cars.trajectories.z[0][lift], cars.trajectories.end_m[lift]
    row = np.arange(len(lift))
    below = np.clip((heights <= ((from_m + to_m) / 2)[:, None]).sum(axis=1) - 1, 0, cars.lifts.floors[lift] - 2)
    level_offset_m = cars.lifts.door_zone_m[lift] + OUTSIDE_M
    low_m, high_m = heights[row, below] + level_offset_m, heights[row, below + 1] - level_offset_m
    stop_m = cars.random.uniform(lift, low_m, np.maximum(low_m, high_m))
    cars.set_phase(
        lift,
        FAULT_DUE,
        cars.trajectories.brake_time_s(lift, stop_m, *braking.healthy_brake(cars, lift, np.sign(to_m - from_m))),
    )


def _overspeed(cars: Cars, lift: Index) -> None:
    """Activate an overspeed where the run passes its rated speed."""
    plateau_s, v_mps = cars.trajectories.plateau(lift)
    excess_mps = np.abs(v_mps) - cars.lifts.rated_mps[lift]
    fast = excess_mps > 1e-6 * cars.lifts.rated_mps[lift]
    lift, plateau_s, excess_mps = lift[fast], plateau_s[fast], excess_mps[fast]
    a, j = cars.lifts.a_mps2[lift], cars.lifts.j_mps3[lift]
    rounds_mps = a**2 / j / 2
    rounds_s = np.sqrt(2 * np.minimum(excess_mps, rounds_mps) / j)
    car_faults.activate(cars, lift, plateau_s - rounds_s - np.maximum(excess_mps - rounds_mps, 0) / a)


def _start_runaways(cars: Cars, lift: Index) -> None:
    """Activate a runaway, and make the fault due when the governor's switch opens."""
    lift, runs_away_s, switch_s = runaway.start(cars, lift)
    car_faults.activate(cars, lift, runs_away_s)
    cars.set_phase(lift, FAULT_DUE, switch_s)


def _overrun_terminal(cars: Cars, lift: Index) -> None:
    """Make a run to the terminal landing decelerate too late, or not before its final limit switch."""
    lifts, sense = cars.lifts, EFFECTS.sense[cars.cause[lift]]
    last = lifts.floors[lift] - 1
    there = cars.target[lift] == np.where(sense > 0, last, 0)
    lift, sense = lift[there], sense[there]
    end_m, limits = lifts.height(lift, cars.target[lift]), replace(drive.run_limits(cars, lift), creep_s=0.0)
    slows_m = stopping_distance_m(limits.v_mps, 0 * limits.v_mps, limits.a_mps2, limits.j_mps3)
    late_m = at_severity(EFFECTS.slowdown_lost[cars.cause[lift]], cars.severity[lift]) * slows_m
    cars.trajectories.cancel_run(lift)
    cars.trajectories.run_to(lift, cars.trajectories.end_s[lift], end_m + sense * (FINAL_LIMIT_M + late_m), limits)
    cars.set_phase(lift, FAULT_DUE, cars.trajectories.pass_time_s(lift, end_m + sense * FINAL_LIMIT_M))


def fault_due(cars: Cars, lift: Index, t: F64) -> None:
    """Apply the due faults of running cars: an alarm is pressed, the door springs open, or the car is stopped."""
    cause = cars.cause[lift]
    alarm, pops = EFFECTS.alarm[cause], EFFECTS.door[cause] == SPRINGS_OPEN
    pressed = lift[alarm]
    car_faults.activate(cars, pressed, t[alarm])
    cars.set_phase(pressed, RUN, cars.trajectories.end_s[pressed])
    stops = ~alarm
    _stop(cars, lift[stops], t[stops])
    cars.set_door(lift[pops], OPENING, t[pops])
    cars.set_phase(lift[pops], DOOR_SPRUNG, t[pops] + cars.opens_s(lift[pops]))


def _stop(cars: Cars, lift: Index, t: F64) -> None:
    """Stop these running cars by governor or brake."""
    runs_away = EFFECTS.runs_away[cars.cause[lift]]
    runaway.open_chain(cars, lift[runs_away], t[runs_away])
    braking.apply_brake(cars, lift[~runs_away], t[~runs_away])
    car_faults.immobilise(cars, lift, t)


def door_sprung_open(cars: Cars, lift: Index, t: F64) -> None:
    """Complete the opening of doors that have sprung open during a run."""
    cars.set_door(lift, OPEN, t)
    car_faults.immobilise(cars, lift, t)
