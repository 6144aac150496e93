"""Conditions of the rules about doors at a stop (F15 to F19): the lift is in service, the car is at its stop."""

from __future__ import annotations

import numpy as np

from telemetry.compiled import compiled
from telemetry.streams import NORMAL, OPEN

LEVELLING_MPS = 0.30
"""A car that is faster is not levelling: it has left its stop (EN 81-20, 5.12.1.4)."""


@compiled
def in_service(mode: float) -> bool:
    """Return whether the lift serves passengers: in normal mode, or in none that it has reported."""
    return bool(mode == NORMAL or np.isnan(mode))


@compiled
def at_stop(v_last: float) -> bool:
    """Return whether the car is not known to have left its stop."""
    return not abs(v_last) > LEVELLING_MPS


@compiled
def stands_open(door: float, at_rest: bool, in_service: bool, is_unread: bool) -> float:
    """Return 1 where a car in service stands with its door fully open, 0 where not, NaN where that is unknown."""
    if not (door == OPEN or np.isnan(door)) or not in_service:
        return 0.0
    if is_unread or np.isnan(door):
        return np.nan
    return 1.0 if at_rest else 0.0
