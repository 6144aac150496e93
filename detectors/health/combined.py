"""Several measures that shift together: T² and Q of the averages of a lift's deviations.

average x   . ' . ' . '          each too small for a trend of its own, or hidden by what all share
average y   . ' . . . .    ─►    T² or Q beyond its limit for `ROWS` days in a row: a trend of the one furthest off
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.health.baseline import FAST_DAYS, OUTLIER, Norms, deviations
from detectors.health.measures import WORSE
from detectors.series.ewma import moving_averages
from detectors.series.pca import PCAChart
from telemetry.arrays import F64, I64, Bools

RATE, ROWS, SIZE_LEAST = 0.01, 10, 0.5
DAYS_LEAST = 200


def averages(day: I64, z: F64) -> F64:
    """Return the average of the deviations of the last days, each counted for the worse, (days, measures)."""
    worse = np.clip(z, -OUTLIER, OUTLIER) * WORSE
    since = np.diff(day, prepend=day[:1] - 1).astype(float)
    average: F64 = moving_averages(worse, since, FAST_DAYS, 0.0 * WORSE)[0]
    return average


def peer_chart(days: Sequence[tuple[I64, F64]], norms: Norms) -> PCAChart | None:
    """Return the chart of the averages of peers from their days and measures, None with too few days."""
    rows = [_known(averages(day, deviations(day, table, norms).z)) for day, table in days]
    whole = np.concatenate(rows) if rows else np.empty((0, len(WORSE)))
    varies = whole.std(axis=0) > 0.0 if len(whole) else np.zeros(len(WORSE), dtype=np.bool_)
    if len(whole) < DAYS_LEAST or varies.sum() < 2:
        return None
    return PCAChart(n_components=0.9, false_alarm_rate=RATE, limits="fitted").fit(whole)


def _known(average: F64) -> F64:
    """Return the rows of averages in which any deviation is known."""
    known: F64 = average[(average != 0.0).any(axis=1)]
    return known


def combined(average: F64, chart: PCAChart) -> Bools:
    """Return for each day and measure whether the measure is the furthest off where all together are abnormal."""
    (t2, q), off = chart.statistics(average), chart.residuals(average)
    is_off = q / chart.q_limit_ > t2 / chart.t2_limit_
    largest = np.where(is_off[:, None], off, average).argmax(axis=1)
    size = np.take_along_axis(average, largest[:, None], axis=1)[:, 0]
    is_beyond = (np.maximum(t2 / chart.t2_limit_, q / chart.q_limit_) > 1.0) & (size >= SIZE_LEAST)
    run = np.convolve(is_beyond, np.ones(ROWS), "full")[: len(is_beyond)] >= ROWS
    found = np.zeros(average.shape, dtype=np.bool_)
    found[run, largest[run]] = True
    return found
