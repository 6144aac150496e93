"""From rest to the next landing: a car is called, sets off, runs, and comes to where it is wanted, or parks."""

from __future__ import annotations

import numpy as np

from simulator.buildings import stop_times
from simulator.cars import collective_control, preparatory_trips, run
from simulator.cars.state import ARRIVED, REST, START, Cars
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED

PARK_AFTER_S, PARK_IN_UP_PEAK_S = 45.0, 1.0


def rest(cars: Cars, lift: Index, t: F64) -> None:
    """Let these cars rest until they are called; one that could wait better elsewhere goes there after a while."""
    landing, peak = collective_control.parking_landing(cars, lift, t)
    park_s = np.where(landing == cars.floor[lift], np.inf, np.where(peak, PARK_IN_UP_PEAK_S, PARK_AFTER_S))
    cars.heading[lift] = 0
    cars.set_phase(
        lift, REST, t + np.where(preparatory_trips.needs_trip(cars, lift), preparatory_trips.PAUSE_S, park_s)
    )


def called(cars: Cars, lift: Index, t: F64) -> None:
    """The car is called, or goes to park."""
    lift, t = preparatory_trips.send_on_trips(cars, lift, t)
    wanted = collective_control.has_call(cars, lift).any(axis=1)
    idle = lift[~wanted]
    cars.target[idle], _ = collective_control.parking_landing(cars, idle, t[~wanted])
    stays = cars.target[idle] == cars.floor[idle]
    rest(cars, idle[stays], t[~wanted][stays])
    depart(cars, idle[~stays], t[~wanted][~stays])
    serve(cars, lift[wanted], t[wanted])


def serve(cars: Cars, lift: Index, t: F64) -> None:
    """Open here for whom it may concern, or else go where somebody calls, or else rest."""
    collective_control.choose_direction(cars, lift, cars.hall_call[lift, :, cars.floor[lift]])
    opens = collective_control.opens_door(cars, lift) | (cars.door[lift] != CLOSED)
    cars.set_phase(lift[opens], ARRIVED, t[opens] + cars.dice.uniform(lift[opens], *stop_times.ARRIVAL_PAUSE_S))
    lift, t = lift[~opens], t[~opens]
    wanted = collective_control.has_call(cars, lift).any(axis=1)
    depart(cars, lift[wanted], t[wanted] + stop_times.STANDSTILL_S)
    rest(cars, lift[~wanted], t[~wanted])


def depart(cars: Cars, lift: Index, t: F64) -> None:
    """Lift the brake."""
    cars.set_phase(lift, START, t + cars.dice.uniform(lift, *stop_times.START_DELAY_S))


def set_off(cars: Cars, lift: Index, t: F64) -> None:
    """The car moves off, by now perhaps to another landing."""
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
    """The car has come to rest at its target; one that has come home opens its door, whoever may be inside."""
    cars.floor[lift], cars.cycles[lift] = cars.target[lift], 0
    home = lift[cars.homing[lift]]
    cars.release_passengers(home)
    cars.car_call[home, cars.floor[home]] = True
    cars.on_preparatory_trip[lift] = cars.homing[lift] = False
    serve(cars, lift, t)
