"""Boundaries of a ride in time, out of the record of its vibration.

speed          ____/‾‾‾‾‾‾‾‾\\____
boundary     0   1 4        5 2 6  3     0 and 3 are of the doors, 6 of the stop (`table`)

ISO 18738-1 evaluates the vibration between 1 and 2. The numbers 4 to 6 are those of this project.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.rides.memory import PARTS, PROFILE
from telemetry.compiled import compiled

EDGE_M, DOOR_S = 0.5, 0.5
"""Boundaries 1 and 2 are so far from both stops, 0 and 3 so long before and after the doors move."""
RUNS_SHARE = 0.95


@compiled
def passed(own: Any, part: int, way_m: float) -> float:
    """Return at what time, in tenths of a second, a way was reached within a tenth whose end is known."""
    before, after = own["part_m"][(part - 1) % PARTS] if part > 0 else 0.0, own["part_m"][part % PARTS]
    return float(part + (way_m - before) / max(after - before, 1e-9))


@compiled
def write(own: Any, hz: int, start_ns: int, shown: Any) -> None:
    """Write boundaries 1, 2, 4 and 5 of a ride, seconds from the begin of its trip."""
    part_of = max(hz // 10, 1)
    part_s, begin_s = part_of / hz, (own["begin_ns"] - start_ns) / 1e9
    shown[1] = begin_s + own["edge"] * part_s
    last = own["samples"] // part_of - 1
    wanted_m, part = own["way_m"] - EDGE_M, last
    while part > max(last - PARTS + 1, 0) and own["part_m"][(part - 1) % PARTS] > wanted_m:
        part -= 1
    if wanted_m >= EDGE_M and part > last - PARTS + 1:
        shown[2] = begin_s + passed(own, part, wanted_m) * part_s
    count = own["profiles"]
    if 0 < count <= PROFILE:
        speed = np.abs(own["profile_speed"][:count])
        fast = np.flatnonzero(speed >= RUNS_SHARE * np.max(speed))
        shown[4] = begin_s + (2 * fast[0] + 1) * part_s
        shown[5] = begin_s + (2 * fast[-1] + 1) * part_s
