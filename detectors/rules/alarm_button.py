"""F03 alarm button: somebody in the car calls for help.

    button  __/‾‾‾\\____    pressed when it turns true, or is true in the first word after a start of the device:
    press   __|_________    a call is rather heard twice than lost
A press is left out only where the car is known to stand in its door zone with the door open (the filter of EN 81-28):
what is not known never silences a call. It ends by the word of a person alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import Car
from detectors.observe.scan import Columns, scan
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import OPEN


@dataclass(frozen=True, slots=True)
class AlarmButton:
    """Scores 1 at a press that is a call for help."""

    def start(self, n: int) -> Columns:
        """Return buttons of which nothing is known."""
        return {"alarm": np.full(n, np.nan)}

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row from the first word of the button on."""
        state, made = scan(car.rounds, state, _press, {"alarm": car.alarm})
        offset = np.abs(car.offset_m)
        can_leave: NDArray[np.bool_] = (car.door == OPEN) & (offset <= facts.door_zone_m[car.lift])
        on = np.where(np.isnan(car.alarm), np.nan, made["pressed"] & ~can_leave)
        evidence = {"position_m": car.z_last, "offset_m": offset, "speed_mps": np.abs(car.v_last)}
        return state, (Score(on, np.full_like(on, np.nan), evidence),)


def _press(state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
    return {"alarm": row["alarm"]}, {"pressed": (row["alarm"] == 1.0) & ~(state["alarm"] == 1.0)}


LEVEL = Level(CRITICAL, readings=1, clear_readings=1, by_hand=True)
RULE = Rule.from_catalogue("alarm-button", AlarmButton(), (LEVEL,))
