"""Cuts a batch into pieces that may be judged one after the other, with the same result as the whole.

rows      L1 a b c d | L1 e f  L2 a b | L2 c d
blocks    L1    x    | L1 y           | L2  z      beside the rows around their instants
steps     all of them with the first piece: their instants are their own
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from telemetry.arrays import I64
from telemetry.batch import CHANNELS, Batch, Waveforms

COLUMNS = ("lift", "t_ns", *CHANNELS)
VIBRATIONS = ("waveforms", "machine")


def pieces(batch: Batch, rows: int) -> Iterator[Batch]:
    """Yield the batch in pieces of `rows` rows at most; the last one holds what comes after the last row, too."""
    begins = list(range(0, len(batch), rows)) or [0]
    ends = [*begins[1:], len(batch)]
    blocks: dict[str, list[int]] = {name: _ends_of_blocks(batch, name, ends) for name in VIBRATIONS}
    for k, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        cut: dict[str, Any] = {name: getattr(batch, name)[begin:end] for name in COLUMNS}
        for name, block_ends in blocks.items():
            cut |= _blocks(batch, name, block_ends[k - 1] if k else 0, block_ends[k]) if block_ends else {}
        yield replace(batch, **cut, steps=batch.steps if k == 0 else None)


def _ends_of_blocks(batch: Batch, name: str, ends: list[int]) -> list[int]:
    """Return the block before which each piece ends: the first one due at the next piece's first row or later."""
    waves: Waveforms | None = getattr(batch, name)
    if waves is None:
        return []
    due_ns: I64 = getattr(batch, f"{name}_due_ns")
    made = []
    for end in ends[:-1]:
        lift, t_ns = batch.lift[end], batch.t_ns[end]
        of_lift = np.searchsorted(waves.message, [lift, lift + 1])
        made.append(int(of_lift[0] + np.searchsorted(due_ns[of_lift[0] : of_lift[1]], t_ns)))
    return [*made, len(due_ns)]


def _blocks(batch: Batch, name: str, begin: int, end: int) -> dict[str, Any]:
    """Return these vibration blocks of a batch, by the names of its columns."""
    if begin == end:
        return {name: None, f"{name}_due_ns": None}
    waves: Waveforms = getattr(batch, name)
    first = waves.first[begin : end + 1]
    cut = Waveforms(
        waves.message[begin:end],
        waves.t_ns[begin:end],
        waves.dt_ns[begin:end],
        first - first[0],
        np.ascontiguousarray(waves.xyz[:, first[0] : first[-1]]),
    )
    return {name: cut, f"{name}_due_ns": getattr(batch, f"{name}_due_ns")[begin:end]}
