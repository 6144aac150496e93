"""F06: the car starts with its door not closed.

Two movements with an open door are normal (EN 81-20, 5.12.1.4): levelling in while the door opens already, and
re-levelling at a landing. A door that opened on the way is F07's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import hold_columns as hold
from detectors.observe import doorway
from detectors.observe.car import F64, Car
from detectors.observe.scan import Columns
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSING


@dataclass(frozen=True, slots=True)
class StartDoorOpen:
    """Scores the speed of a car that left with an open door as a share of the limit.

    `closing_s`: the last word of a closing door may come that much later than the speed of a car that has just started.
    """

    limit_mps: float = 0.1
    relevel_mps: float = 0.30
    level_mps: float = 0.80
    level_slack_m: float = 0.02
    closing_s: float = 0.5

    def start(self, n: int) -> Columns:
        """Return the latch of the door and the clock of the movement."""
        return {**doorway.start(n), **hold.start(n)}

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        latch, left_open = doorway.stood_open({"stood_open": state["stood_open"]}, car)
        speed, limit = np.abs(car.v), doorway.speed_limit(car, self.limit_mps)
        runs = (speed > limit) & left_open & ~self._levels(car, facts)
        unknown = np.isnan(speed) | np.isnan(doorway.ajar(car))
        clock: Columns = {name: state[name] for name in hold.start(0)}
        clock, served_s, since_ns = hold.step(clock, car, np.where(unknown, np.nan, runs))
        runs &= (car.door != CLOSING) | (served_s >= self.closing_s)
        on = np.where(unknown, np.nan, np.where(runs, speed / limit, 0.0))
        evidence = {"speed_mps": speed, "limit_mps": limit}
        return {**latch, **clock}, (Score(on, np.full_like(on, np.nan), evidence, since_ns),)

    def _levels(self, car: Car, facts: FleetFacts) -> NDArray[np.bool_]:
        """Return where the car re-levels, or levels in; where its place is unknown it may be doing so."""
        speed: F64 = np.abs(car.v)
        in_zone = ~(np.abs(car.offset_m) > facts.door_zone_m[car.lift])
        away = (car.v * car.offset_m > 0.0) & (np.abs(car.offset_m) > self.level_slack_m)
        slows = ~(car.accel * np.sign(car.v) >= 0.0)
        relevels = (speed <= self.relevel_mps) & ~away
        levels_in = (speed <= self.level_mps) & slows & ~away
        return in_zone & (relevels | levels_in)


RULE = Rule.from_catalogue(
    "start-door-open",
    StartDoorOpen(),
    (Level(CRITICAL, hold_s=0.3, by_hand=True),),
    needs=("floors", "position_source"),
)
