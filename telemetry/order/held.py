"""Held rows, by lift: one table, and through it a list for each lift in the order of time.

The readings of several streams at one instant are one row; of two values for one instant the later one is kept.
Releasing a row costs the same however many are held, and so does placing one next to the row that was placed before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import I32, I64
from telemetry.batch import CHANNELS
from telemetry.compiled import compiled, put, taken
from telemetry.order.records import HEAP, NO_ROW, ROW

Structs = NDArray[Any]
Struct = Any


class HeldRows:
    """The table of held rows; the record of a lift refers to its rows."""

    def __init__(self) -> None:
        self.rows: Structs = np.empty(0, dtype=ROW)
        self.heap: Structs = np.array([(NO_ROW, 0, 0)], dtype=HEAP)

    def make_room(self, count: int) -> None:
        """Make space for `count` more rows."""
        heap = self.heap[0]
        if not heap["live"]:
            heap["free"], heap["used"] = NO_ROW, 0
        missing = int(heap["live"]) + count - len(self.rows)
        if missing > 0:
            rows = np.empty(len(self.rows) + max(missing, len(self.rows)), dtype=ROW)
            rows[: len(self.rows)] = self.rows
            self.rows = rows

    def release(self, lifts: Structs, which: I32) -> tuple[I32, I64, NDArray[np.float64]]:
        """Return lift, time and values (channels, rows) of the rows of these lifts that may be released."""
        most = int(lifts["held"][which].sum())
        lift, t_ns = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int64)
        values = np.empty((len(CHANNELS), most))
        count = _release(lifts, which, self.rows, self.heap, lift, t_ns, values)
        return lift[:count], t_ns[:count], values[:, :count]

    def kept(self, lifts: Structs, which: I32) -> tuple[I64, Structs]:
        """Return the places and copies of the rows of these lifts, for `undo`."""
        places = np.empty(int(lifts["held"][which].sum()), dtype=np.int64)
        _list(lifts, which.astype(np.int64), self.rows, places)
        return places, taken(self.rows, places)

    def undo(self, lifts: Structs, kept: tuple[I64, Structs]) -> None:
        """Restore rows as they were when `kept` returned them; the records of their lifts are restored already."""
        places, rows = kept
        put(self.rows, places, rows)
        self.restore(lifts, self.snapshot(lifts))

    def snapshot(self, lifts: Structs) -> dict[str, NDArray[Any]]:
        """Return the rows of all lifts, one lift after the other in order of time: their times and values."""
        holders = np.flatnonzero(lifts["held"])
        places = np.empty(int(lifts["held"].sum()), dtype=np.int64)
        _list(lifts, holders, self.rows, places)
        values = self.rows["values"][places]
        row, channel = np.nonzero(~np.isnan(values))
        return {
            "row_t_ns": self.rows["t_ns"][places],
            "row": row.astype(np.int32),
            "channel": channel.astype(np.int8),
            "value": values[row, channel],
        }

    def restore(self, lifts: Structs, snapshot: Any) -> None:
        """Restore the rows of a snapshot and the lifts' references to them."""
        count = len(snapshot["row_t_ns"])
        self.rows, self.heap = np.empty(count, dtype=ROW), np.array([(NO_ROW, count, count)], dtype=HEAP)
        self.rows["t_ns"], self.rows["values"] = snapshot["row_t_ns"], np.nan
        self.rows["values"][snapshot["row"], snapshot["channel"]] = snapshot["value"]
        self.rows["previous"], self.rows["next"] = np.arange(count) - 1, np.arange(count) + 1
        end = np.cumsum(lifts["held"])
        begin = end - lifts["held"]
        some = lifts["held"] > 0
        lifts["first"], lifts["last"] = np.where(some, begin, NO_ROW), np.where(some, end - 1, NO_ROW)
        self.rows["previous"][begin[some]] = self.rows["next"][end[some] - 1] = NO_ROW


@compiled
def place(own: Struct, rows: Structs, heap: Struct, t_ns: int, near: int) -> int:
    """Return the lift's row at an instant, a new one where there is none; the search begins at the row `near`."""
    before = near
    while before != NO_ROW and rows[before]["t_ns"] > t_ns:
        before = rows[before]["previous"]
    after = own["first"] if before == NO_ROW else rows[before]["next"]
    while after != NO_ROW and rows[after]["t_ns"] <= t_ns:
        before = after
        after = rows[before]["next"]
    if before != NO_ROW and rows[before]["t_ns"] == t_ns:
        return before
    new = _new_row(rows, heap)
    rows[new]["t_ns"], rows[new]["previous"], rows[new]["next"] = t_ns, before, after
    if before == NO_ROW:
        own["first"] = new
    else:
        rows[before]["next"] = new
    if after == NO_ROW:
        own["last"] = new
    else:
        rows[after]["previous"] = new
    own["held"] += 1
    return new


@compiled
def _new_row(rows: Structs, heap: Struct) -> int:
    """Return a free row, all its values NaN."""
    new: int = heap["free"]
    if new == NO_ROW:
        new = heap["used"]
        heap["used"] += 1
    else:
        heap["free"] = rows[new]["next"]
    heap["live"] += 1
    values = rows[new]["values"]
    for channel in range(len(values)):
        values[channel] = np.nan
    return new


@compiled
def _release(
    lifts: Structs,
    which: I32,
    rows: Structs,
    heaps: Structs,
    lift: I32,
    t_ns: I64,
    values: Any,
) -> int:
    """Write the rows that may be released into the columns, lift by lift; return their number."""
    heap, count = heaps[0], 0
    for k in range(len(which)):
        own = lifts[which[k]]
        row, before = own["first"], count
        while row != NO_ROW and rows[row]["t_ns"] <= own["watermark_ns"]:
            lift[count], t_ns[count] = which[k], rows[row]["t_ns"]
            own_values = rows[row]["values"]
            for channel in range(len(own_values)):
                values[channel, count] = own_values[channel]
            following = rows[row]["next"]
            rows[row]["next"] = heap["free"]
            heap["free"] = row
            row = following
            count += 1
        own["held"] -= count - before
        heap["live"] -= count - before
        own["first"] = row
        if row == NO_ROW:
            own["last"] = NO_ROW
        else:
            rows[row]["previous"] = NO_ROW
    return count


@compiled
def _list(lifts: Structs, which: I64, rows: Structs, places: I64) -> None:
    """List the places of the rows of these lifts, in order."""
    count = 0
    for k in range(len(which)):
        row = lifts[which[k]]["first"]
        while row != NO_ROW:
            places[count] = row
            row = rows[row]["next"]
            count += 1
