"""F07: the door comes open while the car runs between landings. A car that started so is F06's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe import doorway
from detectors.observe.car import Car
from detectors.observe.scan import Columns
from detectors.observe.trips import STILL_S
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSED, OPENING


@dataclass(frozen=True, slots=True)
class DoorOpenedRunning:
    """Scores the speed of a car outside the door zone, with a door that opened on the way, as a share of the limit.

    `early_s`: the word that the door opens may come that much earlier than the speeds of a car that levels in.
    """

    limit_mps: float = 0.3
    level_mps: float = 0.80
    early_s: float = 0.5

    def start(self, n: int) -> Columns:
        """Return the latch of the door."""
        return doorway.start(n)

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        state, left_open = doorway.stood_open(state, car)
        speed, limit = np.abs(car.v), doorway.speed_limit(car, self.limit_mps)
        offset = np.abs(car.offset_m)
        outside = offset > facts.door_zone_m[car.lift]
        ajar = doorway.ajar(car)
        opened = (ajar == 1.0) & ~left_open & outside & ~self._arrives(car, facts)
        unknown = np.isnan(speed) | np.isnan(ajar) | np.isnan(offset)
        on = np.where(unknown, np.nan, np.where(opened & (speed > limit), speed / limit, 0.0))
        off = np.where(np.isnan(car.door) | np.isnan(car.still_s), np.nan, 0.0)
        off = np.where((car.door == CLOSED) & (car.still_s >= STILL_S), 1.0, off)
        return state, (Score(on, off, {"speed_mps": speed, "limit_mps": limit, "offset_m": offset}),)

    def _arrives(self, car: Car, facts: FleetFacts) -> NDArray[np.bool_]:
        """Return where a car that levels in will be in its zone in a moment, its door opening ahead of the speeds."""
        speed = np.abs(car.v)
        soon = np.abs(car.offset_m) <= facts.door_zone_m[car.lift] + self.early_s * speed
        slows = ~(car.accel * np.sign(car.v) >= 0.0)
        comes: NDArray[np.bool_] = soon & slows & (speed <= self.level_mps) & (car.v * car.offset_m < 0.0)
        comes &= car.door == OPENING
        return comes


RULE = Rule.from_catalogue(
    "door-opened-running",
    DoorOpenedRunning(),
    (Level(CRITICAL, hold_s=0.2, clear_s=60.0),),
    needs=("floors", "position_source"),
)
