"""What a cause is: its kind, its form, and what it does to the machine, as columns over the table of `causes`.

A cause is physical; its symptom follows from the motion and the doors. The cycle asks the columns ("does this cause
brake a run, and how hard?"), and no code names a cause. `rules` is text for people and for the referee: nothing here
knows a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("fault", "near-miss")
FAULT, NEAR_MISS = KINDS
FORMS = ("sudden", "intermittent", "growing")
SUDDEN, INTERMITTENT, GROWING = FORMS

ANYWHERE, RIDE, EMPTY_RUN, LANDING = range(4)
RIGHT, SHUT, REVERSES, SLIPS, HELD_OPEN, REOPENS, LEFT_OPEN, POPS_OPEN = range(8)


@dataclass(frozen=True, slots=True)
class Cause:
    """One physical cause.

    `needs` is the situation that it shows itself in: a ride with a person, a run of the empty car, a landing with the
    door open, or anywhere. `default_s` is how long it lasts from its first symptom; `soon_s` about how long that takes
    after the injection into a resting lift. `form` is the one it takes unless another is asked for. The rest is what it
    does; the defaults are a sound machine, and a pair of numbers is for the severities 0 and 1:

    `brake_mps2`   stops a run between two landings with this deceleration (0: does not)
    `speed_ratio`  the drive's plateau over the rated speed; `sense` the only direction it acts in (+1 up, -1 down)
    `overtravels`  runs through the terminal landing on the side of `sense`
    `door`         what the door does instead of its duty; `creeps`: the brake lets the car go at an open door
    `freezes`      the controller stops once the door has closed on a person
    """

    slug: str
    en: str
    zh: str
    symptom: str
    rules: tuple[str, ...]
    default_s: float
    soon_s: float
    kind: str = FAULT
    form: str = SUDDEN
    needs: int = ANYWHERE
    brake_mps2: tuple[float, float] = (0.0, 0.0)
    speed_ratio: tuple[float, float] = (1.0, 1.0)
    sense: int = 0
    overtravels: bool = False
    door: int = RIGHT
    creeps: bool = False
    freezes: bool = False
    alarm: bool = False
    battery: bool = False
    silent: bool = False
    last_will: bool = False


@dataclass(frozen=True, slots=True)
class Effects:
    """The table as columns over all causes: index them with the cause of each lift; a pair is (causes, 2)."""

    needs: NDArray[np.int64]
    brake_mps2: NDArray[np.float64]
    speed_ratio: NDArray[np.float64]
    sense: NDArray[np.int64]
    overtravels: NDArray[np.bool_]
    door: NDArray[np.int64]
    creeps: NDArray[np.bool_]
    freezes: NDArray[np.bool_]
    alarm: NDArray[np.bool_]
    battery: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    last_will: NDArray[np.bool_]


def columns(causes: Sequence[Cause]) -> Effects:
    """Return what these causes do, in columns."""
    table: dict[str, Any] = {f.name: np.array([getattr(cause, f.name) for cause in causes]) for f in fields(Effects)}
    return Effects(**table)


def graded(pairs: NDArray[np.float64], severity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number that belongs to each severity between its pair (mild, worst); `pairs` is (n, 2)."""
    return np.asarray(pairs[:, 0] + (pairs[:, 1] - pairs[:, 0]) * severity, dtype=np.float64)
