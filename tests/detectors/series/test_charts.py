"""The charts equal their plain loops, and their limits let as many normal rows exceed them as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.series.cusum import CUSUMChart
from detectors.series.ewma import EWMAChart
from detectors.series.pca import PCAChart
from tests.detectors.series import naive_charts


def series(seed: int, n: int = 60, features: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(3.0, 2.0, size=(n, features))
    rows[rng.random(rows.shape) < 0.15] = np.nan
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_an_ewma_is_the_weighted_sum_of_all_values_before(seed: int) -> None:
    rows, rng = series(seed), np.random.default_rng(seed)
    t_s = np.cumsum(rng.uniform(0.1, 9.0, len(rows)))
    chart = EWMAChart(tau_s=7.0).fit(series(seed + 100))
    averages, scores = chart.averages(rows, t_s=t_s), chart.anomaly_scores(rows, t_s=t_s)
    expected = []
    for k in range(rows.shape[1]):
        naive = naive_charts.ewma(rows[:, k].tolist(), t_s.tolist(), chart.mean_[k], chart.interval_s_, 7.0)
        average, spread = np.array(naive).T
        assert averages[:, k] == pytest.approx(average, rel=1e-12)
        score = np.abs(average - chart.mean_[k]) / (chart.scale_[k] * spread * 3.0)
        expected.append(np.where(np.isnan(rows[:, k]), np.nan, score))
    assert scores == pytest.approx(np.fmax(*expected), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_a_cusum_is_the_greatest_sum_of_any_run_of_values(seed: int) -> None:
    rows = series(seed)
    chart = CUSUMChart(slack=0.4).fit(series(seed + 100))
    up, down = chart.sums(rows)
    z = (rows - chart.mean_) / chart.scale_
    for k in range(rows.shape[1]):
        assert np.column_stack([up[:, k], down[:, k]]) == pytest.approx(
            np.array(naive_charts.cusum(z[:, k].tolist(), 0.4)), abs=1e-9
        )


def test_a_cusum_of_a_shifted_series_is_as_fast_as_the_tables_say() -> None:
    """Montgomery's table 9.3: with h = 5 and k = 0.5 the mean run is 10.4 after a shift by one standard deviation."""
    rng, chart = np.random.default_rng(5), CUSUMChart().fit(np.array([-1.0, 1.0]) / np.sqrt(2.0))
    assert (chart.mean_[0], chart.scale_[0]) == pytest.approx((0.0, 1.0))
    runs = [int((chart.anomaly_scores(1.0 + rng.normal(size=200)) > 1.0).argmax()) + 1 for _ in range(2000)]
    assert np.mean(runs) == pytest.approx(10.4, abs=0.3)


def test_an_ewma_exceeds_its_limit_as_seldom_as_a_normal_distribution_says() -> None:
    rng = np.random.default_rng(6)
    chart = EWMAChart(tau_s=5.0, sigmas=2.0).fit(rng.normal(size=100_000))
    share = np.mean(chart.anomaly_scores(rng.normal(size=100_000)) > 1.0)
    assert share == pytest.approx(2 * stats.norm.sf(2.0), rel=0.1)


@pytest.mark.parametrize("rate", [0.05, 0.01])
@pytest.mark.parametrize("limits", ["theory", "fitted"])
def test_the_limits_of_a_pca_let_their_share_of_normal_rows_exceed_them(rate: float, limits: str) -> None:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(40_000, 3)) @ rng.normal(size=(3, 8)) + 0.3 * rng.normal(size=(40_000, 8))
    chart = PCAChart(n_components=3, false_alarm_rate=rate, limits=limits).fit(rows[:20_000])
    t2, q = chart.statistics(rows[20_000:])
    assert np.mean(t2 > chart.t2_limit_) == pytest.approx(rate, rel=0.25)
    assert np.mean(q > chart.q_limit_) == pytest.approx(rate, rel=0.25)


def test_a_pca_equals_mahalanobis_and_distance_where_both_are_written_out() -> None:
    rng = np.random.default_rng(9)
    rows = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    every, two = PCAChart(n_components=4).fit(rows), PCAChart(n_components=2).fit(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    inverse = np.linalg.inv(np.cov(z.T))
    assert every.statistics(rows)[0] == pytest.approx([row @ inverse @ row for row in z])
    values, vectors = np.linalg.eigh(np.cov(z.T))
    off = [sum((row @ vectors[:, k]) ** 2 for k in np.argsort(values)[:2]) for row in z]
    assert two.statistics(rows)[1] == pytest.approx(off)
    assert np.isinf(every.q_limit_)


def test_a_share_of_the_variance_chooses_the_number_of_components() -> None:
    rows = np.random.default_rng(10).normal(size=(500, 3)) @ np.diag([1.0, 1.0, 1.0])
    rows[:, 2] = rows[:, 0] + 1e-3 * rows[:, 2]
    assert len(PCAChart(n_components=0.6).fit(rows).components_) == 1
    assert len(PCAChart(n_components=0.9).fit(rows).components_) == 2


def test_a_row_with_an_unknown_feature_has_an_unknown_score() -> None:
    rows = np.random.default_rng(11).normal(size=(50, 3))
    chart = PCAChart().fit(rows)
    rows[7, 1] = np.nan
    assert np.flatnonzero(np.isnan(chart.anomaly_scores(rows))).tolist() == [7]


def test_a_gap_forgets_by_real_time() -> None:
    chart = EWMAChart(tau_s=10.0).fit([0.0, 1.0, 0.0, 1.0])
    near = chart.averages([[5.0], [0.5]], t_s=[0.0, 1.0])[1, 0]
    far = chart.averages([[5.0], [0.5]], t_s=[0.0, 1000.0])[1, 0]
    assert near > 0.8
    assert far == pytest.approx(0.5)
