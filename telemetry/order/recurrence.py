"""The recurrence over the messages of a lift, written for one lift and one message.

    message ─► time passes ─► repeat? ─► carries the sequence on? ─► clock set back? ─► rows placed ─► watermark moves
                                └─ changes nothing                                       └─ not those up to it: late

A lift's time is its clock's until the clock is set back. From then on it is ahead of the clock, so that it never goes
back, and there is a gap in it across which no hold time counts. The next long silence brings both together again.

    clock        5 6 7 8 | 1 2 3           the clock was set back before 1
    lift's time  5 6 7 8 | 70 71 72        `STEP_GAP_NS` after 8

Every decision follows from the lift's earlier messages and their times of arrival, never from how messages were cut
into groups.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from telemetry.compiled import compiled
from telemetry.order.held import Struct, Structs
from telemetry.order.messages import SAMPLED, StreamColumns
from telemetry.order.numbering import follow, follow_unnumbered, follow_untimed, missing_s
from telemetry.order.placing import ALIGN_NS, GAP, REBOOT, mark, place_readings, place_status
from telemetry.order.records import (
    NEVER,
    NOT_SAMPLED,
    RECENT_LIMIT,
    SAMPLED_STREAMS,
    SLOT_NS,
    SLOTS,
)

STEP_GAP_NS = 62_000_000_000
"""The gap in the lift's time where its clock was set back: longer than any interval between two readings may be."""
HELD_LIMIT_ROWS = 2_000
"""How many rows a lift may send within `ALIGN_NS` of its time before all of them are released unaligned."""
VIBRATION = (SAMPLED_STREAMS.index("waveforms"), SAMPLED_STREAMS.index("machine"))
"""Streams without rows: nothing of them is late."""


@compiled
def process(
    lifts: Structs,
    messages: Structs,
    order: NDArray[Any],
    streams: tuple[StreamColumns, ...],
    rows: Structs,
    heaps: Structs,
) -> None:
    """Update the records of lifts with their messages, in this order, and place the rows of the messages."""
    heap = heaps[0]
    for k in range(len(order)):
        number = order[k]
        message = messages[number]
        own = lifts[message["lift"]]
        _advance_watermark(own, message["arrived_ns"])
        message["repeated"] = is_repeat(own, message)
        message["taken"] = not message["repeated"]
        if message["taken"]:
            _accept(own, message, number, streams, rows, heap)
        own["position"] = max(own["position"], message["position"])
        own["received"] += 1
        own["repeats"] += message["repeated"]
        own["gaps"] += message["gap"]
        own["late"] += message["late"]
        own["restarts"] += message["restarted"]
        own["steps"] += message["stepped"]
        own["overflows"] += message["overflowed"]


@compiled
def advance_watermarks(lifts: Structs, which: NDArray[Any], now_ns: int) -> None:
    """Advance the watermarks of lifts that had no new message until `now_ns`."""
    for k in range(len(which)):
        _advance_watermark(lifts[which[k]], now_ns)


@compiled
def _advance_watermark(own: Struct, now_ns: int) -> None:
    """Move the watermark to the end of what arrived `SLOTS` slots before `now_ns` or earlier.

    Where `now_ns` is long before the latest arrival, the monitor's clock was set back: nothing waits across that.
    """
    slot = now_ns // SLOT_NS
    passed = slot - own["slot"]
    if passed < -SLOTS or passed > SLOTS:
        passed, own["slot"] = SLOTS, slot - SLOTS
    for _ in range(passed):
        own["slot"] += 1
        place_in_ring = own["slot"] % SLOTS
        own["watermark_ns"] = max(own["watermark_ns"], own["slot_end_ns"][place_in_ring])
        own["slot_end_ns"][place_in_ring] = NEVER


@compiled
def is_repeat(own: Struct, message: Struct) -> bool:
    """Return whether the message came before."""
    if message["timed"]:
        for k in range(RECENT_LIMIT):
            if own["recent"][k] == message["identity"]:
                return True
    elif message["seq"] >= 0 and not message["status"]:
        return bool(message["boot"] == own["boot"] and message["seq"] == own["seq"])
    return False


@compiled
def _accept(
    own: Struct, message: Struct, number: int, streams: tuple[StreamColumns, ...], rows: Structs, heap: Struct
) -> None:
    """Update the lift's record with a message that is no repeat, and place its rows."""
    if message["timed"]:
        own["recent"][own["remembered"] % RECENT_LIMIT] = message["identity"]
        own["remembered"] += 1
    carries_on, earlier_ns = True, own["t_ns"]
    if message["seq"] >= 0:
        if message["timed"]:
            carries_on = follow(own, message)
        else:
            follow_untimed(own, message)
    else:
        follow_unnumbered(own, message)
    last_ns = _last_ns(message, number, streams)
    if message["sampled"] != NOT_SAMPLED and carries_on and message["timed"]:
        _follow_clock(own, message)
    message["ahead_ns"] = own["ahead_ns"]
    if not message["timed"] and not message["status"]:  # readings without a time follow what was judged
        message["ahead_ns"] = max(own["ahead_ns"], own["watermark_ns"] + 1 - message["t_ns"])
    t_ns = message["t_ns"] + message["ahead_ns"]
    if message["status"] and own["watermark_ns"] == NEVER:
        own["watermark_ns"] = t_ns - STEP_GAP_NS  # a status does not show how far the lift's readings are
    message["watermark_ns"] = own["watermark_ns"]
    at_ns = own["watermark_ns"] + 1
    if not message["status"]:
        at_ns = max(min(t_ns, own["end_ns"] + 1), at_ns)
    if message["gap"]:
        mark(own, rows, heap, at_ns, GAP, missing_s(own, message, message["t_ns"] - earlier_ns))
    if message["restarted"]:
        mark(own, rows, heap, at_ns, REBOOT, 1.0)
    if message["status"]:
        place_status(own, message, carries_on, number, streams, rows, heap)
        return
    if not carries_on and last_ns + message["ahead_ns"] <= own["watermark_ns"]:
        message["late"], message["taken"] = True, False
    count = place_readings(own, message, number, last_ns, streams, rows, heap)
    _advance(own, message, t_ns, last_ns + message["ahead_ns"], count)


@compiled
def _last_ns(message: Struct, number: int, streams: tuple[StreamColumns, ...]) -> int:
    """Return the time that a message covers: a bundle, up to its last sample where it has any."""
    last_ns = NEVER
    if message["complete"]:
        for k in range(SAMPLED):
            first, instants = streams[k][0], streams[k][1]
            if first[number + 1] > first[number]:
                last_ns = max(last_ns, instants[first[number + 1] - 1])
    return message["end_ns"] if last_ns == NEVER else last_ns


@compiled
def _follow_clock(own: Struct, message: Struct) -> None:
    """Begin a new stretch of the lift's time where its clock was set back; after a long silence bring both together.

    A stream that lags behind the others and goes on in its own order sets no clock back, unless the others were ahead
    of the monitor's clock. Waiting rows are released before the new stretch. A lift of which only statuses were judged
    has no time yet.
    """
    t_ns, stream = message["t_ns"] + own["ahead_ns"], message["sampled"]
    before_ns = max(own["watermark_ns"], own["end_ns"])
    is_first = own["latest_ns"] == NEVER
    is_new = own["stream_ns"][stream] == NEVER and stream not in VIBRATION
    is_ahead = own["watermark_ns"] > message["arrived_ns"] + own["ahead_ns"] + ALIGN_NS
    if t_ns < own["watermark_ns"] - ALIGN_NS and (t_ns < own["stream_ns"][stream] or is_new or is_ahead or is_first):
        own["watermark_ns"] = before_ns
        own["ahead_ns"] += before_ns + STEP_GAP_NS - t_ns
        own["t_ns"] = message["t_ns"]
        own["status_ns"] = NEVER
        message["turned"] = True
        message["stepped"] = not is_first
    elif own["ahead_ns"] > 0 and t_ns - before_ns > STEP_GAP_NS:
        own["ahead_ns"] -= min(own["ahead_ns"], t_ns - before_ns - STEP_GAP_NS)
        message["turned"] = True
    own["stream_ns"][stream] = max(own["stream_ns"][stream], message["t_ns"] + own["ahead_ns"])


@compiled
def _advance(own: Struct, message: Struct, t_ns: int, last_ns: int, count: int) -> None:
    """Move the watermark on.

    bundle                  to its last sample
    any other message       to a second before the latest beginning of a message
    too many rows           to the end of all messages
    """
    own["latest_ns"] = max(own["latest_ns"], t_ns)
    own["end_ns"] = max(own["end_ns"], t_ns, message["end_ns"] + message["ahead_ns"])
    own["slot_end_ns"][own["slot"] % SLOTS] = own["end_ns"]
    own["watermark_ns"] = max(own["watermark_ns"], own["latest_ns"] - ALIGN_NS)
    if message["complete"]:
        own["watermark_ns"] = max(own["watermark_ns"], last_ns)
    if own["latest_ns"] - own["window_ns"] >= ALIGN_NS:
        own["window_ns"], own["window_rows"] = own["latest_ns"], 0
    own["window_rows"] += count
    if own["window_rows"] > HELD_LIMIT_ROWS:
        own["window_rows"], own["watermark_ns"] = 0, max(own["watermark_ns"], own["end_ns"])
        message["overflowed"] = True
