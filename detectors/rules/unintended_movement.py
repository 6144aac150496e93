"""F05 unintended car movement: the car leaves the landing at which its door opened.

    door    ____/‾‾‾‾‾‾‾‾‾‾‾‾‾     opens at a car that stands in its door zone: armed, this landing is home
    moved   _________/‾‾‾‾‾‾‾      out of the door zone, or away from home too fast
    onset            ^

A stuck door contact or a jump of the position alone raises nothing: the door must have left closed, and the car must
have been seen to move (EN 81-20, 3.62 and 5.6.7). The distance with an open door is recorded until the
door has closed: the standard has it stopped within 1.20 m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe import doorway
from detectors.observe.gaps import GAP_S, NEVER_NS
from detectors.observe.rest import STILL_MPS, STILL_S
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import INSPECTION

MEMORY = np.dtype(
    [
        ("ajar", np.float64),  # 1 where the door was not closed, 0 where it was, NaN unknown
        ("left_ns", np.int64),  # when the door left closed
        ("armed", np.bool_),
        ("home_m", np.float64),  # the landing at which the door opened
        ("way_m", np.float64),  # the way since, by the speeds
        ("t_ns", np.int64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class UnintendedMovement:
    """Scores how far the car is from the landing (as a share of the door zone), or how fast it leaves it.

    `early_s`: the door may report open that much earlier than the car reports rest. `moved`: the share of the door zone
    that the speeds must account for. `level_slack_m`: a car that is closer to the landing may leave it in either
    direction.
    """

    leaving_mps: float = 0.30
    early_s: float = 0.5
    moved: float = 0.25
    level_slack_m: float = 0.02

    def start(self, n: int) -> Memory:
        """Return `n` cars with doors of unknown state, none of them armed."""
        return records(n, MEMORY, ajar=np.nan, left_ns=NEVER_NS, home_m=np.nan, t_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state = copied(state)
        on, off, moved_m = np.empty((3, len(rows)))
        _run(
            state, rows.lift, rows.t_ns, rows.v, rows.v_last, rows.z, rows.z_last, rows.offset_m, rows.door,
            rows.mode, rows.still_s, rows.still_since_ns, facts.door_zone_m, self.leaving_mps,
            round(self.early_s * 1e9), self.moved, self.level_slack_m, on, off, moved_m,
        )  # fmt: skip
        zone = facts.door_zone_m[rows.lift]
        evidence = {"moved_m": moved_m, "max_z_m": moved_m, "speed_mps": np.abs(rows.v_last), "limit_m": zone}
        return state, (Score(on, off, evidence),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, v: Any, v_last: Any, z: Any, z_last: Any, offset_m: Any, door: Any,
    mode: Any, still_s: Any, still_since_ns: Any, zone_m: Any, leaving_mps: float, early_ns: int,
    share_moved: float, slack_m: float, on: Any, off: Any, moved_m: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own, zone = memory[lift[k]], zone_m[lift[k]]
        ajar = doorway.ajar(door[k])
        inspected = mode[k] == INSPECTION and not abs(v_last[k]) > doorway.INSPECTION_MPS
        if own["ajar"] == 0.0 and ajar == 1.0:
            own["left_ns"] = t_ns[k]
        arrived_ns = still_since_ns[k] - early_ns
        opened_here = still_s[k] >= STILL_S and abs(offset_m[k]) <= zone and own["left_ns"] >= arrived_ns
        _arm(own, t_ns[k], ajar, opened_here, inspected, z_last[k] - offset_m[k], v_last[k])
        off[k] = 0.0 if own["armed"] else 1.0
        if np.isnan(ajar):
            off[k] = np.nan
        from_home_m = z_last[k] - own["home_m"]
        moved_m[k] = abs(from_home_m)
        if np.isnan(ajar) or np.isnan(z_last[k]) or (np.isnan(v[k]) and np.isnan(z[k])):
            on[k] = np.nan
            continue
        on[k] = 0.0
        if own["armed"] and not inspected:
            if not np.isnan(z[k]) and np.sign(from_home_m) * own["way_m"] >= share_moved * zone:
                on[k] = moved_m[k] / zone
            if not np.isnan(v[k]) and (v[k] * from_home_m > 0.0 or moved_m[k] <= slack_m):
                on[k] = max(on[k], abs(v[k]) / leaving_mps)


@compiled
def _arm(own: Any, t_ns: int, ajar: float, opened_here: bool, inspected: bool, landing_m: float, v_last: float) -> None:
    """Arm at a door that opened here, at a standing car; add up the way since then; disarm when it has closed.

    Home moves along with a car that a mechanic drives in inspection.
    """
    if ajar != 1.0 or not (own["armed"] or opened_here):
        own["armed"], own["home_m"], own["way_m"] = False, np.nan, 0.0
    elif inspected or not own["armed"]:
        own["armed"], own["home_m"], own["way_m"] = True, landing_m, 0.0
    else:
        dt_s = (t_ns - own["t_ns"]) / 1e9
        if abs(v_last) >= STILL_MPS and dt_s <= GAP_S:
            own["way_m"] += v_last * dt_s
    own["ajar"], own["t_ns"] = ajar, t_ns
    if np.isnan(ajar):
        own["left_ns"] = NEVER_NS


RULE = Rule.from_catalogue(
    "unintended-movement",
    UnintendedMovement(),
    (Level(CRITICAL, by_hand=True, peak="max_z_m"),),
    needs=("floors", "position_source"),
)
