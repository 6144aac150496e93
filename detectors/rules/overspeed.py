"""F08 overspeed and F09 ascending overspeed: the speed against the rated speed.

GB/T 10058 allows 105 % of the rated speed; 115 % is where a governor acts (EN 81-20, 5.6.2.2.1.1). Upwards the second
limit is F09's alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detectors.observe.car import Car
from detectors.observe.scan import Columns
from detectors.rule import CRITICAL, MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64


@dataclass(frozen=True, slots=True)
class Overspeed:
    """Scores the speed as a share of two limits: the tolerated one in either direction, the dangerous one downwards.

    A car that is dangerously fast upwards scores 0: it is no steady excess either.
    """

    tolerated: float = 1.05
    dangerous: float = 1.15

    def start(self, n: int) -> Columns:
        return {}

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        rated = facts.rated_speed_mps[car.lift]
        steady = _score(np.abs(car.v), self.tolerated * rated)
        ascends = car.v >= self.dangerous * rated
        steady = replace(steady, on=np.where(ascends, 0.0, steady.on))
        return state, (steady, _score(-car.v, self.dangerous * rated))


@dataclass(frozen=True, slots=True)
class OverspeedUp:
    """Scores the upward speed as a share of the dangerous limit."""

    dangerous: float = 1.15

    def start(self, n: int) -> Columns:
        return {}

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        return state, (_score(car.v, self.dangerous * facts.rated_speed_mps[car.lift]),)


def _score(speed: F64, limit: F64) -> Score:
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
