"""The car's own acceleration as its vibration tells it: the vertical axis, low-passed, the last seconds of each lift.

    vibration at 50 Hz or faster ─► Butterworth, 2 poles, 10 Hz ─► a sample each 100 ms ─► a ring of 9.6 s

Blocks that follow each other are one signal: the filter's state is carried from one to the next, however they fall into
batches. After a gap, at another rate and after a NaN it begins anew, settled at the first sample. A block that begins
before the last one ended is not heard. What was not heard is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, lfilter_zi

from detectors.observe.scan import NEVER_NS, Columns
from telemetry.batch import Waveforms, rounds

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LOW_PASS_HZ, POLES = 10.0, 2
RATE_LEAST_HZ, RATE_MOST_HZ = 50, 4_000
SLOT_NS = 100_000_000
SLOTS = 96
PER_MPS2 = 1000
"""Samples are kept in mm/s², 32 m/s² at most."""
CALM_MPS2 = 0.5
"""A block whose samples differ by no more is not worth filtering: no brake takes hold in it."""
UNHEARD, MOST = np.iinfo(np.int16).min, np.iinfo(np.int16).max
NOTHING = (np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int16))


class Felt(NamedTuple):
    """What was felt before a batch (`kept`), and in it: whose sample, of which slot of time, and how much (mm/s²)."""

    kept: Columns
    lift: NDArray[np.int32]
    slot: I64
    mmps2: NDArray[np.int16]

    def since(self, lift: NDArray[np.int32], begin_ns: I64, slots: int) -> tuple[I64, F64]:
        """Return so many instants from `begin_ns` on and the acceleration at each, m/s², NaN where it was not heard.

        Both are (lifts, slots); no lift is named twice.
        """
        first = -(-begin_ns // SLOT_NS)
        slot = first[:, None] + np.arange(slots)
        last = self.kept["felt_slot"][lift][:, None]
        kept = (slot <= last) & (slot > last - SLOTS)
        found = np.where(kept, self.kept["felt_mmps2"][slot % SLOTS, lift[:, None]], UNHEARD)
        row_of = np.full(len(self.kept["felt_slot"]), -1)
        row_of[lift] = np.arange(len(lift))
        row = row_of[self.lift]
        place = self.slot - first[row]
        here = np.flatnonzero((row >= 0) & (place >= 0) & (place < slots))
        found[row[here], place[here]] = self.mmps2[here]
        return slot * SLOT_NS, np.where(found == UNHEARD, np.nan, found / PER_MPS2)


def start(n: int) -> Columns:
    """Return the state of `n` lifts of which nothing was felt."""
    return {
        "felt_mmps2": np.full((SLOTS, n), UNHEARD, dtype=np.int16),
        "felt_slot": np.full(n, NEVER_NS),
        "felt_end_ns": np.full(n, NEVER_NS),
        "felt_hz": np.zeros(n, dtype=np.int64),
        "felt_filter": np.zeros((POLES, n)),
    }


def step(state: Columns, waves: Waveforms | None) -> tuple[Columns, Felt]:
    """Return the state after these blocks, and what is known with them."""
    if waves is None or not len(waves.message):
        return state, Felt(state, *NOTHING)
    after = {name: column.copy() for name, column in state.items()}
    heard = [NOTHING, *(_hear(after, waves, blocks, hz) for blocks, hz in _alike(waves))]
    lift, slot, mmps2 = (np.concatenate(column) for column in zip(*heard, strict=True))
    return after, Felt(state, lift, slot, mmps2)


def _alike(waves: Waveforms) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield blocks of one rate and length, one of each lift, and their rate; those of one lift as they arrived."""
    hz = np.rint(1e9 / waves.dt_ns).astype(np.int64)
    length = np.diff(waves.first)
    order = np.argsort(waves.message, kind="stable")
    order = order[(hz[order] >= RATE_LEAST_HZ) & (hz[order] <= RATE_MOST_HZ) & (length[order] > 0)]
    for part in rounds(waves.message[order]):
        blocks = order[part]
        kind = hz[blocks] << 32 | length[blocks]
        for one in np.unique(kind):
            yield blocks[kind == one], int(one >> 32)


def _hear(
    state: dict[str, NDArray[Any]], waves: Waveforms, blocks: NDArray[np.intp], hz: int
) -> tuple[NDArray[np.int32], I64, NDArray[np.int16]]:
    """Filter blocks of one rate and length; write them into the state, which is ours; return the samples kept."""
    end_ns: I64 = state["felt_end_ns"][waves.message[blocks]]
    blocks = blocks[waves.t_ns[blocks] >= end_ns - waves.dt_ns[blocks] / 2]
    if not len(blocks):
        return NOTHING
    lift, t_ns, dt_ns = waves.message[blocks], waves.t_ns[blocks], waves.dt_ns[blocks]
    z = _samples(waves, blocks)
    follows = (t_ns - state["felt_end_ns"][lift] <= 1.5 * dt_ns) & (state["felt_hz"][lift] == hz)
    smooth = _smooth(z, hz, np.where(follows, state["felt_filter"][:, lift], np.nan))
    row, slot, sample = _slots(t_ns, dt_ns, z.shape[1])
    last = state["felt_slot"][lift]
    fresh = (slot > last[row]) & ~np.isnan(smooth.mean[row])
    row, slot, sample = row[fresh], slot[fresh], sample[fresh]
    mmps2 = np.rint(np.clip(smooth.at(row, sample) * PER_MPS2, -MOST, MOST)).astype(np.int16)
    _forget(state["felt_mmps2"], lift, last, -(-t_ns // SLOT_NS))
    state["felt_mmps2"][slot % SLOTS, lift[row]] = mmps2
    np.maximum.at(state["felt_slot"], lift[row], slot)
    state["felt_filter"][:, lift] = smooth.state
    state["felt_end_ns"][lift] = t_ns + np.rint(z.shape[1] * dt_ns).astype(np.int64)
    state["felt_hz"][lift] = np.where(np.isnan(smooth.mean), 0, hz)
    return lift[row], slot, mmps2


class _Smooth(NamedTuple):
    """Low-passed blocks: the mean of each (NaN where it holds one) stands for its samples, but where it was `rough`."""

    mean: F64
    rough: NDArray[np.intp]
    filtered: F64
    state: F64

    def at(self, row: NDArray[np.intp], sample: I64) -> F64:
        """Return these samples of these blocks."""
        place = np.full(len(self.mean), -1)
        place[self.rough] = np.arange(len(self.rough))
        value, of = self.mean[row], place[row]
        here = np.flatnonzero(of >= 0)
        value[here] = self.filtered[of[here], sample[here]]
        return value


def _smooth(z: NDArray[np.float32], hz: int, carried: F64) -> _Smooth:
    """Low-pass blocks, (blocks, samples); `carried` is the filter's state before each, NaN where it begins anew."""
    b, a, settled = _low_pass(hz)
    mean = z.mean(axis=1, dtype=np.float64)
    rough = np.flatnonzero(~(np.ptp(z, axis=1) <= CALM_MPS2))
    before = np.where(np.isnan(carried[:, rough]), settled[:, None] * z[rough, 0], carried[:, rough])
    filtered, after = lfilter(b, a, z[rough], axis=1, zi=before.T) if len(rough) else (np.empty((0, 1)), before.T)
    state = settled[:, None] * mean
    state[:, rough] = after.T
    return _Smooth(mean, rough, filtered, state)


def _slots(t_ns: I64, dt_ns: F64, length: int) -> tuple[NDArray[np.intp], I64, I64]:
    """Return block, slot and sample of each slot of time that begins within a block."""
    slot = -(-t_ns // SLOT_NS)[:, None] + np.arange(int(length * dt_ns.max() / SLOT_NS) + 1)
    sample = ((slot * SLOT_NS - t_ns[:, None]) / dt_ns[:, None]).astype(np.int64)
    row, column = np.nonzero(sample < length)
    return row, slot[row, column], sample[row, column]


def _forget(ring: NDArray[np.int16], lift: NDArray[np.int32], last: I64, first: I64) -> None:
    """Write into the ring that between the last slot heard and the first one now nothing was."""
    jumps = np.flatnonzero(first > last + 1)
    missed = first[jumps, None] - 1 - np.arange(SLOTS)
    row, column = np.nonzero(missed > last[jumps, None])
    ring[missed[row, column] % SLOTS, lift[jumps[row]]] = UNHEARD


def _samples(waves: Waveforms, blocks: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the vertical axis of blocks of one length, (blocks, samples): a view where they lie side by side."""
    first = waves.first[blocks]
    length = int(waves.first[blocks[0] + 1] - first[0])
    if (np.diff(first) == length).all():
        return waves.xyz[2, first[0] : first[0] + len(first) * length].reshape(-1, length)
    beside: NDArray[np.float32] = waves.xyz[2][first[:, None] + np.arange(length)]
    return beside


@lru_cache(64)
def _low_pass(hz: int) -> tuple[F64, F64, F64]:
    """Return the filter's coefficients at this rate, and its state once settled at 1."""
    b, a = butter(POLES, LOW_PASS_HZ, fs=hz)
    return b, a, lfilter_zi(b, a)
