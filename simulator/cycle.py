"""What a car does from one moment to the next: people call, it runs, doors open, people pass, doors close.

The law: `advance` handles the cars whose phase ends before `until_s`, all of one phase at once, until none is left.
What each car does depends on its own columns and its own dice alone, never on who else is handled with it.
"""

from __future__ import annotations

import numpy as np

from simulator import drive, errands, trouble
from simulator.cars import (
    ARRIVED,
    CLOSING_DOOR,
    F64,
    OPEN_DOOR,
    OPENING_DOOR,
    PASSING,
    PERSON_KG,
    POPPED,
    REST,
    RUN,
    START,
    STRIKE,
    STUCK,
    Cars,
    Index,
)
from simulator.traffic import CAR_LIMIT, SEVERAL_PEOPLE_SHARE, journey, rate_per_s
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

ROUNDS_LIMIT = 1000
REDRAW_S = 600.0
START_DELAY_S = (0.3, 0.7)
ARRIVAL_PAUSE_S = (0.2, 0.5)
DWELL_S = (3.0, 5.0)
DWELL_AFTER_PASSING_S = (1.8, 3.2)
DWELL_UNWANTED_S = 1.0
PASS_S = (0.3, 0.8)
BETWEEN_PEOPLE_S = (0.2, 0.9)
REVERSAL_SHARE = 0.035
REVERSAL_AT = (0.25, 0.8)
ALL_ALIGHT_SHARE = 0.75
JOIN_SHARE = 0.12


def advance(cars: Cars, until_s: F64) -> None:
    """Bring every car to its own `until_s`."""
    for _ in range(ROUNDS_LIMIT):
        due = np.flatnonzero(cars.due_s < until_s)
        if not len(due):
            return
        phases = cars.phase[due]
        for phase in np.unique(phases):
            lift = due[phases == phase]
            _HANDLERS[phase](cars, lift, cars.due_s[lift])
    raise AssertionError("a car never gets out of its phases within one step")


def wait_for_call(cars: Cars, lift: Index, t: F64) -> None:
    """Let these cars rest until somebody calls; the rate is drawn anew now and then, as the hour moves on."""
    lifts = cars.lifts
    rate = rate_per_s(lifts.kind[lift], lifts.trips_a_day[lift], cars.hour(t))
    wait_s = -np.log1p(-cars.dice.uniform(lift)) / rate
    cars.called[lift] = wait_s < REDRAW_S
    wait_s = np.where(errands.hurried(cars, lift), errands.PAUSE_S, np.minimum(wait_s, REDRAW_S))
    cars.enter(lift, REST, t + wait_s)


def _rest(cars: Cars, lift: Index, t: F64) -> None:
    """Somebody calls (or nobody did yet)."""
    lift, t = errands.run_errands(cars, lift, t)
    called = cars.called[lift]
    wait_for_call(cars, lift[~called], t[~called])
    lift, t = lift[called], t[called]
    lifts, dice = cars.lifts, cars.dice
    draws = (dice.uniform(lift), dice.uniform(lift), dice.uniform(lift))
    origin, cars.next_stop[lift] = journey(lifts.kind[lift], cars.hour(t), lifts.floors[lift], lifts.lobby[lift], draws)
    cars.target[lift] = origin
    cars.boarding[lift] = 1 + _several(cars, lift)
    here = origin == cars.floor[lift]
    cars.enter(lift[here], ARRIVED, t[here] + dice.uniform(lift[here], *ARRIVAL_PAUSE_S))
    depart(cars, lift[~here], t[~here])


def _several(cars: Cars, lift: Index) -> Index:
    """Draw how many people come along with the first."""
    one = cars.dice.uniform(lift)
    return (one < SEVERAL_PEOPLE_SHARE).astype(np.intp) + 2 * (one < SEVERAL_PEOPLE_SHARE**2)


def depart(cars: Cars, lift: Index, t: F64) -> None:
    """Lift the brake towards `target`."""
    cars.enter(lift, START, t + cars.dice.uniform(lift, *START_DELAY_S))


def _start(cars: Cars, lift: Index, t: F64) -> None:
    """The car moves off."""
    target_m = drive.landing_m(cars, lift, cars.target[lift], t)
    cars.curves.go(lift, t, target_m, drive.limits(cars, lift, trouble.speed_ratio(cars, lift, target_m)))
    cars.enter(lift, RUN, cars.curves.end_s[lift])
    trouble.waylay(cars, lift)


def _run(cars: Cars, lift: Index, t: F64) -> None:
    """The car has come to rest at its target: decide who leaves and who joins."""
    cars.floor[lift] = cars.target[lift]
    riders, dice = cars.riders[lift], cars.dice
    everyone = (dice.uniform(lift) < ALL_ALIGHT_SHARE) | cars.homing[lift] | (riders < 2)
    cars.alighting[lift] = np.where(everyone, riders, 1)
    joins = (riders > 0) & ~cars.homing[lift] & (dice.uniform(lift) < JOIN_SHARE)
    cars.boarding[lift] += joins
    cars.homing[lift] = False
    wanted = (riders > 0) | (cars.boarding[lift] > 0) | (cars.door[lift] != CLOSED)
    wait_for_call(cars, lift[~wanted], t[~wanted])
    lift, t = lift[wanted], t[wanted]
    cars.enter(lift, ARRIVED, t + dice.uniform(lift, *ARRIVAL_PAUSE_S))


def _arrived(cars: Cars, lift: Index, t: F64) -> None:
    """The door is told to open."""
    lift, t = trouble.refuse_to_open(cars, lift, t)
    already = cars.door[lift] == OPEN
    cars.enter(lift[already], OPEN_DOOR, t[already] + DWELL_UNWANTED_S)
    lift, t = lift[~already], t[~already]
    cars.move_door(lift, OPENING, t)
    cars.enter(lift, OPENING_DOOR, t + cars.lifts.door_opens_s[lift])


def _opening(cars: Cars, lift: Index, t: F64) -> None:
    """The door is open."""
    cars.move_door(lift, OPEN, t)
    blocked = cars.curtain[lift]
    cars.enter(lift[blocked], PASSING, t[blocked] + PASS_S[0])
    lift, t = lift[~blocked], t[~blocked]
    cars.boarding[lift] = np.minimum(cars.boarding[lift], CAR_LIMIT - cars.riders[lift] + cars.alighting[lift])
    dwell_s = np.where(trouble.cycles(cars, lift), DWELL_UNWANTED_S, cars.dice.uniform(lift, *DWELL_S))
    passers = cars.alighting[lift] + cars.boarding[lift] > 0
    cars.enter(lift, OPEN_DOOR, t + np.where(passers, cars.dice.uniform(lift, *BETWEEN_PEOPLE_S), dwell_s))


def _open(cars: Cars, lift: Index, t: F64) -> None:
    """The next person steps through, or the door closes."""
    passers = cars.alighting[lift] + cars.boarding[lift] > 0
    walker, at = lift[passers], t[passers]
    cars.curtain[walker] = True
    cars.say_infrared(walker, at)
    cars.enter(walker, PASSING, at + cars.dice.uniform(walker, *PASS_S))
    lift, t = trouble.keep_open(cars, lift[~passers], t[~passers])
    cars.move_door(lift, CLOSING, t)
    dice = cars.dice
    late = dice.uniform(lift) < REVERSAL_SHARE
    part = np.where(late, dice.uniform(lift, *REVERSAL_AT), 0.0)
    cars.reversal[lift] = part
    closes_s = cars.lifts.door_closes_s[lift]
    cars.enter(lift, CLOSING_DOOR, t + closes_s * np.where(late, part, 1.0))
    trouble.spoil_closing(cars, lift, t)


def _passing(cars: Cars, lift: Index, t: F64) -> None:
    """The person is through: those who leave go first."""
    leaves = cars.alighting[lift] > 0
    enters = ~leaves & (cars.boarding[lift] > 0)
    cars.alighting[lift] -= leaves
    cars.boarding[lift] -= enters
    steps = enters.astype(np.intp) - leaves
    cars.riders[lift] += steps
    cars.carry(lift, t, PERSON_KG * steps.astype(np.float64))
    cars.curtain[lift] = False
    cars.say_infrared(lift, t)
    more = cars.alighting[lift] + cars.boarding[lift] > 0
    pause_s = cars.dice.uniform(lift, *BETWEEN_PEOPLE_S)
    dwell_s = cars.dice.uniform(lift, *DWELL_AFTER_PASSING_S)
    cars.enter(lift, OPEN_DOOR, t + np.where(more, pause_s, dwell_s))


def _closing(cars: Cars, lift: Index, t: F64) -> None:
    """The door is closed, or something in the curtain sends it back."""
    part = cars.reversal[lift]
    back = part > 0
    late, at = lift[back], t[back]
    cars.curtain[late] = True
    cars.say_infrared(late, at)
    cars.move_door(late, OPENING, at)
    cars.boarding[late] += ~trouble.obstructed(cars, late)
    cars.reversal[late] = 0.0
    cars.enter(late, OPENING_DOOR, at + part[back] * cars.lifts.door_opens_s[late])
    _closed(cars, lift[~back], t[~back])


def _closed(cars: Cars, lift: Index, t: F64) -> None:
    """Off it goes with its riders, or to rest."""
    cars.move_door(lift, CLOSED, t)
    lift, t = trouble.keep_at_landing(cars, lift, t)
    home = cars.homing[lift]
    depart(cars, lift[home], t[home])
    lift, t = lift[~home], t[~home]
    riding = cars.riders[lift] > 0
    wait_for_call(cars, lift[~riding], t[~riding])
    lift, t = lift[riding], t[riding]
    other = (cars.dice.uniform(lift) * (cars.lifts.floors[lift] - 1)).astype(np.intp)
    other += other >= cars.floor[lift]
    stop = cars.next_stop[lift]
    cars.target[lift] = np.where(stop == cars.floor[lift], other, stop)
    depart(cars, lift, t)


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
