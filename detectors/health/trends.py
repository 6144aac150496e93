"""Trends: measures that have left their baseline for the worse, and stay there.

deviation (z)   . ' . ' . ' ' : ' : : : :
sum             ____________/‾‾‾‾‾‾‾‾‾‾‾      the upward CUSUM passes `limit`: a trend, since the sum was last 0
average         ___________/‾‾‾‾‾‾‾‾‾‾‾‾      the EWMA of the last days shows how large it is; below `SIZE_LEAST` none

Several measures that shift together, each too little for a trend, are one too (`combined`).
A measure that changes for the better as clearly is a repair that nobody recorded: its baselines begin anew there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from detectors.health.baseline import OUTLIER, Deviations, Norms, deviations
from detectors.health.combined import averages, combined
from detectors.health.measures import MEASURES, WORSE, shown
from detectors.health.remaining import Band, remaining_days
from detectors.series.cusum import cumulative_sums
from detectors.series.pca import PCAChart
from telemetry.arrays import F64, I64, Bools

SLACK = 1.0
SIZE_LEAST = 1.5
LIMITS = {1.0: 6.0, 0.3: 8.0, 0.1: 10.0, 0.03: 14.0, 0.01: 20.0}
"""The limit of the sum for a rate of false alarms a lift and month, set by hand (docs/health.md has a calibration)."""
ALARMS_DEFAULT = 0.1
REPAIRS_MOST = 3
NEWEST_DAYS = 5


class Trend(NamedTuple):
    """A measure (its place in `MEASURES`) that grows worse: since which day, its baseline then, its value now, both in
    its unit, its size in standard deviations, and the days until its limit, None where the trend allows no band."""

    place: int
    since_day: int
    before: float
    now: float
    size: float
    remaining: Band | None


def limit_of_rate(alarms_per_lift_month: float) -> float:
    """Return the limit of the sum for a rate of false alarms, between the rates of `LIMITS` by their logarithms."""
    rates = sorted(LIMITS)
    return float(np.interp(np.log(alarms_per_lift_month), np.log(rates), [LIMITS[rate] for rate in rates]))


class Course(NamedTuple):
    """The deviations of a lift, and for each day and measure: the sum for the worse, the average, whether it trends."""

    of: Deviations
    sums: F64
    average: F64
    is_on: Bools


def course(
    day: I64, measures: F64, norms: Norms, resets: Sequence[int], limit: float, chart: PCAChart | None = None
) -> Course:
    """Return how the measures of a lift went; see `deviations` for the parameters. `chart` is that of the peers."""
    for _ in range(REPAIRS_MOST + 1):
        found = deviations(day, measures, norms, resets)
        worse = np.clip(found.z, -OUTLIER, OUTLIER) * WORSE
        up, down = _sums(day, worse, resets)
        average = averages(day, found.z)
        better = np.argwhere((down >= limit) & (average <= -SIZE_LEAST))
        if not len(better) or len(resets) > REPAIRS_MOST:
            break
        row, place = better[0].tolist()
        resets = [*resets, int(day[_begin(down[: row + 1, place])])]
    is_on = (up >= limit) & (average >= SIZE_LEAST)
    if chart is not None and len(day):
        is_on |= combined(average, chart)
    return Course(found, up, average, is_on)


def _sums(day: I64, worse: F64, resets: Sequence[int]) -> tuple[F64, F64]:
    """Return the sums for the worse and for the better, from 0 after each repair."""
    cuts = [0, *np.searchsorted(day, sorted(resets)).tolist(), len(day)]
    parts = [cumulative_sums(worse[begin:end], SLACK) for begin, end in pairwise(cuts)]
    return np.concatenate([up for up, _ in parts]), np.concatenate([down for _, down in parts])


def _begin(sums: F64) -> int:
    """Return the row at which the last rise of a sum begins."""
    zeros = np.flatnonzero(sums == 0.0)
    return int(zeros[-1]) + 1 if len(zeros) else 0


def find_trends(day: I64, measures: F64, found: Course) -> list[Trend]:
    """Return the trends on the last day, the largest first."""
    if not len(day):
        return []
    trends = []
    for place in np.flatnonzero(found.is_on[-1]).tolist():
        begin = min(_begin(found.sums[:, place]), len(day) - 1)
        own, measure = shown(place, measures[:, place]), MEASURES[place]
        before, now = float(shown(place, found.of.centre[-1, place])), float(np.nanmedian(own[-NEWEST_DAYS:]))
        band = remaining_days(day[begin:], own[begin:], measure.limit, measure.worse)
        trends.append(Trend(place, int(day[begin]), before, now, float(found.average[-1, place]), band))
    return sorted(trends, key=lambda trend: -trend.size)
