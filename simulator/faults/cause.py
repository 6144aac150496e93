"""What a cause is: its kind, its form, its symptoms, and what it does to car and machine.

A cause is physical; its symptoms follow from the motion and the doors. An `Act` takes the car out of its duty: the
cycle asks its columns ("does this cause brake a run, and how hard?"), and no code names a cause. A `condition` alters
the machine: columns of `condition.Condition` by name. A pair of numbers is for the severities 0 and 1.
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
RIGHT, SHUT, REVERSES, SLIPS, HELD_OPEN, REOPENS, LEFT_OPEN, POPS_OPEN = range(8)

Pair = tuple[float, float]
FOR_EVER_S = 1e12
"""Finite, so that it can be graded."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a cause does to the duty of a car; one act at a time. The defaults do nothing.

    `needs` is the situation that it shows itself in: a ride with a person, a run of the empty car, a landing with the
    door open, a car at rest, or anywhere.

    `trips_mps2`   the drive trips, and stops a run between two landings with this deceleration (0: does not)
    `brakes`       the machine brake falls, and stops a run between two landings
    `speed_ratio`  the drive's plateau over the rated speed; `sense` the only direction it acts in (+1 up, -1 down)
    `runs_away`    nothing holds the car at its rated speed: its drive gives a balanced car `thrust_mps2` more, and the
                   brake, when it falls, has `brake_left` of its torque
    `slowdown_lost` is the share of the way of its slow-down by which the drive is late for the final limit switch at
                   the end of `sense` (1: it has not slowed down before it)
    `door`         what the door does instead of its duty
    `brake_slips`  only `brake_left` of the brake's torque holds the car at an open door
    `freezes`      the controller stops once the door has closed on a person; `halts`: wherever the car is
    `sticks`       the car does not move off although its drive runs; `wanders`: it runs to and fro for nobody
    `occupies`     something stands in the doorway meanwhile; `passes`: people and goods go through it all the time
    `crawls`       the car goes to the next landing at the speed of an inspection, and stays there
    `opens_chain`  a contact of the safety chain is open meanwhile; `mode` is what the controller says it is in
    `battery`      the mains are away, and the terminal lives `battery_lasts_s` more
    `silent`       the terminal is not heard
    `comes_along`  shows itself as the ride begins, and leaves the car to its duty
    `shuttles`     somebody rides to and fro between two landings
    `visits`       a mechanic works at the empty car (`visit.py`)
    """

    needs: int = ANYWHERE
    trips_mps2: Pair = (0.0, 0.0)
    brakes: bool = False
    speed_ratio: Pair = (1.0, 1.0)
    sense: int = 0
    runs_away: bool = False
    thrust_mps2: Pair = (0.0, 0.0)
    brake_left: Pair = (1.0, 1.0)
    slowdown_lost: Pair = (0.0, 0.0)
    door: int = RIGHT
    brake_slips: bool = False
    freezes: bool = False
    halts: bool = False
    sticks: bool = False
    wanders: bool = False
    occupies: bool = False
    passes: bool = False
    crawls: bool = False
    opens_chain: bool = False
    alarm: bool = False
    battery: bool = False
    battery_lasts_s: Pair = (FOR_EVER_S, FOR_EVER_S)
    silent: bool = False
    last_will: bool = False
    comes_along: bool = False
    shuttles: bool = False
    visits: bool = False
    mode: int = NORMAL


@dataclass(frozen=True, slots=True)
class Cause:
    """One physical cause; `symptoms` are those that each of its occurrences shows, `may_show` those that only some do.

    `default_s` is how long it lasts from its first symptom where nothing else is asked for (of a sudden fault that
    comes by itself or on trial, the median); `soon_s` about how long
    that takes after the injection into a resting lift. `form` is the one it takes by itself, `growth_days` how long it
    grows from the first physical sign to functional failure; `per_year` how often it strikes a lift in a real fleet,
    and `whole_building` all lifts of its building with it. The condition of an act that comes and goes does so with it,
    unless it is `lasting`; `stays_s` is how long such an act stays at most.
    """

    slug: str
    en: str
    zh: str
    symptoms: tuple[str, ...]
    default_s: float
    soon_s: float
    act: Act | None = None
    condition: Mapping[str, Pair] = field(default_factory=dict)
    kind: str = FAULT
    form: str = SUDDEN
    growth_days: Pair = (20.0, 90.0)
    per_year: float = 0.0
    whole_building: bool = False
    lasting: bool = False
    stays_s: float = np.inf
    may_show: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that people expect to hear: text for them and for the referee, no threshold is known here."""
        return tuple(dict.fromkeys(rule for symptom in (*self.symptoms, *self.may_show) for rule in RULES[symptom]))


@dataclass(frozen=True, slots=True)
class Effects:
    """The acts of all causes as columns: index them with the cause of each lift; a pair is (causes, 2)."""

    needs: NDArray[np.int64]
    trips_mps2: NDArray[np.float64]
    brakes: NDArray[np.bool_]
    speed_ratio: NDArray[np.float64]
    sense: NDArray[np.int64]
    runs_away: NDArray[np.bool_]
    thrust_mps2: NDArray[np.float64]
    brake_left: NDArray[np.float64]
    slowdown_lost: NDArray[np.float64]
    door: NDArray[np.int64]
    brake_slips: NDArray[np.bool_]
    freezes: NDArray[np.bool_]
    halts: NDArray[np.bool_]
    sticks: NDArray[np.bool_]
    wanders: NDArray[np.bool_]
    occupies: NDArray[np.bool_]
    passes: NDArray[np.bool_]
    crawls: NDArray[np.bool_]
    opens_chain: NDArray[np.bool_]
    alarm: NDArray[np.bool_]
    battery: NDArray[np.bool_]
    battery_lasts_s: NDArray[np.float64]
    silent: NDArray[np.bool_]
    last_will: NDArray[np.bool_]
    comes_along: NDArray[np.bool_]
    shuttles: NDArray[np.bool_]
    visits: NDArray[np.bool_]
    mode: NDArray[np.int64]


def columns(causes: Sequence[Cause]) -> Effects:
    """Return what these causes do, in columns."""
    acts = [cause.act or Act() for cause in causes]
    table: dict[str, Any] = {f.name: np.array([getattr(act, f.name) for act in acts]) for f in fields(Effects)}
    return Effects(**table)


def graded(pairs: NDArray[np.float64], severity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number that belongs to each severity between its pair (mild, worst); `pairs` is (n, 2)."""
    return np.asarray(pairs[:, 0] * (1 - severity) + pairs[:, 1] * severity, dtype=np.float64)
