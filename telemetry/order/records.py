"""The records that the compiled recurrence reads and writes: one for each lift, each message and each row that is held.

A record is a reference into its array: what is written to its fields stands in the array.
"""

from __future__ import annotations

import numpy as np

from telemetry.batch import CHANNELS

RECENT_LIMIT = 64
"""How many identities of messages are kept for each lift, to recognise repeats."""
NEVER = -(1 << 62)
NO_BOOT = 0
NO_ROW = -1

COUNTED = ("received", "repeats", "gaps", "late", "restarts", "overflows")
"""What is counted for each lift: numbers missing in the sequence for `gaps`, messages for all others."""

LIFT = np.dtype(
    [
        ("boot", np.int64),  # boot, seq and t of the message that last carried the sequence on
        ("seq", np.int64),
        ("t_ns", np.int64),
        ("latest_ns", np.int64),  # the latest beginning, and the latest end, of any message
        ("end_ns", np.int64),
        ("arrived_ns", np.int64),
        ("watermark_ns", np.int64),  # rows up to here may go out; what comes for a time up to here is late
        ("emitted_ns", np.int64),  # rows up to here have gone out
        ("window_ns", np.int64),  # the lift's time since which `window_rows` counts rows
        ("window_rows", np.int64),
        ("first", np.int64),  # the earliest and the latest of the rows that are held, and how many these are
        ("last", np.int64),
        ("held", np.int64),
        *((name, np.int64) for name in COUNTED),
        ("remembered", np.int64),
        ("recent", np.int64, (RECENT_LIMIT,)),  # a ring of the identities of messages
    ],
    align=True,
)

MESSAGE = np.dtype(
    [
        ("lift", np.int32),
        ("boot", np.int64),
        ("seq", np.int64),
        ("identity", np.int64),  # lift, boot, seq and t as one number: a repeat has the same
        ("t_ns", np.int64),
        ("end_ns", np.int64),
        ("arrived_ns", np.int64),
        ("complete", np.bool_),
        ("timed", np.bool_),
        # The verdict on it:
        ("taken", np.bool_),
        ("repeated", np.bool_),
        ("late", np.bool_),
        ("restarted", np.bool_),
        ("overflowed", np.bool_),
        ("gap", np.int64),  # how many numbers are missing before it
        ("watermark_ns", np.int64),  # the lift's watermark when it came
    ],
    align=True,
)

ROW = np.dtype(
    [
        ("t_ns", np.int64),
        ("previous", np.int64),  # the row of the lift before this one and after it in time
        ("next", np.int64),
        ("values", np.float64, (len(CHANNELS),)),
    ],
    align=True,
)

HEAP = np.dtype([("free", np.int64), ("used", np.int64), ("live", np.int64)], align=True)
"""Which rows of the table are free: a list that begins with `free`, and all from `used` on; `live` are not."""


INSTANTS = ("t_ns", "latest_ns", "end_ns", "arrived_ns", "watermark_ns", "emitted_ns", "window_ns")
START = {"boot": NO_BOOT, "seq": -1, "first": NO_ROW, "last": NO_ROW} | dict.fromkeys(INSTANTS, NEVER)
"""The fields of a lift's first record that are not zero."""
