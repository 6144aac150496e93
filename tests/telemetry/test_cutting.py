"""A batch that is cut into pieces loses nothing: rows, vibration and steps come in the order of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from telemetry.batch import CHANNELS, Batch, Steps, Waveforms, readings
from telemetry.cutting import VIBRATIONS, first_ns, halves, lifts_of, of_lifts, pieces, statuses
from telemetry.groups import joined_waves

LIFTS, ROWS = 4, 25


def whole(seed: int, blocks: int) -> Batch:
    """Return rows of some lifts, with blocks of vibration that are due at some of their instants or in between."""
    rng = np.random.default_rng(seed)
    lift = np.repeat(np.arange(LIFTS, dtype=np.int32), ROWS)
    batch = readings(lift, np.tile(np.arange(ROWS) * 10, LIFTS), v_mps=rng.random(len(lift)))
    made = {}
    for name, axes in zip(VIBRATIONS, (3, 1), strict=True):
        of, due_ns = rng.integers(LIFTS, size=blocks), rng.integers(-5, ROWS * 10 + 5, size=blocks)
        order = np.lexsort((due_ns, of))
        first = np.r_[0, np.cumsum(rng.integers(1, 5, size=blocks))]
        xyz = rng.random((axes, first[-1])).astype(np.float32)
        waves = Waveforms(of[order].astype(np.int32), due_ns[order], np.ones(blocks), first, xyz)
        made |= {name: waves, f"{name}_due_ns": due_ns[order]} if blocks else {}
    steps = Steps(np.zeros(1, np.int32), np.zeros(1, np.int64), np.ones(1, np.int64))
    columns = {name: getattr(batch, name) for name in ("lift", "t_ns", *CHANNELS)}
    return Batch(**columns, **made, steps=steps)


@pytest.mark.parametrize("rows", [1, 7, 25, 26, 99, 100, 1_000])
@pytest.mark.parametrize("blocks", [0, 3, 60])
def test_the_pieces_of_a_batch_hold_the_batch(rows: int, blocks: int) -> None:
    batch = whole(rows, blocks)
    cut = list(pieces(batch, rows))
    assert [len(one) for one in cut[:-1]] == [rows] * (len(cut) - 1)
    assert 0 < len(cut[-1]) <= rows
    for name in ("lift", "t_ns", *CHANNELS):
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in cut]), getattr(batch, name))
    assert cut[0].steps == batch.steps
    assert all(one.steps is None for one in cut[1:])
    for name in VIBRATIONS if blocks else ():
        parts = [one for one in cut if getattr(one, name) is not None]
        together, at_once = joined_waves([getattr(one, name) for one in parts]), getattr(batch, name)
        for column in ("message", "t_ns", "dt_ns", "first", "xyz"):
            np.testing.assert_array_equal(getattr(together, column), getattr(at_once, column))
        due_ns = np.concatenate([getattr(one, f"{name}_due_ns") for one in parts])
        np.testing.assert_array_equal(due_ns, getattr(batch, f"{name}_due_ns"))


@pytest.mark.parametrize("seed", range(5))
def test_a_block_comes_with_the_first_row_from_its_instant_on_or_before_it(seed: int) -> None:
    cut = list(pieces(whole(seed, 60), 13))
    for k, piece in enumerate(cut):
        for name in VIBRATIONS:
            waves = getattr(piece, name)
            for lift, due_ns in zip(waves.message, getattr(piece, f"{name}_due_ns"), strict=True) if waves else ():
                earlier = [one for one in cut[:k] if ((one.lift == lift) & (one.t_ns >= due_ns)).any()]
                assert not earlier, "the rows from the block's instant on were there before it"
            assert waves is None or waves.xyz.flags.c_contiguous


def test_a_batch_without_rows_is_one_piece() -> None:
    (piece,) = pieces(readings(np.zeros(0, np.int32), np.zeros(0, np.int64)), 10)
    assert len(piece) == 0


def test_lifts_that_are_cut_out_of_a_batch_and_the_others_hold_the_batch() -> None:
    batch = whole(3, 60)
    some, others = of_lifts(batch, [0, 2]), of_lifts(batch, [0, 2], others=True)
    assert (lifts_of(some), lifts_of(others)) == ([0, 2], [1, 3])
    assert len(some) + len(others) == len(batch)
    for name in VIBRATIONS:
        for part in (some, others):
            waves, of_lift = getattr(part, name), np.isin(getattr(batch, name).message, lifts_of(part))
            np.testing.assert_array_equal(waves.t_ns, getattr(batch, name).t_ns[of_lift])
            assert len(getattr(part, f"{name}_due_ns")) == len(waves.t_ns)
    assert (some.steps is not None, of_lifts(batch, [1]).waveforms is not None) == (True, True)
    assert of_lifts(whole(3, 0), [1]).waveforms is None


@pytest.mark.parametrize("blocks", [0, 60])
def test_halves_of_halves_are_single_rows_and_blocks_of_one_lift(blocks: int) -> None:
    parts, ends, batch = [whole(2, blocks)], [], whole(2, blocks)
    while parts:
        part = parts.pop()
        more = halves(part)
        parts += more
        ends += [] if more else [part]
    assert sum(len(end) for end in ends) == len(batch)
    assert all(len(end) <= 1 and len(lifts_of(end)) == 1 and first_ns(end) > -10 for end in ends)
    found = sum(len(end.waveforms.t_ns) for end in ends if end.waveforms is not None)
    assert found == blocks


def test_statuses_are_the_rows_that_report_one_without_any_reading() -> None:
    lift, alarm = np.zeros(3, np.int32), np.array([np.nan, 1.0, np.nan])
    cut = statuses(readings(lift, np.arange(3), v_mps=np.ones(3), alarm=alarm))
    assert (cut.t_ns.tolist(), cut.alarm.tolist(), np.isnan(cut.v_mps).all()) == ([1], [1.0], True)
