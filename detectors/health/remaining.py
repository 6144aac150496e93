"""The band of remaining time of a growing fault: by the slopes that its days allow, until its limit.

measure        . ' : '               limit ───────────────
               slope: Theil and Sen       /   /
now ──────────────────────────────► earliest  latest day
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.health.theil_sen import theil_sen
from telemetry.arrays import F64, I64

DAYS_LEAST = 7
CONFIDENCE = 0.9
LATEST_DAYS = 365.0
BEND = 0.3
"""Wear need not go on along a line: the band is wider by this share at both ends."""


class Band(NamedTuple):
    """The remaining time in days, from the earliest to the latest."""

    earliest: float
    latest: float


def remaining_days(day: I64, values: F64, limit: float, worse: int) -> Band | None:
    """Return the band, None where the trend allows none.

    Parameters
    ----------
    day : the days since the trend began, (n,)
    values : the measure in its unit, (n,), NaN unknown
    limit : where the part no longer does its work, NaN without such a value
    worse : 1 where growing is worse, -1 where falling is

    Notes
    -----
    The interval of the slope is that of Theil and Sen by Kendall's tau [1]_, and the scatter about the line adds to
    both ends. There is no band with fewer than
    `DAYS_LEAST` days, where the interval includes no growth, and where the limit may be later than `LATEST_DAYS`.

    References
    ----------
    .. [1] P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63, 1968.
    """
    known = ~np.isnan(values)
    if np.isnan(limit) or known.sum() < DAYS_LEAST:
        return None
    x, y = day[known].astype(np.float64), worse * values[known]
    line = theil_sen(x, y, CONFIDENCE)
    off = y - (line.intercept + line.slope * x)
    scatter = 1.4826 * float(np.median(np.abs(off)))
    way = worse * limit - (line.intercept + line.slope * float(x[-1]))
    if way <= 0.0:
        return Band(0.0, 0.0)
    if not line.low_slope > 0.0 or (1.0 + BEND) * (way + scatter) / line.low_slope > LATEST_DAYS:
        return None
    earliest = (1.0 - BEND) * max(0.0, way - scatter) / line.high_slope
    return Band(earliest, (1.0 + BEND) * (way + scatter) / line.low_slope)
