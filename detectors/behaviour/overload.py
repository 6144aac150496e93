"""Overload: the controller reports that the car is loaded beyond its rated load, and keeps the car at its landing.

mode      normal   overload        normal
observed           |---------------|
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.behaviour.observation import OVERLOAD, write
from telemetry import streams
from telemetry.compiled import compiled

FIELDS = [
    ("over_ns", np.int64),  # since when the car has been overloaded, 0: it is not
    ("over_landing", np.int64),
]


@compiled
def note(own: Any, lift: int, row: Any, found: Any, count: int) -> int:
    """Take in a row; return the number of observations."""
    if row.mode == streams.OVERLOAD and own["over_ns"] == 0:
        own["over_ns"], own["over_landing"] = row.t_ns, row.landing
    elif own["over_ns"] != 0 and row.mode != streams.OVERLOAD:
        begin_ns, own["over_ns"] = own["over_ns"], 0
        if not np.isnan(row.mode):  # a device that restarted does not say when the overload ended
            landing = np.nan if own["over_landing"] < 0 else float(own["over_landing"])
            return write(found, count, OVERLOAD, lift, (row.t_ns, begin_ns, row.t_ns), (landing,))
    return count
