"""F07: the door comes open while the car runs between landings.

door    ______/‾‾‾‾‾‾
speed   __/‾‾‾‾‾‾‾‾‾‾    above the limit, outside the door zone
onset         ^

A car that started with an open door is F06's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe import doorway
from detectors.observe.rest import STILL_S
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, OPENING

MEMORY = np.dtype(doorway.FIELDS, align=True)


@dataclass(frozen=True, slots=True)
class DoorOpenedRunning:
    """Scores the speed of a car outside the door zone, with a door that opened on the way, as a share of the limit.

    `level_mps`: the greatest speed of levelling in. `early_s`: the door of a car that levels in may report that much
    earlier than the car that it has arrived.
    """

    limit_mps: float = 0.3
    level_mps: float = 0.80
    early_s: float = 0.5

    def start(self, n: int) -> Memory:
        """Return `n` lifts with the door's latch unknown."""
        return records(n, MEMORY, **doorway.START)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        state = copied(state)
        on, off, limit_mps = np.empty((3, len(rows)))
        stands = rows.at_rest | np.isnan(rows.still_s)
        _run(
            state, rows.lift, rows.v, rows.accel, rows.offset_m, rows.door, rows.mode, rows.still_s,
            stands, facts.door_zone_m, self.limit_mps, self.level_mps, self.early_s, on, off, limit_mps,
        )  # fmt: skip
        evidence = {"speed_mps": np.abs(rows.v), "limit_mps": limit_mps, "offset_m": np.abs(rows.offset_m)}
        return state, (Score(on, off, evidence),)


@compiled
def _run(
    memory: Any, lift: Any, v: Any, accel: Any, offset_m: Any, door: Any, mode: Any, still_s: Any,
    stands: Any, zone_m: Any, least_mps: float, level_mps: float, early_s: float, on: Any, off: Any, limit_mps: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        speed, zone = abs(v[k]), zone_m[lift[k]]
        ajar = doorway.ajar(door[k])
        left_open = doorway.left_open(memory[lift[k]], stands[k], ajar)
        limit_mps[k] = doorway.speed_limit(mode[k], least_mps)
        opened = ajar == 1.0 and not left_open and abs(offset_m[k]) > zone
        if opened and door[k] == OPENING and _arrives(v[k], accel[k], offset_m[k], zone, level_mps, early_s):
            opened = False
        on[k] = speed / limit_mps[k] if opened and speed > limit_mps[k] else 0.0
        if np.isnan(speed) or np.isnan(ajar) or np.isnan(offset_m[k]):
            on[k] = np.nan
        off[k] = 1.0 if door[k] == CLOSED and still_s[k] >= STILL_S else 0.0
        if np.isnan(door[k]) or np.isnan(still_s[k]):
            off[k] = np.nan


@compiled
def _arrives(v: float, accel: float, offset_m: float, zone_m: float, level_mps: float, early_s: float) -> bool:
    """Return whether the car levels in and will be in the door zone within `early_s`."""
    speed, nears = abs(v), v * offset_m < 0.0
    return nears and speed <= level_mps and abs(offset_m) <= zone_m + early_s * speed and doorway.slows(v, accel)


RULE = Rule.from_catalogue(
    "door-opened-running",
    DoorOpenedRunning(),
    (Level(CRITICAL, hold_s=0.2, clear_s=60.0),),
    needs=("floors", "position_source"),
)
