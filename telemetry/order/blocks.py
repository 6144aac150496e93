"""Held vibration blocks, by lift, in the order in which they are due.

A block is due at its first instant; one that came when rows beyond that had been released, at the first instant after
them. It goes out with the row before that instant at the latest, so that it stands beside every row from there on.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F32, I32, I64
from telemetry.batch import Waveforms
from telemetry.compiled import compiled
from telemetry.groups import joined_waves

NO_BLOCKS = Waveforms(
    np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(1, np.int64), np.zeros((3, 0), np.float32)
)


class Block(NamedTuple):
    """One vibration block, with samples of its own."""

    due_ns: int
    t_ns: int
    dt_ns: float
    xyz: F32


class NewBlocks(NamedTuple):
    """The blocks `which` of `waves`, `message` being the lift, that have come and are due at `due_ns`."""

    waves: Waveforms
    which: NDArray[np.intp]
    due_ns: I64


NO_NEW_BLOCKS = NewBlocks(NO_BLOCKS, np.zeros(0, np.intp), NO_BLOCKS.t_ns)


def new_blocks(waves: Waveforms, messages: NDArray[Any]) -> NewBlocks:
    """Return the blocks of the messages that were taken; `messages` are the records of all."""
    which = np.flatnonzero(messages["taken"][waves.message])
    t_ns = waves.t_ns + messages["ahead_ns"][waves.message]
    due_ns = np.maximum(t_ns[which], messages["watermark_ns"][waves.message[which]] + 1)
    return NewBlocks(replace(waves, message=messages["lift"][waves.message], t_ns=t_ns), which, due_ns)


class HeldBlocks:
    """The held blocks of each lift."""

    def __init__(self) -> None:
        self._by_lift: dict[int, list[Block]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_lift.values()))

    def lifts(self) -> list[int]:
        """Return the lifts with held blocks."""
        return list(self._by_lift)

    def release(self, new: NewBlocks, lifts: I32, watermark_ns: I64) -> tuple[Waveforms, I64]:
        """Return the blocks of `lifts` that are due, sorted by lift, and when each is; hold the others.

        Up to `watermark_ns` the rows of each lift have gone out.
        """
        waves, which, due_ns = new
        going = due_ns <= watermark_ns[waves.message[which]] + 1
        self._hold(waves, which[~going], due_ns[~going])
        which, due_ns = which[going], due_ns[going]
        if held := self._take(lifts, watermark_ns):
            earlier, earlier_due_ns = _columns(held)
            waves, due_ns = joined_waves([earlier, _picked(waves, which)]), np.concatenate([earlier_due_ns, due_ns])
            which = np.arange(len(due_ns))
        order = np.lexsort((due_ns, waves.message[which]))
        return _picked(waves, which[order]), due_ns[order]

    def kept(self, lifts: I32) -> dict[int, list[Block]]:
        """Return the blocks of these lifts, for `undo`."""
        some = self._by_lift.keys() & set(lifts.tolist()) if self._by_lift else ()
        return {lift: self._by_lift[lift].copy() for lift in some}

    def undo(self, lifts: I32, kept: Mapping[int, list[Block]]) -> None:
        """Hold the blocks of these lifts that `kept` returned, and no others of them."""
        for lift in lifts.tolist():
            self._by_lift.pop(lift, None)
        self._by_lift.update(kept)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return all blocks as arrays."""
        waves, due_ns = _columns([(lift, block) for lift, held in self._by_lift.items() for block in held])
        return {"due_ns": due_ns} | {field.name: getattr(waves, field.name) for field in fields(Waveforms)}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Restore the blocks of a snapshot."""
        self._by_lift = {}
        waves = Waveforms(**{field.name: snapshot[field.name] for field in fields(Waveforms)})
        self._hold(waves, np.arange(len(waves.message)), snapshot["due_ns"])

    def _hold(self, waves: Waveforms, which: NDArray[np.intp], due_ns: I64) -> None:
        for k, due in zip(which.tolist(), due_ns.tolist(), strict=True):
            xyz = waves.xyz[:, waves.first[k] : waves.first[k + 1]].copy()
            block = Block(due, int(waves.t_ns[k]), float(waves.dt_ns[k]), xyz)
            insort(self._by_lift.setdefault(int(waves.message[k]), []), block, key=itemgetter(0))

    def _take(self, lifts: I32, watermark_ns: I64) -> list[tuple[int, Block]]:
        """Return the held blocks of these lifts that are due, and hold them no longer."""
        taken: list[tuple[int, Block]] = []
        for lift in self._by_lift.keys() & set(lifts.tolist()) if self._by_lift else ():
            held = self._by_lift[lift]
            count = bisect_right(held, int(watermark_ns[lift]) + 1, key=itemgetter(0))
            taken += [(lift, block) for block in held[:count]]
            del held[:count]
            if not held:
                del self._by_lift[lift]
        return taken


def _columns(some: Sequence[tuple[int, Block]]) -> tuple[Waveforms, I64]:
    """Return blocks of lifts as columns, and when each is due."""
    if not some:
        return NO_BLOCKS, NO_BLOCKS.t_ns
    lift, held = zip(*some, strict=True)
    due_ns, t_ns, dt_ns, xyz = zip(*held, strict=True)
    first = np.cumsum([0, *(samples.shape[1] for samples in xyz)])
    waves = Waveforms(np.array(lift, np.int32), np.array(t_ns), np.array(dt_ns), first, np.concatenate(xyz, axis=1))
    return waves, np.array(due_ns)


def _picked(waves: Waveforms, which: NDArray[np.intp]) -> Waveforms:
    """Return these blocks in this order."""
    begin = waves.first[which]
    first = np.zeros(len(which) + 1, dtype=np.int64)
    np.cumsum(waves.first[which + 1] - begin, out=first[1:])
    xyz = np.empty((len(waves.xyz), first[-1]), dtype=np.float32)
    _copy(waves.xyz, begin, first, xyz)
    return Waveforms(waves.message[which], waves.t_ns[which], waves.dt_ns[which], first, xyz)


@compiled
def _copy(xyz: F32, begin: I64, first: I64, into: F32) -> None:
    """Copy the samples of the blocks that begin at `begin` to where they are to begin: `first`."""
    for axis in range(len(xyz)):
        for k in range(len(begin)):
            for sample in range(first[k + 1] - first[k]):
                into[axis, first[k] + sample] = xyz[axis, begin[k] + sample]
