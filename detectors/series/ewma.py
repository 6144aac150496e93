"""The exponentially weighted moving average of a series against its own mean: slow shifts that single values hide.

x      . . . . ' . ' ' . ' ' '
ewma   ______________/‾‾‾‾‾‾‾‾     a limit that widens from the first sample on, as the average's own spread does
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from detectors.series.estimator import SeriesDetector, centre_and_scale, limit_of
from telemetry.arrays import F64
from telemetry.compiled import compiled


@dataclass
class EWMAChart(SeriesDetector):
    """A time-aware EWMA control chart of each feature; a row's score is that of its worst feature.

    Parameters
    ----------
    tau_s : the time constant: a value `tau_s` ago has 1/e of the weight of the present one
    sigmas : the limit, in standard deviations of the average (Roberts' L)
    is_robust : centre and spread by median and median absolute deviation
    false_alarm_rate : where given, the limit is instead the one that this share of the fitted rows exceeds

    Notes
    -----
    With ``a = 1 - exp(-dt / tau_s)`` for the real time `dt` since the last known value, ``z += a (x - z)`` from the
    fitted mean, and the average's variance is that of a value times ``s = (1 - a)^2 s + a^2`` [1]_. For even sampling
    this is Roberts' chart [2]_; the weights for uneven sampling are those of Eckner [3]_. An unknown value changes
    nothing.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 7th ed., 2012, section 9.2.
    .. [2] S. W. Roberts, Control Chart Tests Based on Geometric Moving Averages, Technometrics 1(3), 1959.
    .. [3] A. Eckner, Algorithms for Unevenly Spaced Time Series: Moving Averages and Other Rolling Operators, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> chart = EWMAChart(tau_s=20.0).fit(rng.normal(size=500))
    >>> shifted = np.concatenate([rng.normal(size=50), 1.0 + rng.normal(size=50)])
    >>> (chart.anomaly_scores(shifted)[[20, -1]] > 1.0).tolist()
    [False, True]
    """

    tau_s: float = 10.0
    sigmas: float = 3.0
    is_robust: bool = False
    false_alarm_rate: float | None = None

    def fit(self, X: ArrayLike, y: object = None, t_s: ArrayLike | None = None) -> Self:
        """Learn centre and spread of each feature; `t_s` are the times of the rows, one second apart by default."""
        if not self.tau_s > 0.0 or not self.sigmas > 0.0:
            raise ValueError("tau_s and sigmas must be above 0")
        rows = self._rows_to_fit(X)
        self.mean_, self.scale_ = centre_and_scale(rows, self.is_robust)
        times_s = times_of(rows, t_s)
        self.interval_s_ = float(np.median(np.diff(times_s))) if len(rows) > 1 else 1.0
        self.limit_ = self.sigmas
        if self.false_alarm_rate is not None:
            self.limit_ = limit_of(self._deviations(rows, times_s), self.false_alarm_rate)
        return self

    def anomaly_scores(self, X: ArrayLike, t_s: ArrayLike | None = None) -> F64:
        """Return the deviation of the average from the fitted mean as a share of the limit, for each row."""
        rows = self._rows_to_score(X)
        return self._deviations(rows, times_of(rows, t_s)) / self.limit_

    def averages(self, X: ArrayLike, t_s: ArrayLike | None = None) -> F64:
        """Return the average at each row and feature, (n, features)."""
        rows = self._rows_to_score(X)
        return self._averages(rows, times_of(rows, t_s))[0]

    def _deviations(self, rows: F64, times_s: F64) -> F64:
        average, spread = self._averages(rows, times_s)
        return worst_feature(np.abs(average - self.mean_) / (self.scale_ * spread), rows)

    def _averages(self, rows: F64, times_s: F64) -> tuple[F64, F64]:
        dt_s = np.diff(times_s, prepend=times_s[:1] - self.interval_s_)
        return moving_averages(rows, dt_s, self.tau_s, self.mean_)


def moving_averages(rows: F64, dt_s: F64, tau_s: float, mean: F64) -> tuple[F64, F64]:
    """Return the average from `mean` (features,) on, and its standard deviation as a share of a value's, at each row.

    `dt_s` is the time since the row before; it and `tau_s` may be of any one unit.
    """
    average, spread = np.empty_like(rows), np.empty_like(rows)
    _run(rows, dt_s, tau_s, mean, average, spread)
    return average, spread


@compiled
def _run(rows: Any, dt_s: Any, tau_s: float, mean: Any, average: Any, spread: Any) -> None:
    """Write the average, and its standard deviation as a share of the sample's, at each row."""
    for feature in range(rows.shape[1]):
        z, s, waited_s = mean[feature], 0.0, 0.0
        for k in range(rows.shape[0]):
            waited_s += dt_s[k]
            x = rows[k, feature]
            if not np.isnan(x):
                a = 1.0 - np.exp(-waited_s / tau_s)
                z += a * (x - z)
                s = (1.0 - a) ** 2 * s + a**2
                waited_s = 0.0
            average[k, feature] = z
            spread[k, feature] = np.sqrt(s) if s > 0.0 else np.nan


def times_of(rows: F64, t_s: ArrayLike | None) -> F64:
    """Return the times of rows in seconds; raise ValueError unless they ascend."""
    if t_s is None:
        return np.arange(len(rows), dtype=np.float64)
    times_s = np.asarray(t_s, dtype=np.float64)
    if times_s.shape != (len(rows),) or not (np.diff(times_s) > 0.0).all():
        raise ValueError(f"t_s has the shape {times_s.shape} for {len(rows)} rows, or does not ascend")
    return times_s


def worst_feature(scores: F64, rows: F64) -> F64:
    """Return the greatest score among the features that are known at each row, NaN where none is."""
    known = np.where(np.isnan(rows), np.nan, scores)
    worst: F64 = np.fmax.reduce(known, axis=1)
    return worst
