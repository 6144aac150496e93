"""Filtering, sorting and paginating the lifts of one fleet view.

Each sort order is computed once for a view and cached; a page is then a slice. A cursor holds the sort keys of the
last row instead of an offset, so that pagination stays correct while the fleet changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.live.fleet_health import GRADES_AND_UNKNOWN
from dashboards.live.fleet_view import STATES, FleetView
from registry.scope import ALL_LIFTS, LiftScope

UNKNOWN_HEALTH = 1000.0
SortKey = tuple[Any, ...]
RowIndices = NDArray[np.intp]

SHAPES: dict[str, tuple[type, ...]] = {
    "state": (int, int, str),
    "lift_id": (str,),
    "name": (str, str),
    "district": (str, str),
    "last_seen": (int, str),
    "health": (float, str),
}


@dataclass(frozen=True, slots=True)
class LiftQuery:
    """The filters and the sort order of a list of lifts, and the scope of the request."""

    district: str | None = None
    firm: str | None = None
    state: str | None = None
    q: str | None = None
    grade: str | None = None
    sort: str = "state"
    lift_ids: tuple[str, ...] = ()
    lifts: LiftScope = field(default=ALL_LIFTS, repr=False)

    @property
    def scope(self) -> str:
        """The text that binds a cursor to this query."""
        return repr(self)


class LiftListing:
    """The lifts of one fleet view in every sort order; an order is computed at its first use."""

    def __init__(self, view: FleetView) -> None:
        self.view = view
        self._ranked: dict[str, RowIndices] = {}

    def page(self, query: LiftQuery, limit: int, cursor: str | None) -> tuple[list[int], str | None]:
        """Return the rows of a page, and the cursor of the next page (None at the end)."""
        name = query.sort.removeprefix("-")
        rows = self._rows(name)
        key = _key(self.view, name)
        if cursor is not None:
            last = tuple(decode_cursor(cursor, query.scope, SHAPES[name]))
            rows = _rows_after(rows, key, last, backwards=query.sort.startswith("-"))
        elif query.sort.startswith("-"):
            rows = rows[::-1]
        rows = rows[_mask(self.view, query)[rows]]
        page = rows[:limit].tolist()
        more = len(rows) > limit
        return page, encode_cursor(list(key(page[-1])), query.scope) if more else None

    def rows(self, query: LiftQuery) -> list[int]:
        """Return the rows that pass the filters, most urgent first."""
        rows = self._rows("state")
        return rows[_mask(self.view, query)[rows]].tolist()

    def _rows(self, name: str) -> RowIndices:
        if name not in self._ranked:
            self._ranked[name] = _order(self.view, name)
        return self._ranked[name]


def _order(view: FleetView, name: str) -> RowIndices:
    """Return all rows in ascending order of `name`; ties are broken by lift id, the order of the rows."""
    columns: dict[str, tuple[NDArray[Any], ...]] = {
        "state": (view.since_ns, view.state),
        "lift_id": (np.arange(len(view.lift_index)),),
        "name": (view.lift_index.name,),
        "district": (view.lift_index.district,),
        "last_seen": (view.last_seen_ns,),
        "health": (_health_key(view),),
    }
    return np.lexsort(columns[name])


def _key(view: FleetView, name: str) -> Callable[[int], SortKey]:
    """Return the function from a row to its sort key."""
    ids, index = view.lift_index.lift_id, view.lift_index
    keys: dict[str, Callable[[int], SortKey]] = {
        "state": lambda row: (int(view.state[row]), int(view.since_ns[row]), ids[row]),
        "lift_id": lambda row: (ids[row],),
        "name": lambda row: (str(index.name[row]), ids[row]),
        "district": lambda row: (str(index.district[row]), ids[row]),
        "last_seen": lambda row: (int(view.last_seen_ns[row]), ids[row]),
        "health": lambda row: (float(_health_key(view)[row]), ids[row]),
    }
    return keys[name]


def _health_key(view: FleetView) -> NDArray[np.float64]:
    """Return the health of each lift, an unknown one after all others."""
    return np.nan_to_num(view.health.score, nan=UNKNOWN_HEALTH)


def _rows_after(rows: RowIndices, key: Callable[[int], SortKey], last: SortKey, *, backwards: bool) -> RowIndices:
    """Return the rows after the key `last`, in descending order where `backwards`."""
    if backwards:
        return rows[: bisect_left(rows, last, key=key)][::-1]
    return rows[bisect_right(rows, last, key=key) :]


def _mask(view: FleetView, query: LiftQuery) -> NDArray[np.bool_]:
    """Return which rows pass the filters of `query`."""
    index = view.lift_index
    mask = index.inside(query.lifts).copy()
    if query.lift_ids:
        named = np.zeros(len(index), dtype=np.bool_)
        named[[index.row_of[each] for each in query.lift_ids if each in index.row_of]] = True
        mask &= named
    if query.district is not None:
        mask &= index.district == query.district
    if query.firm is not None:
        mask &= index.firm == query.firm
    if query.state is not None:
        mask &= view.state == STATES.index(query.state)
    if query.grade is not None:
        mask &= view.health.grade == GRADES_AND_UNKNOWN.index(query.grade)
    if query.q:
        wanted = query.q.casefold()
        mask &= np.fromiter(
            (wanted in search_text for search_text in index.search_text), dtype=np.bool_, count=len(index)
        )
    return mask
