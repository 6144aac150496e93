"""The door cycle at a landing: opening, passengers alight and board, closing, reversal, and doors held by
passengers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.buildings import stop_times
from simulator.buildings.passengers import DOWN, NO_PASSENGER, UP
from simulator.cars import car_faults, collective_control, travel
from simulator.cars.state import CLOSING_DOOR, OPEN_DOOR, OPENING_DOOR, PASSING, Cars
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING


def open_door(cars: Cars, lift: Index, t: F64) -> None:
    """Start to open the doors of these cars."""
    lift, t = car_faults.hold_shut_doors(cars, lift, t)
    cars.reopenings[lift] = 0
    cars.door_held[lift] = False
    already = cars.door[lift] == OPEN
    cars.close_s[lift] = t + stop_times.DWELL_UNWANTED_S
    cars.set_phase(lift[already], OPEN_DOOR, t[already] + stop_times.DWELL_UNWANTED_S)
    lift, t = lift[~already], t[~already]
    cars.set_door(lift, OPENING, t)
    cars.set_phase(lift, OPENING_DOOR, t + cars.opens_s(lift))


def door_opened(cars: Cars, lift: Index, t: F64) -> None:
    """Answer the calls at this landing, and start the dwell time, when the doors are open."""
    cars.set_door(lift, OPEN, t)
    floor, heading = cars.floor[lift], cars.heading[lift]
    hall = cars.hall_call[lift, :, floor].any(axis=1)
    dwell_s = np.where(hall, stop_times.HALL_CALL_DWELL_S, stop_times.CAR_CALL_DWELL_S)
    dwell_s = np.where(car_faults.reopens_door(cars, lift), stop_times.DWELL_UNWANTED_S, dwell_s)
    cars.car_call[lift, floor] = False
    cars.hall_call[lift, UP, floor] &= heading < 0
    cars.hall_call[lift, DOWN, floor] &= heading > 0
    blocked = cars.curtain[lift]
    cars.close_s[lift] = t + np.where(blocked, 0.0, dwell_s)
    cars.set_phase(lift[blocked], PASSING, t[blocked] + stop_times.PASS_S[0])
    lift, t = lift[~blocked], t[~blocked]
    cars.set_phase(lift, OPEN_DOOR, t + cars.random.uniform(lift, *stop_times.BETWEEN_PEOPLE_S))


def next_passenger(cars: Cars, lift: Index, t: F64) -> None:
    """Start the passage of the next passenger through each door, or else wait, hold the door or close it."""
    passes = _choose_passenger(cars, lift, t)
    walker, at = lift[passes], t[passes]
    _occupy_doorway(cars, walker, at, cars.random.uniform(walker, *stop_times.PASS_S))
    lift, t = lift[~passes], t[~passes]
    waits = t < cars.close_s[lift]
    cars.set_phase(lift[waits], OPEN_DOOR, cars.close_s[lift[waits]])
    lift, t = lift[~waits], t[~waits]
    if len(lift):
        lift, t = car_faults.intercept_closing(cars, lift, t)
        _close(cars, *_hold_doors(cars, lift, t))


def _choose_passenger(cars: Cars, lift: Index, t: F64) -> NDArray[np.bool_]:
    """Choose the next passenger through each door, those who alight first; return where there is one."""
    people, group, floor = cars.passengers, cars.group[lift], cars.floor[lift]
    slot = np.full(len(lift), NO_PASSENGER)
    some = cars.riders[lift] > 0
    cars.everyone_out[lift] &= some
    if some.any():
        slot[some] = people.next_to_alight(group[some], lift[some], floor[some], cars.everyone_out[lift[some]])
    waiting = people.waiting[group, :, floor] > 0
    boards = (slot == NO_PASSENGER) & waiting.any(axis=1) & collective_control.can_board(cars, lift, 0.0)
    cars.entering[lift] = False
    if boards.any():
        comes = np.flatnonzero(boards)
        enters = _board_next(cars, lift[comes], t[comes], waiting[comes])
        slot[comes] = enters
        cars.entering[lift[comes]] = enters != NO_PASSENGER
    cars.person_in_doorway[lift] = slot
    return slot != NO_PASSENGER


def _board_next(cars: Cars, lift: Index, t: F64, waiting: NDArray[np.bool_]) -> Index:
    """Set the heading of these cars by the passengers who wait to go up and down; move the first of each queue, if
    there is room, into its car, and return the slots, -1 without one."""
    people, group = cars.passengers, cars.group[lift]
    collective_control.choose_direction(cars, lift, waiting)
    enters = people.next_to_board(group, lift, cars.floor[lift], cars.heading[lift].astype(np.intp))
    boards = (enters != NO_PASSENGER) & collective_control.can_board(cars, lift, people.mass_kg[group, enters])
    if boards.any():
        people.board(group[boards], enters[boards], lift[boards], t[boards])
    return np.where(boards, enters, NO_PASSENGER)


def _occupy_doorway(cars: Cars, lift: Index, t: F64, for_s: F64) -> None:
    """Mark these doorways as occupied for a time."""
    if not len(lift):
        return
    cars.curtain[lift] = True
    cars.log_infrared(lift, t)
    cars.set_phase(lift, PASSING, t + for_s)


def _hold_doors(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Hold some of the doors that would close now, by passengers, at most once at a stop; return the others."""
    holds = (cars.random.uniform(lift) < stop_times.HOLD_SHARE) & ~cars.door_held[lift] & _anybody_present(cars, lift)
    door_held = lift[holds]
    cars.door_held[door_held] = True
    _occupy_doorway(cars, door_held, t[holds], cars.random.uniform(door_held, *stop_times.HOLD_S))
    return lift[~holds], t[~holds]


def _anybody_present(cars: Cars, lift: Index) -> NDArray[np.bool_]:
    """Return where somebody rides or waits: only passengers hold doors or send them back."""
    return cars.presence[lift] | cars.passengers.waiting[cars.group[lift], :, cars.floor[lift]].any(axis=1)


def _close(cars: Cars, lift: Index, t: F64) -> None:
    """Start to close these doors, completely or until a passenger sends them back."""
    if not len(lift):
        return
    cars.set_door(lift, CLOSING, t)
    random, nudges = cars.random, cars.reopenings[lift] >= stop_times.SENT_BACK_LIMIT
    late = (
        (random.uniform(lift) < stop_times.reversal_share(cars.busy(lift, t))) & ~nudges & _anybody_present(cars, lift)
    )
    part = np.where(late, random.uniform(lift, *stop_times.REVERSAL_AT), 0.0)
    cars.reversal[lift] = part
    closes_s = cars.closes_s(lift) * np.where(nudges, stop_times.NUDGING, 1.0)
    cars.set_phase(lift, CLOSING_DOOR, t + closes_s * np.where(late, part, 1.0))
    car_faults.disturb_closing(cars, lift, t)


def doorway_cleared(cars: Cars, lift: Index, t: F64) -> None:
    """Complete the transfer of the passengers in these doorways."""
    slot, group = cars.person_in_doorway[lift], cars.group[lift]
    through, enters = slot != NO_PASSENGER, cars.entering[lift]
    mass_kg = np.where(through, cars.passengers.mass_kg[group, slot], 0.0)
    step = np.where(enters, 1, -1) * through
    cars.riders[lift] += step
    cars.change_load(lift, t, np.where(cars.riders[lift] > 0, step * mass_kg, -cars.load_kg[lift]))
    comes, goes = through & enters, through & ~enters
    cars.car_call[lift[comes], cars.passengers.target[group[comes], slot[comes]]] = True
    collective_control.choose_direction(cars, lift[comes], np.zeros((int(comes.sum()), 2), dtype=np.bool_))
    if goes.any():
        cars.passengers.alight(group[goes], slot[goes], cars.floor[lift[goes]], t[goes])
    cars.person_in_doorway[lift] = NO_PASSENGER
    cars.curtain[lift] = False
    cars.log_infrared(lift, t)
    after_s = cars.random.uniform(lift, *stop_times.DWELL_AFTER_PASSING_S)
    cars.close_s[lift] = np.maximum(cars.close_s[lift], t + after_s)
    cars.set_phase(lift, OPEN_DOOR, t + cars.random.uniform(lift, *stop_times.BETWEEN_PEOPLE_S))


def door_closing_ended(cars: Cars, lift: Index, t: F64) -> None:
    """Open the doors that were sent back again; complete the closing of the others."""
    part = cars.reversal[lift]
    back = part > 0
    late, at = lift[back], t[back]
    cars.curtain[late] = True
    cars.log_infrared(late, at)
    cars.set_door(late, OPENING, at)
    cars.reopenings[late] = np.minimum(cars.reopenings[late] + 1, stop_times.SENT_BACK_LIMIT)
    cars.reversal[late] = 0.0
    cars.set_phase(late, OPENING_DOOR, at + part[back] * cars.opens_s(late))
    _closed(cars, lift[~back], t[~back])


def _closed(cars: Cars, lift: Index, t: F64) -> None:
    """Continue with closed doors: depart, answer a call, or rest."""
    if not len(lift):
        return
    cars.set_door(lift, CLOSED, t)
    lift, t = car_faults.intercept_departure(cars, lift, t)
    home = cars.homing[lift]
    travel.depart(cars, lift[home], t[home])
    lift, t = lift[~home], t[~home]
    goes = np.any(collective_control.calls_beyond(cars, lift), axis=0) & ~cars.everyone_out[lift]
    travel.depart(cars, lift[goes], t[goes])
    travel.serve(cars, lift[~goes], t[~goes])
