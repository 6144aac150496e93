"""The recurrence over the messages of a lift, written for one lift and one message: repeats, restarts, gaps, lateness.

    message ─► repeat? ─► end of a silence? ─► restart, clock set back? ─► rows placed ─► watermark moves on
                 └─ changes nothing                                         └─ not those up to the watermark: late

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
from telemetry.order.messages import SAMPLED, StreamColumns
from telemetry.order.records import NEVER, NO_BOOT, RECENT_LIMIT

ALIGN_NS = 1_000_000_000
"""How long the rows of a message that is not a bundle wait for other streams, in the lift's own time."""
SILENCE_NS = 2_000_000_000
"""After how long without a message, by arrival, nothing is waited for any more."""
HELD_LIMIT_ROWS = 10_000
"""How many rows a lift may send within `ALIGN_NS` of its time before all of them are released unaligned."""
_GAP, _REBOOT = CHANNELS.index("gap"), CHANNELS.index("reboot")


@compiled
def process(
    lifts: Structs,
    messages: Structs,
    order: NDArray[Any],
    streams: tuple[StreamColumns, ...],
    rows: Structs,
    heaps: Structs,
) -> None:
    """Bring the lifts' records up to date with their messages, in this order, and place the rows of these."""
    heap = heaps[0]
    for k in range(len(order)):
        number = order[k]
        message = messages[number]
        own = lifts[message["lift"]]
        message["repeated"] = _is_repeat(own, message)
        message["taken"] = not message["repeated"] and (message["timed"] or own["latest_ns"] != NEVER)
        if message["taken"]:
            _accept(own, message, number, streams, rows, heap)
        own["received"] += 1
        own["repeats"] += message["repeated"]
        own["gaps"] += message["gap"]
        own["late"] += message["late"]
        own["restarts"] += message["restarted"]
        own["overflows"] += message["overflowed"]


@compiled
def _is_repeat(own: Struct, message: Struct) -> bool:
    """Tell whether the message came before; one that continues the sequence cannot have."""
    onward = message["boot"] == own["boot"] and message["seq"] > own["seq"] and message["t_ns"] > own["t_ns"]
    if onward or not message["timed"]:
        return False
    return bool((own["recent"] == message["identity"]).any())


@compiled
def _accept(
    own: Struct, message: Struct, number: int, streams: tuple[StreamColumns, ...], rows: Structs, heap: Struct
) -> None:
    """Update the lift's record with a message that is no repeat, and place its rows."""
    if message["timed"]:
        own["recent"][own["remembered"] % RECENT_LIMIT] = message["identity"]
        own["remembered"] += 1
    _end_silence(own, message["arrived_ns"])
    message["watermark_ns"] = own["watermark_ns"]
    horizon_ns = NEVER
    if message["complete"]:
        horizon_ns = _horizon_ns(message, number, streams)
    if message["timed"] and message["seq"] >= 0:
        _follow(own, message, horizon_ns, rows, heap)
    t_ns, end_ns = message["t_ns"], message["end_ns"]
    if not message["timed"]:
        t_ns = end_ns = max(own["end_ns"], own["watermark_ns"] + 1)
    count = 0
    for k in range(len(streams)):
        first, instants, values, channels = streams[k]
        count += first[number + 1] - first[number]
        near = own["last"]
        for row in range(first[number], first[number + 1]):
            row_ns = instants[row] if message["timed"] else t_ns
            if row_ns <= own["watermark_ns"]:
                message["late"] = True
                continue
            near = place(own, rows, heap, row_ns, near)
            for c in range(len(channels)):
                if values[c, row] == values[c, row]:  # not NaN
                    rows[near]["values"][channels[c]] = values[c, row]
    message["overflowed"] = _advance(own, t_ns, end_ns, horizon_ns, count)


@compiled
def _end_silence(own: Struct, arrived_ns: int) -> None:
    """After a silence, move the watermark to the end of all earlier messages, as `Sequencer.idle` does."""
    if arrived_ns - own["arrived_ns"] > SILENCE_NS:
        own["watermark_ns"] = max(own["watermark_ns"], own["end_ns"])
    own["arrived_ns"] = max(own["arrived_ns"], arrived_ns)


@compiled
def _horizon_ns(message: Struct, number: int, streams: tuple[StreamColumns, ...]) -> int:
    """Return up to where a bundle stands for all its streams: its last sample; its end, where it has no samples."""
    horizon_ns = NEVER
    for k in range(SAMPLED):
        first, instants = streams[k][0], streams[k][1]
        if first[number + 1] > first[number]:
            horizon_ns = max(horizon_ns, instants[first[number + 1] - 1])
    return message["end_ns"] if horizon_ns == NEVER else horizon_ns


@compiled
def _follow(own: Struct, message: Struct, horizon_ns: int, rows: Structs, heap: Struct) -> None:
    """Follow the sequence: numbers missing before the message, a restart of its device, a clock that was set back.

    seq   5 6 7 9        gap of 1 before 9, marked at the instant after all that was heard before it
    seq   5 6 0 1        restarted before 0, where its t is later (with `boot`, where the boot is another one)
    seq   5 6 7 8        set back before 7, a bundle that ends before the watermark: everything is late until the
    t     5 6 3 4        clock is where it was, and states may have changed meanwhile
    """
    boot, seq, t_ns, watermark_ns = message["boot"], message["seq"], message["t_ns"], own["watermark_ns"]
    first = own["seq"] < 0
    onward = not first and boot == own["boot"] and seq > own["seq"]
    lower = boot == NO_BOOT and seq < own["seq"]
    restarted = not first and t_ns > own["t_ns"] and (boot != own["boot"] or lower)
    mark_ns = max(min(t_ns, own["end_ns"] + 1), watermark_ns + 1)
    if onward and seq - own["seq"] > 1:
        message["gap"] = seq - own["seq"] - 1
        until_ns = t_ns if message["complete"] else message["end_ns"]
        _mark(own, rows, heap, mark_ns, _GAP, max(until_ns - own["end_ns"], 1) / 1e9)
    if restarted or (onward and message["complete"] and horizon_ns <= watermark_ns):
        anew_ns = mark_ns if restarted else watermark_ns + 1
        _mark(own, rows, heap, anew_ns, _REBOOT, 1.0)
        message["restarted"] = restarted
    if first or onward or restarted:
        own["boot"], own["seq"], own["t_ns"] = boot, seq, max(t_ns, own["t_ns"])


@compiled
def _mark(own: Struct, rows: Structs, heap: Struct, t_ns: int, channel: int, value: float) -> None:
    """Write the value into the row of an instant; where it has one already, the greater one stands."""
    values = rows[place(own, rows, heap, t_ns, own["last"])]["values"]
    values[channel] = np.fmax(values[channel], value)
    own["end_ns"] = max(own["end_ns"], t_ns)


@compiled
def _advance(own: Struct, t_ns: int, end_ns: int, horizon_ns: int, count: int) -> bool:
    """Move the watermark on; tell whether that was because the window has too many rows.

    bundle                  to its last sample (`horizon_ns`)
    any other message       to a second before the latest beginning of a message
    too many rows           to the end of all messages
    """
    own["latest_ns"] = max(own["latest_ns"], t_ns)
    own["end_ns"] = max(own["end_ns"], end_ns)
    own["watermark_ns"] = max(own["watermark_ns"], horizon_ns, own["latest_ns"] - ALIGN_NS)
    if own["latest_ns"] - own["window_ns"] >= ALIGN_NS:
        own["window_ns"], own["window_rows"] = own["latest_ns"], 0
    own["window_rows"] += count
    if own["window_rows"] > HELD_LIMIT_ROWS:
        own["window_rows"], own["watermark_ns"] = 0, max(own["watermark_ns"], own["end_ns"])
        return True
    return False
