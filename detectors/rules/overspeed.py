"""F08 overspeed and F09 ascending overspeed: the speed against the rated speed.

    115 %  ______/‾‾‾‾\\_____    critical: a governor acts here (EN 81-20, 5.6.2.2.1.1); upwards it is F09's alone
    105 %  ___/‾‾‾‾‾‾‾‾‾‾\\__    minor: GB/T 10058 allows no more

These rules have no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, MINOR, NO_MEMORY, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory

DANGEROUS = 1.15
"""The share of the rated speed from which a car has run away."""


@dataclass(frozen=True, slots=True)
class Overspeed:
    """Scores the speed as a share of two limits: the tolerated one in either direction, the dangerous one downwards.

    A car that is dangerously fast upwards scores 0 on the first level too: F09 reports it.
    """

    tolerated: float = 1.05
    dangerous: float = DANGEROUS

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        rated = facts.rated_speed_mps[rows.lift]
        limit, dangerous = self.tolerated * rated, self.dangerous * rated
        steady, falls = _score(np.abs(rows.v), limit), _score(-rows.v, dangerous)
        on = np.where(rows.v >= dangerous, 0.0, steady.on)
        return state, (Score(on, steady.off, steady.evidence), falls)


@dataclass(frozen=True, slots=True)
class OverspeedUp:
    """Scores the upward speed as a share of the dangerous limit."""

    dangerous: float = DANGEROUS

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        return state, (_score(rows.v, self.dangerous * facts.rated_speed_mps[rows.lift]),)


def _score(speed: F64, limit: F64) -> Score:
    """Return the score of a speed above a limit; it is over as soon as the speed is below."""
    share = np.maximum(speed / limit, 0.0)
    off = np.where(np.isnan(share), np.nan, share < 1.0)
    return Score(on=share, off=off, evidence={"speed_mps": speed, "limit_mps": limit})


OVERSPEED = Rule.from_catalogue(
    "overspeed",
    Overspeed(),
    (Level(MINOR, hold_s=2.0), Level(CRITICAL, hold_s=0.3, by_hand=True)),
    needs=("rated_speed_mps",),
)

OVERSPEED_UP = Rule.from_catalogue(
    "overspeed-up", OverspeedUp(), (Level(CRITICAL, hold_s=0.3, by_hand=True),), needs=("rated_speed_mps",)
)
