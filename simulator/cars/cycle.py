"""The cycle of a car: call, run, door opening, passenger transfer, door closing.

`advance` handles the earliest event of each building, all events of one kind together, until none is left before
`until_s`. Events of a building are handled in the order of time and do not depend on other buildings.
"""

from __future__ import annotations

import numpy as np

from simulator.buildings import stop_times
from simulator.buildings.groups import NO_CAR
from simulator.cars import car_faults, door_cycle, faulty_run, travel
from simulator.cars.dispatcher import dispatch
from simulator.cars.state import (
    ARRIVED,
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
from telemetry.arrays import F64, Index

ROUNDS_LIMIT = 1000


def begin(cars: Cars, t: F64) -> None:
    """Set all cars to rest, and schedule the first arrivals, at each lift's time `t`."""
    one = cars.groups.first
    cars.arrivals.wait(np.arange(len(one)), t[one], cars.hour(t[one]))
    travel.rest(cars, np.arange(len(t)), t)


def advance(cars: Cars, since_s: F64, until_s: F64) -> None:
    """Advance every building from `since_s` to `until_s`, which its lifts share.

    Events that affect only their own car are handled at once; of those that involve passengers, the building's
    earliest.
    """
    dispatch(cars, since_s)
    groups = cars.groups
    if not ((cars.due_s < until_s).any() or (cars.arrivals.next_s < until_s[groups.first]).any()):
        return
    group = np.arange(len(groups))
    for _ in range(ROUNDS_LIMIT):
        members = groups.cars[group]
        due_s = np.where(members != NO_CAR, cars.due_s[members], np.inf)
        comes_s, end_s = cars.arrivals.next_s[group], until_s[groups.first[group]]
        first_s = np.minimum(due_s.min(axis=1), comes_s)
        soon = first_s < end_s
        if not soon.any():
            return
        arrives = soon & (comes_s == first_s)
        acts = (due_s < end_s[:, None]) & ~_MEETS_PEOPLE[cars.phase[members]]
        turn = np.flatnonzero(soon & ~arrives)
        acts[turn, due_s[turn].argmin(axis=1)] = True
        if arrives.any():
            _arrive(cars, group[arrives], first_s[arrives])
        _end_phases(cars, members[acts])
        group = group[soon]
    raise AssertionError("a building never gets through its events within one step")


def _end_phases(cars: Cars, due: Index) -> None:
    """End the current phases of these cars."""
    phases = cars.phase[due]
    for phase in np.flatnonzero(np.bincount(phases)).tolist():
        lift = due[phases == phase]
        _HANDLERS[phase](cars, lift, cars.due_s[lift])


def _arrive(cars: Cars, group: Index, t: F64) -> None:
    """Add the parties that arrive at landings; a car with an open door there admits them without waiting."""
    deserted = cars.condition.deserted[cars.groups.first[group]]
    landing = cars.arrivals.arrive(cars.passengers, group, t, cars.hour(t), deserted)
    members = cars.groups.cars[group]
    open_here = (members != NO_CAR) & (cars.phase[members] == OPEN_DOOR) & (cars.floor[members] == landing[:, None])
    row, place = np.nonzero(open_here)
    lift = members[row, place]
    cars.due_s[lift] = np.minimum(cars.due_s[lift], t[row] + stop_times.BETWEEN_PEOPLE_S[0])


_HANDLERS = {
    REST: travel.called,
    START: travel.set_off,
    RUN: travel.arrive,
    ARRIVED: door_cycle.open_door,
    OPENING_DOOR: door_cycle.door_opened,
    OPEN_DOOR: door_cycle.next_passenger,
    PASSING: door_cycle.doorway_cleared,
    CLOSING_DOOR: door_cycle.door_closing_ended,
    FAULT_DUE: faulty_run.fault_due,
    DOOR_SPRUNG: faulty_run.door_sprung_open,
    IMMOBILISED: car_faults.resume_service,
}
_MEETS_PEOPLE = np.isin(np.arange(len(_HANDLERS)), (REST, OPEN_DOOR, PASSING))
