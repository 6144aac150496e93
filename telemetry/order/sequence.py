"""From what was said to what may be judged: repeats, restarts, gaps, lateness, and one time for all streams of a lift.

    message ─► seen before? ─► restarted? ─► rows ─► held until the lift's time has passed them by a second ─► Batch
                   └─ repeat: changes nothing   └─ behind what was released: late, counted, not judged

Nothing here depends on how messages were cut into groups: every decision follows from the lift's earlier messages and
their times of arrival. Loops run over rounds (the k-th message of every lift), never over lifts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import CHANNELS, I32, I64, Batch, Decoded, Waveforms, rounds
from telemetry.groups import blocks, joined_waves
from telemetry.order.heard import NO_BOOT, Heard
from telemetry.order.rows import NO_ROWS, Rows, head, join, merge
from telemetry.wire.columns import NOTHING

ALIGN_NS = 1_000_000_000
"""How long the rows of a message that is not a bundle wait for other streams, in the lift's own time."""
SILENCE_NS = 2_000_000_000
"""After how long without a message, by arrival, nothing is waited for any more."""
RECENT_LIMIT = 64
"""How many messages of a lift are remembered to know a repeat by."""
ROUNDS_LIMIT = 256
"""How many rows of one lift go out at once, so that its backlog does not hold up the others."""
HELD_LIMIT_ROWS = 10_000
"""How many rows a lift may bring within `ALIGN_NS` of its time before all of them are released unaligned."""
NEVER = -(1 << 62)

_START = {
    "boot": NO_BOOT,  # boot, seq and t of the message that last carried the sequence on
    "seq": -1,
    "t_ns": NEVER,
    "heard_ns": NEVER,  # the latest beginning, and the latest end, of any message
    "end_ns": NEVER,
    "released_ns": NEVER,  # what is not later has been released
    "arrived_ns": NEVER,
    "anchor_ns": NEVER,  # the lift's time since which `brought` counts rows
    "brought": 0,
    "remembered": 0,
    "received": 0,
    "repeats": 0,
    "gaps": 0,
    "late": 0,
    "restarts": 0,
    "overflows": 0,
}
COUNTED = ("received", "repeats", "gaps", "late", "restarts", "overflows")
"""What is counted: numbers missing in the sequence for `gaps`, messages for all others."""


class Sequencer:
    """One slot for each lift index; it grows as lifts come. `waiting` rows could go out now: call `idle` for more.

    `repeated` says which messages of the last step were seen before.
    """

    def __init__(self, rounds_limit: int = ROUNDS_LIMIT) -> None:
        self._rounds_limit = rounds_limit
        self._lifts = {name: np.zeros(0, dtype=np.int64) for name in _START}
        self._recent = np.zeros((0, RECENT_LIMIT), dtype=np.int64)
        self._held, self._waves = NO_ROWS, NOTHING.waveforms
        self.waiting = 0
        self.repeated = np.zeros(0, dtype=np.bool_)

    def step(self, decoded: Decoded, lift: I32) -> tuple[Batch, dict[str, int]]:
        """Return what may be judged after these messages, and what was counted in them.

        `lift` is the index of each message's lift, -1 where it is not to be judged. What a message means follows from
        its own time of arrival, never from when it is stepped.
        """
        lift = np.asarray(lift, dtype=np.int32)
        self.grow(int(lift.max(initial=-1)) + 1)
        heard = Heard(decoded, lift)
        order = np.argsort(lift, kind="stable")
        order = order[np.searchsorted(lift[order], 0) :]
        for turn in rounds(lift[order]):
            self._hear(heard, order[turn])
        rows = heard.in_time()
        counts = self._count(heard, order)
        self.repeated = heard.repeated
        return self._release([self._held, *rows], heard.waveforms()), counts

    def idle(self, now_ns: int) -> Batch:
        """Return the held rows of lifts that fell silent.

        `now_ns` must not be later than the arrival of any message that is yet to be stepped.
        """
        lifts, held = self._lifts, np.r_[self._held.lift, self._waves.message]
        silent = np.unique(held[now_ns - lifts["arrived_ns"][held] > SILENCE_NS])
        lifts["released_ns"][silent] = np.maximum(lifts["released_ns"][silent], lifts["end_ns"][silent])
        return self._release([self._held], None)

    def counts(self) -> dict[str, I64]:
        """Return what was counted so far, by lift."""
        return {name: self._lifts[name].copy() for name in COUNTED}

    def grow(self, lifts: int) -> None:
        """Make room for this many lifts."""
        missing = lifts - len(self._recent)
        if missing > 0:
            for name, start in _START.items():
                self._lifts[name] = np.r_[self._lifts[name], np.full(missing, start, dtype=np.int64)]
            self._recent = np.r_[self._recent, np.zeros((missing, RECENT_LIMIT), dtype=np.int64)]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays that `numpy.savez` holds without pickling."""
        lifts = {name: column.copy() for name, column in self._lifts.items()}
        held = {f"held.{name}": column for name, column in self._held.channels.items()}
        held |= {f"waves.{field.name}": getattr(self._waves, field.name) for field in fields(Waveforms)}
        return {**lifts, **held, "recent": self._recent.copy(), "lift": self._held.lift, "row_ns": self._held.t_ns}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Go on where the sequencer of `snapshot` stood."""
        self._lifts = {name: snapshot[name].copy() for name in _START}
        self._recent = snapshot["recent"].copy()
        channels = {name: snapshot[f"held.{name}"] for name in CHANNELS}
        self._held = Rows(snapshot["lift"], snapshot["row_ns"], channels)
        self._waves = Waveforms(**{field.name: snapshot[f"waves.{field.name}"] for field in fields(Waveforms)})
        self.waiting = self._could_go()

    def _hear(self, heard: Heard, turn: NDArray[np.intp]) -> None:
        """Carry the state of the lifts of one round over their message of that round."""
        heard.repeated[turn] = self._is_repeat(heard, turn)
        known = heard.timed[turn] | (self._lifts["heard_ns"][heard.lift[turn]] != NEVER)
        turn = turn[known & ~heard.repeated[turn]]
        heard.taken[turn] = True
        self._remember(heard, turn)
        self._end_silence(heard, turn)
        self._follow(heard, turn)
        self._advance(heard, turn)

    def _is_repeat(self, heard: Heard, turn: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which messages were seen before; one that carries the sequence on cannot have been."""
        lift = heard.lift[turn]
        boot, seq, t_ns = self._last(lift, "boot", "seq", "t_ns")
        onward = (heard.boot[turn] == boot) & (heard.seq[turn] > seq) & (heard.t_ns[turn] > t_ns)
        repeated: NDArray[np.bool_] = ~onward & heard.timed[turn]
        asked = np.flatnonzero(repeated)
        repeated[asked] = (self._recent[lift[asked]] == heard.identity[turn[asked], None]).any(axis=1)
        return repeated

    def _remember(self, heard: Heard, turn: NDArray[np.intp]) -> None:
        turn = turn[heard.timed[turn]]
        lift = heard.lift[turn]
        (remembered,) = self._last(lift, "remembered")
        self._recent[lift, remembered % RECENT_LIMIT] = heard.identity[turn]
        self._lifts["remembered"][lift] = remembered + 1

    def _end_silence(self, heard: Heard, turn: NDArray[np.intp]) -> None:
        """Release what a lift said before it fell silent, as `idle` does, whether or not that was asked meanwhile."""
        lift = heard.lift[turn]
        arrived_ns, released_ns, end_ns = self._last(lift, "arrived_ns", "released_ns", "end_ns")
        silent = heard.arrived_ns[turn] - arrived_ns > SILENCE_NS
        released_ns = np.where(silent, np.maximum(released_ns, end_ns), released_ns)
        heard.before_ns[turn] = self._lifts["released_ns"][lift] = released_ns
        self._lifts["arrived_ns"][lift] = np.maximum(arrived_ns, heard.arrived_ns[turn])

    def _follow(self, heard: Heard, turn: NDArray[np.intp]) -> None:
        """Follow the sequence numbers: what is missing before a message, whether the device restarted, and whether it
        set its clock back.

        seq   5 6 7 9        gap of 1 before 9
        seq   5 6 0 1        restarted before 0, where its t is later (with `boot`, where the boot is another one)
        seq   5 6 7 8        set back before 7, a bundle that ends before what was released: until the clock is where it
        t     5 6 3 4        was all comes too late, and the world has gone on meanwhile
        """
        turn = turn[heard.timed[turn] & (heard.seq[turn] >= 0)]
        lift, boot, seq, t_ns = heard.lift[turn], heard.boot[turn], heard.seq[turn], heard.t_ns[turn]
        last_boot, last_seq, last_t_ns = self._last(lift, "boot", "seq", "t_ns")
        first = last_seq < 0
        same = boot == last_boot
        onward = ~first & same & (seq > last_seq)
        restarted = ~first & (t_ns > last_t_ns) & (~same | ((boot == NO_BOOT) & (seq < last_seq)))
        heard.gap[turn] = np.where(onward, seq - last_seq - 1, 0)
        before_ns = heard.before_ns[turn]
        set_back = onward & heard.complete[turn] & (heard.horizon_ns[turn] <= before_ns)
        anew_ns = np.where(restarted, np.maximum(t_ns, before_ns + 1), before_ns + 1)
        heard.forget_ns[turn] = np.where(restarted | set_back, anew_ns, -1)
        heard.restarted[turn] = restarted
        kept = first | onward | restarted
        for name, said in (("boot", boot), ("seq", seq), ("t_ns", np.maximum(t_ns, last_t_ns))):
            self._lifts[name][lift[kept]] = said[kept]

    def _advance(self, heard: Heard, turn: NDArray[np.intp]) -> None:
        """Move each lift's time on, and with it what is released.

        bundle                  up to its last sample
        any other message       up to a second before the latest beginning of a message
        too many rows           up to the end of all that was said
        """
        lift = heard.lift[turn]
        names = ("heard_ns", "end_ns", "released_ns", "anchor_ns", "brought")
        heard_ns, end_ns, released_ns, anchor_ns, brought = self._last(lift, *names)
        timed, forget_ns = heard.timed[turn], heard.forget_ns[turn]
        placed_ns = np.where(timed, heard.t_ns[turn], np.maximum(end_ns, released_ns + 1))
        heard.placed_ns[turn] = placed_ns
        heard_ns = np.maximum(heard_ns, placed_ns)
        end_ns = np.maximum(np.maximum(end_ns, forget_ns), np.where(timed, heard.end_ns[turn], placed_ns))
        horizon_ns = np.where(heard.complete[turn], heard.horizon_ns[turn], NEVER)
        released_ns = np.maximum(np.maximum(released_ns, horizon_ns), heard_ns - ALIGN_NS)
        anew = heard_ns - anchor_ns >= ALIGN_NS
        anchor_ns = np.where(anew, heard_ns, anchor_ns)
        brought = np.where(anew, 0, brought) + heard.rows[turn]
        overflow = brought > HELD_LIMIT_ROWS
        heard.overflow[turn] = overflow
        released_ns = np.where(overflow, np.maximum(released_ns, end_ns), released_ns)
        columns = (heard_ns, end_ns, released_ns, anchor_ns, np.where(overflow, 0, brought))
        for name, column in zip(names, columns, strict=True):
            self._lifts[name][lift] = column

    def _count(self, heard: Heard, order: NDArray[np.intp]) -> dict[str, int]:
        said = {
            "received": np.ones(len(heard.lift), dtype=np.int64),
            "repeats": heard.repeated,
            "gaps": heard.gap,
            "late": heard.late,
            "restarts": heard.restarted,
            "overflows": heard.overflow,
        }
        for name, column in said.items():
            np.add.at(self._lifts[name], heard.lift[order], column[order].astype(np.int64))
        return {name: int(column[order].sum()) for name, column in said.items()}

    def _release(self, pieces: list[Rows], waveforms: Waveforms | None) -> Batch:
        """Return the rows that the lifts' time has passed, of each lift only so many at once; hold the others.

        Vibration goes out with the rows of its time, one block of a lift at once, so that what is known of it at a row
        does not depend on how the stream was cut.
        """
        due_ns = self._lifts["released_ns"]
        if waveforms is not None or len(self._waves.message):
            waveforms, due_ns = self._release_waves(waveforms)
        ready = [piece.t_ns <= due_ns[piece.lift] for piece in pieces]
        held = [piece.where(~mask) for piece, mask in zip(pieces, ready, strict=True)]
        batch = merge([piece.where(mask) for piece, mask in zip(pieces, ready, strict=True)], waveforms)
        batch, rest = head(batch, self._rounds_limit)
        self._held = join([rest, *held])
        self.waiting = self._could_go()
        return batch

    def _release_waves(self, fresh: Waveforms | None) -> tuple[Waveforms | None, I64]:
        """Return the first block of each lift, where its time has come, and up to when the lift's rows may go out."""
        waves = self._waves if fresh is None else joined_waves([self._waves, fresh])
        due_ns = self._lifts["released_ns"].copy()
        order = np.lexsort((waves.t_ns, waves.message))
        ordered = waves.message[order]
        first = np.r_[True, ordered[1:] != ordered[:-1]]
        going = order[first & (waves.t_ns[order] <= due_ns[ordered])]
        follows = np.r_[False, first[:-1]] & ~first
        before_ns = waves.t_ns[order[follows]] - 1
        due_ns[ordered[follows]] = np.minimum(due_ns[ordered[follows]], before_ns)
        out = np.zeros(len(order), dtype=np.bool_)
        out[going] = True
        self._waves = blocks(waves, ~out)
        return (blocks(waves, out) if len(going) else None), due_ns

    def _could_go(self) -> int:
        """Return how many rows and blocks the lifts' time has passed already."""
        rows, waves, released_ns = self._held, self._waves, self._lifts["released_ns"]
        return int((rows.t_ns <= released_ns[rows.lift]).sum() + (waves.t_ns <= released_ns[waves.message]).sum())

    def _last(self, lift: I32, *names: str) -> list[I64]:
        return [self._lifts[name][lift] for name in names]
