"""F37 power loss: the terminal reports that it runs on its battery.

    power    mains ‾‾\\__battery______________/‾‾mains‾‾‾‾‾‾
    alert    __________[###############################]____    after `hold_s`, and until mains for `clear_s`

A last will is silence (F41), no loss of power. This rule has no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, NO_MEMORY, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.streams import BATTERY


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """Scores 1 while the power is a battery."""

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row from the first report of the power on."""
        on = np.where(np.isnan(rows.power), np.nan, rows.power == BATTERY)
        evidence = {"offset_m": np.abs(rows.offset_m), "speed_mps": np.abs(rows.v_last)}
        return state, (Score(on, 1.0 - on, evidence),)


RULE = Rule.from_catalogue("power-loss", PowerLoss(), (Level(MAJOR, hold_s=2.0, clear_s=60.0),))
