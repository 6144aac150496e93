"""F18: the door of a standing car stays open. Not where a lift parks with its door open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe import door_duty
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied
from telemetry.streams import CLOSED


@dataclass(frozen=True, slots=True)
class DoorHeldOpen:
    """Scores how long the door has been open at a car that stands, as a share of `hold_s`."""

    hold_s: float = 120.0

    def start(self, n: int) -> Memory:
        """Return a stopped clock for each of `n` lifts."""
        return hold.start(n)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        held_s, off = np.empty((2, len(rows)))
        unread = (np.isnan(rows.v) & np.isnan(rows.z)) | np.isnan(rows.still_s) | rows.stale
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, unread, rows.at_rest, rows.door, rows.mode,
            facts.parks_door_open, held_s, off, since_ns,
        )  # fmt: skip
        evidence = {"held_s": held_s, "limit_s": np.full(len(rows), self.hold_s)}
        return state, (Score(held_s / self.hold_s, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, unread: Any, at_rest: Any, door: Any, mode: Any,
    parks_open: Any, held_s: Any, off: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        serves = door_duty.in_service(mode[k]) and not parks_open[lift[k]]
        holds = door_duty.stands_open(door[k], at_rest[k], serves, unread[k])
        held_s[k] = hold.serve(own, t_ns[k], gap_ns[k], holds)
        since_ns[k] = own["since_ns"]
        off[k] = 1.0 if door[k] == CLOSED else 0.0
        if np.isnan(door[k]):
            off[k] = np.nan


RULE = Rule.from_catalogue("door-held-open", DoorHeldOpen(), (Level(MINOR, readings=1),))
