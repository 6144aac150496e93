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

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import CHANNELS
from telemetry.compiled import compiled
from telemetry.order.held import Struct, Structs, place
from telemetry.order.messages import ALARM, SAMPLED, STATUS, StreamColumns
from telemetry.order.records import (
    NEVER,
    NO_BOOT,
    NO_ROW,
    NOT_SAMPLED,
    RECENT_LIMIT,
    SAMPLED_STREAMS,
    SLOT_NS,
    SLOTS,
)

ALIGN_NS = 1_000_000_000
"""How long the rows of a message that is not a bundle wait for other streams, in the lift's own time."""
JUMP = 86_400
"""A seq that is further ahead, by more than a day of messages, is that of a restarted device, and no gap."""
STEP_GAP_NS = 62_000_000_000
"""The gap in the lift's time where its clock was set back: longer than any interval between two readings may be."""
PRESS_KEPT_NS = 24 * 3600 * 1_000_000_000
"""How old a press of the alarm button may be that comes late."""
HELD_LIMIT_ROWS = 2_000
"""How many rows a lift may send within `ALIGN_NS` of its time before all of them are released unaligned."""
VIBRATION = (SAMPLED_STREAMS.index("waveforms"), SAMPLED_STREAMS.index("machine"))
"""Streams without rows: nothing of them is late."""
_GAP, _REBOOT = CHANNELS.index("gap"), CHANNELS.index("reboot")
_ALARM_AFTER, _LATE_PRESS = CHANNELS.index("alarm_after_ns"), CHANNELS.index("late_press")
_UNNUMBERED = CHANNELS.index("unnumbered")


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
        _pass_time(own, message["arrived_ns"])
        message["repeated"] = _is_repeat(own, message)
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
def let_time_pass(lifts: Structs, which: NDArray[Any], now_ns: int) -> None:
    """Advance these lifts to `now_ns`, until which they had no new message."""
    for k in range(len(which)):
        _pass_time(lifts[which[k]], now_ns)


@compiled
def _pass_time(own: Struct, now_ns: int) -> None:
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
def _is_repeat(own: Struct, message: Struct) -> bool:
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
            carries_on = _follow(own, message)
        else:
            _follow_untimed(own, message)
    last_ns = _last_ns(message, number, streams)
    if message["sampled"] != NOT_SAMPLED and carries_on and message["timed"]:
        _follow_clock(own, message)
    message["ahead_ns"] = own["ahead_ns"]
    if not message["timed"] and not message["status"]:  # readings without a time follow what was judged
        message["ahead_ns"] = max(own["ahead_ns"], own["watermark_ns"] + 1 - message["t_ns"])
    t_ns = message["t_ns"] + message["ahead_ns"]
    if message["status"] and own["watermark_ns"] == NEVER:
        own["watermark_ns"] = t_ns - STEP_GAP_NS  # a status does not say how far the lift's readings are
    message["watermark_ns"] = own["watermark_ns"]
    at_ns = own["watermark_ns"] + 1
    if not message["status"]:
        at_ns = max(min(t_ns, own["end_ns"] + 1), at_ns)
    if message["gap"]:
        _mark(own, rows, heap, at_ns, _GAP, _missing_s(own, message, message["t_ns"] - earlier_ns))
    if message["restarted"]:
        _mark(own, rows, heap, at_ns, _REBOOT, 1.0)
    if message["status"]:
        _place_status(own, message, carries_on, number, streams, rows, heap)
        return
    if not carries_on and last_ns + message["ahead_ns"] <= own["watermark_ns"]:
        message["late"], message["taken"] = True, False
    count = _place(own, message, number, streams, rows, heap)
    _advance(own, message, t_ns, last_ns + message["ahead_ns"], count)


@compiled
def _follow(own: Struct, message: Struct) -> bool:
    """Follow the sequence; return whether the message carries it on, note a restart and the numbers that are missing.

    seq   5 6 7 9        gap of 1 before 9, marked at the instant after all that was heard before it
    seq   5 6 0 1        restarted before 0, where its t is later (with `boot`, where the boot is another one; with an
                         earlier t, not the one before either)
    seq   5 6 50 7       50 does not count, where its t was ahead of the monitor's clock and the t of 7 is not
    seq   5 6 9e9 7      restarted before 9e9, more than `JUMP` ahead; 7 goes on from 6, where its t is later
    """
    boot, seq, t_ns = message["boot"], message["seq"], message["t_ns"]
    first = own["seq"] < 0
    if boot == own["boot"] and t_ns > own["t_ns"] and 0 <= own["jumped_from"] < seq < own["seq"]:
        own["seq"], own["jumped_from"] = own["jumped_from"], -1
    onward = not first and boot == own["boot"] and seq > own["seq"]
    jumped = onward and seq - own["seq"] > JUMP
    if boot == own["boot"]:
        restarted = jumped or (boot == NO_BOOT and seq < own["seq"] and t_ns > own["t_ns"])
    else:
        restarted = not first and (t_ns > own["t_ns"] or boot != own["boot_before"])
    known_ns = message["arrived_ns"] + ALIGN_NS
    overrules = own["t_ns"] > known_ns >= t_ns
    if onward and not jumped:
        message["gap"] = seq - own["seq"] - 1
    message["restarted"] = restarted
    if restarted:
        own["jumped_from"] = own["seq"] if jumped else -1
    if not (first or onward or restarted or overrules):
        return False
    if boot != own["boot"]:
        own["boot_before"] = own["boot"]
    own["boot"], own["seq"] = boot, seq
    own["t_ns"] = t_ns if restarted or overrules else max(t_ns, own["t_ns"])
    return True


@compiled
def _follow_untimed(own: Struct, message: Struct) -> None:
    """Follow the numbers of a message without a time, which is never history; a last will may be numbered before."""
    boot, seq, first = message["boot"], message["seq"], own["seq"] < 0
    onward = boot == own["boot"] and seq > own["seq"]
    if not (first or onward) and message["status"]:
        return
    is_near = onward and seq - own["seq"] <= JUMP
    if not first and is_near:
        message["gap"] = seq - own["seq"] - 1
    message["restarted"] = not first and not is_near
    own["boot"], own["seq"] = boot, seq


@compiled
def _missing_s(own: Struct, message: Struct, since_ns: int) -> float:
    """Return how long the missing messages may last; no longer than their share of the interval between those heard."""
    until_ns = (message["t_ns"] if message["complete"] else message["end_ns"]) + message["ahead_ns"]
    missing_ns = until_ns - max(own["end_ns"], own["said_ns"])
    if since_ns > 0:
        missing_ns = min(missing_ns, int(since_ns * (message["gap"] / (message["gap"] + 1))))
    return float(max(missing_ns, 1) / 1e9)


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
        own["said_ns"] = NEVER
        message["turned"] = True
        message["stepped"] = not is_first
        if message["stepped"]:
            own["stepped_ns"] = message["arrived_ns"]
    elif own["ahead_ns"] > 0 and t_ns - before_ns > STEP_GAP_NS:
        own["ahead_ns"] -= min(own["ahead_ns"], t_ns - before_ns - STEP_GAP_NS)
        message["turned"] = True
    own["stream_ns"][stream] = max(own["stream_ns"][stream], message["t_ns"] + own["ahead_ns"])


@compiled
def _mark(own: Struct, rows: Structs, heap: Struct, t_ns: int, channel: int, value: float) -> None:
    """Write the value into the row of an instant; where it has one already, the greater one stands."""
    values = rows[place(own, rows, heap, t_ns, own["last"])]["values"]
    values[channel] = np.fmax(values[channel], value)
    own["end_ns"] = max(own["end_ns"], t_ns)


@compiled
def _place_status(
    own: Struct,
    message: Struct,
    carries_on: bool,
    number: int,
    streams: tuple[StreamColumns, ...],
    rows: Structs,
    heap: Struct,
) -> None:
    """Place a status right after what was judged, so that it waits for nothing and nothing that follows is late.

    One that does not carry the sequence on counts where it was overtaken by readings alone, and by a second at most.
    """
    first, _, values, channels = streams[STATUS]
    said_ns = message["t_ns"] + own["ahead_ns"]
    if message["seq"] < 0:
        message["late"] = said_ns < own["said_ns"] - ALIGN_NS
    elif not carries_on:
        message["late"] = said_ns < max(own["said_ns"], own["watermark_ns"] - ALIGN_NS)
    own["watermark_ns"] += 1
    for row in range(first[number], first[number + 1]):
        if message["late"]:
            message["taken"] = False
            _place_late_press(own, message, said_ns, values[:, row], rows, heap)
            continue
        own["said_ns"] = max(own["said_ns"], said_ns)
        placed = rows[place(own, rows, heap, own["watermark_ns"], NO_ROW)]["values"]
        for c in range(len(channels)):
            if values[c, row] == values[c, row]:  # not NaN
                placed[channels[c]] = values[c, row]
        if values[ALARM, row] == values[ALARM, row]:
            placed[_ALARM_AFTER] = float(said_ns - own["watermark_ns"])


@compiled
def _place_late_press(
    own: Struct, message: Struct, said_ns: int, values: NDArray[Any], rows: Structs, heap: Struct
) -> None:
    """Place a press of the alarm button that came late as a row of its own, which sets no state."""
    is_stale = values[-1] == 1.0
    if values[ALARM] != 1.0 or is_stale or message["arrived_ns"] - message["t_ns"] > PRESS_KEPT_NS:
        return
    at_ns = message["watermark_ns"] + 1
    own["watermark_ns"] = max(own["watermark_ns"], at_ns)
    placed = rows[place(own, rows, heap, at_ns, NO_ROW)]["values"]
    placed[_LATE_PRESS], placed[_ALARM_AFTER] = 1.0, float(said_ns - at_ns)


@compiled
def _place(
    own: Struct, message: Struct, number: int, streams: tuple[StreamColumns, ...], rows: Structs, heap: Struct
) -> int:
    """Place the rows that lie after the watermark; return how many the message has."""
    count = 0
    for k in range(len(streams)):
        first, instants, values, channels = streams[k]
        count += first[number + 1] - first[number]
        near = own["last"]
        for row in range(first[number], first[number + 1]):
            row_ns = instants[row] + message["ahead_ns"]
            if row_ns <= message["watermark_ns"]:
                message["late"] = True
                if k == STATUS:
                    _place_late_press(own, message, row_ns, values[:, row], rows, heap)
                continue
            near = place(own, rows, heap, row_ns, near)
            if k < SAMPLED and row == first[number] and message["seq"] < 0 and not message["turned"]:
                rows[near]["values"][_UNNUMBERED] = 1.0
            for c in range(len(channels)):
                if values[c, row] == values[c, row]:  # not NaN
                    rows[near]["values"][channels[c]] = values[c, row]
    return count


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
