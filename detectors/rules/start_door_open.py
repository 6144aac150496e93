"""F06: the car starts with its door not closed.

door    ‾‾‾‾‾‾‾‾‾‾‾‾‾‾
speed   ____/‾‾‾‾‾‾‾‾‾    above the limit, and neither levelling nor re-levelling
onset       ^

Two movements with an open door are normal (EN 81-20, 5.12.1.4): levelling in while the door opens already, and
re-levelling at a landing. A door that opened on the way is F07's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe import doorway
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSING

MEMORY = np.dtype([*doorway.FIELDS, *hold.FIELDS], align=True)
"""The latch of the door, and the clock of the movement."""


@dataclass(frozen=True, slots=True)
class StartDoorOpen:
    """Scores the speed of a car that left with an open door as a share of the limit.

    `relevel_mps`, `level_mps`: the greatest speeds of re-levelling and of levelling in. `level_slack_m`: a car that is
    closer to the landing is not moving away from it. `closing_s`: a closing door may report closed that much later than
    the car reports its speed.
    """

    limit_mps: float = 0.1
    relevel_mps: float = 0.30
    level_mps: float = 0.80
    level_slack_m: float = 0.02
    closing_s: float = 0.5

    def start(self, n: int) -> Memory:
        """Return `n` lifts with the door's latch unknown and the clock stopped."""
        return records(n, MEMORY, last_ns=NEVER_NS, **doorway.START)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, limit_mps = np.empty((2, len(rows)))
        stands = rows.at_rest | np.isnan(rows.still_s)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, rows.accel, rows.offset_m, rows.door,
            rows.mode, stands, facts.door_zone_m, self.limit_mps, self.relevel_mps, self.level_mps, self.level_slack_m,
            self.closing_s, on, limit_mps, since_ns,
        )  # fmt: skip
        evidence = {"speed_mps": np.abs(rows.v), "limit_mps": limit_mps}
        return state, (Score(on, np.where(np.isnan(on), np.nan, on < 1.0), evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, accel: Any, offset_m: Any, door: Any,
    mode: Any, stands: Any, zone_m: Any, least_mps: float, relevel_mps: float, level_mps: float, slack_m: float,
    closing_s: float, on: Any, limit_mps: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        ajar = doorway.ajar(door[k])
        left_open = doorway.left_open(own, stands[k], ajar)
        limit_mps[k] = doorway.speed_limit(mode[k], least_mps)
        runs = left_open and abs(v[k]) > limit_mps[k]
        if runs and _may_level(v[k], accel[k], offset_m[k], zone_m[lift[k]], relevel_mps, level_mps, slack_m):
            runs = False
        holds = 1.0 if runs else 0.0
        if np.isnan(v[k]) or np.isnan(ajar):
            holds = np.nan
        served_s = hold.serve(own, t_ns[k], gap_ns[k], holds)
        since_ns[k] = own["since_ns"]
        on[k] = holds
        if holds == 1.0:
            counts = door[k] != CLOSING or served_s >= closing_s
            on[k] = abs(v[k]) / limit_mps[k] if counts else 0.0


@compiled
def _may_level(
    v: float, accel: float, offset_m: float, zone_m: float, relevel_mps: float, level_mps: float, slack_m: float
) -> bool:
    """Return whether the car re-levels or levels in; where its position is unknown it may be doing so."""
    if abs(offset_m) > zone_m:
        return False
    if v * offset_m > 0.0 and abs(offset_m) > slack_m:  # away from the landing
        return False
    return abs(v) <= relevel_mps or (abs(v) <= level_mps and doorway.slows(v, accel))


RULE = Rule.from_catalogue(
    "start-door-open",
    StartDoorOpen(),
    (Level(CRITICAL, hold_s=0.3, by_hand=True),),
    needs=("floors", "position_source"),
)
