"""Applies faults to the condition of lifts, at once or growing over days.

    share of the change   1 ┤            ┌── functional failure, constant until the end
                            │        ..-─┘
                          0 └────..──────►     from the first physical sign on: ((t - onset) / growth) ** exponent

The condition of a lift is a function of its active faults. Changes of one column add up (factors multiply); without
active faults a column is exactly the healthy value.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from simulator.faults.cause_table import BY_NUMBER
from simulator.faults.condition import Condition
from simulator.faults.schedule import FaultOccurrence
from telemetry.arrays import F64

COLUMNS = tuple(sorted({name for cause in BY_NUMBER for name in cause.condition}))
TRANSIENT = ("gust_m", "goods")
"""Columns of near misses: they rise and fall smoothly over the duration of the near miss."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """All changes of one column: the lifts, the full change of each, and how it grows."""

    lift: NDArray[np.intp]
    full_change: F64
    onset_s: F64
    growth_s: F64
    growth_exponent: F64
    for_s: F64

    def value(self, t_s: float) -> F64:
        """Return the size of each change at this time."""
        grown = np.clip((t_s - self.onset_s) / np.maximum(self.growth_s, 1e-9), 0.0, 1.0) ** self.growth_exponent
        return self.full_change * np.where(self.growth_s > 0, grown, 1.0)

    def transient_value(self, t_s: float) -> F64:
        """Return the size of each transient change at this time."""
        share = np.clip((t_s - self.onset_s) / self.for_s, 0.0, 1.0)
        return self.full_change * np.sin(np.pi * share) ** 2


class ConditionChanges:
    """The active faults of one `Condition`; call `step` once a second."""

    def __init__(self, condition: Condition) -> None:
        self._column = {name: attrgetter(name)(condition) for name in COLUMNS}
        self._healthy = {name: column[:1].copy() for name, column in self._column.items()}
        self._active: dict[tuple[int, int], tuple[FaultOccurrence, float]] = {}
        self._changes: dict[str, _Changes] = {}
        self._stale: set[str] = set()

    def add(self, fault: FaultOccurrence, onset_s: float) -> None:
        """Add a fault with its onset."""
        self._active[fault.lift, fault.number] = fault, onset_s
        self._stale.update(BY_NUMBER[fault.cause].condition)

    def remove(self, fault: FaultOccurrence) -> None:
        """Remove a fault and its changes."""
        if self._active.pop((fault.lift, fault.number), None) is not None:
            self._stale.update(BY_NUMBER[fault.cause].condition)

    def step(self, t_s: float) -> None:
        """Update the columns to this time: those whose faults have changed, and those that grow."""
        for name in sorted(self._stale):
            self._restore(name)
            self._collect(name)
        for name, changes in self._changes.items():
            if name in self._stale or name in TRANSIENT or changes.growth_s.any():
                self._apply(name, changes, t_s)
        self._stale.clear()

    def _restore(self, name: str) -> None:
        if name in self._changes:
            self._column[name][self._changes.pop(name).lift] = self._healthy[name]

    def _collect(self, name: str) -> None:
        """Collect the changes of one column."""
        found = [(f, onset_s) for f, onset_s in self._active.values() if name in BY_NUMBER[f.cause].condition]
        if found:
            columns = zip(
                *(
                    (f.lift, _full_change(f, name), onset_s, f.growth_s, f.growth_exponent, f.for_s)
                    for f, onset_s in found
                ),
                strict=True,
            )
            lift, *numbers = (np.array(column) for column in columns)
            self._changes[name] = _Changes(lift, *(n.astype(np.float64) for n in numbers))

    def _apply(self, name: str, changes: _Changes, t_s: float) -> None:
        column, healthy = self._column[name], self._healthy[name]
        column[changes.lift] = healthy
        if column.dtype == np.bool_:
            column[changes.lift] = True
        elif healthy == 1:
            np.multiply.at(column, changes.lift, 1 + changes.value(t_s))
        else:
            adds = changes.transient_value(t_s) if name in TRANSIENT else changes.value(t_s)
            np.add.at(column, changes.lift, adds.astype(column.dtype))


def _full_change(fault: FaultOccurrence, name: str) -> float:
    """Return the full change of a column by a fault."""
    mild, worst = BY_NUMBER[fault.cause].condition[name]
    return mild + (worst - mild) * fault.severity
