"""The state of every car in columns: `LiftParameters` (constant), `Cars` (current state) and `EventLog` (events of one
second).

Times are float seconds of simulated time. The phases of a car form a cycle; `due_s` is when the current phase ends:

    REST ─► START ─► RUN ─► ARRIVED ─► OPENING_DOOR ─► OPEN_DOOR ⇄ PASSING ─► CLOSING_DOOR ─► START or REST
                      └► FAULT_DUE ─► (DOOR_SPRUNG) ─► IMMOBILISED ─► homing run to the nearest landing

A car in phase REST is due only when it has to park.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.buildings import stop_times
from simulator.buildings.arrivals import Arrivals
from simulator.buildings.groups import Groups
from simulator.buildings.passengers import NO_PASSENGER, Passengers
from simulator.buildings.traffic import Traffic
from simulator.cars.lifts import LiftParameters
from simulator.faults.condition import Condition
from simulator.faults.schedule import FaultOccurrence
from simulator.maths.calendar import DAY_S
from simulator.maths.rng import EVENTS, RandomStreams
from simulator.maths.trajectories import Trajectories
from telemetry.arrays import F64, Index
from telemetry.streams import CLOSED, NORMAL, OPENING

REST, START, RUN, ARRIVED, OPENING_DOOR, OPEN_DOOR, PASSING, CLOSING_DOOR, FAULT_DUE, DOOR_SPRUNG, IMMOBILISED = range(
    11
)
NO_FAULT, FAULT_PENDING, FAULT_ACTIVE = range(3)


@dataclass(slots=True)
class EventLog:
    """The events of one second, unsorted: lifts, times and values of each kind."""

    door: list[tuple[Index, F64, NDArray[np.int8]]] = field(default_factory=list)
    infrared: list[tuple[Index, F64, NDArray[np.bool_], NDArray[np.bool_]]] = field(default_factory=list)
    status: list[Index] = field(default_factory=list)
    loads: list[tuple[Index, F64, F64]] = field(default_factory=list)
    activated: list[tuple[FaultOccurrence, float]] = field(default_factory=list)
    cleared: list[FaultOccurrence] = field(default_factory=list)


class Cars:
    """The current state of every car and its passengers. Only the modules of `simulator.cars` write it.

    Columns have a row for each lift; times are seconds of simulated time.

    `heading` (+1 up, -1 down, 0 none) is the direction of travel. `car_call` (lifts, floors) are the car calls,
    `hall_call` (lifts, 2, floors) the hall calls (up, down) that the dispatcher has assigned to the car. A car that is
    `on_preparatory_trip` or `homing` runs to its `target` without answering calls. `chain_opens_s` is when the safety
    chain opens; `healthy_stop_s` is when a healthy brake would have stopped the car. `ahead_m` is by how much the
    travel of the sheave exceeds that of the car. `person_in_doorway` is the slot of the passenger in the doorway (-1:
    none), who is `entering` or leaving. `cycles` counts the openings of the door at the current landing.
    """

    def __init__(
        self,
        facts: Sequence[LiftFacts],
        seed: int,
        number: NDArray[np.int64],
        building: NDArray[np.int64],
        hour: float,
        traffic: Traffic,
    ) -> None:
        n = len(facts)
        every = np.arange(n)
        self.lifts = LiftParameters(facts, seed, number)
        self.condition = Condition(n)
        self.random = RandomStreams(seed, self.lifts.number, EVENTS)
        self.log = EventLog()
        self.start_hour, self.day_s = hour, DAY_S
        self._form_groups(building, seed, traffic)
        self.floor = (self.lifts.trait["floor"] * self.lifts.floors).astype(np.intp)
        self.trajectories = Trajectories(self.lifts.height(every, self.floor))
        self.ahead_m = np.zeros(n)
        self.phase = np.full(n, REST, dtype=np.int8)
        self.due_s = np.zeros(n)
        self.target = self.floor.copy()
        self.heading = np.zeros(n, dtype=np.int8)
        floors = self.lifts.heights_m.shape[1]
        self.car_call = np.zeros((n, floors), dtype=np.bool_)
        self.hall_call = np.zeros((n, 2, floors), dtype=np.bool_)
        self.on_preparatory_trip = np.zeros(n, dtype=np.bool_)
        self.homing = np.zeros(n, dtype=np.bool_)
        self.riders = np.zeros(n, dtype=np.intp)
        self.load_kg = np.zeros(n)
        self.everyone_out = np.zeros(n, dtype=np.bool_)
        self.person_in_doorway = np.full(n, NO_PASSENGER, dtype=np.intp)
        self.entering = np.zeros(n, dtype=np.bool_)
        self.close_s = np.zeros(n)
        self.reversal = np.zeros(n)
        self.reopenings = np.zeros(n, dtype=np.int8)
        self.door_held = np.zeros(n, dtype=np.bool_)
        self.cycles = np.zeros(n, dtype=np.int64)
        self.door = np.full(n, CLOSED, dtype=np.int8)
        self.curtain = np.zeros(n, dtype=np.bool_)
        self.alarm = np.zeros(n, dtype=np.bool_)
        self.battery = np.zeros(n, dtype=np.bool_)
        self.battery_ends_s = np.full(n, np.inf)
        self.silent = np.zeros(n, dtype=np.bool_)
        self.mode = np.full(n, NORMAL, dtype=np.int8)
        self.boots = np.ones(n, dtype=np.int64)
        self.cause = np.zeros(n, dtype=np.int16)
        self.stage = np.full(n, NO_FAULT, dtype=np.int8)
        self.severity = np.zeros(n)
        self.active_faults: dict[int, FaultOccurrence] = {}
        self.for_s = np.zeros(n)
        self.fault_ends_s = np.full(n, np.inf)
        self.visit_step_s = np.zeros(n)
        self.chain_opens_s = np.full(n, np.inf)
        self.healthy_stop_s = np.full(n, np.inf)

    def _form_groups(self, building: NDArray[np.int64], seed: int, traffic: Traffic) -> None:
        """Form the groups of cars and the passengers of each building."""
        lifts = self.lifts
        self.groups = Groups(building, lifts.number)
        self.passengers = Passengers(len(self.groups), lifts.heights_m.shape[1])
        one = self.groups.first
        if not np.array_equal(lifts.heights_m, lifts.heights_m[one[self.group]], equal_nan=True):
            raise ValueError("buildings: the lifts of a building have the same floors; name those apart that have not")
        kind, floors, lobby = lifts.kind[one], lifts.floors[one], lifts.lobby[one]
        handling_capacity = np.bincount(self.groups.of, lifts.handling_capacity()).astype(np.float64)
        self.arrivals = Arrivals(self.groups, seed, traffic, kind, floors, lobby, handling_capacity)

    @property
    def presence(self) -> NDArray[np.bool_]:
        """Whether a passenger is in each car."""
        return self.riders > 0

    @property
    def group(self) -> Index:
        """The group of each car."""
        return self.groups.of

    def busy(self, lift: Index, t_s: F64) -> F64:
        """Return how busy each lift's building is at this time, from 0 to 1 in its busiest hour."""
        return self.arrivals.traffic.busy(self.lifts.kind[lift], self.hour(t_s))

    def hour(self, t_s: F64) -> F64:
        """Return the local hour of day."""
        return (self.start_hour + t_s % self.day_s / 3600) % 24

    def opens_s(self, lift: Index) -> F64:
        """Draw the duration of these doors' next opening."""
        return self.lifts.door_opens_s[lift] * self._this_time(lift)

    def closes_s(self, lift: Index) -> F64:
        """Draw the duration of these doors' next closing."""
        return self.lifts.door_closes_s[lift] * self._this_time(lift)

    def _this_time(self, lift: Index) -> F64:
        """Draw the duration of these doors' next movement over that of the healthy doors' mean."""
        return (1 + stop_times.DOOR_CYCLE_SD * self.random.normal(lift)) * (1 + self.condition.door_drag[lift])

    def set_phase(self, lift: Index, phase: int, due_s: F64) -> None:
        """Set the phase of these cars until `due_s`."""
        self.phase[lift] = phase
        self.due_s[lift] = due_s

    def release_passengers(self, lift: Index) -> None:
        """Make all passengers leave these cars at the next door opening, and delete their car calls."""
        self.everyone_out[lift] = self.riders[lift] > 0
        self.car_call[lift] = False

    def set_door(self, lift: Index, state: int, t_s: F64) -> None:
        """Set and log the state of these doors."""
        self.cycles[lift] += (state == OPENING) & (self.door[lift] == CLOSED)
        self.door[lift] = state
        self.log.door.append((lift, t_s, np.full(len(lift), state, dtype=np.int8)))

    def change_load(self, lift: Index, t_s: F64, more_kg: F64) -> None:
        """Change and log the load of these cars."""
        self.load_kg[lift] += more_kg
        self.log.loads.append((lift, t_s, more_kg))

    def log_infrared(self, lift: Index, t_s: F64) -> None:
        """Log the states of the light curtains and presence sensors of these cars."""
        self.log.infrared.append((lift, t_s, self.presence[lift], self.curtain[lift].copy()))
