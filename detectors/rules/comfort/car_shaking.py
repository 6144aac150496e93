"""F36 car shaking: a car that stands with its door closed is shaken.

    car        moves  | stands, door closed
    1 to 5 Hz  ~~~~~~~|__/‾‾‾‾‾‾‾‾\\________    0.3 m/s² RMS on any axis for two seconds

People who jump shake the car at 1 to 5 Hz, and so does somebody who works on its roof. A person in the car is not
required. Without vibration, and where rest or door are unknown, nothing is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe.features import FeatureTable
from detectors.rule import MINOR, NO_MEMORY, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory


@dataclass(frozen=True, slots=True)
class CarShaking:
    """Scores the RMS of each block from 1 to 5 Hz as a share of `limit_mps2`."""

    limit_mps2: float = 0.3

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, features: FeatureTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each block of the car's vibration."""
        known = ~np.isnan(features.sway_rms)
        share = np.where(features.shut_in == 0.0, 0.0, features.sway_rms / self.limit_mps2)
        on = np.where(known & ~np.isnan(features.shut_in), share, np.nan)
        off = np.where(np.isnan(on), np.nan, on < 1.0)
        evidence = {"rms_mps2": features.sway_rms, "limit_mps2": np.full(len(features), self.limit_mps2)}
        return state, (Score(on, off, evidence),)


RULE = Rule.from_catalogue("car-shaking", CarShaking(), (Level(MINOR, hold_s=2.0, clear_s=60.0),), table="features")
