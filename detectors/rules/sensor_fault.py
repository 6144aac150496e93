"""F40 sensor fault: a sensor reads what cannot be.

    door       closed ──────────────────────────────────
    presence   0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1           a person who was not in the car when its door closed, a minute
               │◀──── a minute ────▶│                    ago or longer, cannot have come in; whoever was shut in
                                                         leaves once the door opens
    position   9.0 9.0 9.0 9.0 9.0                       a reading that repeats itself while the car moves by the other
    speed      0.4 0.9 1.3 1.6 1.7                       sensor, or over thirty trips while people use the lift;
    position   9.0  31 9.1 9.1 2.0                       readings that jump again and again
    vibration  0.0 0.0 0.0 0.0 0.0                       of a moving car; none any more; or a mean that is off zero

(`detectors.observe`: `reports.events`, `frozen` and `vibrations`). What repeats itself while messages are missing is
not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe import frozen
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

FAULTS = ("presence", "position", "speed", "door", "jumps", "accelerometer")
MEMORY = np.dtype([("since_ns", np.int64), *frozen.FIELDS], align=True)
"""Since when a sensor is faulty, 0 none."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """Scores 1 while a sensor reads what cannot be."""

    def start(self, n: int) -> Memory:
        """Return `n` lifts whose sensors have read nothing."""
        return records(n, MEMORY, **frozen.START)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position, or at which the presence is known to be wrong."""
        state, since_ns = copied(state), np.zeros(len(rows), np.int64)
        faulty = np.zeros((len(FAULTS), len(rows)), dtype=np.bool_)
        breaks = rows.gap_ns == 0
        _run(
            state, rows.lift, rows.t_ns, rows.v, rows.z, breaks, rows.unentered, rows.presence, rows.door,
            rows.curtain, rows.trips, rows.set_aside, rows.z_doubt, rows.accelerometer_doubt, faulty, since_ns,
        )  # fmt: skip
        on = np.where(faulty.any(axis=0), 1.0, 0.0)
        on[np.isnan(rows.v) & np.isnan(rows.z) & ~rows.unentered] = np.nan
        evidence = {f"faulty_{name}": faulty[k].astype(np.float64) for k, name in enumerate(FAULTS)}
        return state, (Score(on, 1.0 - on, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, v: Any, z: Any, breaks: Any, unentered: Any, presence: Any, door: Any,
    curtain: Any, trips: Any, set_aside: Any, z_doubt: Any, accelerometer_doubt: Any,
    faulty: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        frozen.note_motion(own, t_ns[k], v[k], z[k], breaks[k])
        dead, shut = frozen.note_use(own, presence[k], door[k], curtain[k], trips[k])
        faulty[0, k], faulty[1, k] = unentered[k] or dead, own["frozen_z"]
        faulty[2, k], faulty[3, k] = own["frozen_v"], shut
        faulty[4, k] = frozen.note_wild(own, t_ns[k], z[k], set_aside[k], z_doubt[k])
        faulty[5, k] = accelerometer_doubt[k]
        if not faulty[:, k].any():
            own["since_ns"] = 0
        elif own["since_ns"] == 0:
            own["since_ns"] = t_ns[k]
        since_ns[k] = own["since_ns"]


RULE = Rule.from_catalogue("sensor-fault", SensorFault(), (Level(MINOR, clear_readings=10),))
