"""How causes alter the condition of machine, car and sensors, at once or growing from day to day.

    share of the damage   1 ┤            ┌── functional failure, and it stays so until the end
                            │        ..-─┘
                          0 └────..──────►     from the first physical sign on: ((t - onset) / growth) ** shape

The law: the condition of a lift is a function of what ails it now: damages of one column add up (ratios multiply), and
with the last one gone the column is sound again, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from simulator.faults.cause_table import BY_NUMBER
from simulator.faults.condition import Condition
from simulator.faults.schedule import Fault

F64 = NDArray[np.float64]

COLUMNS = tuple(sorted({name for cause in BY_NUMBER for name in cause.condition}))
SWELLING = ("gust_m", "goods")
"""Columns that are no damage: they come softly, and are gone again when it is over."""


@dataclass(frozen=True, slots=True)
class _Damages:
    """All damages of one column: which lifts, what is added in the end, and how each grows."""

    lift: NDArray[np.intp]
    full: F64
    onset_s: F64
    growth_s: F64
    shape: F64
    for_s: F64

    def now(self, t_s: float) -> F64:
        """Return what each adds at this moment."""
        grown = np.clip((t_s - self.onset_s) / np.maximum(self.growth_s, 1e-9), 0.0, 1.0) ** self.shape
        return self.full * np.where(self.growth_s > 0, grown, 1.0)

    def swell(self, t_s: float) -> F64:
        """Return what each adds at this moment that comes and goes softly."""
        share = np.clip((t_s - self.onset_s) / self.for_s, 0.0, 1.0)
        return self.full * np.sin(np.pi * share) ** 2


class Wear:
    """What ails the lifts of one condition; `add` and `remove` faults, and `step` once a second."""

    def __init__(self, condition: Condition) -> None:
        self._column = {name: attrgetter(name)(condition) for name in COLUMNS}
        self._sound = {name: column[:1].copy() for name, column in self._column.items()}
        self._ailing: dict[tuple[int, int], tuple[Fault, float]] = {}
        self._damages: dict[str, _Damages] = {}
        self._stale: set[str] = set()

    def add(self, fault: Fault, onset_s: float) -> None:
        """Let a fault ail its lift from `onset_s` on."""
        self._ailing[fault.lift, fault.number] = fault, onset_s
        self._stale.update(BY_NUMBER[fault.cause].condition)

    def remove(self, fault: Fault) -> None:
        """Put right what this fault has damaged."""
        if self._ailing.pop((fault.lift, fault.number), None) is not None:
            self._stale.update(BY_NUMBER[fault.cause].condition)

    def step(self, t_s: float) -> None:
        """Bring the columns to this moment: those that something was added to or removed from, and those that grow."""
        for name in sorted(self._stale):
            self._rest(name)
            self._gather(name)
        for name, damages in self._damages.items():
            if name in self._stale or name in SWELLING or damages.growth_s.any():
                self._apply(name, damages, t_s)
        self._stale.clear()

    def _rest(self, name: str) -> None:
        if name in self._damages:
            self._column[name][self._damages.pop(name).lift] = self._sound[name]

    def _gather(self, name: str) -> None:
        """Bring together what damages this column now."""
        found = [(f, onset_s) for f, onset_s in self._ailing.values() if name in BY_NUMBER[f.cause].condition]
        if found:
            columns = zip(
                *((f.lift, _full(f, name), onset_s, f.growth_s, f.shape, f.for_s) for f, onset_s in found), strict=True
            )
            lift, *numbers = (np.array(column) for column in columns)
            self._damages[name] = _Damages(lift, *(n.astype(np.float64) for n in numbers))

    def _apply(self, name: str, damages: _Damages, t_s: float) -> None:
        column, sound = self._column[name], self._sound[name]
        column[damages.lift] = sound
        if column.dtype == np.bool_:
            column[damages.lift] = True
        elif sound == 1:
            np.multiply.at(column, damages.lift, 1 + damages.now(t_s))
        else:
            adds = damages.swell(t_s) if name in SWELLING else damages.now(t_s)
            np.add.at(column, damages.lift, adds.astype(column.dtype))


def _full(fault: Fault, name: str) -> float:
    """Return what a fault adds to a column in the end."""
    mild, worst = BY_NUMBER[fault.cause].condition[name]
    return mild + (worst - mild) * fault.severity
