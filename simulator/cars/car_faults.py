"""How a fault shows itself in a car's cycle, and how the car gets over it.

    SOUND ──inject──► ARMED ──the situation it needs──► STRUCK ──for_s──► SOUND
                       └ a resting car is sent on an errand that brings the situation about

The cycle asks at its turning points; the answers come from the columns of `causes.EFFECTS`, never from a cause's name.
"""

from __future__ import annotations

import numpy as np

from simulator.cars import braking, maintenance_visit, runaway
from simulator.cars.preparatory_trips import PAUSE_S, ride_beside
from simulator.cars.state import (
    ARMED,
    ARRIVED,
    CLOSING_DOOR,
    F64,
    OPEN_DOOR,
    POPPED,
    REST,
    RUN,
    SOUND,
    START,
    STRIKE,
    STRUCK,
    STUCK,
    Cars,
    Index,
)
from simulator.faults.cause import ANYWHERE, HELD_OPEN, IDLE, LEFT_OPEN, REOPENS, REVERSES, RIDE, SHUT, SLIPS, graded
from simulator.faults.cause_table import EFFECTS
from simulator.faults.schedule import Fault
from telemetry.streams import CLOSED, CLOSING, INSPECTION, NORMAL, OPEN, OPENING

HALTED_IN = (REST, START, RUN, ARRIVED, OPEN_DOOR)
"""A moving door comes to its end and a passer-by gets through before a car is halted."""
REVERSES_AT = 0.45
DOORWAY_SHARE = 0.4
CALLS_AFTER_S, CALLS_WITHIN_S, PRESSES_S = 10.0, 60.0, 4.0
"""Who is shut in waits at least so long before pressing the alarm button, then presses it about once in so long, each
time for about so long."""
SETTLE_S = 1.0
LEVEL_M = 0.02


def inject(cars: Cars, fault: Fault, for_s: float, t_s: float) -> None:
    """Arm a fault on its sound lift; what needs no situation strikes at once."""
    lift, t = np.array([fault.lift]), np.array([t_s])
    cars.cause[lift], cars.stage[lift], cars.for_s[lift], cars.severity[lift] = (
        fault.cause,
        ARMED,
        for_s,
        fault.severity,
    )
    cars.suffers[fault.lift] = fault
    if EFFECTS.needs[fault.cause] == ANYWHERE:
        strike(cars, lift, t)
        return
    resting = cars.phase[lift] == REST
    cars.due_s[lift[resting]] = t[resting]


def expire(cars: Cars, until_s: F64) -> None:
    """End the faults that are over on cars that kept moving; one that is being stopped is relieved in its own turn, and
    a mechanic who moves the car takes it to where he is going."""
    if not cars.suffers:
        return
    moved = (cars.mode == INSPECTION) & (cars.phase == RUN)
    over = np.flatnonzero((cars.relief_s < until_s) & ~moved & ~np.isin(cars.phase, (STRIKE, POPPED, STUCK)))
    if len(over):
        _heal(cars, over)
    flat = np.flatnonzero(cars.battery_ends_s < until_s)
    cars.silent[flat], cars.battery_ends_s[flat] = True, np.inf
    cars.log.status.append(flat)


def seize(cars: Cars, begin_s: F64) -> None:
    """Take hold, as a second begins, of the cars whose cause does not wait for a turning point of their cycle."""
    if not cars.suffers:
        return
    lift = np.array(sorted(cars.suffers))
    resting = lift[(cars.phase[lift] == REST) & (EFFECTS.needs[cars.cause[lift]] == IDLE)]
    strike(cars, resting, begin_s[resting])
    struck = lift[cars.stage[lift] == STRUCK]
    cause, phase = cars.cause[struck], cars.phase[struck]
    halts = struck[EFFECTS.halts[cause] & np.isin(phase, HALTED_IN)]
    runs = halts[cars.phase[halts] == RUN]
    braking.fall(cars, runs, begin_s[runs])
    stick(cars, halts, begin_s[halts])
    maintenance_visit.go_on(cars, struck[EFFECTS.visits[cause] & (phase == STUCK)], begin_s)
    _pass_through(cars, struck[EFFECTS.passes[cause] & (phase == STUCK)], begin_s)
    _call_for_help(cars, struck[(phase == STUCK) & ~EFFECTS.alarm[cause]], begin_s)
    ride_beside(cars, struck[EFFECTS.shuttles[cause] & (phase == REST)], begin_s)
    wanders = struck[EFFECTS.wanders[cause] & (phase == REST)]
    other = (cars.dice.uniform(wanders) * (cars.lifts.floors[wanders] - 1)).astype(np.intp)
    cars.target[wanders] = other + (other >= cars.floor[wanders])
    cars.enter(wanders, START, begin_s[wanders] + PAUSE_S)


def _call_for_help(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Let those who are shut in press the alarm button and let go of it, now and then, until they are freed."""
    since_s = cars.for_s[lift] - (cars.relief_s[lift] - begin_s[lift])
    lift = lift[cars.presence[lift] & (cars.door[lift] == CLOSED) & (since_s > CALLS_AFTER_S)]
    changes = lift[cars.dice.uniform(lift) * np.where(cars.alarm[lift], PRESSES_S, CALLS_WITHIN_S) < 1]
    cars.alarm[changes] ^= True
    cars.log.status.append(changes[~cars.silent[changes]])


def _pass_through(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Let people and goods go through these doors, or be out of the way for this second."""
    blocked = (cars.dice.uniform(lift) < DOORWAY_SHARE) & (cars.door[lift] == OPEN)
    changes = lift[blocked != cars.curtain[lift]]
    cars.curtain[lift] = blocked
    cars.say_infrared(changes, begin_s[changes])


def _heal(cars: Cars, lift: Index) -> None:
    said = cars.alarm[lift] | cars.battery[lift] | cars.silent[lift] | (cars.mode[lift] != NORMAL)
    cars.log.status.append(lift[said])
    cars.boots[lift] += cars.silent[lift]
    cars.alarm[lift] = cars.battery[lift] = cars.silent[lift] = False
    cars.mode[lift], cars.battery_ends_s[lift] = NORMAL, np.inf
    cause = cars.cause[lift]
    freed = lift[(EFFECTS.occupies[cause] | EFFECTS.passes[cause]) & cars.curtain[lift]]
    cars.curtain[freed] = False
    cars.say_infrared(freed, np.maximum(cars.relief_s[freed], cars.due_s[freed]))
    cars.cause[lift], cars.stage[lift], cars.relief_s[lift] = 0, SOUND, np.inf
    cars.chain_opens_s[lift], cars.rests_by_s[lift] = np.inf, np.inf
    cars.log.healed += [cars.suffers.pop(row) for row in lift.tolist() if row in cars.suffers]


def strike(cars: Cars, lift: Index, onset_s: F64) -> None:
    """The armed ones of these show their symptom now: start the clock, and say so."""
    armed = cars.stage[lift] == ARMED
    lift, onset_s = lift[armed], onset_s[armed]
    cause = cars.cause[lift]
    cars.stage[lift] = STRUCK
    cars.chain_opens_s[lift] = np.where(EFFECTS.opens_chain[cause] & ~EFFECTS.runs_away[cause], onset_s, np.inf)
    cars.relief_s[lift] = onset_s + cars.for_s[lift]
    cars.alarm[lift], cars.battery[lift] = EFFECTS.alarm[cause], EFFECTS.battery[cause]
    cars.silent[lift] = EFFECTS.silent[cause]
    cars.battery_ends_s[lift] = onset_s + graded(EFFECTS.battery_lasts_s[cause], cars.severity[lift])
    cars.mode[lift] = EFFECTS.mode[cause]
    says = EFFECTS.alarm[cause] | EFFECTS.battery[cause] | EFFECTS.last_will[cause] | (EFFECTS.mode[cause] != NORMAL)
    cars.log.status.append(lift[says])
    cars.log.struck += [(cars.suffers[row], at) for row, at in zip(lift.tolist(), onset_s.tolist(), strict=True)]


def stick(cars: Cars, lift: Index, onset_s: F64) -> None:
    """Strike, and stay as they are until relief (and until the car has come to rest)."""
    strike(cars, lift, onset_s)
    rests_s = np.maximum(onset_s, cars.curves.end_s[lift])
    cars.enter(lift, STUCK, np.maximum(cars.relief_s[lift], rests_s + SETTLE_S))


def _door(cars: Cars, lift: Index) -> Index:
    return EFFECTS.door[cars.cause[lift]]


# At a landing.


def refuse_to_open(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Hold those whose door will not open on their rider; return the others."""
    refuse = (_door(cars, lift) == SHUT) & (cars.riders[lift] > 0)
    stick(cars, lift[refuse], t[refuse])
    return lift[~refuse], t[~refuse]


def cycles(cars: Cars, lift: Index) -> Index:
    """Tell whose door only goes to and fro, with nobody to wait for."""
    return _door(cars, lift) == REOPENS


def keep_open(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Deal with those whose door would close now but does not; return the others."""
    if not (cars.stage[lift] != SOUND).any():
        return lift, t
    cause, rides = cars.cause[lift], cars.riders[lift] > 0
    unfit = np.where(rides, EFFECTS.visits[cause], EFFECTS.needs[cause] == RIDE)
    crawls = EFFECTS.crawls[cause]
    held = (_door(cars, lift) == HELD_OPEN) & ~unfit | crawls & (cars.stage[lift] == STRUCK)
    stick(cars, lift[held], t[held])
    blocked = held & EFFECTS.occupies[cars.cause[lift]]
    cars.curtain[lift[blocked]] = True
    cars.say_infrared(lift[blocked], t[blocked])
    slips = EFFECTS.brake_slips[cars.cause[lift]] & (cars.stage[lift] == ARMED) & runaway.slips(cars, lift)
    strike(cars, lift[slips], t[slips])
    runaway.leave(cars, lift[slips], t[slips])
    stick(cars, lift[slips], t[slips])
    bridged = (_door(cars, lift) == LEFT_OPEN) & (cars.stage[lift] == ARMED)
    gone = lift[bridged]
    floor, last = cars.floor[gone], cars.lifts.floors[gone] - 1
    beside = np.where(floor < last, floor + 1, floor - 1)
    cars.target[gone] = np.where(crawls[bridged], beside, np.where(floor < last, last, 0))
    cars.enter(gone, START, t[bridged] + PAUSE_S)
    rest = ~held & ~slips & ~bridged
    return lift[rest], t[rest]


def spoil_closing(cars: Cars, lift: Index, t: F64) -> None:
    """Let a closing door meet its obstruction, or its belt slip."""
    door = _door(cars, lift)
    meets, slips = door == REVERSES, door == SLIPS
    blocked = lift[meets]
    cars.reversal[blocked] = REVERSES_AT
    cars.due_s[blocked] = t[meets] + REVERSES_AT * cars.closes_s(blocked)
    strike(cars, blocked, t[meets])
    cars.reversal[lift[slips]] = 0.0
    stick(cars, lift[slips], t[slips])


def keep_at_landing(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Deal with those that do not leave although the door has closed; return the others."""
    cause = cars.cause[lift]
    again = (EFFECTS.door[cause] == REOPENS) & ~cars.homing[lift]
    strike(cars, lift[again], t[again])
    cars.enter(lift[again], ARRIVED, t[again] + PAUSE_S)
    frozen = EFFECTS.freezes[cause] & (cars.riders[lift] > 0)
    stick(cars, lift[frozen], t[frozen])
    return lift[~again & ~frozen], t[~again & ~frozen]


# Over.


def relieve(cars: Cars, lift: Index, t: F64) -> None:
    """Set a stuck car going again: home at crawling speed where it is off level, doors shut first."""
    _heal(cars, lift)
    z, door = cars.curves.end_m[lift], cars.door[lift]
    nearest = cars.lifts.nearest(lift, z)
    away = np.abs(z - cars.lifts.height(lift, nearest)) > LEVEL_M
    cars.floor[lift] = nearest
    cars.homing[lift] = away
    cars.target[lift[away]] = nearest[away]
    cars.reversal[lift] = 0.0
    shut, closing = door == CLOSED, door == CLOSING
    cars.enter(lift[shut & away], START, t[shut & away] + SETTLE_S)
    cars.enter(lift[shut & ~away], ARRIVED, t[shut & ~away] + SETTLE_S)
    cars.let_out(lift[~away])
    cars.enter(lift[closing], CLOSING_DOOR, t[closing] + SETTLE_S)
    opened = (door == OPEN) | (door == OPENING)
    cars.enter(lift[opened & ~away], OPEN_DOOR, t[opened & ~away] + SETTLE_S)
    shuts = lift[opened & away]
    cars.move_door(shuts, CLOSING, t[opened & away])
    cars.enter(shuts, CLOSING_DOOR, t[opened & away] + cars.closes_s(shuts))
