"""The car's own acceleration out of its vibration: equal to one filter over the whole signal, however it comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, lfilter_zi

from detectors.observe import acceleration, features
from telemetry.batch import Waveforms
from tests.detectors.world import BEGIN_NS, waves

SLOTS = 40
EVER_NS = np.array([2**62])


def signal(seconds: float, hz: int, seed: int = 1) -> NDArray[np.float32]:
    """Return a shaken signal: nothing in it is calm."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(round(seconds * hz)) / hz
    shaken = 1.5 * np.sin(2 * np.pi * 1.3 * t_s) + rng.normal(0, 0.5, len(t_s))
    return shaken.astype(np.float32)


def plainly(z: NDArray[np.float32], hz: int) -> list[float]:
    """Return the sample of each slot of a signal that begins with the first one, by one filter, mm/s²."""
    b, a = butter(2, 10.0, fs=hz)
    smooth = lfilter(b, a, z, zi=lfilter_zi(b, a) * z[0])[0]
    return [round(1000 * float(smooth[int(slot * 0.1 * hz + 1e-9)])) for slot in range(int(len(z) / hz * 10))]


def step(
    memory: NDArray[np.void], blocks: Waveforms, lift: int = 0, slots: int = SLOTS
) -> tuple[NDArray[np.void], list[float]]:
    after, _, known = features.step(memory, blocks)
    _, a = known.since(np.array([lift], dtype=np.int32), np.array([BEGIN_NS]), slots, EVER_NS)
    return after, [float(x) for x in a[0]]


def mm(values: list[float]) -> list[float | None]:
    return [None if np.isnan(x) else round(1000 * x) for x in values]


@pytest.mark.parametrize("hz", [50, 100, 400])
@pytest.mark.parametrize("block_s", [0.25, 1.0, 4.0])
def test_it_equals_one_filter_over_the_whole_signal(hz: int, block_s: float) -> None:
    z = signal(4.0, hz)
    _, found = step(acceleration.start(1), waves([(0, BEGIN_NS, hz, z)], block_s))
    assert np.abs(np.array(mm(found)) - np.array(plainly(z, hz))).max() <= 1


def test_batches_and_neighbours_change_nothing_bit_for_bit() -> None:
    blocks = waves([(0, BEGIN_NS, 100, signal(4.0, 100)), (2, BEGIN_NS + 7_000_000, 400, signal(4.0, 400, 2))], 0.5)
    together, _, _ = features.step(acceleration.start(3), blocks)
    state = acceleration.start(3)
    for k in range(len(blocks.message)):
        state, _, _ = features.step(state, one(blocks, k))
    assert together.tobytes() == state.tobytes()


def one(blocks: Waveforms, k: int) -> Waveforms:
    """Return a block by itself."""
    xyz = blocks.xyz[:, blocks.first[k] : blocks.first[k + 1]]
    part = slice(k, k + 1)
    first = np.array([0, xyz.shape[1]])
    return Waveforms(blocks.message[part], blocks.t_ns[part], blocks.dt_ns[part], first, xyz)


def test_acceleration_is_kept_for_some_seconds_and_looked_up_in_a_long_batch() -> None:
    z = signal(30.0, 100)
    state, long = step(acceleration.start(1), waves([(0, BEGIN_NS, 100, z)], 1.0), slots=300)
    assert np.abs(np.array(mm(long)) - np.array(plainly(z, 100))).max() <= 1
    _, _, kept = features.step(state, None)
    _, later = kept.since(np.zeros(1, dtype=np.int32), np.array([BEGIN_NS]), 300, EVER_NS)
    assert np.flatnonzero(~np.isnan(later[0])).tolist() == list(range(300 - acceleration.SLOTS, 300))


def test_a_nan_silences_its_block_alone() -> None:
    z = signal(4.0, 100)
    z[150] = np.nan
    _, found = step(acceleration.start(1), waves([(0, BEGIN_NS, 100, z)], 1.0))
    assert [x is None for x in mm(found)] == [False] * 10 + [True] * 10 + [False] * 20
    assert mm(found)[20:] == pytest.approx(plainly(z[200:], 100), abs=1)


def test_after_a_gap_what_lies_between_is_unknown_and_what_was_before_is_known() -> None:
    z = signal(1.0, 100)
    state, _ = step(acceleration.start(1), waves([(0, BEGIN_NS, 100, z)], 1.0))
    _, found = step(state, waves([(0, BEGIN_NS + 3_000_000_000, 100, z)], 1.0))
    assert mm(found) == pytest.approx([*plainly(z, 100), *[None] * 20, *plainly(z, 100)], abs=1)


def test_a_block_that_comes_late_or_again_changes_nothing() -> None:
    blocks = waves([(0, BEGIN_NS, 100, signal(2.0, 100))], 1.0)
    state, _, _ = features.step(acceleration.start(1), blocks)
    after, _, known = features.step(state, replace(one(blocks, 0), xyz=one(blocks, 0).xyz + 5))
    assert len(known.slot) == 0
    assert after.tobytes() == state.tobytes()


def test_a_single_sample_without_an_interval_has_features_and_no_acceleration() -> None:
    blocks = waves([(0, BEGIN_NS, 100, signal(1.0, 100)), (1, BEGIN_NS, 100, np.full(1, 0.5, dtype=np.float32))], 1.0)
    blocks.dt_ns[blocks.message == 1] = np.nan
    _, shown, known = features.step(acceleration.start(2), blocks)
    assert shown.z_rms[shown.lift == 1].tolist() == [0.5]
    assert set(known.lift.tolist()) == {0}


def test_vibration_below_fifty_hertz_is_not_used() -> None:
    _, found = step(acceleration.start(1), waves([(0, BEGIN_NS, 25, signal(4.0, 25))], 1.0))
    assert np.isnan(found).all()


def test_a_calm_block_counts_as_its_mean() -> None:
    z = np.full(100, -2.0, dtype=np.float32) + signal(1.0, 100) * 0.01
    _, found = step(acceleration.start(1), waves([(0, BEGIN_NS, 100, z)], 1.0), slots=10)
    assert mm(found) == [round(1000 * float(z.mean()))] * 10
