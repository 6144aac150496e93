"""The detector of a rule file: a condition over the columns of a table, without memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.rule import NO_MEMORY, Score, TableName
from detectors.rule_files.columns import EVENTS, values_of
from detectors.rule_files.expression import Expression, frame_of
from registry.facts import FleetFacts
from telemetry.arrays import Bools, Memory


@dataclass(frozen=True, slots=True)
class ConditionDetector:
    """Scores 1 where `when` holds, and clear where `clear` does; without `clear`, where `when` does not.

    Over rows, a condition that rests on a measured column is scored at rows that read a speed or a position alone, so
    that no reading counts twice. Over trips, the onset is the beginning of the trip.
    """

    table: TableName
    when: Expression
    clear: Expression | None
    evidence: tuple[tuple[str, Expression], ...]

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, table: Any, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row of the table."""
        frame = frame_of(values_of(self.columns, table, facts))
        on = self.when.evaluate(frame)
        off = 1.0 - on if self.clear is None else self.clear.evaluate(frame)
        if self.table == "rows":
            unread = self._unread(table)
            on[unread] = off[unread] = np.nan
        evidence = {name: each.evaluate(frame) for name, each in self.evidence}
        return state, (Score(on, off, evidence, table.start_ns if self.table == "trips" else None),)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expressions read, each once."""
        return tuple(dict.fromkeys(name for each in self._expressions() for name in each.columns))

    def _expressions(self) -> Iterator[Expression]:
        yield self.when
        if self.clear is not None:
            yield self.clear
        yield from (each for _, each in self.evidence)

    def _unread(self, rows: Any) -> Bools:
        judged = {*self.when.columns, *(self.clear.columns if self.clear else ())}
        nothing: Bools = np.isnan(rows.v) & np.isnan(rows.z)
        return np.zeros(len(rows), np.bool_) if judged <= EVENTS else nothing
