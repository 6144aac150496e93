"""Principal components of normal rows: how far a row lies out within them (T²), and how far off them (Q).

     ▲ Q        · a row off the plane: a relation between features is broken
─────┼───────▶  T²
 plane of the    a row far out in the plane: the relations hold, the values are extreme
 components
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from detectors.series.estimator import SeriesDetector, centre_and_scale, limit_of
from telemetry.arrays import F64


@dataclass
class PCAChart(SeriesDetector):
    """Hotelling's T² and the squared prediction error Q of principal components; the worse of both is a row's score.

    Parameters
    ----------
    n_components : the number of components, or (below 1) the share of the variance that they must explain
    false_alarm_rate : the share of normal rows that each limit lets exceed it
    is_robust : standardise by median and median absolute deviation
    limits : "theory" takes both limits from the distributions below, "fitted" from the fitted rows' own scores

    Notes
    -----
    T² is the sum of the squared components over their variances; the F distribution gives its limit for new rows [1]_.
    Q is the squared distance to the plane of the components; its limit is that of Jackson and Mudholkar [2]_. Both
    suppose rows that are independent and normally distributed: for others, take ``limits="fitted"``.

    References
    ----------
    .. [1] J. E. Jackson, A User's Guide to Principal Components, 1991, chapters 1 and 2.
    .. [2] J. E. Jackson, G. S. Mudholkar, Control Procedures for Residuals Associated With Principal Component
       Analysis, Technometrics 21(3), 1979.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> load = rng.normal(size=(400, 1))
    >>> rows = load @ [[1.0, 2.0, -1.0]] + 0.1 * rng.normal(size=(400, 3))
    >>> chart = PCAChart(n_components=1).fit(rows)
    >>> chart.predict([[1.0, 2.0, -1.0], [1.0, -2.0, -1.0]]).tolist()
    [1, -1]
    """

    n_components: float = 0.9
    false_alarm_rate: float = 0.01
    is_robust: bool = False
    limits: str = "theory"

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the components from the rows of `X` without NaN."""
        if self.limits not in ("theory", "fitted"):
            raise ValueError(f'limits is {self.limits!r}; give "theory" or "fitted"')
        rows = self._rows_to_fit(X)
        rows = rows[~np.isnan(rows).any(axis=1)]
        if len(rows) < 3:
            raise ValueError(f"{len(rows)} rows without NaN; fit needs 3 at least")
        self.mean_, self.scale_ = centre_and_scale(rows, self.is_robust)
        z = (rows - self.mean_) / self.scale_
        self.centre_ = z.mean(axis=0)
        _, singular, turned = np.linalg.svd(z - self.centre_, full_matrices=False)
        variances = singular**2 / (len(rows) - 1)
        present = int((variances > variances[0] * 1e-12).sum())
        count = _count(self.n_components, variances[:present])
        self.components_, self.variances_ = turned[:count], variances[:count]
        t2_limit = _t2_limit(count, len(rows), self.false_alarm_rate)
        q_limit = _q_limit(variances[count:present], self.false_alarm_rate)
        self.t2_limit_, self.q_limit_ = t2_limit, q_limit
        if self.limits == "fitted":
            t2, q = self.statistics(rows)
            self.t2_limit_ = limit_of(t2, self.false_alarm_rate)
            self.q_limit_ = limit_of(q, self.false_alarm_rate) if count < present else np.inf
        return self

    def statistics(self, X: ArrayLike) -> tuple[F64, F64]:
        """Return T² and Q of each row, NaN where a feature is unknown."""
        rows = self._rows_to_score(X)
        z = (rows - self.mean_) / self.scale_ - self.centre_
        parts = z @ self.components_.T
        return np.sum(parts**2 / self.variances_, axis=1), np.sum(self.residuals(rows) ** 2, axis=1)

    def residuals(self, X: ArrayLike) -> F64:
        """Return how far each row is off the plane of the components, by feature, in standard deviations."""
        z = (self._rows_to_score(X) - self.mean_) / self.scale_ - self.centre_
        off: F64 = z - z @ self.components_.T @ self.components_
        return off

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the greater of T² and Q as shares of their limits."""
        t2, q = self.statistics(X)
        scores: F64 = np.maximum(t2 / self.t2_limit_, q / self.q_limit_)
        return scores


def _count(asked: float, variances: F64) -> int:
    """Return how many components are kept, as a number or a share of the variance asks."""
    if not asked > 0 or (asked > 1 and asked != int(asked)):
        raise ValueError(f"n_components is {asked}; give a number of components, or a share of the variance below 1")
    if asked >= 1:
        return min(int(asked), len(variances))
    return int(np.searchsorted(np.cumsum(variances) / variances.sum(), asked) + 1)


def _t2_limit(count: int, n: int, false_alarm_rate: float) -> float:
    """Return the limit of T² for a new row; by the chi-squared distribution where there are too few rows for F."""
    if n <= count + 1:
        return float(special.chdtri(count, false_alarm_rate))
    share = count * (n - 1) * (n + 1) / (n * (n - count))
    return float(share * special.fdtri(count, n - count, 1.0 - false_alarm_rate))


def _q_limit(left_out: F64, false_alarm_rate: float) -> float:
    """Return the limit of Q from the variances of the components left out, infinite where there are none."""
    if not len(left_out):
        return np.inf
    one, two, three = (float(np.sum(left_out**power)) for power in (1, 2, 3))
    h = max(1.0 - 2.0 * one * three / (3.0 * two**2), 1e-3)
    deviate = -float(special.ndtri(false_alarm_rate))
    inner = deviate * np.sqrt(2.0 * two * h**2) / one + 1.0 + two * h * (h - 1.0) / one**2
    return float(one * inner ** (1.0 / h))
