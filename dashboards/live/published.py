"""Change detection for the live stream: the lifts whose state differs from the state last published.

A reading counts as changed when it moves by more than its tolerance, `last_seen` when it moves by more than
`LAST_SEEN_STEP_S`: a fleet at rest sends almost nothing. Values are compared with the values last published, not with
those of the poll before, so that slow drift is published too.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashboards.live.fleet_view import FleetView, worst_rule

POSITION_STEP_M = 0.01
SPEED_STEP_MPS = 0.02
LAST_SEEN_STEP_S = 10.0
EXACT_COLUMNS = ("landing", "direction", "door", "presence", "mode", "power", "last_trip_ns")
MAINTENANCE_COLUMN, BLIND_COLUMN, RULE_COLUMN, HEALTH_COLUMN, GRADE_COLUMN, INCIDENT_COLUMN = range(5, 11)
EXACT = INCIDENT_COLUMN + 1 + len(EXACT_COLUMNS)
TOLERANCES = np.array([0.0] * EXACT + [POSITION_STEP_M, SPEED_STEP_MPS, LAST_SEEN_STEP_S])


class PublishedLifts:
    """The values last published of every lift, and the version in which they were published."""

    def __init__(self) -> None:
        self.last_view: FleetView | None = None
        self.values = np.empty((0, len(TOLERANCES)))
        self.version = np.empty(0, dtype=np.int64)

    def update(self, view: FleetView, version: int) -> NDArray[np.intp]:
        """Return the rows of `view` that changed, and record their values as published in `version`."""
        values = _values(view)
        fresh = self._carry_over(view)
        moved = np.abs(values - self.values) > TOLERANCES
        moved |= np.isnan(values) != np.isnan(self.values)
        rows = np.flatnonzero(fresh | moved.any(axis=1))
        self.values[rows], self.version[rows] = values[rows], version
        self.last_view = view
        return rows

    def since(self, version: int) -> NDArray[np.intp]:
        """Return the rows that were published after `version`."""
        return np.flatnonzero(self.version > version)

    def _carry_over(self, view: FleetView) -> NDArray[np.bool_]:
        """Reorder the published values by the index of `view`; return which lifts are new or have changed facts."""
        before = self.last_view
        if before is not None and before.lift_index is view.lift_index:
            return np.zeros(len(view.lift_index), dtype=np.bool_)
        was = before.lift_index.row_of if before else {}
        old = np.array([was.get(lift_id, -1) for lift_id in view.lift_index.lift_id], dtype=np.intp)
        known = old >= 0
        values, version = np.full((len(old), len(TOLERANCES)), np.nan), np.zeros(len(old), dtype=np.int64)
        values[known], version[known] = self.values[old[known]], self.version[old[known]]
        self.values, self.version = values, version
        if before is None:
            return ~known
        other = (
            view.lift_index.facts[row] != before.lift_index.facts[at] for row, at in enumerate(old.tolist()) if at >= 0
        )
        fresh = ~known
        fresh[known] = np.fromiter(other, dtype=np.bool_, count=int(known.sum()))
        return fresh


def _values(view: FleetView) -> NDArray[np.float64]:
    """Return the values to compare, one row for each lift."""
    is_live, at = view.lift_index.live_row >= 0, view.lift_index.live_row
    values = np.full((len(view.lift_index), len(TOLERANCES)), np.nan)
    values[:, 0], values[:, 1:5] = view.state, view.counts
    values[:, BLIND_COLUMN] = _reason_codes(view.blind)
    values[:, HEALTH_COLUMN], values[:, GRADE_COLUMN] = view.health.score, view.health.grade
    live_columns = (*EXACT_COLUMNS, "position_m", "speed_mps")
    for column, name in enumerate(live_columns, start=INCIDENT_COLUMN + 1):
        values[is_live, column] = getattr(view.live, name)[at[is_live]]
    for lift_id, window in view.windows.items():
        if lift_id in view.lift_index.row_of:
            values[view.lift_index.row_of[lift_id], MAINTENANCE_COLUMN] = crc32(repr(window).encode())
    for lift_id, open_alerts in view.alerts.items():
        if lift_id in view.lift_index.row_of:
            values[view.lift_index.row_of[lift_id], RULE_COLUMN] = crc32((worst_rule(open_alerts) or "").encode())
    for lift_id, incident in view.incidents.items():
        if lift_id in view.lift_index.row_of:
            values[view.lift_index.row_of[lift_id], INCIDENT_COLUMN] = crc32(repr(incident).encode())
    values[:, -1] = view.last_seen_ns / 1e9
    return values


def _reason_codes(reasons: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return a number for each reason, the same in every view; 0 for no reason."""
    codes = np.zeros(len(reasons))
    given = reasons != ""
    distinct, at = np.unique(reasons[given], return_inverse=True)
    codes[given] = np.array([crc32(reason.encode()) for reason in distinct.tolist()], dtype=np.float64)[at]
    return codes
