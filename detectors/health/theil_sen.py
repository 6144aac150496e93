"""The line of Theil and Sen: the median slope of all pairs of points, and its interval by Kendall's tau."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from telemetry.arrays import F64


class TrendLine(NamedTuple):
    """A line, and the lowest and highest slope at the confidence asked for."""

    slope: float
    intercept: float
    low_slope: float
    high_slope: float


def theil_sen(x: F64, y: F64, confidence: float) -> TrendLine:
    """Return the line through the points (x, y), of which two at least differ in x.

    Notes
    -----
    The line is that of `scipy.stats.theilslopes` [1]_; to import `scipy.stats` takes longer than most of what else the
    start of a process imports.

    References
    ----------
    .. [1] P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63, 1968, equation 2.6.
    """
    later = x[:, None] > x
    slopes = np.sort((y[:, None] - y)[later] / (x[:, None] - x)[later])
    slope = np.median(slopes)
    count = len(x)
    pairs = count * (count - 1) * (2 * count + 5) - _tied(x) - _tied(y)
    reach = -NormalDist().inv_cdf((1.0 - confidence) / 2.0) * math.sqrt(max(pairs, 0) / 18.0)
    low = max(round((len(slopes) - reach) / 2.0) - 1, 0)
    high = min(round((len(slopes) + reach) / 2.0), len(slopes) - 1)
    return TrendLine(float(slope), float(np.median(y) - slope * np.median(x)), float(slopes[low]), float(slopes[high]))


def _tied(values: F64) -> int:
    """Return the term of Sen's variance for values that occur more than once."""
    _, times = np.unique(values, return_counts=True)
    return int((times * (times - 1) * (2 * times + 5)).sum())
