"""Places a message's rows among the held rows of its lift, with the gaps and restarts that its number shows.

readings          at their own instants, where these are not released yet; what is older is late
status            at the instant after all that was released, so that it waits for nothing
late press        the same: a row that sets no state
press raised before its turn (`early_presses`)   sets the state, and is not raised again
gap, restart      at the instant after all that was received before
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import CHANNELS, UNSURE
from telemetry.compiled import compiled
from telemetry.order.held import Struct, Structs, place
from telemetry.order.messages import ALARM, POWER, SAMPLED, STATUS, StreamColumns
from telemetry.order.records import NEVER, NO_ROW

ALIGN_NS = 1_000_000_000
"""How long the rows of a message that is not a bundle wait for other streams, in the lift's own time."""
PRESS_KEPT_NS = 24 * 3600 * 1_000_000_000
"""How old a press of the alarm button may be that comes late."""
SPREAD_NS = 1_050_000_000
"""A bundle whose samples spread further is longer than a second; events without a time of their own may be anywhere."""
GAP, REBOOT = CHANNELS.index("gap"), CHANNELS.index("reboot")
_STATUS_AFTER, _LATE_PRESS = CHANNELS.index("status_after_ns"), CHANNELS.index("late_press")
_UNNUMBERED = CHANNELS.index("unnumbered")


@compiled
def mark(own: Struct, rows: Structs, heap: Struct, t_ns: int, channel: int, value: float) -> None:
    """Write the value into the row of an instant; where it has one already, the greater one stands."""
    values = rows[place(own, rows, heap, t_ns, own["last"])]["values"]
    values[channel] = np.fmax(values[channel], value)
    own["end_ns"] = max(own["end_ns"], t_ns)


@compiled
def place_status(
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
    status_ns = message["t_ns"] + own["ahead_ns"]
    if message["seq"] < 0:
        message["late"] = status_ns < own["status_ns"] - ALIGN_NS
    elif not carries_on:
        message["late"] = status_ns < max(own["status_ns"], own["watermark_ns"] - ALIGN_NS)
    own["watermark_ns"] += 1
    for row in range(first[number], first[number + 1]):
        if message["late"]:
            message["taken"] = False
            place_late_press(own, message, status_ns, values[:, row], rows, heap)
            continue
        own["status_ns"] = max(own["status_ns"], status_ns)
        placed = rows[place(own, rows, heap, own["watermark_ns"], NO_ROW)]["values"]
        for c in range(len(channels)):
            if values[c, row] == values[c, row]:  # not NaN
                placed[channels[c]] = values[c, row]
        if values[ALARM, row] == values[ALARM, row] or values[POWER, row] == values[POWER, row]:
            placed[_STATUS_AFTER] = float(status_ns - own["watermark_ns"])
        if _was_raised(own, message, values[:, row]):
            placed[_LATE_PRESS] = 0.0


@compiled
def is_press(message: Struct, values: NDArray[Any]) -> bool:
    """Return whether a status is a press of the alarm button that is raised before its turn, or after it."""
    is_stale = values[-1] == 1.0
    return bool(values[ALARM] == 1.0 and not is_stale and message["arrived_ns"] - message["t_ns"] <= PRESS_KEPT_NS)


@compiled
def _was_raised(own: Struct, message: Struct, values: NDArray[Any]) -> bool:
    """Return whether a status is a press that was raised as it arrived."""
    return message["position"] <= own["pressed"] and is_press(message, values)


@compiled
def place_late_press(
    own: Struct, message: Struct, status_ns: int, values: NDArray[Any], rows: Structs, heap: Struct
) -> None:
    """Place a press of the alarm button that came late as a row of its own, which sets no state."""
    if not is_press(message, values) or message["position"] <= own["pressed"]:
        return
    at_ns = message["watermark_ns"] + 1
    own["watermark_ns"] = max(own["watermark_ns"], at_ns)
    placed = rows[place(own, rows, heap, at_ns, NO_ROW)]["values"]
    placed[_LATE_PRESS], placed[_STATUS_AFTER] = 1.0, float(status_ns - at_ns)


@compiled
def place_readings(
    own: Struct,
    message: Struct,
    number: int,
    last_ns: int,
    streams: tuple[StreamColumns, ...],
    rows: Structs,
    heap: Struct,
) -> int:
    """Place the rows that lie after the watermark; return how many the message has."""
    count, is_long = 0, message["complete"] and last_ns - message["t_ns"] > SPREAD_NS
    for k in range(len(streams)):
        first, instants, values, channels = streams[k]
        count += first[number + 1] - first[number]
        near = own["last"]
        is_unsure = is_long and SAMPLED <= k < STATUS and _last_instant(first, instants, number) == message["t_ns"]
        for row in range(first[number], first[number + 1]):
            row_ns = instants[row] + message["ahead_ns"]
            if row_ns <= message["watermark_ns"]:
                message["late"] = True
                if k == STATUS:
                    place_late_press(own, message, row_ns, values[:, row], rows, heap)
                continue
            near = place(own, rows, heap, row_ns, near)
            if message["seq"] < 0 and not message["turned"]:
                mark_unnumbered(rows[near]["values"], k, row == first[number], message["complete"])
            if is_unsure:
                _write(rows[near]["values"], channels, values[:, row], UNSURE)
                sure = place(own, rows, heap, last_ns + message["ahead_ns"], near)
                _write(rows[sure]["values"], channels, values[:, row], 0.0)
            else:
                _write(rows[near]["values"], channels, values[:, row], 0.0)
            if k == STATUS and _was_raised(own, message, values[:, row]):
                rows[near]["values"][_LATE_PRESS] = 0.0
    return count


@compiled
def _last_instant(first: NDArray[Any], instants: NDArray[Any], number: int) -> int:
    """Return the instant of the last row of a message, `NEVER` where it has none."""
    return int(instants[first[number + 1] - 1]) if first[number + 1] > first[number] else NEVER


@compiled
def _write(row: NDArray[Any], channels: NDArray[Any], values: NDArray[Any], more: float) -> None:
    """Write the values of a stream into the row of their instant."""
    for c in range(len(channels)):
        if values[c] == values[c]:  # not NaN
            row[channels[c]] = values[c] + more


@compiled
def mark_unnumbered(values: NDArray[Any], stream: int, is_first: bool, is_bundle: bool) -> None:
    """Mark a row of a message without a number: where readings begin, and reports that came in no bundle."""
    if stream < SAMPLED and is_first:
        values[_UNNUMBERED] = np.fmax(values[_UNNUMBERED], 1.0)
    elif SAMPLED <= stream < STATUS and not is_bundle:
        values[_UNNUMBERED] = 2.0
