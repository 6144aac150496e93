"""Sub-PCA: principal components of the windows of a series, which find shapes that normal windows do not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike

from detectors.series.estimator import SeriesDetector, limit_of
from detectors.series.pca import PCAChart
from detectors.series.windows import scores_of_rows, windows_of
from telemetry.arrays import F64


@dataclass
class SubPCA(SeriesDetector):
    """T² and Q of the windows of a series; a row has the mean score of the windows that hold the row.

    Parameters
    ----------
    window : the rows of a window; about one period of the series is best
    n_components : the number of components, or (below 1) the share of the variance that they must explain
    false_alarm_rate : the share of the fitted rows that exceeds the limit

    Notes
    -----
    Windows are rows of `PCAChart`. Among the detectors of TSB-AD, Sub-PCA is the best but few on series of one feature
    [1]_; the score there is the weighted distance in all components [2]_, which T² and Q together contain.

    References
    ----------
    .. [1] Q. Liu, J. Paparrizos, The Elephant in the Room: Towards a Reliable Time-Series Anomaly Detection Benchmark,
       NeurIPS 2024.
    .. [2] M.-L. Shyu et al., A Novel Anomaly Detection Scheme Based on Principal Component Classifier, ICDM 2003.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(2000) * 2 * np.pi / 50) + 0.05 * np.random.default_rng(4).normal(size=2000)
    >>> detector = SubPCA(window=50).fit(wave[:1000])
    >>> wave[1500:1520] = 0.0
    >>> int(detector.anomaly_scores(wave).argmax()) in range(1490, 1530)
    True
    """

    window: int = 50
    n_components: float = 0.9
    false_alarm_rate: float = 0.01

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the components of the windows of `X`; windows with NaN are left out."""
        rows = self._rows_to_fit(X)
        self.chart_ = PCAChart(self.n_components, self.false_alarm_rate, limits="fitted")
        self.chart_.fit(windows_of(rows, self.window))
        self.limit_ = limit_of(self._means(rows), self.false_alarm_rate)
        return self

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the mean score of each row's windows as a share of the limit."""
        return self._means(self._rows_to_score(X)) / self.limit_

    def _means(self, rows: F64) -> F64:
        return scores_of_rows(self.chart_.anomaly_scores(windows_of(rows, self.window)), self.window)
