"""Preparatory trips: a resting car with a pending fault is sent to reach the situation that the effect needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.buildings.round_trip import PERSON_KG
from simulator.cars import runaway
from simulator.cars.state import ARRIVED, FAULT_PENDING, START, Cars
from simulator.faults.cause import ANYWHERE, EMPTY_RUN, IDLE, RIDE, at_severity
from simulator.faults.cause_table import EFFECTS
from simulator.maths.scurve import full_speed_distance_m
from telemetry.arrays import F64, Index

RIDE_M = 9.0
PAUSE_S = 0.5
PLATEAU_S = 4.0
STOPS_WITHIN_M = 0.5
_BY_TRIP = ~np.isin(EFFECTS.situation, (ANYWHERE, IDLE))


def needs_trip(cars: Cars, lift: Index) -> NDArray[np.bool_]:
    """Return which of these cars need a preparatory trip."""
    return (cars.stage[lift] == FAULT_PENDING) & _BY_TRIP[cars.cause[lift]]


def send_on_trips(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Send the resting cars that need it on preparatory trips; return the others."""
    hurry = needs_trip(cars, lift)
    if not hurry.any():
        return lift, t
    sent, at = lift[hurry], t[hurry]
    situation = EFFECTS.situation[cars.cause[sent]]
    cars.target[sent] = _trip_target(cars, sent)
    rides, runs = sent[situation == RIDE], situation == EMPTY_RUN
    mass_kg = np.full(len(rides), PERSON_KG)
    floor, target = cars.floor[rides], cars.target[rides]
    cars.passengers.arrive(cars.group[rides], at[situation == RIDE], floor, target, mass_kg, rides)
    cars.on_preparatory_trip[sent[runs]] = True
    cars.set_phase(sent[runs], START, at[runs] + PAUSE_S)
    cars.set_phase(sent[~runs], ARRIVED, at[~runs] + PAUSE_S)
    return lift[~hurry], t[~hurry]


def ride_to_next_landing(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Add a passenger who rides in each of these resting cars between the same two neighbouring landings."""
    floor, t = cars.floor[lift], begin_s[lift]
    beside = np.where(floor ^ 1 < cars.lifts.floors[lift], floor ^ 1, floor - 1)
    cars.passengers.arrive(cars.group[lift], t, floor, beside, np.full(len(lift), PERSON_KG), lift)
    cars.set_phase(lift, ARRIVED, t + PAUSE_S)


def _trip_target(cars: Cars, lift: Index) -> Index:
    """Return a landing far enough in the required direction, or else far enough in the other direction to come back."""
    lifts, cause = cars.lifts, cars.cause[lift]
    z, heights = cars.trajectories.end_m[lift], cars.lifts.heights_m[lift]
    last = lifts.floors[lift] - 1
    top = lifts.height(lift, last)
    need_m = required_run_m(cars, lift)
    sense = np.where(EFFECTS.sense[cause] != 0, EFFECTS.sense[cause], np.where(top - z > z, 1, -1))
    room = np.where(sense > 0, top - z, z) >= need_m
    onward = np.where(room, z + sense * need_m, np.where(sense > 0, top - need_m, need_m))
    up = np.where(room, sense > 0, sense < 0)
    above = (heights < onward[:, None]).sum(axis=1)
    below = (heights <= onward[:, None]).sum(axis=1) - 1
    target = np.where(up, np.minimum(above, last), np.maximum(below, 0))
    target = np.where(room & (EFFECTS.slowdown_lost[cause, 1] > 0), np.where(sense > 0, last, 0), target)
    here = target == cars.floor[lift]
    return np.where(here, np.where(cars.floor[lift] < last, cars.floor[lift] + 1, cars.floor[lift] - 1), target)


def required_run_m(cars: Cars, lift: Index) -> F64:
    """Return the length of run at which the effect shows."""
    lifts, cause = cars.lifts, cars.cause[lift]
    ratio = at_severity(EFFECTS.speed_ratio[cause], cars.severity[lift])
    v = lifts.rated_mps[lift] * ratio
    full_m = full_speed_distance_m(v, lifts.a_mps2[lift], lifts.j_mps3[lift])
    need_m = np.where(ratio > 1, full_m + PLATEAU_S * v, RIDE_M)
    away = np.flatnonzero(EFFECTS.runs_away[cause])
    if len(away):
        away_m = runaway.displacement_m(cars, lift[away], EFFECTS.sense[cause[away]] * v[away])
        need_m[away] = full_m[away] / 2 + np.abs(away_m) + STOPS_WITHIN_M
    return need_m
