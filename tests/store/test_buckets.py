"""Buckets are round, few enough, cover the window, and hold what a plain loop puts into them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.series import buckets
from store.series.timeseries import MINUTE_NS, SECOND_NS
from telemetry.instant import DAY_NS
from tests.store.worlds import START_NS


@settings(deadline=None)
@given(st.integers(0, 4 * 10**18), st.integers(1, 10**17), st.integers(1, 5_000))
def test_a_grid_covers_its_window_with_at_most_the_requested_points(start: int, length: int, points: int) -> None:
    begins, width = buckets.grid(start, start + length, points)
    assert 1 <= len(begins) <= points
    assert begins[0] <= start
    assert begins[-1] < start + length <= begins[-1] + width
    assert (np.diff(begins) == width).all()


def test_buckets_do_not_move_while_a_window_slides() -> None:
    first, width = buckets.grid(START_NS, START_NS + 600 * SECOND_NS, 150)
    second, _ = buckets.grid(START_NS + 3 * SECOND_NS, START_NS + 603 * SECOND_NS, 150)
    assert width == 5 * SECOND_NS
    assert ((second - first[0]) % width == 0).all()
    assert buckets.grid(START_NS, START_NS + SECOND_NS, 1_000, MINUTE_NS)[1] == MINUTE_NS
    assert buckets.grid(START_NS, START_NS + 700 * DAY_NS, 100)[1] % DAY_NS == 0


@pytest.mark.parametrize("seed", range(10))
def test_reducing_equals_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    begins, width = buckets.grid(START_NS, START_NS + 100 * SECOND_NS, 25)
    t_ns = START_NS + rng.integers(0, 100 * SECOND_NS, 60)
    mean = np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60))
    weight = rng.integers(1, 9, 60).astype(float)
    reduced = buckets.reduce(begins, width, t_ns, mean - 1, mean + 1, mean, weight)
    for k, begin in enumerate(begins):
        inside = (t_ns >= begin) & (t_ns < begin + width) & ~np.isnan(mean)
        if not inside.any():
            assert np.isnan([reduced.min[k], reduced.max[k], reduced.mean[k]]).all()
            continue
        expected = [mean[inside].min() - 1, mean[inside].max() + 1, np.average(mean[inside], weights=weight[inside])]
        np.testing.assert_allclose([reduced.min[k], reduced.max[k], reduced.mean[k]], expected)
