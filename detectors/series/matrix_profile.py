"""The matrix profile: the distance of each window of a series to the most similar window of normal ones, offline.

Needs the optional package `stumpy` (`pip install liftwatch[profile]`), which is imported at the first score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from detectors.series.estimator import SeriesDetector, as_rows, limit_of
from detectors.series.windows import scores_of_rows, windows_of
from telemetry.arrays import F64


class PackageMissing(ImportError):
    """The optional package of a detector is not installed."""


@dataclass
class MatrixProfile(SeriesDetector):
    """Distances of z-normalised windows to their nearest neighbours; several features have the mean of their profiles.

    Parameters
    ----------
    window : the rows of a window
    false_alarm_rate : the share of the fitted rows that exceeds the limit

    Notes
    -----
    `fit` keeps the normal rows, and `anomaly_scores` joins other rows with them; `discords` joins a series with itself
    and needs no normal rows: its greatest values are the windows that are like no other [1]_. Computed by STUMPY [2]_.

    References
    ----------
    .. [1] C.-C. M. Yeh et al., Matrix Profile I: All Pairs Similarity Joins for Time Series, ICDM 2016.
    .. [2] S. M. Law, STUMPY: A Powerful and Scalable Python Library for Time Series Data Mining, JOSS 4(39), 2019.
    """

    window: int = 50
    false_alarm_rate: float = 0.01

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Keep the normal rows; their own join gives the limit."""
        rows = self._rows_to_fit(X)
        self.normal_ = rows.copy()
        self.limit_ = limit_of(self.discords(rows), self.false_alarm_rate)
        return self

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the distance to the normal rows as a share of the limit, for each row."""
        return self._means(self._rows_to_score(X), self.normal_) / self.limit_

    def discords(self, X: ArrayLike) -> F64:
        """Return the distance of each row's windows to the nearest other windows of the same series."""
        return self._means(as_rows(X), None)

    def _means(self, rows: F64, normal: F64 | None) -> F64:
        profiles = [
            _profile(rows[:, k].copy(), self.window, None if normal is None else normal[:, k].copy())
            for k in range(rows.shape[1])
        ]
        return scores_of_rows(np.mean(profiles, axis=0), self.window)


def _profile(series: F64, window: int, normal: F64 | None) -> F64:
    """Return the distance of each window, NaN where a value of the window is unknown."""
    stumpy = _stumpy()
    if np.isnan(windows_of(series[:, None], window)).any(axis=1).all():
        return np.full(len(series) - window + 1, np.nan)
    if normal is None or np.array_equal(series, normal):  # a window is not its own neighbour
        joined = stumpy.stump(series, window)
    else:
        joined = stumpy.stump(series, window, normal, ignore_trivial=False)
    distance = np.asarray(joined[:, 0], dtype=np.float64)
    return np.where(np.isfinite(distance), distance, np.nan)


def _stumpy() -> Any:
    try:
        import stumpy
    except ImportError as error:
        raise PackageMissing(f"MatrixProfile needs stumpy: pip install liftwatch[profile] ({error})") from None
    return stumpy
