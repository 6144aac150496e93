"""Doors of the stops between rides.

door      closed  opening  open     closing  opening  open  closing  closed
                  |-open-->|-dwell->|  reversal ^     |dwell|-close-->|     dwell adds up
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from telemetry.compiled import compiled
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

OPENS, DWELLS, CLOSES, REVERSES = range(4)
"""The places of `fields.STOP`."""


@compiled
def note(car: Any, t_ns: int, door: float) -> None:
    """Take in the door at a row; a door that is unknown leaves what is under way not measured."""
    before = car["door"]
    if door == before or (np.isnan(door) and np.isnan(before)):
        return
    car["door"], stop = door, car["stop"]
    if np.isnan(door) or np.isnan(before):
        car["opening_ns"], car["closing_ns"] = NEVER_NS, NEVER_NS
        car["opened_ns"] = t_ns if door == OPEN else NEVER_NS
        stop[:] = np.nan
        return
    if np.isnan(stop[REVERSES]):
        stop[REVERSES] = 0.0
    if before == CLOSING and door in (OPENING, OPEN):
        stop[REVERSES] += 1.0
    if door == OPENING:
        car["opening_ns"] = t_ns if before == CLOSED else NEVER_NS
    elif door == OPEN:
        if before == OPENING and car["opening_ns"] != NEVER_NS:
            stop[OPENS] = (t_ns - car["opening_ns"]) / 1e9
        car["opened_ns"] = t_ns
    elif door == CLOSING:
        car["closing_ns"] = t_ns
        if before == OPEN and car["opened_ns"] != NEVER_NS:
            dwell_s = (t_ns - car["opened_ns"]) / 1e9
            stop[DWELLS] = dwell_s if np.isnan(stop[DWELLS]) else stop[DWELLS] + dwell_s
    elif before == CLOSING and car["closing_ns"] != NEVER_NS:
        stop[CLOSES] = (t_ns - car["closing_ns"]) / 1e9


@compiled
def leave(car: Any) -> None:
    """Begin the next stop as the car leaves this one."""
    car["start"][:] = car["stop"]
    car["closed_ns"] = car["closing_ns"]
    car["stop"][:] = np.nan
    if not np.isnan(car["door"]):
        car["stop"][REVERSES] = 0.0
    car["opening_ns"] = car["opened_ns"] = car["closing_ns"] = NEVER_NS
