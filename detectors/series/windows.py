"""Windows of a series, and the scores of windows as scores of rows.

rows      . . . . . . . .
windows   [---]             row k is scored by the mean of all windows that hold k and whose score is known
            [---]
              [---]
"""

from __future__ import annotations

import numpy as np

from telemetry.arrays import F64


def windows_of(rows: F64, length: int) -> F64:
    """Return every window of `length` rows as one row, (n - length + 1, length * features).

    Features stand one after the other, each in the order of time.
    """
    if length < 2:
        raise ValueError(f"a window of {length} rows; it must have 2 at least")
    if len(rows) < length:
        raise ValueError(f"{len(rows)} rows are fewer than a window of {length}")
    view = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0)
    return np.ascontiguousarray(view).reshape(len(view), -1)


def scores_of_rows(of_windows: F64, length: int) -> F64:
    """Return for each row the mean of the known scores of the windows that hold the row, NaN where none is.

    The windows are those of `windows_of`: one begins at each row.
    """
    n = len(of_windows) + length - 1
    known = ~np.isnan(of_windows)
    first, last = np.maximum(np.arange(n) - length + 1, 0), np.minimum(np.arange(n), len(of_windows) - 1) + 1
    total = np.concatenate([[0.0], np.cumsum(np.where(known, of_windows, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    many = count[last] - count[first]
    with np.errstate(invalid="ignore"):
        mean: F64 = np.where(many > 0, (total[last] - total[first]) / np.maximum(many, 1), np.nan)
    return mean
