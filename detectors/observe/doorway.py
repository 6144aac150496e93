"""What the rules about a moving car with its door not closed share (F05, F06, F07)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import F64, Car
from detectors.observe.scan import Columns, scan
from telemetry.streams import CLOSED, INSPECTION

INSPECTION_MPS = 0.63
"""In inspection a car may run with its door open, up to this speed."""


def ajar(car: Car) -> F64:
    """Return 1 where the door is not closed, 0 where it is, NaN where nobody said or its last word may be missing."""
    return np.where(np.isnan(car.door) | car.door_doubt, np.nan, car.door != CLOSED)


def speed_limit(car: Car, limit_mps: float) -> F64:
    """Return the speed above which a car with an open door runs: `limit_mps`, and more in inspection."""
    return np.where(car.mode == INSPECTION, max(INSPECTION_MPS, limit_mps), limit_mps)


def start(n: int) -> Columns:
    """Return the state of `stood_open` for `n` lifts."""
    return {"stood_open": np.full(n, np.nan)}


def stood_open(state: Columns, car: Car) -> tuple[Columns, NDArray[np.bool_]]:
    """Return where the door has not been closed since the car last stood still.

    door  __/‾‾‾‾‾‾‾‾‾     __/‾‾\\____     ______/‾‾‾‾
    car   rest | moves     rest | moves    rest | moves
          yes    yes       yes  until shut no     no: it opened on the way
    """
    stands = car.at_rest() | np.isnan(car.still_s)
    state, made = scan(car.rounds, state, _stood_open, {"stands": stands, "ajar": ajar(car)})
    return state, made["stood_open"] == 1.0


def _stood_open(state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
    latch = np.where(row["stands"], row["ajar"], np.minimum(state["stood_open"], row["ajar"]))
    return {"stood_open": latch}, {"stood_open": latch}
