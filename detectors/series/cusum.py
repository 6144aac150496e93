"""The two-sided cumulative sum of a series: the smallest lasting shift in the fewest samples.

x    . . . . ' . ' ' . ' ' '
up   ____________/‾‾/‾‾‾‾‾‾/    sums what exceeds half the shift looked for, and never falls below 0
down ______________________
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from detectors.series.estimator import SeriesDetector, centre_and_scale, limit_of
from detectors.series.ewma import worst_feature
from telemetry.arrays import F64
from telemetry.compiled import compiled


@dataclass
class CUSUMChart(SeriesDetector):
    """The tabular CUSUM of each feature in both directions; a row's score is that of its worst feature and direction.

    Parameters
    ----------
    slack : half the shift looked for, in standard deviations (k)
    limit : the decision interval, in standard deviations (h)
    is_robust : centre and spread by median and median absolute deviation
    false_alarm_rate : where given, the limit is instead the one that this share of the fitted rows exceeds

    Notes
    -----
    ``up = max(0, up + z - slack)`` and ``down = max(0, down - z - slack)`` of the standardised value `z` [1]_. With 0.5
    and 5 a series that does not change exceeds the limit every 465 samples, and one shifted by one standard deviation
    after 10.4 [2]_. An unknown value changes nothing.

    References
    ----------
    .. [1] E. S. Page, Continuous Inspection Schemes, Biometrika 41, 1954.
    .. [2] D. C. Montgomery, Introduction to Statistical Quality Control, 7th ed., 2012, section 9.1.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> chart = CUSUMChart().fit(rng.normal(size=500))
    >>> chart.predict(np.concatenate([rng.normal(size=20), 1.0 + rng.normal(size=30)]))[[10, -1]].tolist()
    [1, -1]
    """

    slack: float = 0.5
    limit: float = 5.0
    is_robust: bool = False
    false_alarm_rate: float | None = None

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn centre and spread of each feature."""
        if not self.slack >= 0.0 or not self.limit > 0.0:
            raise ValueError("slack must be 0 or more, and limit above 0")
        rows = self._rows_to_fit(X)
        self.mean_, self.scale_ = centre_and_scale(rows, self.is_robust)
        self.limit_ = self.limit
        if self.false_alarm_rate is not None:
            self.limit_ = limit_of(self._worst(rows), self.false_alarm_rate)
        return self

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the greatest sum as a share of the limit, for each row."""
        return self._worst(self._rows_to_score(X)) / self.limit_

    def sums(self, X: ArrayLike) -> tuple[F64, F64]:
        """Return the upward and the downward sum at each row and feature, (n, features) each."""
        return cumulative_sums((self._rows_to_score(X) - self.mean_) / self.scale_, self.slack)

    def _worst(self, rows: F64) -> F64:
        up, down = self.sums(rows)
        return worst_feature(np.maximum(up, down), rows)


def cumulative_sums(z: F64, slack: float) -> tuple[F64, F64]:
    """Return the upward and the downward sum at each row and feature of standardised values, (n, features) each."""
    up, down = np.empty_like(z), np.empty_like(z)
    _run(z, slack, up, down)
    return up, down


@compiled
def _run(z: Any, slack: float, up: Any, down: Any) -> None:
    """Write both sums at each row."""
    for feature in range(z.shape[1]):
        above, below = 0.0, 0.0
        for k in range(z.shape[0]):
            if not np.isnan(z[k, feature]):
                above = max(0.0, above + z[k, feature] - slack)
                below = max(0.0, below - z[k, feature] - slack)
            up[k, feature], down[k, feature] = above, below
