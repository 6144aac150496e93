"""Door blocking: somebody or something in the doorway keeps the door of a lift in service from closing.

    door      closed  opening  open          closing  open     closing  closed
    curtain   ________________/‾‾‾\\____/‾‾‾‾‾‾‾\\______________________
    observed          |---------------------------------------|          known when the door has closed

Observed are three reversals of one opening of the door; one interruption of the light curtain of `BLOCKED_NS`; or an
opening of `LONG_NS` with `OFTEN` interruptions, but not where a lift parks with its door open. An interruption that
began at the closed door is a curtain's fault.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.behaviour.observation import DOOR_BLOCKING, write
from telemetry.compiled import compiled
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

REVERSALS = 3
BLOCKED_NS, LONG_NS, OFTEN = 20_000_000_000, 60_000_000_000, 8

FIELDS = [
    ("open_ns", np.int64),  # since when the door has not been closed, 0: it is closed, or that is unknown
    ("open_door", np.float64),  # the door at the last row
    ("open_landing", np.int64),
    ("cut_curtain", np.float64),  # the curtain at the last row
    ("cut_counts", np.bool_),  # whether the present interruption began at this opening of the door
    ("cut_last_ns", np.int64),  # the last row
    ("cut_ns", np.int64),  # how long the present interruption lasted, and all of this opening; the longest, the number
    ("cuts_ns", np.int64),
    ("cut_most_ns", np.int64),
    ("cuts", np.int64),
    ("reversals", np.int64),
]
START = {"open_door": np.nan, "cut_curtain": np.nan}


@compiled
def note(own: Any, lift: int, row: Any, serves: bool, parks_open: bool, found: Any, count: int) -> int:
    """Take in a row; return the number of observations."""
    if own["open_ns"] != 0 and (row.door == CLOSED or not serves):
        count = _end(own, lift, row.t_ns, parks_open, found, count)
    if own["open_ns"] == 0 and serves and row.door > CLOSED:
        own["open_ns"], own["open_landing"] = row.t_ns, row.landing
        own["cuts_ns"] = own["cut_most_ns"] = own["cuts"] = own["reversals"] = 0
        own["cut_counts"] = False
    if own["open_ns"] != 0:
        if own["open_door"] == CLOSING and (row.door == OPENING or row.door == OPEN):
            own["reversals"] += 1
        _note_curtain(own, row)
    own["open_door"], own["cut_curtain"] = row.door, row.curtain
    return count


@compiled
def _note_curtain(own: Any, row: Any) -> None:
    if own["cut_counts"] and row.t_ns - own["cut_last_ns"] <= row.gap_ns:
        own["cut_ns"] += row.t_ns - own["cut_last_ns"]
        own["cuts_ns"] += row.t_ns - own["cut_last_ns"]
        own["cut_most_ns"] = max(own["cut_most_ns"], own["cut_ns"])
    if row.curtain == 1.0 and own["cut_curtain"] == 0.0:
        own["cut_counts"], own["cut_ns"] = True, 0
        own["cuts"] += 1
    own["cut_counts"] = own["cut_counts"] and row.curtain == 1.0
    own["cut_last_ns"] = row.t_ns


@compiled
def _end(own: Any, lift: int, t_ns: int, parks_open: bool, found: Any, count: int) -> int:
    begin_ns, own["open_ns"] = own["open_ns"], 0
    is_often = own["cuts"] >= OFTEN and t_ns - begin_ns >= LONG_NS and not parks_open
    if own["reversals"] >= REVERSALS or own["cut_most_ns"] >= BLOCKED_NS or is_often:
        landing = np.nan if own["open_landing"] < 0 else float(own["open_landing"])
        values = (own["cuts_ns"] / 1e9, float(own["reversals"]), landing)
        return write(found, count, DOOR_BLOCKING, lift, (t_ns, begin_ns, t_ns), values)
    return count
