"""F17: the door opens and closes again and again at one stop.

door    closed open closed open closed open closed ...
cycles         ^      1      ^    2      ^    3         a stop ends when the car is seen to leave its rest

Only of a car that is read often is it known that the cycles are at one stop: a car with few readings is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe import door_duty
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, OPEN

BURST = 3
"""So many cycles in a short time are as bad as many in a long one (`MEMORY` has the begins of as many)."""

MEMORY = np.dtype(
    [
        ("stop_ns", np.int64),  # since when the car has been at this stop
        ("read_ns", np.int64),  # the last row that read a speed or a position
        ("shut", np.bool_),  # whether the door was closed at the last row
        ("begin_ns", np.int64),  # when the cycle began that is under way, 0: none is
        ("opened", np.bool_),  # whether the door came to be open in that cycle
        ("count", np.int64),  # the full cycles at this stop
        ("first_ns", np.int64),  # when the first of them began, 0: there was none
        ("last_1_ns", np.int64),  # when the last one began, the one before, and the one before that
        ("last_2_ns", np.int64),
        ("last_3_ns", np.int64),
        ("burst_ns", np.int64),  # when the burst at this stop began, 0: there was none
        ("trips", np.int64),  # the completed trips when the door was last faulty
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class DoorCycling:
    """Scores the full cycles at this stop as a share of `cycles`; 1 where `BURST` of them took `burst_s` or less.

    `unread_s`: no car goes to another landing and comes to rest there between two readings that are this close.
    """

    cycles: int = 5
    burst_s: float = 15.0
    unread_s: float = 3.0

    def start(self, n: int) -> Memory:
        """Return `n` doors that have not moved."""
        return records(n, MEMORY, stop_ns=NEVER_NS, read_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row at which it is known whether the car stands."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, cycles = np.empty((3, len(rows)))
        _run(
            state, rows.lift, rows.t_ns, rows.v, rows.z, rows.still_s, rows.still_since_ns, rows.at_rest, rows.door,
            rows.mode, rows.trips, self.cycles, round(self.burst_s * 1e9), round(self.unread_s * 1e9), on, off, cycles,
            since_ns, )  # fmt: skip
        evidence = {
            "cycles": cycles,
            "limit_cycles": np.full(len(rows), float(self.cycles)),
            "within_s": (rows.t_ns - since_ns) / 1e9,
            "burst_cycles": np.full(len(rows), float(BURST)),
            "burst_s": np.full(len(rows), self.burst_s),
        }
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, v: Any, z: Any, still_s: Any, still_since_ns: Any, at_rest: Any, door: Any,
    mode: Any, trips: Any, limit_cycles: int, burst_ns: int, unread_ns: int, on: Any, off: Any, cycles: Any,
    since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        counts = door_duty.in_service(mode[k]) and t_ns[k] - own["read_ns"] <= unread_ns
        if still_since_ns[k] != own["stop_ns"] or not counts:
            own["stop_ns"], own["count"], own["first_ns"], own["burst_ns"] = still_since_ns[k], 0, 0, 0
            own["shut"], own["begin_ns"], own["opened"] = True, 0, False
        _count_cycles(own, t_ns[k], door[k], burst_ns)
        if not (np.isnan(v[k]) and np.isnan(z[k])):
            own["read_ns"] = t_ns[k]
        share = max(own["count"] / limit_cycles, 1.0 if own["burst_ns"] > 0 else 0.0)
        if share >= 1.0:
            own["trips"] = trips[k]
        cycles[k] = own["count"]
        since_ns[k] = own["burst_ns"] if own["burst_ns"] > 0 else own["first_ns"]
        on[k] = share if at_rest[k] else 0.0
        if np.isnan(still_s[k]) or np.isnan(door[k]):
            on[k] = np.nan
        off[k] = 1.0 if trips[k] > own["trips"] else 0.0
        if np.isnan(door[k]):
            off[k] = np.nan


@compiled
def _count_cycles(own: Any, t_ns: int, door: float, burst_ns: int) -> None:
    """Count the cycles at this stop; keep when the last ones began. One that is partly unknown does not count."""
    shut = door == CLOSED
    if shut and own["opened"]:
        _end_cycle(own, t_ns, burst_ns)
    if np.isnan(door):
        own["begin_ns"] = 0
    elif own["shut"] and not shut:
        own["begin_ns"] = t_ns
    own["opened"] = own["begin_ns"] > 0 and (door == OPEN or (own["opened"] and not shut))
    own["shut"] = shut


@compiled
def _end_cycle(own: Any, t_ns: int, burst_ns: int) -> None:
    """Count one more full cycle; remember the burst that it ends."""
    own["count"] += 1
    own["last_3_ns"], own["last_2_ns"], own["last_1_ns"] = own["last_2_ns"], own["last_1_ns"], own["begin_ns"]
    if own["count"] == 1:
        own["first_ns"] = own["begin_ns"]
    if own["count"] >= BURST and own["burst_ns"] == 0 and t_ns - own["last_3_ns"] <= burst_ns:
        own["burst_ns"] = own["last_3_ns"]


RULE = Rule.from_catalogue("door-cycling", DoorCycling(), (Level(MINOR, readings=1),))
