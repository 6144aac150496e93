"""Definition of a cause: its kind, form and symptoms, its effect on the car's operation, and its condition.

A cause is physical; its symptoms follow from the motion and the doors. An `Effect` disturbs the car's operation: the
control logic reads its columns ("is the brake applied in a run, and how hard?") and never names a cause. A `condition`
changes the machine: columns of `condition.Condition` by name. A pair of numbers belongs to severity 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.faults.symptom_table import RULES
from telemetry.streams import NORMAL

KINDS = ("fault", "near-miss")
FAULT, NEAR_MISS = KINDS
FORMS = ("sudden", "intermittent", "growing")
SUDDEN, INTERMITTENT, GROWING = FORMS

ANYWHERE, RIDE, EMPTY_RUN, LANDING, IDLE = range(5)
DOOR_OK, STAYS_SHUT, REVERSES, SLIPS, HELD_OPEN, REOPENS, STARTS_OPEN, SPRINGS_OPEN = range(8)

SeverityRange = tuple[float, float]
UNLIMITED_S = 1e12
"""Finite, because values between the pair for severity 0 and 1 are interpolated."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a cause on a car's operation. The defaults do nothing; a car has at most one active effect at a
    time.

    `situation`              the situation in which the effect begins: a ride with a passenger, a run of the empty car,
                             a landing with the door open, a car at rest, or any
    `trips_mps2`             the drive trips and stops a run between two landings with this deceleration (0: the drive
                             does not trip)
    `brake_falls`            the machine brake is applied and stops a run between two landings
    `speed_ratio`            top speed of a run over the rated speed; `sense` is the only direction of travel with the
                             effect (+1 up, -1 down, 0 both)
    `runs_away`              the drive does not hold the car at rated speed: it accelerates a balanced car by
                             `thrust_mps2`, and the machine brake has `brake_torque_left` of its torque
    `slowdown_lost`          the share of the slow-down distance by which the drive decelerates too late for the final
                             limit switch at the terminal landing in direction `sense` (1: no deceleration before the
                             switch)
    `door`                   the malfunction of the door
    `brake_slips`            only `brake_torque_left` of the brake's torque holds the car at an open door
    `freezes_at_landing`     the controller stops once the door has closed on a passenger; `halts`: wherever the car is
    `car_jammed`             the car does not move although the drive runs; `runs_uncalled`: the empty car runs without
                             calls
    `blocks_doorway`         an object stands in the doorway; `people_pass`: people and goods pass through the doorway
    `inspection_speed`       the car runs to the next landing at inspection speed and stays there
    `opens_chain`            a contact of the safety chain is open; `mode` is the operating mode of the controller
    `battery`                the mains are off, and the terminal runs for `battery_lasts_s` on its battery
    `silent`                 the terminal sends nothing; `last_will`: the broker publishes the last will
    `during_ride`            the effect begins with the ride and does not change the operation of the car
    `shuttles`               a passenger rides to and fro between two landings
    `maintenance`            a mechanic works at the empty car (`cars.maintenance_visit`)
    """

    situation: int = ANYWHERE
    trips_mps2: SeverityRange = (0.0, 0.0)
    brake_falls: bool = False
    speed_ratio: SeverityRange = (1.0, 1.0)
    sense: int = 0
    runs_away: bool = False
    thrust_mps2: SeverityRange = (0.0, 0.0)
    brake_torque_left: SeverityRange = (1.0, 1.0)
    slowdown_lost: SeverityRange = (0.0, 0.0)
    door: int = DOOR_OK
    brake_slips: bool = False
    freezes_at_landing: bool = False
    halts: bool = False
    car_jammed: bool = False
    runs_uncalled: bool = False
    blocks_doorway: bool = False
    people_pass: bool = False
    inspection_speed: bool = False
    opens_chain: bool = False
    alarm: bool = False
    battery: bool = False
    battery_lasts_s: SeverityRange = (UNLIMITED_S, UNLIMITED_S)
    silent: bool = False
    last_will: bool = False
    during_ride: bool = False
    shuttles: bool = False
    maintenance: bool = False
    mode: int = NORMAL


@dataclass(frozen=True, slots=True)
class Cause:
    """One physical cause of a fault or a near miss.

    `symptoms` appear in each occurrence, `may_show` only in some. `default_s` is the duration from the first symptom
    (for sudden faults that are not requested with a duration: the median). `onset_delay_s` is the approximate time from
    the injection into a resting lift to the first symptom. `form` is the default form; `growth_days` the range of the
    time from the first physical sign to functional failure; `rate_per_year` the failure rate of a lift in a real fleet.
    `whole_building`: all lifts of the building are affected. The condition of an intermittent effect ends with the
    effect unless `keeps_condition`; `max_on_s` limits the duration of one activation.
    """

    slug: str
    en: str
    zh: str
    symptoms: tuple[str, ...]
    default_s: float
    onset_delay_s: float
    effect: Effect | None = None
    condition: Mapping[str, SeverityRange] = field(default_factory=dict)
    kind: str = FAULT
    form: str = SUDDEN
    growth_days: SeverityRange = (20.0, 90.0)
    rate_per_year: float = 0.0
    whole_building: bool = False
    keeps_condition: bool = False
    max_on_s: float = np.inf
    may_show: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that should fire, for people and for the evaluation; the simulator has none of their thresholds."""
        return tuple(dict.fromkeys(rule for symptom in (*self.symptoms, *self.may_show) for rule in RULES[symptom]))


@dataclass(frozen=True, slots=True)
class EffectTable:
    """The effects of all causes as columns, indexed by the number of the cause; a pair is (causes, 2)."""

    situation: NDArray[np.int64]
    trips_mps2: NDArray[np.float64]
    brake_falls: NDArray[np.bool_]
    speed_ratio: NDArray[np.float64]
    sense: NDArray[np.int64]
    runs_away: NDArray[np.bool_]
    thrust_mps2: NDArray[np.float64]
    brake_torque_left: NDArray[np.float64]
    slowdown_lost: NDArray[np.float64]
    door: NDArray[np.int64]
    brake_slips: NDArray[np.bool_]
    freezes_at_landing: NDArray[np.bool_]
    halts: NDArray[np.bool_]
    car_jammed: NDArray[np.bool_]
    runs_uncalled: NDArray[np.bool_]
    blocks_doorway: NDArray[np.bool_]
    people_pass: NDArray[np.bool_]
    inspection_speed: NDArray[np.bool_]
    opens_chain: NDArray[np.bool_]
    alarm: NDArray[np.bool_]
    battery: NDArray[np.bool_]
    battery_lasts_s: NDArray[np.float64]
    silent: NDArray[np.bool_]
    last_will: NDArray[np.bool_]
    during_ride: NDArray[np.bool_]
    shuttles: NDArray[np.bool_]
    maintenance: NDArray[np.bool_]
    mode: NDArray[np.int64]


def columns(causes: Sequence[Cause]) -> EffectTable:
    """Return the effects of these causes as columns."""
    effects = [cause.effect or Effect() for cause in causes]
    table: dict[str, Any] = {
        f.name: np.array([getattr(effect, f.name) for effect in effects]) for f in fields(EffectTable)
    }
    return EffectTable(**table)


def at_severity(pairs: NDArray[np.float64], severity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values at these severities, interpolated between their pairs (severity 0, severity 1); `pairs` is (n,
    2)."""
    return np.asarray(pairs[:, 0] * (1 - severity) + pairs[:, 1] * severity, dtype=np.float64)
