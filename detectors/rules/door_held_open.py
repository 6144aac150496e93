"""F18: the door of a standing car stays open. Not where a lift parks with its door open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import hold
from detectors.observe import door_duty
from detectors.observe.car import Car
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSED, OPEN


@dataclass(frozen=True, slots=True)
class DoorHeldOpen:
    """Scores how long the door has been open at a car that stands, as a share of `hold_s`."""

    hold_s: float = 120.0

    def start(self, n: int) -> NDArray[np.void]:
        """Return a clock that has not begun."""
        return hold.start(n)

    def step(self, state: NDArray[np.void], car: Car, facts: FleetFacts) -> tuple[NDArray[np.void], tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        door = np.where(car.door_doubt, np.nan, car.door)
        over = (~np.isnan(door) & (door != OPEN)) | ~door_duty.in_service(car) | facts.parks_door_open[car.lift]
        unknown = (np.isnan(car.v) & np.isnan(car.z)) | np.isnan(car.still_s) | np.isnan(door) | car.stale
        holds = np.where(over, 0.0, np.where(unknown, np.nan, car.at_rest()))
        state, served_s, since_ns = hold.step(state, car, holds)
        off = np.where(np.isnan(car.door), np.nan, car.door == CLOSED)
        evidence = {"held_s": served_s, "limit_s": np.full(len(car), self.hold_s)}
        return state, (Score(served_s / self.hold_s, off, evidence, since_ns),)


RULE = Rule.from_catalogue("door-held-open", DoorHeldOpen(), (Level(MINOR, readings=1),))
