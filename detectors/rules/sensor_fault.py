"""F40 sensor fault: a sensor reads what cannot be.

    door       closed ──────────────────────────────────
    presence   0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1           a person who was not in the car when its door closed, a minute
               │◀──── a minute ────▶│                    ago or longer, cannot have come in

Only the presence is judged: a speed or a position that repeats itself has sound causes in streams without a `seq`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.rows import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype([("person_ns", np.int64)], align=True)
"""Since when a person is reported who cannot have come in, 0 none."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """Scores 1 while a sensor reads what cannot be."""

    def start(self, n: int) -> Memory:
        """Return `n` lifts whose sensors have read nothing."""
        return records(n, MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position, or at which the presence is known to be wrong."""
        state, since_ns = copied(state), np.zeros(len(rows), np.int64)
        _run(state, rows.lift, rows.t_ns, rows.unentered, since_ns)
        on = rows.unentered.astype(np.float64)
        on[np.isnan(rows.v) & np.isnan(rows.z) & ~rows.unentered] = np.nan
        return state, (Score(on, 1.0 - on, {"faulty_presence": rows.unentered.astype(np.float64)}, since_ns),)


@compiled
def _run(memory: Any, lift: Any, t_ns: Any, unentered: Any, since_ns: Any) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        if not unentered[k]:
            own["person_ns"] = 0
        elif own["person_ns"] == 0:
            own["person_ns"] = t_ns[k]
        since_ns[k] = own["person_ns"]


RULE = Rule.from_catalogue("sensor-fault", SensorFault(), (Level(MINOR, clear_readings=10),))
