"""F20: the light curtain reads blocked although nothing is there.

    door      closed ‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾     nothing can stand between closed panels
              open, car empty ‾‾‾‾‾‾‾‾‾‾‾     or an object lies in the doorway: the two look the same
    curtain   _____/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾     blocked without a break for `hold_s`

A door that moves begins the time anew: over its last 20 mm it may hide the curtain itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors import hold
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.streams import CLOSED, OPEN


@dataclass(frozen=True, slots=True)
class CurtainBlocked:
    """Scores how long the curtain has been blocked without a reason, as a share of `hold_s`."""

    hold_s: float = 60.0

    def start(self, n: int) -> Memory:
        """Return a stopped clock for each of `n` lifts."""
        return hold.start(n)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row at which curtain and door are known, and at an open door the presence."""
        is_open = rows.door == OPEN
        reasonless = np.where(is_open, rows.presence == 0.0, rows.door == CLOSED) & (rows.curtain == 1.0)
        unknown = np.isnan(rows.curtain) | np.isnan(rows.door) | (is_open & np.isnan(rows.presence)) | rows.stale
        state, held_s, since_ns = hold.step(state, rows, np.where(unknown, np.nan, reasonless))
        off = np.where(np.isnan(rows.curtain), np.nan, rows.curtain == 0.0)
        evidence = {"held_s": held_s, "limit_s": np.full(len(rows), self.hold_s)}
        return state, (Score(held_s / self.hold_s, off, evidence, since_ns),)


RULE = Rule.from_catalogue("curtain-blocked", CurtainBlocked(), (Level(MINOR, readings=1, clear_s=30.0),))
