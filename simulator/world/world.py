"""The world: a range of a fleet's lifts, stepped one second at a time, and what their sensors saw in it.

The law: lift k says the same bytes whatever range it is simulated in, as long as (facts, seed, start) are the same and
the same faults are injected in the same seconds. A range that cuts a building lives through the whole of it, and says
only its own lifts: in all columns those come first. Each building's second begins at its own fraction of the clock's,
so that what they say is spread over it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.buildings import fleet
from simulator.buildings.traffic import DAILY_TRAFFIC, Traffic
from simulator.cars import car_faults, cycle, drive
from simulator.cars.state import Cars, EventLog
from simulator.faults.cause_table import BY_NUMBER, CAUSES
from simulator.faults.labels import Label
from simulator.faults.schedule import FaultRequest, Schedule, Unknown, fault_rates_per_s
from simulator.maths import rng
from simulator.maths.calendar import DAY_S, Calendar
from simulator.physics import traction_sheave
from simulator.physics.car_vibration import WAVE_HZ, Vibration
from simulator.physics.machine_vibration import MachineSensors, monitored_rows
from simulator.physics.sensors import SAMPLE_HZ, Sensors, door_readings, infrared_readings
from simulator.physics.suspension import Suspension
from simulator.world.fault_courses import FaultCourses
from telemetry.arrays import F64, Index
from telemetry.streams import HEARTBEAT_DEFAULT_S, MODES, POWERS

LOCAL_OFFSET_H = 8
HEARTBEAT_S = int(HEARTBEAT_DEFAULT_S)
LAST_WILL = {"online": False}


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one kind: `values` has one row per event; sorted by lift and then time. Lift i's are
    `slice(first[i], first[i + 1])`; `offset_ms` counts from the start of the lift's second."""

    first: NDArray[np.int64]
    offset_ms: NDArray[np.int64]
    values: NDArray[np.int64]

    def of_first(self, n: int) -> Events:
        """Return those of the first `n` lifts."""
        end = self.first[n]
        return Events(self.first[: n + 1], self.offset_ms[:end], self.values[:end])

    def of(self, lift: int) -> tuple[list[int], list[list[int]]] | None:
        """Return one lift's offsets and values, or None where nothing happened."""
        begin, end = self.first[lift], self.first[lift + 1]
        return (self.offset_ms[begin:end].tolist(), self.values[begin:end].tolist()) if end > begin else None


@dataclass(frozen=True, slots=True)
class Second:
    """What n lifts saw in one second. `t_ns` is where each lift's second begins.

    `v_mps`, `z_m` are (n, 10); `vibration_mps2` is (n, 3, samples) or None. `door` values are states, `infrared` values
    (presence, curtain). Nothing that a `silent` lift saw is heard. `status` lists the lifts that say their status now,
    as it is at the end of the second; `boots` counts the starts of each terminal. `machine_mps2` has a waveform for
    each lift whose machine is listened to. `labels` are the rows of the symptoms that ended.
    """

    t_ns: NDArray[np.int64]
    v_mps: F64
    z_m: F64
    door: Events
    infrared: Events
    vibration_mps2: NDArray[np.float32] | None
    boots: NDArray[np.int64]
    silent: NDArray[np.bool_]
    status: list[int]
    labels: list[Label]
    machine_mps2: dict[int, NDArray[np.float32]]

    def of_first(self, n: int) -> Second:
        """Return what the first `n` lifts saw."""
        if n == len(self.silent):
            return self
        rows = ("t_ns", "v_mps", "z_m", "boots", "silent")
        return replace(
            self,
            **{name: getattr(self, name)[:n] for name in rows},
            door=self.door.of_first(n),
            infrared=self.infrared.of_first(n),
            vibration_mps2=None if self.vibration_mps2 is None else self.vibration_mps2[:n],
            status=[lift for lift in self.status if lift < n],
            labels=[label for label in self.labels if label.lift < n],
            machine_mps2={lift: wave for lift, wave in self.machine_mps2.items() if lift < n},
        )


class World:
    """Lifts `first` to `first + len(facts) - 1` of a seed's fleet, from `start_ns` (a whole second, UTC) on.

    `buildings` names the building of each lift, where they are not the seed's fleet, by the number of its first lift;
    `offices` is the share of offices among those of the fleet.
    `together` lifts share their fraction of the second (those of a gateway). `hour` shifts the traffic, and only that,
    to begin at this local hour of the day. `barometers` is the share of lifts that tell their position by the air.
    `plan` is what is known beforehand of faults and near misses, of lifts that are not in this range as well. Of each
    day the first `day_s` seconds from the start's time of day are lived, `days` days long. `heartbeat_s` is what
    terminals say of theirs; they keep to `HEARTBEAT_S` at least. Where `vibration` is on it has `wave_hz` samples a
    second; `machine` names the lifts whose machines are listened to (True: all).
    """

    def __init__(
        self,
        facts: Sequence[LiftFacts],
        seed: int,
        start_ns: int,
        *,
        first: int = 0,
        together: int = 1,
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
        fraction = rng.uniform(rng.hash_bits(rng.stream_keys(seed, building // together, rng.TRAITS), number * 0))
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
        """Where the coming second of each lift begins, in seconds of the world's clock."""
        return self._begin_s[: self._own]

    @property
    def _begin_s(self) -> F64:
        return self.seconds + self.fraction_ms / 1000

    def inject(self, lift_id: str, cause: str, for_s: float | None = None) -> None:
        """Bring a cause upon a lift, for `for_s` from its first symptom on; what grows takes half of it to grow."""
        lasts_s = for_s or (CAUSES[cause].default_s if cause in CAUSES else None)
        planned = FaultRequest(lift_id, cause, for_s=lasts_s, growth_days=lasts_s and lasts_s / 2 / self.calendar.day_s)
        active_faults = self.cars.active_faults.get(self.row.get(lift_id, -1))
        if active_faults is not None:
            slug = BY_NUMBER[active_faults.cause].slug
            raise Unknown(f"lift_id: {lift_id} still suffers from {slug}; try again when that is over")
        self._schedule.add(planned, self.seconds)
        self._begin_due_faults()

    def step(self) -> Second:
        """Live through one second."""
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
        return second.of_first(self._own)

    def _begin_due_faults(self) -> None:
        """Let begin what is due in the coming second."""
        for fault in self._schedule.due(self.seconds + 1):
            self._fault_courses.begin(fault, self._schedule.course_draws(fault), float(self._begin_s[fault.lift]))

    def unfinished(self) -> list[Label]:
        """Return the labels of what still goes on: what a recording that ends now has to add."""
        return [label for label in self._fault_courses.unfinished() if label.lift < self._own]

    def status(self, lift: int) -> dict[str, object]:
        """Return what a lift says of itself now; a silent one's broker says its last will."""
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
        """Let a lift say all its states again with each heartbeat and after each start of its terminal; return what
        its door is, which moves nothing."""
        cars = self.cars
        repeated_doors = (self._beat == self.seconds % HEARTBEAT_S) | (cars.boots != self._boots)
        lift = np.flatnonzero((repeated_doors | (self.seconds == 0)) & ~cars.silent)
        self._boots = cars.boots.copy()
        cars.log_infrared(lift, begin_s[lift])
        cars.log.status.append(lift)
        return lift, begin_s[lift], cars.door[lift]


def _events(begin_s: F64, pieces: Sequence[tuple[Index, F64, NDArray[np.generic]]], width: int) -> Events:
    """Return the pieces of one kind of event in the order of lifts and times."""
    lift = np.concatenate([piece[0] for piece in pieces])
    t_s = np.concatenate([piece[1] for piece in pieces])
    values = np.concatenate([piece[2].astype(np.int64) for piece in pieces]).reshape(-1, width)
    order = np.lexsort((t_s, lift))
    lift, t_s = lift[order], t_s[order]
    offset_ms = np.clip(((t_s - begin_s[lift]) * 1000).astype(np.int64), 0, 999)
    return Events(np.searchsorted(lift, np.arange(len(begin_s) + 1)), offset_ms, values[order])
