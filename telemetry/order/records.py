"""The records that the compiled recurrence reads and writes: one for each lift, each message and each row that is held.

A record is a reference into its array: writing to its fields changes the array.
"""

from __future__ import annotations

import numpy as np

from telemetry.batch import CHANNELS

RECENT_LIMIT = 64
"""How many identities of messages are kept for each lift, to recognise repeats."""
NEVER = -(1 << 62)
NO_BOOT = 0
NO_ROW = -1
SAMPLED_STREAMS = ("bundle", "speed", "displacement", "waveforms", "machine")
"""The messages that show where a lift's clock is; those of one stream come in the order of time."""
NOT_SAMPLED = -1

COUNTED = ("received", "repeats", "gaps", "late", "restarts", "steps", "overflows")
"""What is counted for each lift: numbers missing in the sequence for `gaps`, messages for all others."""

SLOT_NS, SLOTS = 200_000_000, 6
"""Arrivals are counted in slots: a message waits for others of its lift for `SLOTS` of them at most, the one in which
it arrived included."""

LIFT = np.dtype(
    [
        ("boot", np.int64),  # boot, seq and t (by the lift's clock) of the message that last carried the sequence on
        ("seq", np.int64),
        ("t_ns", np.int64),
        ("boot_before", np.int64),  # the boot before that one
        ("jumped_from", np.int64),  # the seq before the latest jump, -1 none
        ("ahead_ns", np.int64),  # how far the lift's time is ahead of its clock, which was set back
        ("position", np.int64),  # the journal's position of the latest message
        ("pressed", np.int64),  # presses of the alarm button up to this position were raised as they arrived
        ("latest_ns", np.int64),  # the latest beginning, and the latest end, of a message of readings
        ("end_ns", np.int64),
        ("stream_ns", np.int64, (len(SAMPLED_STREAMS),)),  # the latest beginning of a message of each of these
        ("status_ns", np.int64),  # the time of the latest status
        ("watermark_ns", np.int64),  # rows up to here are released; readings of a time up to here are late
        ("slot", np.int64),  # the slot of the latest arrival, and the latest end that arrived in each of the last slots
        ("slot_end_ns", np.int64, (SLOTS,)),
        ("window_ns", np.int64),  # the lift's time since which `window_rows` counts rows
        ("window_rows", np.int64),
        ("first", np.int64),  # the earliest and the latest of the held rows, and their number
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
        ("position", np.int64),
        ("complete", np.bool_),
        ("timed", np.bool_),
        ("sampled", np.int8),  # its place in `SAMPLED_STREAMS`, `NOT_SAMPLED` where it has none
        ("status", np.bool_),  # it is a status alone
        # The verdict on it:
        ("taken", np.bool_),
        ("repeated", np.bool_),
        ("late", np.bool_),
        ("restarted", np.bool_),
        ("stepped", np.bool_),  # the lift's clock was set back
        ("turned", np.bool_),  # `ahead_ns` is another one from here on
        ("overflowed", np.bool_),
        ("gap", np.int64),  # how many numbers are missing before it
        ("watermark_ns", np.int64),  # the lift's watermark when it came
        ("ahead_ns", np.int64),  # how far the lift's time is ahead of the lift's clock
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


INSTANTS = ("t_ns", "latest_ns", "end_ns", "stream_ns", "status_ns", "watermark_ns", "slot", "slot_end_ns", "window_ns")
START = {
    "boot": NO_BOOT,
    "boot_before": NO_BOOT,
    "seq": -1,
    "jumped_from": -1,
    "pressed": -1,
    "first": NO_ROW,
    "last": NO_ROW,
} | dict.fromkeys(INSTANTS, NEVER)
"""The fields of a lift's first record that are not zero."""
