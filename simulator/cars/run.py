"""A run from landing to landing: how it begins, and how it is diverted to a call that has come up on its way."""

from __future__ import annotations

import numpy as np

from simulator.cars import collective_control, drive, faulty_run
from simulator.cars.state import F64, RUN, SOUND, Cars, Index


def begin(cars: Cars, lift: Index, t: F64) -> None:
    """Move these cars off to their targets."""
    target_m = drive.landing_m(cars, lift, cars.target[lift], t)
    cars.curves.go(lift, t, target_m, drive.limits(cars, lift, faulty_run.speed_ratio(cars, lift, target_m)))
    cars.enter(lift, RUN, cars.curves.end_s[lift])
    faulty_run.waylay(cars, lift)


def divert(cars: Cars, lift: Index, t: F64) -> None:
    """Let those of these cars that run soundly stop at what calls first on their way, where they still can.

    The new run begins where the old one did: until the first of the two would brake, they are the same.
    """
    runs = (cars.phase[lift] == RUN) & (cars.stage[lift] == SOUND)
    lift, t = lift[runs], t[runs]
    first, free = collective_control.reachable(cars, lift, t)
    stop = collective_control.next_stop(cars, lift, first, np.sign(cars.target[lift] - cars.floor[lift]))
    better = free & (stop >= 0) & (stop != cars.target[lift])
    if not better.any():
        return
    lift = lift[better]
    cars.target[lift] = stop[better]
    start_s = cars.curves.t[0, lift]
    cars.curves.stay(lift)
    cars.curves.go(lift, start_s, drive.landing_m(cars, lift, cars.target[lift], start_s), drive.limits(cars, lift))
    cars.due_s[lift] = cars.curves.end_s[lift]
