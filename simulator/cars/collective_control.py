"""Full collective control of one car: its next stop, and the calls it answers.

    going up:  the next car call or up hall call above, else the highest down hall call above; then the car turns

A car answers the calls in its direction of travel and turns only when none is left ahead (CIBSE Guide D). A full car
passes hall calls, and the dispatcher assigns them again.
"""

from __future__ import annotations

import numpy as np

from simulator.buildings.passengers import DOWN, UP
from simulator.buildings.round_trip import CAPACITY_FACTOR, PERSON_KG
from simulator.cars.state import Cars
from simulator.maths.scurve import stopping_distance_m
from telemetry.arrays import F64, Bools, Index

STOP_MARGIN_M = 0.3
UP_PEAK_INCOMING, UP_PEAK_BUSY = 0.6, 0.5


def has_call(cars: Cars, lift: Index) -> Bools:
    """Return where each of these cars has a car call or an assigned hall call, (lifts, floors)."""
    return cars.car_call[lift] | cars.hall_call[lift].any(axis=1)


def calls_beyond(cars: Cars, lift: Index) -> tuple[Bools, Bools]:
    """Return which of these standing cars have a call above, and which below."""
    wanted, landing = has_call(cars, lift), np.arange(cars.car_call.shape[1])
    floor = cars.floor[lift, None]
    return np.any(wanted & (landing > floor), axis=1), np.any(wanted & (landing < floor), axis=1)


def choose_direction(cars: Cars, lift: Index, here: Bools) -> None:
    """Set the heading of these standing cars; `here` (lifts, 2) marks passengers who want to go up and down."""
    if not len(lift):
        return
    above, below = calls_beyond(cars, lift)
    up, down = above | here[:, UP], below | here[:, DOWN]
    heading = cars.heading[lift]
    keeps = np.where(heading > 0, up, down) & (heading != 0)
    other = np.where(above, 1, np.where(below, -1, np.where(here[:, UP], 1, np.where(here[:, DOWN], -1, 0))))
    turned = np.where(heading > 0, -1 * down, np.where(heading < 0, 1 * up, other))
    cars.heading[lift] = np.where(keeps, heading, turned)


def opens_door(cars: Cars, lift: Index) -> Bools:
    """Return which of these cars, just arrived or called at their landing, open their doors."""
    floor, row = cars.floor[lift], np.arange(len(lift))
    hall = cars.hall_call[lift, :, floor]
    heading = cars.heading[lift]
    called = np.where(heading == 0, hall.any(axis=1), hall[row, np.where(heading < 0, DOWN, UP)])
    return cars.car_call[lift, floor] | called | cars.everyone_out[lift]


def next_stop(cars: Cars, lift: Index, first: Index, sense: Index) -> Index:
    """Return the next landing to stop at, from `first` on in direction `sense` (+1 up, -1 down); -1 without calls."""
    landing = np.arange(cars.car_call.shape[1])
    up = (sense > 0)[:, None]
    ahead = np.where(up, landing >= first[:, None], landing <= first[:, None])
    hall, calls = cars.hall_call[lift], cars.car_call[lift]
    along = ahead & (calls | np.where(up, hall[:, UP], hall[:, DOWN]))
    back = ahead & np.where(up, hall[:, DOWN], hall[:, UP])
    lowest, highest = _lowest(along), _highest(along)
    nearest, turning = (
        np.where(sense > 0, lowest, highest),
        np.where(sense > 0, _highest(back), _lowest(back)),
    )
    return np.where(along.any(axis=1), nearest, np.where(back.any(axis=1), turning, -1))


def _lowest(calls: Bools) -> Index:
    return calls.argmax(axis=1)


def _highest(calls: Bools) -> Index:
    return calls.shape[1] - 1 - calls[:, ::-1].argmax(axis=1)


def spare_capacity_kg(cars: Cars, lift: Index) -> F64:
    """Return the load that each car may still take up to the capacity factor."""
    return CAPACITY_FACTOR * cars.lifts.rated_kg[lift] - cars.load_kg[lift]


def can_board(cars: Cars, lift: Index, mass_kg: F64 | float = PERSON_KG) -> Bools:
    """Return whether a passenger of this mass boards: if the load comes closer to the capacity factor."""
    return spare_capacity_kg(cars, lift) > np.asarray(mass_kg) / 2


def reachable(cars: Cars, lift: Index, t: F64) -> tuple[Index, Bools]:
    """Return the first landing at which each of these running cars can still stop, and whether it may choose one."""
    lifts, trajectories, target = cars.lifts, cars.trajectories, cars.target[lift]
    z, v, a = trajectories.at(lift, t)
    sense = np.sign(target - cars.floor[lift])
    need_m = stopping_distance_m(np.abs(v), sense * a, lifts.a_mps2[lift], lifts.j_mps3[lift]) + STOP_MARGIN_M
    free = need_m < sense * (lifts.height(lift, target) - z)
    ahead = sense[:, None] * (lifts.heights_m[lift] - z[:, None]) >= need_m[:, None]
    first = np.where(sense > 0, _lowest(ahead), _highest(ahead))
    return np.where(free, first, target), free & ~cars.homing[lift] & ~cars.on_preparatory_trip[lift]


def parking_landing(cars: Cars, lift: Index, t: F64) -> tuple[Index, Bools]:
    """Return the parking landing of each of these idle cars, and whether there is an up-peak.

    In an up-peak cars park at the main terminal; else a group spreads over its building, its first car at the terminal.
    """
    lifts, groups, group = cars.lifts, cars.groups, cars.group[lift]
    incoming = cars.arrivals.traffic.incoming_share(lifts.kind[lift], cars.hour(t))
    peak = (incoming >= UP_PEAK_INCOMING) & (cars.busy(lift, t) >= UP_PEAK_BUSY)
    upper = lifts.floors[lift] - 1 - lifts.lobby[lift]
    spread = lifts.lobby[lift] + upper * groups.place[lift] // groups.size[group]
    return np.where(peak, lifts.lobby[lift], spread), peak
