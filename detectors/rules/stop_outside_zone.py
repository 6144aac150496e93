"""F04: the car stands outside the door zone, where its door cannot let anybody out.

A position that jumped shows no landing until it was found at landings again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied
from telemetry.streams import RESTRICTED_MODES


@dataclass(frozen=True, slots=True)
class StopOutsideZone:
    """Scores how long the car has stood outside the door zone, as a share of `hold_s`."""

    hold_s: float = 15.0

    def start(self, n: int) -> Memory:
        """Return a stopped clock for each of `n` lifts."""
        return hold.start(n)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        held_s, off = np.empty((2, len(rows)))
        offset_m, zone_m = np.abs(rows.offset_m), facts.door_zone_m[rows.lift]
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, rows.z, rows.z_doubt, rows.still_s, rows.stale,
            rows.at_rest, offset_m, zone_m, rows.mode, held_s, off, since_ns,
        )  # fmt: skip
        limit_s = np.full(len(rows), self.hold_s)
        evidence = {"offset_m": offset_m, "door_zone_m": zone_m, "held_s": held_s, "limit_s": limit_s}
        return state, (Score(held_s / self.hold_s, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, z: Any, z_doubt: Any, still_s: Any, stale: Any,
    at_rest: Any, offset_m: Any, zone_m: Any, mode: Any, held_s: Any, off: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        nowhere = np.isnan(offset_m[k]) or z_doubt[k]
        outside = at_rest[k] and offset_m[k] > zone_m[k] and mode[k] not in RESTRICTED_MODES
        holds = 1.0 if outside else 0.0
        if nowhere or stale[k] or np.isnan(still_s[k]) or (np.isnan(v[k]) and np.isnan(z[k])):
            holds = np.nan
        held_s[k] = hold.serve(own, t_ns[k], gap_ns[k], holds)
        since_ns[k] = own["since_ns"]
        off[k] = 1.0 if offset_m[k] <= zone_m[k] else 0.0
        if nowhere or np.isnan(z[k]):
            off[k] = np.nan


RULE = Rule.from_catalogue(
    "stop-outside-zone", StopOutsideZone(), (Level(MAJOR, readings=1),), needs=("floors", "position_source")
)
