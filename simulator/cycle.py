"""What a car does from one moment to the next: it is called, runs, doors open, people pass, doors close.

The law: `advance` handles the earliest event of each building, all of one kind at once, until none is left before
`until_s`. What happens in a building happens in the order of time, and never depends on who is handled with it.
"""

from __future__ import annotations

import numpy as np

from simulator import control, errands, run, timing, trouble
from simulator.cars import (
    ARRIVED,
    CLOSING_DOOR,
    F64,
    OPEN_DOOR,
    OPENING_DOOR,
    PASSING,
    POPPED,
    REST,
    RUN,
    START,
    STRIKE,
    STUCK,
    Cars,
    Index,
)
from simulator.dispatch import dispatch
from simulator.group import NO_CAR
from simulator.passengers import DOWN, NO_ONE, UP
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

ROUNDS_LIMIT = 1000
PARK_AFTER_S, PARK_IN_UP_PEAK_S = 45.0, 1.0


def begin(cars: Cars, t: F64) -> None:
    """Let all cars rest, and people come, from each lift's `t` on."""
    one = cars.groups.first
    cars.arrivals.wait(np.arange(len(one)), t[one], cars.hour(t[one]))
    rest(cars, np.arange(len(t)), t)


def advance(cars: Cars, since_s: F64, until_s: F64) -> None:
    """Bring every building from `since_s` to `until_s`, which its lifts share.

    What only touches its own car may be handled at once; where people come, board or leave, the building's earliest.
    """
    dispatch(cars, since_s)
    groups = cars.groups
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
            _come(cars, group[arrives], first_s[arrives])
        _act(cars, members[acts])
        group = group[soon]
    raise AssertionError("a building never gets through its events within one step")


def _act(cars: Cars, due: Index) -> None:
    """Let these cars end their phases."""
    phases = cars.phase[due]
    for phase in np.unique(phases):
        lift = due[phases == phase]
        _HANDLERS[phase](cars, lift, cars.due_s[lift])


def _come(cars: Cars, group: Index, t: F64) -> None:
    """Parties come to landings; a car that stands open there waits no longer for somebody to pass."""
    landing = cars.arrivals.come(cars.passengers, group, t, cars.hour(t))
    members = cars.groups.cars[group]
    open_here = (members != NO_CAR) & (cars.phase[members] == OPEN_DOOR) & (cars.floor[members] == landing[:, None])
    row, place = np.nonzero(open_here)
    lift = members[row, place]
    cars.due_s[lift] = np.minimum(cars.due_s[lift], t[row] + timing.BETWEEN_PEOPLE_S[0])


def rest(cars: Cars, lift: Index, t: F64) -> None:
    """Let these cars rest until they are called; one that could wait better elsewhere goes there after a while."""
    landing, peak = control.park(cars, lift, t)
    park_s = np.where(landing == cars.floor[lift], np.inf, np.where(peak, PARK_IN_UP_PEAK_S, PARK_AFTER_S))
    cars.heading[lift] = 0
    cars.enter(lift, REST, t + np.where(errands.hurried(cars, lift), errands.PAUSE_S, park_s))


def _rest(cars: Cars, lift: Index, t: F64) -> None:
    """The car is called, or goes to park."""
    lift, t = errands.run_errands(cars, lift, t)
    wanted = control.stops(cars, lift).any(axis=1)
    idle = lift[~wanted]
    cars.target[idle], _ = control.park(cars, idle, t[~wanted])
    stays = cars.target[idle] == cars.floor[idle]
    rest(cars, idle[stays], t[~wanted][stays])
    depart(cars, idle[~stays], t[~wanted][~stays])
    _serve(cars, lift[wanted], t[wanted])


def _serve(cars: Cars, lift: Index, t: F64) -> None:
    """Open here for whom it may concern, or else go where somebody calls, or else rest."""
    control.turn(cars, lift, cars.hall_call[lift, :, cars.floor[lift]])
    opens = control.answers(cars, lift) | (cars.door[lift] != CLOSED)
    cars.enter(lift[opens], ARRIVED, t[opens] + cars.dice.uniform(lift[opens], *timing.ARRIVAL_PAUSE_S))
    lift, t = lift[~opens], t[~opens]
    called = control.stops(cars, lift).any(axis=1)
    depart(cars, lift[called], t[called] + timing.STANDSTILL_S)
    rest(cars, lift[~called], t[~called])


def depart(cars: Cars, lift: Index, t: F64) -> None:
    """Lift the brake."""
    cars.enter(lift, START, t + cars.dice.uniform(lift, *timing.START_DELAY_S))


def _start(cars: Cars, lift: Index, t: F64) -> None:
    """The car moves off, by now perhaps to another landing."""
    here = ~(cars.errand[lift] | cars.homing[lift]) & control.stops(cars, lift).any(axis=1)
    serves = lift[here]
    control.turn(cars, serves, cars.hall_call[serves, :, cars.floor[serves]])
    sense = cars.heading[serves].astype(np.intp)
    stop = control.next_stop(cars, serves, cars.floor[serves] + sense, sense)
    cars.target[serves] = np.where(stop >= 0, stop, cars.floor[serves])
    here = (cars.target[lift] == cars.floor[lift]) & ~cars.homing[lift]
    _serve(cars, lift[here], t[here])
    run.begin(cars, lift[~here], t[~here])


def _run(cars: Cars, lift: Index, t: F64) -> None:
    """The car has come to rest at its target."""
    cars.floor[lift] = cars.target[lift]
    cars.let_out(lift[cars.homing[lift]])
    cars.errand[lift] = cars.homing[lift] = False
    _serve(cars, lift, t)


def _arrived(cars: Cars, lift: Index, t: F64) -> None:
    """The door is told to open."""
    lift, t = trouble.refuse_to_open(cars, lift, t)
    cars.sent_back[lift] = 0
    cars.held[lift] = False
    already = cars.door[lift] == OPEN
    cars.close_s[lift] = t + timing.DWELL_UNWANTED_S
    cars.enter(lift[already], OPEN_DOOR, t[already] + timing.DWELL_UNWANTED_S)
    lift, t = lift[~already], t[~already]
    cars.move_door(lift, OPENING, t)
    cars.enter(lift, OPENING_DOOR, t + cars.opens_s(lift))


def _opening(cars: Cars, lift: Index, t: F64) -> None:
    """The door is open: the calls here are answered."""
    cars.move_door(lift, OPEN, t)
    floor, heading = cars.floor[lift], cars.heading[lift]
    hall = cars.hall_call[lift, :, floor].any(axis=1)
    dwell_s = np.where(hall, timing.HALL_CALL_DWELL_S, timing.CAR_CALL_DWELL_S)
    dwell_s = np.where(trouble.cycles(cars, lift), timing.DWELL_UNWANTED_S, dwell_s)
    cars.car_call[lift, floor] = False
    cars.hall_call[lift, UP, floor] &= heading < 0
    cars.hall_call[lift, DOWN, floor] &= heading > 0
    blocked = cars.curtain[lift]
    cars.close_s[lift] = t + np.where(blocked, 0.0, dwell_s)
    cars.enter(lift[blocked], PASSING, t[blocked] + timing.PASS_S[0])
    lift, t = lift[~blocked], t[~blocked]
    cars.enter(lift, OPEN_DOOR, t + cars.dice.uniform(lift, *timing.BETWEEN_PEOPLE_S))


def _open(cars: Cars, lift: Index, t: F64) -> None:
    """The next person steps through, or the door waits, is held or closes."""
    passes = _pick_passer(cars, lift, t)
    walker, at = lift[passes], t[passes]
    _block(cars, walker, at, cars.dice.uniform(walker, *timing.PASS_S))
    lift, t = lift[~passes], t[~passes]
    waits = t < cars.close_s[lift]
    cars.enter(lift[waits], OPEN_DOOR, cars.close_s[lift[waits]])
    lift, t = lift[~waits], t[~waits]
    if len(lift):
        lift, t = trouble.keep_open(cars, lift, t)
        _close(cars, *_hold(cars, lift, t))


def _pick_passer(cars: Cars, lift: Index, t: F64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Choose who passes next through each door, those who leave first; tell where there is one."""
    people, group, floor = cars.passengers, cars.group[lift], cars.floor[lift]
    slot = np.full(len(lift), NO_ONE)
    some = cars.riders[lift] > 0
    slot[some] = people.leaver(group[some], lift[some], floor[some], cars.everyone_out[lift[some]])
    waiting = people.waiting[group, :, floor] > 0
    asks = (slot == NO_ONE) & waiting.any(axis=1) & control.fits(cars, lift, 0.0)
    control.turn(cars, lift[asks], waiting[asks])
    enters = people.boarder(group[asks], lift[asks], floor[asks], cars.heading[lift[asks]])
    comes = np.flatnonzero(asks)[enters != NO_ONE]
    enters = enters[enters != NO_ONE]
    fits = control.fits(cars, lift[comes], people.mass_kg[group[comes], enters])
    comes, enters = comes[fits], enters[fits]
    slot[comes] = enters
    people.board(group[comes], enters, lift[comes], t[comes])
    cars.entering[lift] = False
    cars.entering[lift[comes]] = True
    cars.passer[lift] = slot
    return slot != NO_ONE


def _block(cars: Cars, lift: Index, t: F64, for_s: F64) -> None:
    """Somebody stands in these doorways."""
    cars.curtain[lift] = True
    cars.say_infrared(lift, t)
    cars.enter(lift, PASSING, t + for_s)


def _hold(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Let people hold some of the doors that would close now, once at a stop; return the others."""
    holds = (cars.dice.uniform(lift) < timing.HOLD_SHARE) & ~cars.held[lift]
    held = lift[holds]
    cars.held[held] = True
    _block(cars, held, t[holds], cars.dice.uniform(held, *timing.HOLD_S))
    return lift[~holds], t[~holds]


def _close(cars: Cars, lift: Index, t: F64) -> None:
    """The door closes, all the way or until somebody sends it back."""
    cars.move_door(lift, CLOSING, t)
    dice, nudges = cars.dice, cars.sent_back[lift] >= timing.SENT_BACK_LIMIT
    late = (dice.uniform(lift) < timing.reversal_share(cars.busy(lift, t))) & ~nudges
    part = np.where(late, dice.uniform(lift, *timing.REVERSAL_AT), 0.0)
    cars.reversal[lift] = part
    closes_s = cars.closes_s(lift) * np.where(nudges, timing.NUDGING, 1.0)
    cars.enter(lift, CLOSING_DOOR, t + closes_s * np.where(late, part, 1.0))
    trouble.spoil_closing(cars, lift, t)


def _passing(cars: Cars, lift: Index, t: F64) -> None:
    """The doorway is free again: somebody is through, or only stood there."""
    slot, group = cars.passer[lift], cars.group[lift]
    through, enters = slot != NO_ONE, cars.entering[lift]
    mass_kg = np.where(through, cars.passengers.mass_kg[group, slot], 0.0)
    step = np.where(enters, 1, -1) * through
    cars.riders[lift] += step
    cars.carry(lift, t, np.where(cars.riders[lift] > 0, step * mass_kg, -cars.load_kg[lift]))
    comes, goes = through & enters, through & ~enters
    cars.car_call[lift[comes], cars.passengers.target[group[comes], slot[comes]]] = True
    control.turn(cars, lift[comes], np.zeros((int(comes.sum()), 2), dtype=np.bool_))
    cars.passengers.leave(group[goes], slot[goes], cars.floor[lift[goes]], t[goes])
    cars.passer[lift] = NO_ONE
    cars.curtain[lift] = False
    cars.say_infrared(lift, t)
    after_s = cars.dice.uniform(lift, *timing.DWELL_AFTER_PASSING_S)
    cars.close_s[lift] = np.maximum(cars.close_s[lift], t + after_s)
    cars.enter(lift, OPEN_DOOR, t + cars.dice.uniform(lift, *timing.BETWEEN_PEOPLE_S))


def _closing(cars: Cars, lift: Index, t: F64) -> None:
    """The door is closed, or something in the curtain sends it back."""
    part = cars.reversal[lift]
    back = part > 0
    late, at = lift[back], t[back]
    cars.curtain[late] = True
    cars.say_infrared(late, at)
    cars.move_door(late, OPENING, at)
    cars.sent_back[late] = np.minimum(cars.sent_back[late] + 1, timing.SENT_BACK_LIMIT)
    cars.reversal[late] = 0.0
    cars.enter(late, OPENING_DOOR, at + part[back] * cars.opens_s(late))
    _closed(cars, lift[~back], t[~back])


def _closed(cars: Cars, lift: Index, t: F64) -> None:
    """Off it goes with its riders, or to rest."""
    cars.move_door(lift, CLOSED, t)
    cars.everyone_out[lift] = False
    lift, t = trouble.keep_at_landing(cars, lift, t)
    home = cars.homing[lift]
    depart(cars, lift[home], t[home])
    lift, t = lift[~home], t[~home]
    goes = np.any(control.calls_beyond(cars, lift), axis=0)
    depart(cars, lift[goes], t[goes])
    _serve(cars, lift[~goes], t[~goes])


_HANDLERS = {
    REST: _rest,
    START: _start,
    RUN: _run,
    ARRIVED: _arrived,
    OPENING_DOOR: _opening,
    OPEN_DOOR: _open,
    PASSING: _passing,
    CLOSING_DOOR: _closing,
    STRIKE: trouble.strike_in_run,
    POPPED: trouble.catch,
    STUCK: trouble.relieve,
}
_MEETS_PEOPLE = np.isin(np.arange(len(_HANDLERS)), (REST, OPEN_DOOR, PASSING))
