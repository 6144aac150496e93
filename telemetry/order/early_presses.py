"""Raises the presses of the alarm button in messages that wait for their turn, as if they had come late.

    lift's messages   judged ───────────┤ waiting ─ ─ ─ press ─ ─ ─
    rows              ───────────────── press                           at once: raised, sets no state
                                          ─ ─ ─ ─ ─ ─ ─ press ─ ─ ─     in its turn: sets the state, is not raised again

The message itself is not taken: its readings, its number and its place among the messages wait for their turn.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from telemetry.compiled import compiled
from telemetry.order.held import Struct, Structs
from telemetry.order.messages import STATUS, StreamColumns
from telemetry.order.placing import is_press, place_late_press
from telemetry.order.records import NEVER
from telemetry.order.recurrence import STEP_GAP_NS, is_repeat


@compiled
def raise_presses(
    lifts: Structs,
    messages: Structs,
    order: NDArray[Any],
    streams: tuple[StreamColumns, ...],
    rows: Structs,
    heaps: Structs,
) -> None:
    """Place the presses of waiting messages, in this order, and note up to which position they were raised."""
    first, instants, values, _ = streams[STATUS]
    for k in range(len(order)):
        message = messages[order[k]]
        own = lifts[message["lift"]]
        for row in range(first[order[k]], first[order[k] + 1]):
            if is_press(message, values[:, row]) and not is_repeat(own, message):
                _place(own, message, instants[row], values[:, row], rows, heaps[0])


@compiled
def _place(own: Struct, message: Struct, row_ns: int, values: NDArray[Any], rows: Structs, heap: Struct) -> None:
    """Place a press after all that was judged; a lift without any has readings that may be a while before it."""
    if own["watermark_ns"] == NEVER:
        own["watermark_ns"] = message["t_ns"] - STEP_GAP_NS
    message["watermark_ns"] = own["watermark_ns"]
    place_late_press(own, message, row_ns + own["ahead_ns"], values, rows, heap)
    own["pressed"] = message["position"]
