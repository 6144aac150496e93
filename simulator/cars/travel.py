"""A car between rest and its next landing: call, departure, run, arrival, parking."""

from __future__ import annotations

import numpy as np

from simulator.buildings import stop_times
from simulator.cars import collective_control, preparatory_trips, run
from simulator.cars.state import ARRIVED, REST, START, Cars
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED

PARK_AFTER_S, PARK_IN_UP_PEAK_S = 45.0, 1.0


def rest(cars: Cars, lift: Index, t: F64) -> None:
    """Set these cars to rest until they are called; a car that is not at its parking landing goes there later."""
    if not len(lift):
        return
    landing, peak = collective_control.parking_landing(cars, lift, t)
    park_s = np.where(landing == cars.floor[lift], np.inf, np.where(peak, PARK_IN_UP_PEAK_S, PARK_AFTER_S))
    cars.heading[lift] = 0
    cars.set_phase(
        lift, REST, t + np.where(preparatory_trips.needs_trip(cars, lift), preparatory_trips.PAUSE_S, park_s)
    )


def called(cars: Cars, lift: Index, t: F64) -> None:
    """Handle the calls of resting cars, or send them to their parking landing."""
    lift, t = preparatory_trips.send_on_trips(cars, lift, t)
    wanted = collective_control.has_call(cars, lift).any(axis=1)
    idle = lift[~wanted]
    cars.target[idle], _ = collective_control.parking_landing(cars, idle, t[~wanted])
    stays = cars.target[idle] == cars.floor[idle]
    rest(cars, idle[stays], t[~wanted][stays])
    depart(cars, idle[~stays], t[~wanted][~stays])
    serve(cars, lift[wanted], t[wanted])


def serve(cars: Cars, lift: Index, t: F64) -> None:
    """Open the doors here for calls, or else run to the next call, or else rest."""
    if not len(lift):
        return
    collective_control.choose_direction(cars, lift, cars.hall_call[lift, :, cars.floor[lift]])
    opens = collective_control.opens_door(cars, lift) | (cars.door[lift] != CLOSED)
    cars.set_phase(lift[opens], ARRIVED, t[opens] + cars.random.uniform(lift[opens], *stop_times.ARRIVAL_PAUSE_S))
    lift, t = lift[~opens], t[~opens]
    wanted = collective_control.has_call(cars, lift).any(axis=1)
    depart(cars, lift[wanted], t[wanted] + stop_times.STANDSTILL_S)
    rest(cars, lift[~wanted], t[~wanted])


def depart(cars: Cars, lift: Index, t: F64) -> None:
    """Release the brake."""
    if len(lift):
        cars.set_phase(lift, START, t + cars.random.uniform(lift, *stop_times.START_DELAY_S))


def set_off(cars: Cars, lift: Index, t: F64) -> None:
    """Start the runs, perhaps to a newer call."""
    here = ~(cars.on_preparatory_trip[lift] | cars.homing[lift]) & collective_control.has_call(cars, lift).any(axis=1)
    serves = lift[here]
    collective_control.choose_direction(cars, serves, cars.hall_call[serves, :, cars.floor[serves]])
    sense = cars.heading[serves].astype(np.intp)
    stop = collective_control.next_stop(cars, serves, cars.floor[serves] + sense, sense)
    cars.target[serves] = np.where(stop >= 0, stop, cars.floor[serves])
    here = (cars.target[lift] == cars.floor[lift]) & ~cars.homing[lift]
    serve(cars, lift[here], t[here])
    run.start_runs(cars, lift[~here], t[~here])


def arrive(cars: Cars, lift: Index, t: F64) -> None:
    """Handle the arrival of these cars; a car that has run home opens its door and releases its passengers."""
    cars.floor[lift], cars.cycles[lift] = cars.target[lift], 0
    home = lift[cars.homing[lift]]
    cars.release_passengers(home)
    cars.car_call[home, cars.floor[home]] = True
    cars.on_preparatory_trip[lift] = cars.homing[lift] = False
    serve(cars, lift, t)
