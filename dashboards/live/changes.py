"""Which lifts look different from what was last told about them.

A reading that moved less than its tolerance is no news, and neither is a mere later `last_seen` until it has moved by
`LAST_SEEN_STEP_S`: a standing fleet is quiet on the wire. What is compared is what was told, not what was seen last,
so that slow drift is told too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboards.live.picture import Picture

POSITION_STEP_M = 0.01
SPEED_STEP_MPS = 0.02
LAST_SEEN_STEP_S = 10.0
EXACT_COLUMNS = ("landing", "direction", "door", "presence", "mode", "power", "last_trip_ns")
MAINTENANCE_COLUMN, EXACT = 5, 6 + len(EXACT_COLUMNS)
TOLERANCES = np.array([0.0] * EXACT + [POSITION_STEP_M, SPEED_STEP_MPS, LAST_SEEN_STEP_S])


class Told:
    """What was last told of every lift, and in which version it was."""

    def __init__(self) -> None:
        self.shown: Picture | None = None
        self.values = np.empty((0, len(TOLERANCES)))
        self.version = np.empty(0, dtype=np.int64)

    def news(self, shown: Picture, version: int) -> NDArray[np.intp]:
        """Return the rows of `shown` that have news, and take them as told in `version`."""
        values = _values(shown)
        fresh = self._carry_over(shown)
        moved = np.abs(values - self.values) > TOLERANCES
        moved |= np.isnan(values) != np.isnan(self.values)
        rows = np.flatnonzero(fresh | moved.any(axis=1))
        self.values[rows], self.version[rows] = values[rows], version
        self.shown = shown
        return rows

    def since(self, version: int) -> NDArray[np.intp]:
        """Return the rows that were told after `version`."""
        return np.flatnonzero(self.version > version)

    def _carry_over(self, shown: Picture) -> NDArray[np.bool_]:
        """Bring what was told into the order of a new roster; return which lifts are new or have other facts."""
        before = self.shown
        if before is not None and before.roster is shown.roster:
            return np.zeros(len(shown.roster), dtype=np.bool_)
        was = before.roster.row_of if before else {}
        old = np.array([was.get(lift_id, -1) for lift_id in shown.roster.lift_id], dtype=np.intp)
        known = old >= 0
        values, version = np.full((len(old), len(TOLERANCES)), np.nan), np.zeros(len(old), dtype=np.int64)
        values[known], version[known] = self.values[old[known]], self.version[old[known]]
        self.values, self.version = values, version
        if before is None:
            return ~known
        other = (shown.roster.facts[row] != before.roster.facts[at] for row, at in enumerate(old.tolist()) if at >= 0)
        fresh = ~known
        fresh[known] = np.fromiter(other, dtype=np.bool_, count=int(known.sum()))
        return fresh


def _values(shown: Picture) -> NDArray[np.float64]:
    """Return what is compared, one row for each lift."""
    heard, at = shown.roster.live_row >= 0, shown.roster.live_row
    values = np.full((len(shown.roster), len(TOLERANCES)), np.nan)
    values[:, 0], values[:, 1:5] = shown.state, shown.counts
    live_columns = (*EXACT_COLUMNS, "position_m", "speed_mps")
    for column, name in enumerate(live_columns, start=MAINTENANCE_COLUMN + 1):
        values[heard, column] = getattr(shown.live, name)[at[heard]]
    for lift_id, window in shown.windows.items():
        if lift_id in shown.roster.row_of:
            values[shown.roster.row_of[lift_id], MAINTENANCE_COLUMN] = window.until_ns
    values[:, -1] = shown.last_seen_ns / 1e9
    return values
