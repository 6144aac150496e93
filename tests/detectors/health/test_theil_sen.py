"""The line of Theil and Sen is that of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.health.theil_sen import theil_sen


@pytest.mark.parametrize("confidence", [0.5001, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(20))
def test_slope_intercept_and_interval_are_those_of_scipy(seed: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 60))
    x = np.append(rng.integers(0, 40, count - 1), 41).astype(np.float64)
    y = np.round(0.3 * x + rng.standard_t(2, count), int(rng.integers(0, 4)))
    assert theil_sen(x, y, confidence) == pytest.approx(tuple(stats.theilslopes(y, x, confidence)), rel=1e-12)


def test_a_measure_that_does_not_change_has_no_slope() -> None:
    x = np.arange(9.0)
    assert theil_sen(x, np.full(9, 2.0), 0.9) == (0.0, 2.0, 0.0, 0.0)
