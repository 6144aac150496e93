"""The detectors over windows: rows get the mean of their windows, and unknown values stay local."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from detectors.series.kmeans_ad import KMeansAD
from detectors.series.sub_pca import SubPCA
from detectors.series.windows import scores_of_rows, windows_of
from tests.detectors.series import naive_charts


def wave(n: int = 1200, seed: int = 0) -> np.ndarray:
    return np.sin(np.arange(n) * 2 * np.pi / 40) + 0.05 * np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("seed", range(4))
def test_a_row_has_the_mean_of_the_known_windows_that_hold_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.0, 9.0, 30)
    scores[rng.random(30) < 0.4] = np.nan
    expected = np.array(naive_charts.mean_of_windows(scores.tolist(), 5))
    assert scores_of_rows(scores, 5) == pytest.approx(expected, nan_ok=True)


def test_a_window_holds_each_feature_in_the_order_of_time() -> None:
    rows = np.arange(8.0).reshape(4, 2)
    assert windows_of(rows, 3).tolist() == [[0.0, 2.0, 4.0, 1.0, 3.0, 5.0], [2.0, 4.0, 6.0, 3.0, 5.0, 7.0]]


@pytest.mark.parametrize("make", [lambda: SubPCA(window=40), lambda: KMeansAD(window=20)])
def test_an_unknown_value_leaves_other_rows_as_they_are(make) -> None:
    series = wave()
    detector = make().fit(series[:600])
    before = detector.anomaly_scores(series)
    series[800] = np.nan
    after = detector.anomaly_scores(series)
    away = np.abs(np.arange(len(series)) - 800) >= 2 * detector.window
    assert after[away] == pytest.approx(before[away])
    assert np.isnan(after[800])


@pytest.mark.parametrize("make", [lambda: SubPCA(window=40), lambda: KMeansAD(window=20)])
def test_a_shape_that_is_not_normal_exceeds_the_limit_and_normal_ones_seldom_do(make) -> None:
    series = wave()
    detector = make().fit(series[:600])
    assert np.mean(detector.anomaly_scores(wave(seed=9)) > 1.0) < 0.1
    series[900:920] = 0.0
    scores = detector.anomaly_scores(series)
    assert scores[900:920].max() > 1.5
    assert 880 <= int(scores.argmax()) < 940


def test_kmeans_scores_are_distances_to_the_nearest_centre() -> None:
    series = wave(200)
    detector = KMeansAD(window=10, n_clusters=4).fit(series)
    windows = windows_of(((series - series.mean()) / series.std(ddof=1))[:, None], 10)
    expected = scores_of_rows(cdist(windows, detector.cluster_centers_).min(axis=1), 10)
    assert detector.anomaly_scores(series) * detector.limit_ == pytest.approx(expected)


def test_kmeans_takes_a_series_with_fewer_shapes_than_centres() -> None:
    detector = KMeansAD(window=5, n_clusters=20).fit(np.tile([0.0, 1.0], 50))
    assert len(detector.cluster_centers_) == 2
    assert detector.predict(np.tile([0.0, 1.0], 50)).tolist() == [1] * 100
