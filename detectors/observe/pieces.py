"""A batch cut into pieces with one vibration block of a lift in each, for observers that take one block at a time.

rows      . . . . . . . .        the first piece ends before the second block is due, and so on
blocks    1     2     3
piece     0 0 0 1 1 1 2 2
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from telemetry.batch import CHANNELS, Batch
from telemetry.groups import blocks


def pieces(batch: Batch) -> Iterator[Batch]:
    """Yield the pieces of a batch in the order of time."""
    waves, due_ns = batch.waveforms, batch.waveforms_due_ns
    if waves is None or due_ns is None or (np.diff(waves.message) != 0).all():
        yield batch
        return
    lift, t_ns = np.concatenate([waves.message, batch.lift]), np.concatenate([due_ns, batch.t_ns])
    is_block = np.arange(len(lift)) < len(waves.message)
    order = np.lexsort((~is_block, t_ns, lift))
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.cumsum(is_block[order]) - np.searchsorted(waves.message, lift[order])
    number = np.maximum(number - 1, 0)
    of_block, of_row = number[: len(due_ns)], number[len(due_ns) :]
    for k in range(int(number.max()) + 1):
        mine = of_block == k
        piece = {name: getattr(batch, name)[of_row == k] for name in ("lift", "t_ns", *CHANNELS)}
        yield replace(batch, **piece, waveforms=blocks(waves, mine), waveforms_due_ns=due_ns[mine])
