"""Rows on their way to a batch: what several streams said of one lift at one instant becomes one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import CHANNELS, F64, I32, I64, Batch, Waveforms


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings in the order in which they came; a channel that is not named does not speak."""

    lift: I32
    t_ns: I64
    channels: Mapping[str, F64]

    def __len__(self) -> int:
        return len(self.lift)

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows that `mask` names."""
        if mask.all():
            return self
        return Rows(self.lift[mask], self.t_ns[mask], {name: column[mask] for name, column in self.channels.items()})


def merge(pieces: Sequence[Rows], waveforms: Waveforms | None = None) -> Batch:
    """Return all rows sorted by lift and time, one for each instant; of two values for one instant the later stands."""
    lift = np.concatenate([piece.lift for piece in pieces])
    t_ns = np.concatenate([piece.t_ns for piece in pieces])
    order = np.lexsort((t_ns, lift))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (lift[order[1:]] != lift[order[:-1]]) | (t_ns[order[1:]] != t_ns[order[:-1]])
    slot = np.empty(len(order), dtype=np.intp)
    slot[order] = np.cumsum(first) - 1
    rows = order[first]
    columns: dict[str, Any] = {name: np.full(len(rows), np.nan) for name in CHANNELS}
    begin = 0
    for piece in pieces:
        place = slot[begin : begin + len(piece)]
        begin += len(piece)
        for name, column in piece.channels.items():
            said = ~np.isnan(column)
            columns[name][place[said]] = column[said]
    return Batch(lift=lift[rows], t_ns=t_ns[rows], waveforms=waveforms, **columns)


def head(batch: Batch, limit: int) -> tuple[Batch, Rows]:
    """Return the first `limit` rows of each lift as a batch, and the rows after them."""
    if len(batch) <= limit:
        return batch, NO_ROWS
    first = np.searchsorted(batch.lift, batch.lift)
    now = np.arange(len(batch)) - first < limit
    if now.all():
        return batch, NO_ROWS
    channels = {name: getattr(batch, name) for name in CHANNELS}
    rest = Rows(batch.lift, batch.t_ns, channels).where(~now)
    kept = Rows(batch.lift, batch.t_ns, channels).where(now)
    return Batch(lift=kept.lift, t_ns=kept.t_ns, waveforms=batch.waveforms, **kept.channels), rest


def join(pieces: Sequence[Rows]) -> Rows:
    """Return the rows of all pieces, one after the other, with every channel."""
    return Rows(
        np.concatenate([piece.lift for piece in pieces]),
        np.concatenate([piece.t_ns for piece in pieces]),
        {
            name: np.concatenate([piece.channels.get(name, np.full(len(piece), np.nan)) for piece in pieces])
            for name in CHANNELS
        },
    )


NO_ROWS = Rows(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64), {name: np.empty(0) for name in CHANNELS})
