"""The conventions of the detectors on plain arrays: those of scikit-learn's outlier detectors.

    fit(X)             learns from rows that are normal, and returns the detector
    anomaly_scores(X)  0 and more for each row; 1 is the limit, which comes from the fitted rows alone
    score_samples(X)   the same with the opposite sign, as scikit-learn has it: the lower, the more abnormal
    predict(X)         1 normal, -1 abnormal, 0 unknown

Parameters are the arguments of the constructor and never change; what `fit` learns has a name that ends with `_`. NaN
is unknown: a score that would need an unknown value is NaN.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from telemetry.arrays import F64, I64


class NotFitted(ValueError, AttributeError):
    """A detector is asked for scores before `fit`."""


class SeriesDetector:
    """The methods that all detectors share. A detector is a dataclass whose fields are its parameters."""

    n_features_in_: int

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn from the rows of `X`, which are normal; `y` is ignored."""
        raise NotImplementedError

    def anomaly_scores(self, X: ArrayLike) -> F64:
        """Return the score of each row: 1 is the limit, more is abnormal, NaN unknown."""
        raise NotImplementedError

    def score_samples(self, X: ArrayLike) -> F64:
        """Return the opposite of `anomaly_scores`: the lower, the more abnormal."""
        return -self.anomaly_scores(X)

    def decision_function(self, X: ArrayLike) -> F64:
        """Return `score_samples` above its limit: negative is abnormal."""
        return 1.0 - self.anomaly_scores(X)

    def predict(self, X: ArrayLike) -> I64:
        """Return 1 for normal rows, -1 for abnormal ones, 0 where the score is unknown."""
        scores = self.anomaly_scores(X)
        return np.where(np.isnan(scores), 0, np.where(scores > 1.0, -1, 1)).astype(np.int64)

    def fit_predict(self, X: ArrayLike, y: object = None) -> I64:
        """Fit `X`, and return the prediction of its rows."""
        return self.fit(X, y).predict(X)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; none of them has parameters of its own."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.init}  # type: ignore[arg-type]

    def set_params(self, **params: Any) -> Self:
        """Set parameters, before the next `fit`."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"{name} is no parameter of {type(self).__name__}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of the estimators in its pipelines; scikit-learn alone calls this."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type="outlier_detector", target_tags=TargetTags(required=False))

    def _rows_to_fit(self, X: ArrayLike) -> F64:
        """Return `X` as (n, features), and note the number of features."""
        rows = as_rows(X)
        self.n_features_in_ = rows.shape[1]
        return rows

    def _rows_to_score(self, X: ArrayLike) -> F64:
        """Return `X` as (n, features) of as many features as were fitted."""
        if not hasattr(self, "n_features_in_"):
            raise NotFitted(f"this {type(self).__name__} is not fitted: call fit with normal rows first")
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {rows.shape[1]} features, but fit had {self.n_features_in_}")
        return rows


def as_rows(X: ArrayLike) -> F64:
    """Return `X` as float64 of (n, features); a series of one feature may have one dimension."""
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim == 1:
        rows = rows[:, None]
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"X has the shape {np.shape(X)}; give (n, features), or (n,) for one feature")
    if np.isinf(rows).any():
        raise ValueError("X holds an infinite value; write unknown values as NaN")
    return rows


def limit_of(scores: F64, false_alarm_rate: float) -> float:
    """Return the limit that the share `false_alarm_rate` of the known fitted scores exceeds.

    The limit is never 0: where the fitted scores are all 0, any greater score is abnormal.
    """
    if not 0.0 < false_alarm_rate < 1.0:
        raise ValueError(f"false_alarm_rate is {false_alarm_rate}; give a share between 0 and 1")
    known = scores[~np.isnan(scores)]
    if not len(known):
        raise ValueError("no fitted row has a known score; give fit more rows without NaN")
    return max(float(np.quantile(known, 1.0 - false_alarm_rate)), float(np.finfo(np.float64).tiny))


def centre_and_scale(rows: F64, is_robust: bool) -> tuple[F64, F64]:
    """Return the centre and the spread of each feature.

    Parameters
    ----------
    rows : (n, features), NaN unknown
    is_robust : the median and 1.4826 times the median absolute deviation, instead of mean and standard deviation

    Returns
    -------
    centre, scale : (features,); a feature that does not vary has the scale 1, as in scikit-learn's StandardScaler
    """
    if (~np.isnan(rows)).sum(axis=0).min(initial=2) < 2:
        raise ValueError("fit needs two known values of every feature at least")
    if is_robust:
        centre = np.nanmedian(rows, axis=0)
        scale = 1.4826 * np.nanmedian(np.abs(rows - centre), axis=0)
    else:
        centre, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0, ddof=1)
    smallest = 10 * np.finfo(np.float64).eps * np.maximum(np.abs(centre), 1e-300)
    return centre, np.where(scale <= smallest, 1.0, scale)
