"""The door of a moving car, for the rules about moving with an open door (F05, F06, F07).

The latch remembers whether the car left its stop with an open door:

door     __/‾‾‾‾‾‾‾‾‾     __/‾‾\\____     ______/‾‾‾‾
car      rest | moves     rest | moves    rest | moves
latched  yes    yes       yes  until shut no     no: the door opened on the way
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.compiled import compiled, inlined
from telemetry.streams import CLOSED, INSPECTION

INSPECTION_MPS = 0.63
"""In inspection a car may run with its door open, up to this speed."""
PREOPENING_MPS = 0.80
"""A car that levels in may open its door up to this speed."""

FIELDS = [("stood_open", np.float64)]
"""The field of a latch: 1 where the door has not been closed since the car last stood still, NaN where unknown."""
START = {"stood_open": np.nan}


@compiled
def ajar(door: float) -> float:
    """Return 1 for a door that is not closed, 0 for a closed one, NaN where its state is unknown."""
    if np.isnan(door):
        return np.nan
    return 0.0 if door == CLOSED else 1.0


@inlined
def left_open(latch: Any, stands: bool, ajar: float) -> bool:
    """Advance one latch by one row; return whether the door has not been closed since the car last stood still."""
    if stands or np.isnan(ajar) or ajar < latch["stood_open"]:
        latch["stood_open"] = ajar
    return bool(latch["stood_open"] == 1.0)


@compiled
def speed_limit(mode: float, limit_mps: float) -> float:
    """Return the speed above which a car with an open door runs: `limit_mps`, and more in inspection."""
    return max(INSPECTION_MPS, limit_mps) if mode == INSPECTION else limit_mps


@compiled
def slows(v_mps: float, accel_mps2: float) -> bool:
    """Return whether the car is not known to keep its speed or to gain speed."""
    return not accel_mps2 * np.sign(v_mps) >= 0.0
