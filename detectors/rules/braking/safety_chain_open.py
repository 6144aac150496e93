"""F14 safety chain open: a running car is braked hard to rest between landings, with the mains on.

    speed   ‾‾‾‾\\                     an emergency stop (F13)
                 \\________________    ending outside the door zone, where no drive ends a run
    mains   ‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾    lost mains drop the brake in the same way: that is power loss (F37)

No stream carries the safety chain: that it opened is inferred. A car that is braked just short of its landing, or
whose brake is no harder than a drive, looks like an ordinary stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from detectors.rules.braking.emergency_stop import EmergencyStop
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.streams import BATTERY


@dataclass(frozen=True, slots=True)
class SafetyChainOpen:
    """Scores 1 at a car that rests outside its door zone after an emergency stop with the mains on."""

    stop: EmergencyStop = field(default_factory=EmergencyStop)

    def start(self, n: int) -> Memory:
        """Return `n` cars of which no speed has been read."""
        return self.stop.start(n)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed; where the position is unknown at a stop, nothing is concluded."""
        state, (stopped,) = self.stop.step(state, rows, facts)
        offset_m, zone_m = np.abs(rows.offset_m), facts.door_zone_m[rows.lift]
        outside = np.where(np.isnan(offset_m) | rows.z_doubt, np.nan, offset_m > zone_m)
        outside = np.where(rows.power == BATTERY, 0.0, outside)
        on = np.where(stopped.on == 1.0, outside, stopped.on)
        evidence = {name: stopped.evidence[name] for name in ("from_mps", "decel_mps2", "limit_mps2")}
        evidence |= {"offset_m": offset_m, "door_zone_m": zone_m}
        return state, (Score(on, stopped.off, evidence, stopped.since_ns),)


LEVELS = (Level(MAJOR, hold_s=2.0),)
RULE = Rule.from_catalogue("safety-chain-open", SafetyChainOpen(), LEVELS, needs=("floors", "position_source"))
