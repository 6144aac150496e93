"""A run from landing to landing: its start, and its diversion to a call on the way."""

from __future__ import annotations

import numpy as np

from simulator.cars import collective_control, drive, faulty_run
from simulator.cars.state import NO_FAULT, RUN, Cars
from telemetry.arrays import F64, Index


def start_runs(cars: Cars, lift: Index, t: F64) -> None:
    """Start the runs of these cars to their targets."""
    if not len(lift):
        return
    target_m = drive.stop_position_m(cars, lift, cars.target[lift], t)
    cars.trajectories.run_to(
        lift, t, target_m, drive.run_limits(cars, lift, faulty_run.speed_ratio(cars, lift, target_m))
    )
    cars.set_phase(lift, RUN, cars.trajectories.end_s[lift])
    faulty_run.prepare_faults(cars, lift)


def divert(cars: Cars, lift: Index, t: F64) -> None:
    """Stop these cars, as far as they run without a fault, at the next call on their way if they still can.

    The new run begins where the old one did: both are the same until the first of them decelerates.
    """
    runs = (cars.phase[lift] == RUN) & (cars.stage[lift] == NO_FAULT)
    if not runs.any():
        return
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
