"""F19: somebody or something in the doorway keeps the door open.

    door      ____/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾     open at a standing car, in service: the clock of F18
    blocked   _______/‾‾‾‾‾‾\\_____/‾‾‾‾‾     the light curtain is interrupted, or a person is in the car
    found                             ^      open for `hold_s`, and blocked for the last `blocked_s`

A state that is unknown stops its clock. Not where a lift parks with its door open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe import door_duty
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED

MEMORY = np.dtype([*hold.FIELDS, ("free_ns", np.int64)], align=True)
"""The clock of the open door, and the last row at which the doorway was not known to be blocked."""


@dataclass(frozen=True, slots=True)
class DoorObstructed:
    """Scores how long the door has been open at a car that stands, as a share of `hold_s`, while it is blocked."""

    hold_s: float = 90.0
    blocked_s: float = 10.0

    def start(self, n: int) -> Memory:
        """Return a stopped clock for each of `n` lifts."""
        return records(n, MEMORY, last_ns=NEVER_NS, free_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, held_s, blocked_s = np.empty((4, len(rows)))
        unread = (np.isnan(rows.v) & np.isnan(rows.z)) | np.isnan(rows.still_s) | rows.stale
        blocked = _blocked(rows)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, unread, rows.at_rest, rows.door, rows.mode, blocked,
            facts.parks_door_open, (self.hold_s, self.blocked_s), on, off, held_s,
            blocked_s, since_ns,
        )  # fmt: skip
        evidence = {"held_s": held_s, "limit_s": np.full(len(rows), self.hold_s), "blocked_s": blocked_s}
        return state, (Score(on, off, evidence, since_ns),)


def _blocked(rows: RowTable) -> F64:
    """Return 1 where the light curtain is interrupted or a person is present, 0 where neither, NaN where unknown."""
    either = (rows.curtain == 1.0) | (rows.presence == 1.0)
    return np.where(either, 1.0, np.where(np.isnan(rows.curtain) | np.isnan(rows.presence), np.nan, 0.0))


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, unread: Any, at_rest: Any, door: Any, mode: Any, blocked: Any,
    parks_open: Any, limits_s: tuple[float, float], on: Any, off: Any, held_s: Any, blocked_s: Any,
    since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        serves = door_duty.in_service(mode[k]) and not parks_open[lift[k]]
        stands = door_duty.stands_open(door[k], at_rest[k], serves, unread[k])
        held_s[k] = hold.serve(own, t_ns[k], gap_ns[k], stands)
        if blocked[k] != 1.0 or own["free_ns"] == NEVER_NS:
            own["free_ns"] = t_ns[k]
        blocked_s[k] = (t_ns[k] - own["free_ns"]) / 1e9
        on[k] = min(held_s[k] / limits_s[0], blocked_s[k] / limits_s[1])
        if np.isnan(held_s[k]) or np.isnan(blocked[k]):
            on[k] = np.nan
        off[k] = 1.0 if door[k] == CLOSED or blocked[k] == 0.0 else 0.0
        if unread[k] or (np.isnan(door[k]) and np.isnan(blocked[k])):
            off[k] = np.nan
        since_ns[k] = own["since_ns"]


RULE = Rule.from_catalogue("door-obstructed", DoorObstructed(), (Level(MINOR, readings=1, clear_s=10.0),))
