"""Reduces a series to the points a screen can show, so that no spike is lost.

Buckets have a round width and begin at multiples of it since 1970 UTC, so that the same instant falls into the same
bucket whatever the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from store.series.timeseries import MINUTE_NS, REDUCIBLE, SECOND_NS, FloatArray, Readings, Reduced, Series
from telemetry.instant import DAY_NS

Instants = NDArray[np.int64]

MILLISECOND_NS = 1_000_000
WIDTHS_NS = (
    *(ms * MILLISECOND_NS for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(s * SECOND_NS for s in (1, 2, 5, 10, 15, 30)),
    *(m * MINUTE_NS for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)),
)


def grid(from_ns: int, to_ns: int, points: int, least_width_ns: int = WIDTHS_NS[0]) -> tuple[NDArray[np.int64], int]:
    """Return where each bucket begins and their common width: the finest round one that needs at most `points`."""
    if to_ns <= from_ns or points < 1:
        return np.zeros(0, dtype=np.int64), least_width_ns
    days = -(-(to_ns - from_ns) // (DAY_NS * points)) * DAY_NS
    for width in (*WIDTHS_NS, days, days + DAY_NS):
        first, last = from_ns // width, (to_ns - 1) // width
        if width >= least_width_ns and last - first < points:
            break
    else:  # the window straddles a boundary of every round width
        width, first, last = to_ns - from_ns, 0, 0
        return np.array([from_ns], dtype=np.int64), width
    return np.arange(first, last + 1, dtype=np.int64) * width, width


def series(stream: str, from_ns: int, to_ns: int, points: int, rows: Readings) -> Series:
    """Reduce raw rows of the window to at most `points` buckets."""
    begins_ns, width_ns = grid(from_ns, to_ns, points)
    channels = {
        channel: reduce(begins_ns, width_ns, rows.t_ns, *(rows.channels[name] for name in names))
        for channel, names in REDUCIBLE[stream].items()
    }
    return Series(stream, from_ns, to_ns, width_ns, begins_ns, channels)


def series_of_reduced(
    stream: str, from_ns: int, to_ns: int, points: int, rows: Readings, least_width_ns: int = WIDTHS_NS[0]
) -> Series:
    """Reduce rows that are reduced already further: `{column}_{how}`, and `n` readings of a row where known.

    Without rows, the buckets are as fine as those of raw rows would be.
    """
    begins_ns, width_ns = grid(from_ns, to_ns, points, least_width_ns if len(rows) else WIDTHS_NS[0])
    # A row that reduces a minute begins with it, which may be just before the window.
    t_ns = np.maximum(rows.t_ns, begins_ns[0]) if len(rows) and len(begins_ns) else rows.t_ns
    missing = np.full(len(rows), np.nan)
    channels = {}
    for channel, (least, greatest, mean) in REDUCIBLE[stream].items():
        low, high, middle = (
            rows.channels.get(name, missing) for name in (f"{least}_min", f"{greatest}_max", f"{mean}_mean")
        )
        channels[channel] = reduce(begins_ns, width_ns, t_ns, low, high, middle, rows.channels.get("n"))
    return Series(stream, from_ns, to_ns, width_ns, begins_ns, channels)


def reduce(
    begins_ns: NDArray[np.int64],
    width_ns: int,
    t_ns: NDArray[np.int64],
    least: FloatArray,
    greatest: FloatArray,
    mean: FloatArray,
    weight: FloatArray | None = None,
) -> Reduced:
    """Return the least, greatest and mean value in each bucket, NaN where it is empty.

    Parameters
    ----------
    begins_ns, width_ns : the buckets of `grid`
    t_ns : (rows,) times inside the buckets, in any order
    least, greatest, mean : (rows,) values of each row; NaN is left out
    weight : (rows,) number of readings that a row represents; 1 when absent
    """
    out = [np.full(len(begins_ns), np.nan) for _ in range(3)]
    known = ~np.isnan(mean)
    if len(begins_ns) and known.any():
        bucket = (t_ns[known] - begins_ns[0]) // width_ns
        order = np.argsort(bucket, kind="stable")
        bucket = bucket[order]
        start = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
        weights = np.ones(len(bucket)) if weight is None else weight[known][order]
        filled = bucket[start]
        out[0][filled] = np.minimum.reduceat(least[known][order], start)
        out[1][filled] = np.maximum.reduceat(greatest[known][order], start)
        total = np.add.reduceat(mean[known][order] * weights, start)
        out[2][filled] = total / np.add.reduceat(weights, start)
    return Reduced(*out)
