"""The effects of faults on a car's operation, from injection to the return to service.

    NO_FAULT ──inject──► FAULT_PENDING ──situation of the effect──► FAULT_ACTIVE ──for_s──► NO_FAULT
                          └ a resting car makes a preparatory trip to reach the situation

The car cycle calls this module at its decision points; the effects are the columns of `cause_table.EFFECTS`, never a
test for a certain cause.
"""

from __future__ import annotations

import numpy as np

from simulator.cars import braking, maintenance_visit, runaway
from simulator.cars.preparatory_trips import PAUSE_S, ride_to_next_landing
from simulator.cars.state import (
    ARRIVED,
    CLOSING_DOOR,
    DOOR_SPRUNG,
    FAULT_ACTIVE,
    FAULT_DUE,
    FAULT_PENDING,
    IMMOBILISED,
    NO_FAULT,
    OPEN_DOOR,
    REST,
    RUN,
    START,
    Cars,
)
from simulator.faults.cause import (
    ANYWHERE,
    HELD_OPEN,
    IDLE,
    REOPENS,
    REVERSES,
    RIDE,
    SLIPS,
    STARTS_OPEN,
    STAYS_SHUT,
    at_severity,
)
from simulator.faults.cause_table import EFFECTS
from simulator.faults.schedule import FaultOccurrence
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED, CLOSING, INSPECTION, NORMAL, OPEN, OPENING

HALTED_IN = (REST, START, RUN, ARRIVED, OPEN_DOOR)
"""A moving door completes its movement, and a person leaves the doorway, before a car is halted."""
REVERSES_AT = 0.45
DOORWAY_SHARE = 0.4
CALLS_AFTER_S, CALLS_WITHIN_S, PRESSES_S = 10.0, 60.0, 4.0
"""Passengers shut in a car press the alarm button after at least `CALLS_AFTER_S`, then on average every
`CALLS_WITHIN_S`, each time for about `PRESSES_S`."""
SETTLE_S = 1.0
LEVEL_M = 0.02


def inject(cars: Cars, fault: FaultOccurrence, for_s: float, t_s: float) -> None:
    """Set a fault pending on its healthy lift; an effect without a situation becomes active at once."""
    lift, t = np.array([fault.lift]), np.array([t_s])
    cars.cause[lift], cars.stage[lift], cars.for_s[lift], cars.severity[lift] = (
        fault.cause,
        FAULT_PENDING,
        for_s,
        fault.severity,
    )
    cars.active_faults[fault.lift] = fault
    if EFFECTS.situation[fault.cause] == ANYWHERE:
        activate(cars, lift, t)
        return
    resting = cars.phase[lift] == REST
    cars.due_s[lift[resting]] = t[resting]


def end_faults(cars: Cars, until_s: F64) -> None:
    """End the faults that are over on operating cars.

    An immobilised car ends its fault in its own phase; a mechanic who moves a car ends the near miss at the landing.
    """
    if not cars.active_faults:
        return
    moved = (cars.mode == INSPECTION) & (cars.phase == RUN)
    over = np.flatnonzero(
        (cars.fault_ends_s < until_s) & ~moved & ~np.isin(cars.phase, (FAULT_DUE, DOOR_SPRUNG, IMMOBILISED))
    )
    if len(over):
        _clear(cars, over)
    flat = np.flatnonzero(cars.battery_ends_s < until_s)
    cars.silent[flat], cars.battery_ends_s[flat] = True, np.inf
    cars.log.status.append(flat)


def apply_faults(cars: Cars, begin_s: F64) -> None:
    """Apply, at the start of a second, the effects that do not wait for a decision point of the car cycle."""
    if not cars.active_faults:
        return
    lift = np.array(sorted(cars.active_faults))
    resting = lift[(cars.phase[lift] == REST) & (EFFECTS.situation[cars.cause[lift]] == IDLE)]
    activate(cars, resting, begin_s[resting])
    activated = lift[cars.stage[lift] == FAULT_ACTIVE]
    cause, phase = cars.cause[activated], cars.phase[activated]
    halts = activated[EFFECTS.halts[cause] & np.isin(phase, HALTED_IN)]
    runs = halts[cars.phase[halts] == RUN]
    braking.apply_brake(cars, runs, begin_s[runs])
    immobilise(cars, halts, begin_s[halts])
    maintenance_visit.continue_visits(cars, activated[EFFECTS.maintenance[cause] & (phase == IMMOBILISED)], begin_s)
    _occupy_doorways(cars, activated[EFFECTS.people_pass[cause] & (phase == IMMOBILISED)], begin_s)
    _press_alarm(cars, activated[(phase == IMMOBILISED) & ~EFFECTS.alarm[cause]], begin_s)
    ride_to_next_landing(cars, activated[EFFECTS.shuttles[cause] & (phase == REST)], begin_s)
    runs_uncalled = activated[EFFECTS.runs_uncalled[cause] & (phase == REST)]
    other = (cars.random.uniform(runs_uncalled) * (cars.lifts.floors[runs_uncalled] - 1)).astype(np.intp)
    cars.target[runs_uncalled] = other + (other >= cars.floor[runs_uncalled])
    cars.set_phase(runs_uncalled, START, begin_s[runs_uncalled] + PAUSE_S)


def _press_alarm(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Press and release the alarm button, by passengers who are shut in."""
    since_s = cars.for_s[lift] - (cars.fault_ends_s[lift] - begin_s[lift])
    lift = lift[cars.presence[lift] & (cars.door[lift] == CLOSED) & (since_s > CALLS_AFTER_S)]
    changes = lift[cars.random.uniform(lift) * np.where(cars.alarm[lift], PRESSES_S, CALLS_WITHIN_S) < 1]
    cars.alarm[changes] ^= True
    cars.log.status.append(changes[~cars.silent[changes]])


def _occupy_doorways(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Block the light curtains of these doors by people and goods, or leave them free, for this second."""
    blocked = (cars.random.uniform(lift) < DOORWAY_SHARE) & (cars.door[lift] == OPEN)
    changes = lift[blocked != cars.curtain[lift]]
    cars.curtain[lift] = blocked
    cars.log_infrared(changes, begin_s[changes])


def _clear(cars: Cars, lift: Index) -> None:
    changed = cars.alarm[lift] | cars.battery[lift] | cars.silent[lift] | (cars.mode[lift] != NORMAL)
    cars.log.status.append(lift[changed])
    cars.boots[lift] += cars.silent[lift]
    cars.alarm[lift] = cars.battery[lift] = cars.silent[lift] = False
    cars.mode[lift], cars.battery_ends_s[lift] = NORMAL, np.inf
    cause = cars.cause[lift]
    freed = lift[(EFFECTS.blocks_doorway[cause] | EFFECTS.people_pass[cause]) & cars.curtain[lift]]
    cars.curtain[freed] = False
    cars.log_infrared(freed, np.maximum(cars.fault_ends_s[freed], cars.due_s[freed]))
    cars.cause[lift], cars.stage[lift], cars.fault_ends_s[lift] = 0, NO_FAULT, np.inf
    cars.chain_opens_s[lift], cars.healthy_stop_s[lift] = np.inf, np.inf
    cars.log.cleared += [cars.active_faults.pop(row) for row in lift.tolist() if row in cars.active_faults]


def activate(cars: Cars, lift: Index, onset_s: F64) -> None:
    """Activate the pending faults of these lifts at `onset_s`."""
    armed = cars.stage[lift] == FAULT_PENDING
    if not armed.any():
        return
    lift, onset_s = lift[armed], onset_s[armed]
    cause = cars.cause[lift]
    cars.stage[lift] = FAULT_ACTIVE
    cars.chain_opens_s[lift] = np.where(EFFECTS.opens_chain[cause] & ~EFFECTS.runs_away[cause], onset_s, np.inf)
    cars.fault_ends_s[lift] = onset_s + cars.for_s[lift]
    cars.alarm[lift], cars.battery[lift] = EFFECTS.alarm[cause], EFFECTS.battery[cause]
    cars.silent[lift] = EFFECTS.silent[cause]
    cars.battery_ends_s[lift] = onset_s + at_severity(EFFECTS.battery_lasts_s[cause], cars.severity[lift])
    cars.mode[lift] = EFFECTS.mode[cause]
    changed = EFFECTS.alarm[cause] | EFFECTS.battery[cause] | EFFECTS.last_will[cause] | (EFFECTS.mode[cause] != NORMAL)
    cars.log.status.append(lift[changed])
    cars.log.activated += [
        (cars.active_faults[row], at) for row, at in zip(lift.tolist(), onset_s.tolist(), strict=True)
    ]


def immobilise(cars: Cars, lift: Index, onset_s: F64) -> None:
    """Activate the faults of these cars, and keep the cars as they are until the fault ends and the car stands
    still."""
    if not len(lift):
        return
    activate(cars, lift, onset_s)
    rests_s = np.maximum(onset_s, cars.trajectories.end_s[lift])
    cars.set_phase(lift, IMMOBILISED, np.maximum(cars.fault_ends_s[lift], rests_s + SETTLE_S))


def _door_effect(cars: Cars, lift: Index) -> Index:
    return EFFECTS.door[cars.cause[lift]]


# Decision points of the door cycle at a landing.


def hold_shut_doors(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Immobilise the cars whose doors do not open for their passengers; return the others."""
    if not cars.cause[lift].any():
        return lift, t
    refuse = (_door_effect(cars, lift) == STAYS_SHUT) & (cars.riders[lift] > 0)
    immobilise(cars, lift[refuse], t[refuse])
    return lift[~refuse], t[~refuse]


def reopens_door(cars: Cars, lift: Index) -> Index:
    """Return which cars only open and close their doors."""
    return _door_effect(cars, lift) == REOPENS


def intercept_closing(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Handle the cars whose doors should close now and do not; return the others."""
    if not (cars.stage[lift] != NO_FAULT).any():
        return lift, t
    cause, rides = cars.cause[lift], cars.riders[lift] > 0
    unfit = np.where(rides, EFFECTS.maintenance[cause], EFFECTS.situation[cause] == RIDE)
    inspection_speed = EFFECTS.inspection_speed[cause]
    door_held = (_door_effect(cars, lift) == HELD_OPEN) & ~unfit | inspection_speed & (cars.stage[lift] == FAULT_ACTIVE)
    immobilise(cars, lift[door_held], t[door_held])
    blocked = door_held & EFFECTS.blocks_doorway[cars.cause[lift]]
    cars.curtain[lift[blocked]] = True
    cars.log_infrared(lift[blocked], t[blocked])
    slips = (
        EFFECTS.brake_slips[cars.cause[lift]] & (cars.stage[lift] == FAULT_PENDING) & runaway.brake_slips(cars, lift)
    )
    activate(cars, lift[slips], t[slips])
    runaway.slip_from_landing(cars, lift[slips], t[slips])
    immobilise(cars, lift[slips], t[slips])
    bridged = (_door_effect(cars, lift) == STARTS_OPEN) & (cars.stage[lift] == FAULT_PENDING)
    gone = lift[bridged]
    floor, last = cars.floor[gone], cars.lifts.floors[gone] - 1
    beside = np.where(floor < last, floor + 1, floor - 1)
    cars.target[gone] = np.where(inspection_speed[bridged], beside, np.where(floor < last, last, 0))
    cars.set_phase(gone, START, t[bridged] + PAUSE_S)
    rest = ~door_held & ~slips & ~bridged
    return lift[rest], t[rest]


def disturb_closing(cars: Cars, lift: Index, t: F64) -> None:
    """Stop closing doors by an obstruction, or by a belt that slips."""
    if not cars.cause[lift].any():
        return
    door = _door_effect(cars, lift)
    obstructed, slips = door == REVERSES, door == SLIPS
    blocked = lift[obstructed]
    cars.reversal[blocked] = REVERSES_AT
    cars.due_s[blocked] = t[obstructed] + REVERSES_AT * cars.closes_s(blocked)
    activate(cars, blocked, t[obstructed])
    cars.reversal[lift[slips]] = 0.0
    immobilise(cars, lift[slips], t[slips])


def intercept_departure(cars: Cars, lift: Index, t: F64) -> tuple[Index, F64]:
    """Handle the cars that do not leave although their doors have closed; return the others."""
    cause = cars.cause[lift]
    if not cause.any():
        return lift, t
    again = (EFFECTS.door[cause] == REOPENS) & ~cars.homing[lift]
    activate(cars, lift[again], t[again])
    cars.set_phase(lift[again], ARRIVED, t[again] + PAUSE_S)
    frozen = EFFECTS.freezes_at_landing[cause] & (cars.riders[lift] > 0)
    immobilise(cars, lift[frozen], t[frozen])
    return lift[~again & ~frozen], t[~again & ~frozen]


# Return to service.


def resume_service(cars: Cars, lift: Index, t: F64) -> None:
    """Return cars to service when their fault ends: off level, the doors close first and the car runs home slowly."""
    _clear(cars, lift)
    z, door = cars.trajectories.end_m[lift], cars.door[lift]
    nearest = cars.lifts.nearest(lift, z)
    away = np.abs(z - cars.lifts.height(lift, nearest)) > LEVEL_M
    cars.floor[lift] = nearest
    cars.homing[lift] = away
    cars.target[lift[away]] = nearest[away]
    cars.reversal[lift] = 0.0
    shut, closing = door == CLOSED, door == CLOSING
    cars.set_phase(lift[shut & away], START, t[shut & away] + SETTLE_S)
    cars.set_phase(lift[shut & ~away], ARRIVED, t[shut & ~away] + SETTLE_S)
    cars.release_passengers(lift[~away])
    cars.set_phase(lift[closing], CLOSING_DOOR, t[closing] + SETTLE_S)
    opened = (door == OPEN) | (door == OPENING)
    cars.set_phase(lift[opened & ~away], OPEN_DOOR, t[opened & ~away] + SETTLE_S)
    shuts = lift[opened & away]
    cars.set_door(shuts, CLOSING, t[opened & away])
    cars.set_phase(shuts, CLOSING_DOOR, t[opened & away] + cars.closes_s(shuts))
