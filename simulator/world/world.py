"""The simulated world: a range of a fleet's lifts, advanced one second at a time.

The output of a lift depends only on (facts, seed, start, injected faults): the same bytes for every range of lifts in
which it is simulated. A range that cuts through a building simulates the whole building and returns only its own lifts,
which come first in all columns. The second of each building begins at the building's own fraction of the clock's
second, so that messages are spread over the second.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.buildings import fleet
from simulator.buildings.traffic import DAILY_TRAFFIC, Traffic
from simulator.cars import car_faults, cycle, drive
from simulator.cars.state import Cars, EventLog
from simulator.faults.cause_table import BY_NUMBER, CAUSES, InvalidFaultRequest
from simulator.faults.labels import Label
from simulator.faults.schedule import FaultRequest, Schedule, fault_rates_per_s
from simulator.maths import rng
from simulator.maths.calendar import DAY_S, Calendar
from simulator.physics import traction_sheave
from simulator.physics.car_vibration import WAVE_HZ, Vibration
from simulator.physics.machine_vibration import MachineSensors, monitored_rows
from simulator.physics.sensors import SAMPLE_HZ, Sensors, door_readings, infrared_readings
from simulator.physics.suspension import Suspension
from simulator.world.fault_courses import FaultCourses
from simulator.world.second import Events, Second
from telemetry.arrays import F64, Index
from telemetry.streams import HEARTBEAT_DEFAULT_S, MODES, POWERS

LOCAL_OFFSET_H = 8
HEARTBEAT_S = int(HEARTBEAT_DEFAULT_S)
LAST_WILL = {"online": False}
_NO_VALUES = np.zeros((0, 2), dtype=np.int64)


class World:
    """Lifts `first` to `first + len(facts) - 1` of a seed's fleet, from `start_ns` (a whole second, UTC) on.

    buildings               the building of each lift (the number of its first lift); default: those of the seed's fleet
    offices                 the share of offices among the buildings of the seed's fleet
    lifts_per_message       so many lifts share one fraction of the second (the lifts of a gateway)
    hour                    the local hour of day at which the traffic begins; default: the hour of `start_ns`
    barometers              the share of lifts whose position sensor is a barometer
    plan                    requested faults and near misses; those of lifts outside this range are ignored
    day_s, days             of each of `days` days the first `day_s` seconds from the start's time of day are simulated
    heartbeat_s             the heartbeat interval that terminals announce; they send one every `HEARTBEAT_S`
    vibration, wave_hz      whether there are vibration waveforms, and their sampling rate
    machine                 the ids of the lifts with a machine sensor (True: all)
    faults_per_lift_hour    the rate of faults of all causes together, equal for each cause
    hazard                  the factor on the failure rates of a real fleet
    """

    def __init__(
        self,
        facts: Sequence[LiftFacts],
        seed: int,
        start_ns: int,
        *,
        first: int = 0,
        lifts_per_message: int = 1,
        vibration: bool = False,
        wave_hz: int = WAVE_HZ,
        machine: bool | Collection[str] = False,
        faults_per_lift_hour: float = 0.0,
        hazard: float = 0.0,
        hour: float | None = None,
        barometers: float = 0.0,
        plan: Sequence[FaultRequest] = (),
        day_s: int = DAY_S,
        days: float = np.inf,
        heartbeat_s: int = HEARTBEAT_S,
        offices: float = fleet.OFFICE_SHARE,
        buildings: Sequence[int] | None = None,
        traffic: Traffic = DAILY_TRAFFIC,
    ) -> None:
        self.start_ns, self.seconds = start_ns, 0
        self.calendar, self._heartbeat_s = Calendar(start_ns, day_s, days), heartbeat_s
        local_hour = start_ns / 3.6e12 + LOCAL_OFFSET_H if hour is None else hour
        beside = fleet.neighbours(first, len(facts), seed, offices) if buildings is None else {}
        number = np.array([*range(first, first + len(facts)), *beside])
        building = np.array(fleet.building_of(number.tolist(), seed, offices) if buildings is None else buildings)
        everyone = [*facts, *beside.values()]
        self._own = len(facts)
        self._id = [lift.lift_id for lift in everyone]
        self.cars = Cars(everyone, seed, number, building, local_hour % 24, traffic)
        self.cars.day_s = day_s
        self.row = {lift.lift_id: k for k, lift in enumerate(everyone)}
        self._suspension = Suspension(self.cars.lifts, wave_hz if vibration else SAMPLE_HZ)
        self._sensors = Sensors(self.cars.lifts, seed, start_ns, barometers)
        chances = fault_rates_per_s(hazard, faults_per_lift_hour)
        self._schedule = Schedule(plan, self.row, number, building, seed, chances, day_s)
        self._fault_courses = FaultCourses(self.cars)
        fraction = rng.uniform(
            rng.hash_bits(rng.stream_keys(seed, building // lifts_per_message, rng.TRAITS), number * 0)
        )
        self.fraction_ms = (fraction * 1000).astype(np.int64)
        self._vibration = Vibration(self.cars.lifts, seed, start_ns, wave_hz) if vibration else None
        self._machine_sensors = MachineSensors(self.cars.lifts, seed, monitored_rows(self.row, machine))
        self._beat = number % HEARTBEAT_S
        self._boots = self.cars.boots.copy()
        cycle.begin(self.cars, self._begin_s)

    def __len__(self) -> int:
        return self._own

    @property
    def begin_s(self) -> F64:
        """The start of the next second of each lift, in seconds of simulated time."""
        return self._begin_s[: self._own]

    @property
    def _begin_s(self) -> F64:
        return self.seconds + self.fraction_ms / 1000

    def inject(self, lift_id: str, cause: str, for_s: float | None = None) -> None:
        """Inject a fault for `for_s` seconds from its first symptom on; a growing fault grows for half of that time."""
        lasts_s = for_s or (CAUSES[cause].default_s if cause in CAUSES else None)
        planned = FaultRequest(lift_id, cause, for_s=lasts_s, growth_days=lasts_s and lasts_s / 2 / self.calendar.day_s)
        active_faults = self.cars.active_faults.get(self.row.get(lift_id, -1))
        if active_faults is not None:
            slug = BY_NUMBER[active_faults.cause].slug
            raise InvalidFaultRequest(f"lift_id: {lift_id} still suffers from {slug}; try again when that is over")
        self._schedule.add(planned, self.seconds)
        self._begin_due_faults()

    def step(self) -> Second:
        """Simulate one second and return its readings."""
        cars, begin_s = self.cars, self._begin_s
        car_faults.end_faults(cars, begin_s + 1)
        repeated_doors = self._repeat_states(begin_s)
        self._begin_due_faults()
        self._fault_courses.advance(begin_s, self.seconds)
        car_faults.apply_faults(cars, begin_s)
        cycle.advance(cars, begin_s, begin_s + 1)
        log, cars.log = cars.log, EventLog()
        self.motion = self._suspension.step(cars, log, begin_s)
        labels = self._fault_courses.write(log, self.motion, begin_s)
        drive.relevel(cars, self._suspension.stretch_m, begin_s + 1)
        v_mps, z_m = self._sensors.read(cars, self.motion, begin_s, self.seconds)
        second = Second(
            t_ns=self.calendar.instant_ns(self.seconds) + self.fraction_ms * 1_000_000,
            v_mps=v_mps,
            z_m=z_m,
            door=_events(begin_s, door_readings(cars.condition, (repeated_doors, *log.door)), 1),
            infrared=_events(begin_s, infrared_readings(cars.condition, log.infrared), 2),
            vibration_mps2=self._vibration.step(cars, log, self.motion, begin_s, self.seconds)
            if self._vibration
            else None,
            boots=cars.boots.copy(),
            silent=cars.silent.copy(),
            status=np.unique(np.concatenate(log.status)).tolist() if log.status else [],
            labels=labels,
            machine_mps2=self._machine_sensors.step(cars, begin_s, self.seconds),
        )
        traction_sheave.advance(cars, begin_s)
        self.seconds += 1
        return second.first_lifts(self._own)

    def _begin_due_faults(self) -> None:
        """Start the faults that are due in the next second."""
        for fault in self._schedule.due(self.seconds + 1):
            self._fault_courses.begin(fault, self._schedule.course_draws(fault), float(self._begin_s[fault.lift]))

    def unfinished(self) -> list[Label]:
        """Return the labels of the faults that have not ended: a recording that ends now has to include them."""
        return [label for label in self._fault_courses.unfinished() if label.lift < self._own]

    def status(self, lift: int) -> dict[str, object]:
        """Return the body of a lift's status message; for a silent lift, that of its last will."""
        cars = self.cars
        if cars.silent[lift]:
            return dict(LAST_WILL)
        return {
            "online": True,
            "power": POWERS[int(cars.battery[lift])],
            "mode": MODES[int(cars.mode[lift])],
            "alarm": bool(cars.alarm[lift]),
            "heartbeat_s": self._heartbeat_s,
        }

    def _repeat_states(self, begin_s: F64) -> tuple[Index, F64, NDArray[np.int8]]:
        """Make terminals send all states again with each heartbeat and after each start; return their doors' states as
        events."""
        cars = self.cars
        repeated_doors = (self._beat == self.seconds % HEARTBEAT_S) | (cars.boots != self._boots)
        lift = np.flatnonzero((repeated_doors | (self.seconds == 0)) & ~cars.silent)
        self._boots = cars.boots.copy()
        cars.log_infrared(lift, begin_s[lift])
        cars.log.status.append(lift)
        return lift, begin_s[lift], cars.door[lift]


def _events(begin_s: F64, pieces: Sequence[tuple[Index, F64, NDArray[np.generic]]], width: int) -> Events:
    """Return the events of one kind, sorted by lift and time."""
    pieces = [piece for piece in pieces if len(piece[0])]
    if not pieces:
        return Events(np.zeros(len(begin_s) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), _NO_VALUES[:, :width])
    lift = np.concatenate([piece[0] for piece in pieces])
    t_s = np.concatenate([piece[1] for piece in pieces])
    values = np.concatenate([piece[2].astype(np.int64) for piece in pieces]).reshape(-1, width)
    order = np.lexsort((t_s, lift))
    lift, t_s = lift[order], t_s[order]
    offset_ms = np.clip(((t_s - begin_s[lift]) * 1000).astype(np.int64), 0, 999)
    return Events(np.searchsorted(lift, np.arange(len(begin_s) + 1)), offset_ms, values[order])
