"""Holes in the readings of a device that numbers no message: a pause of a stream that is longer than usual.

interval   1 1 1 1      4       1 1        longer than `PAUSES` of the usual one: a hole, as if numbers were missing
interval   1 1 60 60 60 ... 60 60          regular: no hole any more after `REGULAR` of them in a row
at rest    1 1 60 1 1 1 60                 nor later, where the car stood still before, and at most begins to move after

A device in whose regular messages there are holes loses messages: for a day, also those that leave no hole.
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
STEADY = 2
"""A hole after fewer regular intervals in a row may be normal for the device: it shows no loss."""
APART_NS = 5_000_000_000
"""Holes that are nearer are one loss."""
PROVEN = 500
"""So many messages in a row without a hole show that none is lost."""
REMEMBERED_NS = 24 * 3600 * 1_000_000_000

FIELDS = [
    ("latest_ns", np.int64, (2,)),  # the latest reading of speed, of position
    ("usual_ns", np.int64, (2,)),  # the usual interval before a message, 0 before the first
    ("quiet_ns", np.int64, (2,)),  # the longest that was regular while the car rested
    ("interval_before_ns", np.int64, (2,)),  # the last one, and how many like it came in a row
    ("in_a_row", np.int64, (2,)),
    ("sound", np.int64),  # the messages since then, or since the first
    ("lost_ns", np.int64),  # when messages were last lost
    ("loses", np.bool_),  # whether that was not the first time in a day
]
START = {"latest_ns": NEVER_NS, "lost_ns": NEVER_NS}


@compiled
def hole_s(own: Any, read: Any) -> float:
    """Return how long the messages without a number that are missing before a row may last, 0.0 without any.

    The message received next may reach as far beyond its first reading as the pause was long.
    """
    t_ns, hole_ns = read.t_ns, 0
    unnumbered = not np.isnan(read.unnumbered)
    has_started = abs(read.v) > STARTED_MPS or abs(read.z - own["z"]) > STARTED_M
    rested = not (abs(own["v"]) >= STILL_MPS or has_started)
    for stream in range(2):
        if np.isnan(read.v if stream == 0 else read.z):
            continue
        if unnumbered and own["latest_ns"][stream] != NEVER_NS:
            own["sound"] += 1
            hole_ns = max(hole_ns, _hole_ns(own, stream, t_ns, rested))
        own["latest_ns"][stream] = t_ns
    return 2.0 * hole_ns / 1e9


@compiled
def forget(own: Any) -> None:
    """Measure no pause across a restart of the device."""
    own["latest_ns"][0] = own["latest_ns"][1] = NEVER_NS


@compiled
def loses(own: Any, t_ns: int) -> bool:
    """Return whether messages of the lift have been lost here and there."""
    return bool(own["loses"]) and t_ns - own["lost_ns"] <= REMEMBERED_NS


@compiled
def is_proven(own: Any) -> bool:
    """Return whether the lift has sent readings for long enough to show that none of its messages are lost."""
    return bool(own["sound"] >= PROVEN)


@compiled
def _hole_ns(own: Any, stream: int, t_ns: int, rested: bool) -> int:
    """Return the pause of a stream before a reading where it is a hole, 0 where it is usual."""
    interval_ns = t_ns - own["latest_ns"][stream]
    in_a_row = own["in_a_row"][stream]
    alike = abs(interval_ns - own["interval_before_ns"][stream]) <= ALIKE * own["interval_before_ns"][stream]
    own["interval_before_ns"][stream], own["in_a_row"][stream] = interval_ns, in_a_row + 1 if alike else 1
    regular = own["in_a_row"][stream] >= REGULAR
    if rested:
        shorter_ns = own["quiet_ns"][stream] - interval_ns // UNLEARNED
        own["quiet_ns"][stream] = max(shorter_ns, interval_ns if regular else 0)
    usual_ns = own["usual_ns"][stream]
    is_usual = interval_ns <= max(PAUSES * usual_ns, SHORTEST_NS) or usual_ns == 0
    if is_usual or (regular and not rested):
        own["usual_ns"][stream] = interval_ns
        return 0
    if rested and interval_ns <= PAUSES * own["quiet_ns"][stream]:
        return 0
    if in_a_row >= STEADY:
        _note_loss(own, t_ns)
    return int(interval_ns)


@compiled
def _note_loss(own: Any, t_ns: int) -> None:
    """Note that messages were lost."""
    if own["lost_ns"] == NEVER_NS or t_ns - own["lost_ns"] > APART_NS:
        own["loses"] = own["lost_ns"] != NEVER_NS and t_ns - own["lost_ns"] <= REMEMBERED_NS
        own["lost_ns"] = t_ns
    own["sound"] = 0
