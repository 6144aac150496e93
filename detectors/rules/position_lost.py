"""F24 position lost: speed and position do not agree over a trip, or trips end between landings.

    by speed     |‾‾‾‾‾‾‾‾‾‾‾‾‾|        more than 0.25 m, and than 1.5 % of the trip, apart
    by position  |‾‾‾‾‾‾‾‾‾|
    landings     ___|_______|___x___    or: a trip ends more than 0.25 m from any landing

Two such trips in a row are needed: one wild speed of a coarse feed is not seen otherwise. A slipping encoder, a slipped
sensor and ropes that slip on the sheave look the same here. Rescue runs in emergency-power mode or on battery are not
judged. This rule has no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe.trips import TripTable
from detectors.rule import MINOR, NO_MEMORY, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory


@dataclass(frozen=True, slots=True)
class PositionLost:
    """Scores the difference of both distances, and the distance from the nearest landing, as shares of their limits.

    `level_m`: trips that end so near to a landing show that the position is right again.
    """

    apart_m: float = 0.25
    apart_share: float = 0.015
    beside_m: float = 0.25
    level_m: float = 0.05

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, trips: TripTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each trip with a speed or a landing to compare its positions with."""
        limit_m = np.maximum(self.apart_m, self.apart_share * np.abs(trips.distance_m))
        moved_m = trips.to_m - trips.from_m  # the distance itself is that of the speed where a position is missing
        apart_m = np.where(trips.is_rescue, np.nan, np.abs(trips.way_m - moved_m))
        offset_m = np.where(trips.is_rescue, np.nan, _offset_m(trips, facts))
        on = np.fmax(apart_m / limit_m, np.where(np.isnan(apart_m), np.nan, offset_m / self.beside_m))
        off = np.where(np.isnan(on), np.nan, ~(apart_m > limit_m) & ~(offset_m > self.level_m))
        evidence = {"way_m": np.abs(trips.way_m), "distance_m": np.abs(moved_m), "limit_m": limit_m}
        evidence |= {"offset_m": offset_m, "limit_offset_m": np.full(len(trips), self.beside_m)}
        return state, (Score(on, off, evidence, trips.start_ns),)


def _offset_m(trips: TripTable, facts: FleetFacts) -> F64:
    """Return how far from the nearest landing each trip ended, NaN unknown."""
    landing_m = facts.landings_m[trips.lift, np.maximum(trips.to_landing, 0)]
    return np.where(trips.to_landing < 0, np.nan, np.abs(trips.to_m - landing_m))


RULE = Rule.from_catalogue("position-lost", PositionLost(), (Level(MINOR),), needs=("position_source",), table="trips")
