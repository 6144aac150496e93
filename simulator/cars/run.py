"""A run from landing to landing: how it begins, and how it is diverted to a call that has come up on its way."""

from __future__ import annotations

import numpy as np

from simulator.cars import collective_control, drive, faulty_run
from simulator.cars.state import NO_FAULT, RUN, Cars
from telemetry.arrays import F64, Index


def start_runs(cars: Cars, lift: Index, t: F64) -> None:
    """Move these cars off to their targets."""
    target_m = drive.stop_position_m(cars, lift, cars.target[lift], t)
    cars.trajectories.run_to(
        lift, t, target_m, drive.run_limits(cars, lift, faulty_run.speed_ratio(cars, lift, target_m))
    )
    cars.set_phase(lift, RUN, cars.trajectories.end_s[lift])
    faulty_run.prepare_faults(cars, lift)


def divert(cars: Cars, lift: Index, t: F64) -> None:
    """Let those of these cars that run soundly stop at what calls first on their way, where they still can.

    The new run begins where the old one did: until the first of the two would brake, they are the same.
    """
    runs = (cars.phase[lift] == RUN) & (cars.stage[lift] == NO_FAULT)
    lift, t = lift[runs], t[runs]
    first, free = collective_control.reachable(cars, lift, t)
    stop = collective_control.next_stop(cars, lift, first, np.sign(cars.target[lift] - cars.floor[lift]))
    better = free & (stop >= 0) & (stop != cars.target[lift])
    if not better.any():
        return
    lift = lift[better]
    cars.target[lift] = stop[better]
    start_s = cars.trajectories.t[0, lift]
    cars.trajectories.cancel_run(lift)
    cars.trajectories.run_to(
        lift, start_s, drive.stop_position_m(cars, lift, cars.target[lift], start_s), drive.run_limits(cars, lift)
    )
    cars.due_s[lift] = cars.trajectories.end_s[lift]
