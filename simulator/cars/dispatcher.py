"""The dispatcher of a group: once a second it assigns each hall call to the car with the earliest estimated arrival.

    cost = distance of the car under collective control / rated speed + stops on the way x time of a stop

(Barney, "Elevator Traffic Handbook"; CIBSE Guide D.) Assignments in a building depend on that building only. A queue
that exceeds the spare capacity of the assigned cars calls another car. A call is withdrawn from a car that is full or
out of service, and from a car that is not yet running to it when its passengers are gone.
"""

from __future__ import annotations

import numpy as np

from simulator.buildings.groups import NO_CAR
from simulator.buildings.round_trip import PERSON_KG
from simulator.cars import collective_control, run
from simulator.cars.preparatory_trips import needs_trip
from simulator.cars.state import (
    CLOSING_DOOR,
    DOOR_SPRUNG,
    FAULT_DUE,
    IMMOBILISED,
    OPEN_DOOR,
    OPENING_DOOR,
    PASSING,
    REST,
    RUN,
    START,
    Cars,
)
from telemetry.arrays import F64, Bools, Index

_PHASES = np.arange(IMMOBILISED + 1)
_OUT_OF_SERVICE = np.isin(_PHASES, (FAULT_DUE, DOOR_SPRUNG, IMMOBILISED))
_AT_DOOR = np.isin(_PHASES, (OPENING_DOOR, OPEN_DOOR, PASSING))
_RUNNING = np.isin(_PHASES, (RUN, FAULT_DUE))
_LEAVING = np.isin(_PHASES, (CLOSING_DOOR, START))


def dispatch(cars: Cars, t: F64) -> None:
    """Assign the hall calls of all buildings at each lift's time `t`."""
    if not (cars.passengers.calling.any() or cars.hall_call.any()):
        return
    every = np.arange(len(t))
    busy = _OUT_OF_SERVICE[cars.phase] | cars.homing | cars.on_preparatory_trip | needs_trip(cars, every)
    serves = collective_control.can_board(cars, every) & ~busy
    _withdraw_calls(cars, serves)
    group, side, floor = _call_places(cars.passengers.calling > 0)
    members = cars.groups.cars[group]
    comes = cars.hall_call[members, side[:, None], floor[:, None]] | _stands_open(cars, members, side, floor)
    comes &= members != NO_CAR
    room = np.maximum(collective_control.spare_capacity_kg(cars, every), 0.0)[members] / PERSON_KG
    short = cars.passengers.calling[group, side, floor] > (room * comes).sum(axis=1)
    free = (members != NO_CAR) & serves[members] & ~comes
    assignable = short & free.any(axis=1)
    if not assignable.any():
        return
    group, side, floor = group[assignable], side[assignable], floor[assignable]
    members, free = members[assignable], free[assignable]
    cost_s = np.where(free, estimated_arrival_s(cars, members, 1 - 2 * side, floor, t), np.inf)
    best = members[np.arange(len(group)), cost_s.argmin(axis=1)]
    cars.hall_call[best, side, floor] = True
    _wake_or_divert(cars, np.unique(best), t)


def _withdraw_calls(cars: Cars, serves: Bools) -> None:
    """Withdraw calls from cars that do not serve, and calls without passengers unless they are a car's next stop."""
    lift, side, floor = _call_places(cars.hall_call)
    comes = (cars.phase[lift] == RUN) & (cars.target[lift] == floor)
    over = ~serves[lift] | (~comes & (cars.passengers.calling[cars.group[lift], side, floor] == 0))
    cars.hall_call[lift[over], side[over], floor[over]] = False


def _call_places(calls: Bools) -> tuple[Index, ...]:
    """Return the indices of calls (rows, 2, floors): like `np.nonzero`, in half the time."""
    return np.unravel_index(np.flatnonzero(calls), calls.shape)


def _stands_open(cars: Cars, members: Index, side: Index, floor: Index) -> Bools:
    """Return which cars stand with an open door at these calls' landings and go their way."""
    sense = (1 - 2 * side)[:, None]
    way = (cars.heading[members] == 0) | (cars.heading[members] == sense)
    return _AT_DOOR[cars.phase[members]] & (cars.floor[members] == floor[:, None]) & way


def _wake_or_divert(cars: Cars, lift: Index, t: F64) -> None:
    """Wake the resting cars of these, and divert the running ones to calls on their way."""
    resting = lift[cars.phase[lift] == REST]
    cars.due_s[resting] = t[resting]
    run.divert(cars, lift, t[lift])


def estimated_arrival_s(cars: Cars, members: Index, sense: Index, floor: Index, t: F64) -> F64:
    """Return the estimated time until each car of a group arrives at a call.

    Parameters
    ----------
    members : (calls, cars)
        Rows of the cars.
    sense : (calls,)
        Direction of the call, +1 up, -1 down.
    floor : (calls,)
        Landing of the call.
    t : (lifts,)
        Current time, s.

    Returns
    -------
    (calls, cars)
        Seconds: on the current way, after the next turn, or after the turn after that.
    """
    lifts, heading = cars.lifts, _sense(cars)[members]
    first = _first(cars, t)[members]
    landing = np.arange(cars.car_call.shape[1])
    wanted = collective_control.has_call(cars, members.ravel()).reshape(*members.shape, len(landing))
    heights = lifts.heights_m[members[:, 0]]
    row = np.arange(len(members))[:, None]
    here_m, call_m = heights[row, first], heights[row, floor[:, None]]
    some = wanted.any(axis=2)
    high_m = np.where(some, heights[row, len(landing) - 1 - wanted[:, :, ::-1].argmax(axis=2)], here_m)
    low_m = np.where(some, heights[row, wanted.argmax(axis=2)], here_m)
    end_m, other_m = np.where(heading > 0, high_m, low_m), np.where(heading > 0, low_m, high_m)
    ahead = heading * (call_m - here_m) >= 0
    turn_m = heading * np.maximum(heading * end_m, heading * call_m)
    back_m = heading * np.minimum(heading * other_m, heading * call_m)
    straight, once = np.abs(call_m - here_m), np.abs(turn_m - here_m) + np.abs(turn_m - call_m)
    twice = np.abs(end_m - here_m) + np.abs(end_m - back_m) + np.abs(call_m - back_m)
    same = heading == sense[:, None]
    idle = heading == 0
    displacement_m = np.select([idle, same & ahead, ~same], [straight, straight, once], twice)
    beyond = heading[:, :, None] * (landing - first[:, :, None]) >= 0
    before = heading[:, :, None] * (landing - floor[:, None, None]) < 0
    on_way = np.select([same & ahead, ~same], [(wanted & beyond & before).sum(axis=2), (wanted & beyond).sum(axis=2)])
    stops = np.where(idle, 0, np.where(same & ~ahead, wanted.sum(axis=2), on_way))
    return displacement_m / lifts.rated_mps[members] + stops * lifts.stop_s[members]


def _sense(cars: Cars) -> Index:
    """Return the direction of each car; 0 where it may choose."""
    running = _RUNNING[cars.phase] & (cars.heading == 0)
    return np.where(running, np.sign(cars.target - cars.floor), cars.heading).astype(np.intp)


def _first(cars: Cars, t: F64) -> Index:
    """Return the first landing at which each car can still stop."""
    first = cars.floor + np.where(_LEAVING[cars.phase], cars.heading, 0)
    first = np.clip(first, 0, cars.lifts.floors - 1)
    running = np.flatnonzero(cars.phase == RUN)
    first[running], _ = collective_control.reachable(cars, running, t[running])
    return first
