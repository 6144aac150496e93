"""KMeansAD: the distance of each window of a series to the nearest of the clusters that normal windows form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.vq import kmeans
from scipy.spatial.distance import cdist

from detectors.series.estimator import SeriesDetector, centre_and_scale, limit_of
from detectors.series.windows import scores_of_rows, windows_of
from telemetry.arrays import F64

CHUNK = 4096
"""Windows whose distances are computed at once."""
TRIES = 5
"""Runs of k-means from other first centres, of which the best one counts."""


@dataclass
class KMeansAD(SeriesDetector):
    """Distances of windows to k-means centres; a row has the mean distance of the windows that hold the row.

    Parameters
    ----------
    window : the rows of a window
    n_clusters : the number of centres; fewer where there are fewer windows
    false_alarm_rate : the share of the fitted rows that exceeds the limit
    random_state : the seed of the first centres

    Notes
    -----
    Features are standardised first, so that none outweighs the others [1]_; the name is that of the evaluation [2]_.

    References
    ----------
    .. [1] T. Yairi, Y. Kato, K. Hori, Fault Detection by Mining Association Rules from House-keeping Data,
       i-SAIRAS 2001.
    .. [2] S. Schmidl, P. Wenig, T. Papenbrock, Anomaly Detection in Time Series: A Comprehensive Evaluation,
       PVLDB 15(9), 2022.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(2000) * 2 * np.pi / 50)
    >>> detector = KMeansAD(window=25, n_clusters=10).fit(wave[:1000])
    >>> wave[1500:1510] += 1.0
    >>> int(detector.anomaly_scores(wave).argmax()) in range(1480, 1530)
    True
    """

    window: int = 20
    n_clusters: int = 20
    false_alarm_rate: float = 0.01
    random_state: int = 0

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the centres from the windows of `X` without NaN."""
        if self.n_clusters < 1:
            raise ValueError(f"n_clusters is {self.n_clusters}; give 1 or more")
        rows = self._rows_to_fit(X)
        self.mean_, self.scale_ = centre_and_scale(rows, is_robust=False)
        windows = windows_of((rows - self.mean_) / self.scale_, self.window)
        windows = windows[~np.isnan(windows).any(axis=1)]
        if not len(windows):
            raise ValueError("no window without NaN; give fit more rows, or take a shorter window")
        distinct = len(np.unique(windows, axis=0))
        self.cluster_centers_ = kmeans(windows, min(self.n_clusters, distinct), iter=TRIES, seed=self.random_state)[0]
        self.limit_ = limit_of(self._means(rows), self.false_alarm_rate)
        return self

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the mean distance of each row's windows as a share of the limit."""
        return self._means(self._rows_to_score(X)) / self.limit_

    def _means(self, rows: F64) -> F64:
        windows = windows_of((rows - self.mean_) / self.scale_, self.window)
        nearest = np.empty(len(windows))
        for first in range(0, len(windows), CHUNK):
            part = windows[first : first + CHUNK]
            nearest[first : first + CHUNK] = cdist(part, self.cluster_centers_).min(axis=1)
        return scores_of_rows(nearest, self.window)
