"""A maintenance visit, from the mechanic's arrival at an empty car to the test run.

    share of the visit   0        0.35           0.85            90 s to the end
                         │ works  │ inspection   │ opens and    │ test run at   │ in service
                         │ at the │ runs from    │ closes the   │ rated speed,  │
                         │ open   │ landing to   │ door         │ in normal     │
                         │ door   │ landing      │ repeatedly   │ mode          │

The car is out of service during the visit; a moving door completes its movement first.
"""

from __future__ import annotations

import numpy as np

from simulator.cars import drive
from simulator.cars.state import Cars
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED, CLOSING, NORMAL, OPEN, OPENING

INSPECTION_MPS = 0.3
PARTS = (0.35, 0.85)
WORK, ROOF, DOOR, TEST = range(4)
TEST_S = 90.0
LOOKS_S, TRIES_S, SETTLES_S = 25.0, 6.0, 1.0


def continue_visits(cars: Cars, lift: Index, begin_s: F64) -> None:
    """Perform the steps of these visits that are due in the second that begins."""
    lift = lift[cars.visit_step_s[lift] < begin_s[lift] + 1]
    if not len(lift):
        return
    t, door = np.maximum(cars.visit_step_s[lift], begin_s[lift]), cars.door[lift]
    for moving, end in ((OPENING, OPEN), (CLOSING, CLOSED)):
        ends = door == moving
        cars.set_door(lift[ends], end, t[ends])
        cars.visit_step_s[lift[ends]] = t[ends] + TRIES_S
    stands = (door == OPEN) | (door == CLOSED)
    lift, t = lift[stands], t[stands]
    left_s = cars.fault_ends_s[lift] - t
    part = np.where(left_s < TEST_S, TEST, np.searchsorted(PARTS, 1 - left_s / cars.for_s[lift], "right"))
    shut = cars.door[lift] == CLOSED
    shuts = ~shut & (part != WORK)
    _move_door(cars, lift[shuts], CLOSING, t[shuts])
    opens = shut & (part == DOOR)
    _move_door(cars, lift[opens], OPENING, t[opens])
    rides, tests = shut & (part == ROOF), shut & (part == TEST)
    _ride(cars, lift[rides], t[rides])
    _test(cars, lift[tests], t[tests])


def _move_door(cars: Cars, lift: Index, state: int, t: F64) -> None:
    cars.set_door(lift, state, t)
    cars.visit_step_s[lift] = t + (cars.opens_s(lift) if state == OPENING else cars.closes_s(lift))


def _ride(cars: Cars, lift: Index, t: F64) -> None:
    """Run these cars at inspection speed to the next landing."""
    last = cars.lifts.floors[lift] - 1
    step = np.where(cars.random.uniform(lift) < 0.5, 1, -1)
    there = cars.floor[lift] + step
    there = np.where((there < 0) | (there > last), cars.floor[lift] - step, there)
    _run(cars, lift, there, t, INSPECTION_MPS / cars.lifts.rated_mps[lift])
    cars.visit_step_s[lift] = cars.trajectories.end_s[lift] + LOOKS_S


def _test(cars: Cars, lift: Index, t: F64) -> None:
    """Set these cars to normal mode and start the test run to the farther terminal landing."""
    cars.mode[lift] = NORMAL
    cars.log.status.append(lift)
    last = cars.lifts.floors[lift] - 1
    _run(cars, lift, np.where(2 * cars.floor[lift] < last, last, 0), t, 1.0)
    cars.visit_step_s[lift] = cars.due_s[lift] + SETTLES_S


def _run(cars: Cars, lift: Index, floor: Index, t: F64, ratio: F64 | float) -> None:
    """Run these cars to these landings; the next step waits until they stand."""
    target_m = drive.stop_position_m(cars, lift, floor, t)
    cars.floor[lift] = cars.target[lift] = floor
    cars.trajectories.run_to(lift, t, target_m, drive.run_limits(cars, lift, ratio))
    cars.due_s[lift] = np.maximum(cars.due_s[lift], cars.trajectories.end_s[lift] + SETTLES_S)
