"""What the rules about a door at its stop share (F15 to F18)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import Car
from telemetry.streams import NORMAL

LEVELLING_MPS = 0.30
"""A car that is faster is not levelling: it has left its stop (EN 81-20, 5.12.1.4)."""


def in_service(car: Car) -> NDArray[np.bool_]:
    """Return where the lift serves passengers: in normal mode, or in none that it has told."""
    normal: NDArray[np.bool_] = np.isnan(car.mode) | (car.mode == NORMAL)
    return normal


def at_stop(car: Car) -> NDArray[np.bool_]:
    """Return where the car is not known to have left its stop."""
    stays: NDArray[np.bool_] = ~(np.abs(car.v_last) > LEVELLING_MPS)
    return stays
