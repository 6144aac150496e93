"""Maintenance windows as columns: which rows lie in a window of their lift, by the lift's own time.

Windows of one lift do not overlap and are compared in whole milliseconds, so every replay has the same rows in them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import I32, I64

MS_NS = 1_000_000
SPAN_MS = 1 << 42
"""More milliseconds than any instant has since 1970 (until 2109): lift and instant form one sortable number."""


class MaintenanceWindows:
    """Windows of many lifts: the lift index, the beginning and the end of each."""

    def __init__(self, lift: I32, from_ns: I64, until_ns: I64) -> None:
        order = np.lexsort((from_ns, lift))
        self._begin = _place(lift, from_ns)[order]
        self._end = _place(lift, until_ns)[order]

    def contain(self, lift: I32, t_ns: I64) -> NDArray[np.bool_]:
        """Return for each row, a lift and an instant, whether it lies in a window of that lift."""
        if not len(self._begin):
            return np.zeros(len(lift), dtype=np.bool_)
        here = _place(lift, t_ns)
        latest = np.searchsorted(self._begin, here, side="right") - 1
        inside: NDArray[np.bool_] = (latest >= 0) & (here < self._end[latest])
        return inside


def _place(lift: I32, t_ns: I64) -> I64:
    return lift.astype(np.int64) * SPAN_MS + np.clip(t_ns // MS_NS, 0, SPAN_MS - 1)


NO_WINDOWS = MaintenanceWindows(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))
