"""F04: the car stands outside the door zone, where its door cannot let anybody out.

A position that jumped tells of no landing until it was found at landings again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import hold
from detectors.observe.car import Car
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import STARRED_ONLY_MODES


@dataclass(frozen=True, slots=True)
class StopOutsideZone:
    """Scores how long the car has stood outside the door zone, as a share of `hold_s`."""

    hold_s: float = 15.0

    def start(self, n: int) -> NDArray[np.void]:
        """Return a clock that has not begun."""
        return hold.start(n)

    def step(self, state: NDArray[np.void], car: Car, facts: FleetFacts) -> tuple[NDArray[np.void], tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        offset, zone = np.abs(car.offset_m), facts.door_zone_m[car.lift]
        outside = car.at_rest() & (offset > zone) & ~np.isin(car.mode, STARRED_ONLY_MODES)
        unknown = (np.isnan(car.v) & np.isnan(car.z)) | np.isnan(car.still_s) | np.isnan(offset)
        unknown |= car.stale | car.z_doubt
        state, served_s, since_ns = hold.step(state, car, np.where(unknown, np.nan, outside))
        off = np.where(np.isnan(car.z) | np.isnan(offset) | car.z_doubt, np.nan, offset <= zone)
        limit_s = np.full(len(car), self.hold_s)
        evidence = {"offset_m": offset, "door_zone_m": zone, "held_s": served_s, "limit_s": limit_s}
        return state, (Score(served_s / self.hold_s, off, evidence, since_ns),)


RULE = Rule.from_catalogue(
    "stop-outside-zone", StopOutsideZone(), (Level(MAJOR, readings=1),), needs=("floors", "position_source")
)
