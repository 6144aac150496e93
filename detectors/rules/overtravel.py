"""F11 over-travel at the top and F12 at the bottom: the car's floor beyond its last landing.

Levelling stays within 35 mm of a landing, so 50 mm beyond the last one is over-travel, and 150 mm beyond is past any
final limit switch (which is in no stream). Between the two, an impact as on a buffer makes it as bad: in the
vibration, or a change by more than half of gravity in the speed that was read. A car gets there by moving: a position
that jumped there has lost its reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe.car import F64, IMPACT_MPS2, Car
from detectors.observe.scan import Columns, scan
from detectors.rule import CRITICAL, MAJOR, Level, Rule, Score
from registry.facts import FleetFacts

TOP, BOTTOM = 1, -1


@dataclass(frozen=True, slots=True)
class Overtravel:
    """Scores the distance beyond the last landing as a share of two limits; an impact at the nearer one serves both."""

    end: int
    over_m: float = 0.05
    far_m: float = 0.15
    impact_mps2: float = IMPACT_MPS2
    lately_s: float = 2.0

    def start(self, n: int) -> Columns:
        """An impact is remembered until the car is back."""
        return {"hit": np.zeros(n, dtype=np.bool_)}

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a position."""
        last_m = (facts.top_m if self.end == TOP else facts.landings_m[:, 0])[car.lift]
        beyond = np.where(car.z_doubt, np.nan, (car.z - last_m) * self.end)
        out = ~car.z_doubt & ((car.z_last - last_m) * self.end >= self.over_m)
        felt_s = (car.t_ns - car.impact_ns) / 1e9
        felt = (felt_s >= 0.0) & (felt_s <= self.lately_s)
        impact = out & (felt | (np.abs(car.accel) > self.impact_mps2))
        far = beyond / self.far_m
        if impact.any() or state["hit"].any():
            state, made = scan(car.rounds, state, _remember, {"out": out, "impact": impact})
            far = np.where(made["hit"] & (beyond >= self.over_m), np.maximum(far, 1.0), far)
        return state, (_score(beyond / self.over_m, beyond, self.over_m), _score(far, beyond, self.far_m))


def _remember(state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
    hit = (state["hit"] | row["impact"]) & row["out"]
    return {"hit": hit}, {"hit": hit}


def _score(share: F64, beyond: F64, limit_m: float) -> Score:
    on = np.maximum(share, 0.0)
    evidence = {"beyond_m": beyond, "limit_m": np.full_like(beyond, limit_m)}
    return Score(on=on, off=np.where(np.isnan(on), np.nan, on < 1.0), evidence=evidence)


LEVELS = (Level(MAJOR, hold_s=0.3, by_hand=True), Level(CRITICAL, hold_s=0.3, by_hand=True))

OVERTRAVEL_TOP = Rule.from_catalogue("overtravel-top", Overtravel(TOP), LEVELS, needs=("floors", "position_source"))

OVERTRAVEL_BOTTOM = Rule.from_catalogue(
    "overtravel-bottom", Overtravel(BOTTOM), LEVELS, needs=("floors", "position_source")
)
