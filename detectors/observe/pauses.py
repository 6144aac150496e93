"""Holes in the readings of a device that numbers no message: a pause before a message that is longer than usual.

interval   1 1 1 1      4       1 1        longer than `PAUSES` of the usual one: a hole, as if numbers were missing
interval   1 1 60 60 60 ... 60 60          regular: no hole any more after `REGULAR` of them in a row
at rest    1 1 60 1 1 1 60                 nor later, where the car stood still before, and at most begins to move after
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.rest import STILL_MPS
from telemetry.compiled import compiled

PAUSES = 1.5
SHORTEST_NS = 900_000_000
"""No shorter interval is a hole: a message holds a second of readings, or the next one is near."""
REGULAR, ALIKE = 8, 0.1
"""So many intervals in a row that differ by no more than this share are usual from then on."""
UNLEARNED = 64
"""An interval at rest shortens the remembered one by this part of it."""
STARTED_MPS, STARTED_M = 0.8, 0.3
"""A car that stood until a moment ago is no faster, and has not come further."""

FIELDS = [
    ("usual_ns", np.int64),  # the usual interval before a message, 0 before the first
    ("quiet_ns", np.int64),  # the longest that was regular while the car rested
    ("interval_before_ns", np.int64),  # the last one, and how many like it came in a row
    ("in_a_row", np.int64),
]


@compiled
def hole_s(own: Any, read: Any, k: int) -> float:
    """Return how long the messages without a number that are missing before row `k` may last, 0.0 without any.

    The message that was heard next may reach as far beyond its first reading as the pause was long.
    """
    if read.unnumbered[k] != 1.0 or own["read_ns"] == NEVER_NS:
        return 0.0
    interval_ns = read.t_ns[k] - own["read_ns"]
    has_started = abs(read.v[k]) > STARTED_MPS or abs(read.z[k] - own["z"]) > STARTED_M
    rested = not (abs(own["v"]) >= STILL_MPS or has_started)
    alike = abs(interval_ns - own["interval_before_ns"]) <= ALIKE * own["interval_before_ns"]
    own["interval_before_ns"], own["in_a_row"] = interval_ns, own["in_a_row"] + 1 if alike else 1
    regular = own["in_a_row"] >= REGULAR
    if rested:
        own["quiet_ns"] = max(own["quiet_ns"] - interval_ns // UNLEARNED, interval_ns if regular else 0)
    is_usual = interval_ns <= max(PAUSES * own["usual_ns"], SHORTEST_NS) or own["usual_ns"] == 0
    if is_usual or (regular and not rested):
        own["usual_ns"] = interval_ns
        return 0.0
    return 0.0 if rested and interval_ns <= PAUSES * own["quiet_ns"] else 2.0 * interval_ns / 1e9
