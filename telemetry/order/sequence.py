"""From messages to batches that may be judged: in order of time, without repeats, all streams of a lift aligned.

    messages ─► recurrence ─► rows, held by lift up to its watermark ──────────────────┬─► Batch
                              vibration blocks, held until the rows before them are out ┘

The released rows of a lift, and their order, follow from its messages and their times of arrival only, never from the
grouping of messages. The cost of a turn depends on received and released rows, not on held ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry import compiled
from telemetry.arrays import I32, I64, Bools
from telemetry.batch import CHANNELS, Batch, Decoded, Steps
from telemetry.cutting import joined
from telemetry.groups import picked
from telemetry.order.blocks import NO_NEW_BLOCKS, HeldBlocks, NewBlocks, new_blocks
from telemetry.order.early_presses import raise_presses
from telemetry.order.held import HeldRows
from telemetry.order.messages import message_records, streams
from telemetry.order.records import COUNTED, LIFT, START
from telemetry.order.recurrence import advance_watermarks, process

NOT_JUDGED = -1
VIBRATIONS = ("waveforms", "machine")
"""The vibration of cars and of machines, as `Decoded` and `Batch` name them."""
NO_VIBRATION = dict.fromkeys(VIBRATIONS, NO_NEW_BLOCKS)
VERDICTS = {
    "repeats": "repeated",
    "gaps": "gap",
    "late": "late",
    "restarts": "restarted",
    "steps": "stepped",
    "overflows": "overflowed",
}
"""The column of a message's record for each thing that is counted."""


class Sequencer:
    """One record for each lift index; it grows as lifts come.

    `repeated` marks the messages of the last step that had come before, `overtaken` those that were late as a whole,
    `stepped` those with which the lift's clock was set back. `failed` holds the error of each message, by its row, that
    the last `step_leaving_out` left out.
    """

    def __init__(self) -> None:
        self._lifts: NDArray[Any] = np.empty(0, dtype=LIFT)
        self._rows = HeldRows()
        self._blocks = {kind: HeldBlocks() for kind in VIBRATIONS}
        self.repeated = self.overtaken = self.stepped = np.zeros(0, dtype=np.bool_)
        self.failed: dict[int, Exception] = {}

    def step(self, decoded: Decoded, lift: I32) -> tuple[Batch, dict[str, int]]:
        """Return the rows that may be judged after these messages, and the counts of these messages.

        `lift` is the index of each message's lift, -1 where it is not to be judged. The effect of a message follows
        from its own time of arrival, never from the time of this call. A step that raises has changed nothing.
        """
        lift = np.asarray(lift, dtype=np.int32)
        self.grow(int(lift.max(initial=NOT_JUDGED)) + 1)
        messages, readings = message_records(decoded, lift), streams(decoded)
        order = np.argsort(lift, kind="stable")
        order = order[np.searchsorted(lift[order], 0) :]
        active = np.unique(lift[order])
        count = sum(int((first[order + 1] - first[order]).sum()) for first, *_ in readings)
        self._rows.make_room(2 * len(order) + count)
        with self._unchanged_by_failure(active):
            process(self._lifts, messages, order, readings, self._rows.rows, self._rows.heap)
            new = {kind: new_blocks(getattr(decoded, kind), messages) for kind in VIBRATIONS}
            batch = self._release(active, new, _steps(messages[order]))
        self.repeated = messages["repeated"].copy()
        self.overtaken = messages["late"] & ~messages["taken"]
        self.stepped = messages["stepped"].copy()
        self.failed = {}
        counts = {name: int(messages[column].sum()) for name, column in VERDICTS.items()}
        return batch, {"received": len(order)} | counts

    def step_leaving_out(self, decoded: Decoded, lift: I32) -> tuple[Batch, dict[str, int]]:
        """Step as `step` does, but leave out each message at which this fails by a mistake of ours: see `failed`."""
        try:
            return self.step(decoded, lift)
        except Exception as error:
            order = np.argsort(lift, kind="stable")
            if len(order) < 2:
                self.repeated = self.overtaken = self.stepped = np.zeros(len(order), dtype=np.bool_)
                self.failed = dict.fromkeys(range(len(order)), error)
                return self._release(order[:0].astype(np.int32)), {}
        verdicts, failed = np.zeros((3, len(order)), dtype=np.bool_), dict[int, Exception]()
        batches, counts = list[Batch](), Counter[str]()
        for part in (order[: len(order) // 2], order[len(order) // 2 :]):  # by lift, and each lift's in their order
            batch, counted = self.step_leaving_out(picked(decoded, part), lift[part])
            batches.append(batch)
            counts.update(counted)
            verdicts[:, part] = self.repeated, self.overtaken, self.stepped
            failed |= {int(part[row]): error for row, error in self.failed.items()}
        self.repeated, self.overtaken, self.stepped = verdicts
        self.failed = failed
        return joined(batches), dict(counts)

    def raise_presses(self, decoded: Decoded, lift: I32) -> Batch:
        """Return a row for each press of the alarm button in messages that are to be stepped later.

        `lift` is the index of each such message's lift, -1 for other messages.
        """
        status = decoded.samples["status"]
        pressed = np.unique(status.message[(status.channels["alarm"] == 1.0) & (lift[status.message] != NOT_JUDGED)])
        if not len(pressed):
            return self._release(pressed)
        decoded, lift = picked(decoded, pressed), lift[pressed]
        self.grow(int(lift.max(initial=NOT_JUDGED)) + 1)
        self._rows.make_room(len(decoded.samples["status"].message))
        messages, order = message_records(decoded, lift), np.arange(len(lift))
        raise_presses(self._lifts, messages, order, streams(decoded), self._rows.rows, self._rows.heap)
        return self._release(np.unique(lift))

    def idle(self, now_ns: int, behind: Bools | None = None) -> Batch:
        """Return the rows whose waiting time is over at `now_ns`.

        `now_ns` must not be later than the arrival of any message that is yet to be stepped, but for messages of the
        lifts that are `behind`.
        """
        holds = self._lifts["held"] > 0
        for blocks in self._blocks.values():
            holds[blocks.lifts()] = True
        if behind is not None:
            holds &= ~behind[: len(holds)]
        waiting = np.flatnonzero(holds).astype(np.int32)
        advance_watermarks(self._lifts, waiting, now_ns)
        return self._release(waiting)

    def has_stepped(self, position: I64, lift: I32) -> Bools:
        """Return which messages at these positions of the journal were stepped before; those of -1 count as not."""
        latest = np.append(self._lifts["position"], 0)  # the last entry is for -1
        return np.asarray(position <= latest[lift])

    @property
    def held(self) -> int:
        """The number of held rows."""
        return int(self._rows.heap[0]["live"])

    def counts(self) -> dict[str, I64]:
        """Return the counts so far, by lift."""
        return {name: self._lifts[name].copy() for name in COUNTED}

    def unnumbered(self) -> Bools:
        """Return which lifts never sent a `seq`, so that it is unknown how many of their messages are missing."""
        return np.array((self._lifts["seq"] < 0) & (self._lifts["received"] > 0))

    def grow(self, lifts: int) -> None:
        """Extend the state to `lifts` lifts."""
        missing = lifts - len(self._lifts)
        if missing > 0:
            self._lifts = np.concatenate([self._lifts, compiled.records(missing, LIFT, **START)])

    def is_idle(self, lift: int) -> bool:
        """Return whether a lift has no held rows or blocks."""
        if lift >= len(self._lifts):
            return True
        return not self._lifts["held"][lift] and not any(lift in blocks.lifts() for blocks in self._blocks.values())

    def forget(self, lift: int) -> None:
        """Reset the record of a lift that is idle."""
        if lift < len(self._lifts):
            self._lifts[lift] = compiled.records(1, LIFT, **START)[0]

    def snapshot(self, lifts: NDArray[np.intp] | None = None) -> dict[str, NDArray[Any]]:
        """Return the state as arrays that `numpy.savez` holds without pickling.

        With `lifts`, of these alone, numbered anew in this order: ascending, and every lift of which a message came.
        """
        kept = np.arange(len(self._lifts)) if lifts is None else lifts
        parts = {"rows": self._rows.snapshot(self._lifts)}
        parts |= {kind: blocks.snapshot() for kind, blocks in self._blocks.items()}
        for kind in self._blocks:
            parts[kind]["message"] = np.searchsorted(kept, parts[kind]["message"]).astype(np.int32)
        held = {f"{part}/{name}": column for part, columns in parts.items() for name, column in columns.items()}
        return {"lifts": self._lifts[kept], **held}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Restore the state of `snapshot`."""
        if snapshot["lifts"].dtype != LIFT:
            raise ValueError("a snapshot of another version")
        self._lifts = snapshot["lifts"].astype(LIFT)
        self._rows.restore(self._lifts, _part(snapshot, "rows/"))
        for kind, blocks in self._blocks.items():
            blocks.restore(_part(snapshot, f"{kind}/"))

    @contextmanager
    def _unchanged_by_failure(self, lifts: I32) -> Iterator[None]:
        """Restore the records, rows and blocks of these lifts, which alone may change, where the body raises."""
        records, rows = compiled.taken(self._lifts, lifts), self._rows.kept(self._lifts, lifts)
        held = {kind: blocks.kept(lifts) for kind, blocks in self._blocks.items()}
        try:
            yield
        except Exception:
            compiled.put(self._lifts, lifts, records)
            self._rows.undo(self._lifts, rows)
            for kind, blocks in self._blocks.items():
                blocks.undo(lifts, held[kind])
            raise

    def _release(self, lifts: I32, new: Mapping[str, NewBlocks] = NO_VIBRATION, steps: Steps | None = None) -> Batch:
        """Return the rows and blocks of these lifts up to their watermarks; hold the others."""
        lift, t_ns, values = self._rows.release(self._lifts, lifts)
        vibration: dict[str, Any] = {}
        for kind, blocks in self._blocks.items():
            waves, due_ns = blocks.release(new[kind], lifts, self._lifts["watermark_ns"])
            vibration |= {kind: waves, f"{kind}_due_ns": due_ns} if len(due_ns) else {}
        return Batch(lift, t_ns, **dict(zip(CHANNELS, values, strict=True)), **vibration, steps=steps)


def _steps(messages: NDArray[Any]) -> Steps | None:
    """Return the steps of the clocks in these messages, None without any."""
    if not messages["turned"].any():
        return None
    turned = messages[messages["turned"]]
    return Steps(turned["lift"].copy(), turned["t_ns"] + turned["ahead_ns"], turned["ahead_ns"].copy())


def _part(snapshot: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): column for name, column in snapshot.items() if name.startswith(prefix)}
