"""A page of lifts out of a picture: filters as masks, order as ranks, and a cursor that holds the last row's keys.

The order of a picture is worked out once for each sort and kept with it; a page is then a slice. A cursor holds the
keys and not a place, so that the next page goes on rightly when the fleet has changed in between.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.http.cursor import seal, unseal
from dashboards.live.picture import STATES, Picture

Key = tuple[Any, ...]
Rows = NDArray[np.intp]

SHAPES: dict[str, tuple[type, ...]] = {
    "state": (int, int, str),
    "lift_id": (str,),
    "name": (str, str),
    "district": (str, str),
    "last_seen": (int, str),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the list."""

    district: str | None = None
    firm: str | None = None
    state: str | None = None
    q: str | None = None
    sort: str = "state"

    @property
    def scope(self) -> str:
        """The text that ties a cursor to this question."""
        return repr(self)


class Orders:
    """The orders of one picture, each worked out when it is first asked for."""

    def __init__(self, shown: Picture) -> None:
        self.picture = shown
        self._ranked: dict[str, Rows] = {}

    def page(self, question: Question, limit: int, cursor: str | None) -> tuple[list[int], str | None]:
        """Return the rows of a page, and the cursor of the next one (None at the end)."""
        name = question.sort.removeprefix("-")
        rows = self._rows(name)
        key = _key(self.picture, name)
        if cursor is not None:
            last = tuple(unseal(cursor, question.scope, SHAPES[name]))
            rows = _beyond(rows, key, last, backwards=question.sort.startswith("-"))
        elif question.sort.startswith("-"):
            rows = rows[::-1]
        rows = rows[_mask(self.picture, question)[rows]]
        page = rows[:limit].tolist()
        more = len(rows) > limit
        return page, seal(list(key(page[-1])), question.scope) if more else None

    def _rows(self, name: str) -> Rows:
        if name not in self._ranked:
            self._ranked[name] = _order(self.picture, name)
        return self._ranked[name]


def _order(shown: Picture, name: str) -> Rows:
    """Return all rows in ascending order of `name`; rows stand in the order of ids, which breaks every tie."""
    columns: dict[str, tuple[NDArray[Any], ...]] = {
        "state": (shown.since_ns, shown.state),
        "lift_id": (np.arange(len(shown.roster)),),
        "name": (shown.roster.name,),
        "district": (shown.roster.district,),
        "last_seen": (shown.last_seen_ns,),
    }
    return np.lexsort(columns[name])


def _key(shown: Picture, name: str) -> Callable[[int], Key]:
    """Return the function from a row to what it is sorted by."""
    ids, who = shown.roster.lift_id, shown.roster
    keys: dict[str, Callable[[int], Key]] = {
        "state": lambda row: (int(shown.state[row]), int(shown.since_ns[row]), ids[row]),
        "lift_id": lambda row: (ids[row],),
        "name": lambda row: (str(who.name[row]), ids[row]),
        "district": lambda row: (str(who.district[row]), ids[row]),
        "last_seen": lambda row: (int(shown.last_seen_ns[row]), ids[row]),
    }
    return keys[name]


def _beyond(rows: Rows, key: Callable[[int], Key], last: Key, *, backwards: bool) -> Rows:
    """Return the rows that come after `last`, in the direction of reading."""
    if backwards:
        return rows[: bisect_left(rows, last, key=key)][::-1]
    return rows[bisect_right(rows, last, key=key) :]


def _mask(shown: Picture, question: Question) -> NDArray[np.bool_]:
    """Return which rows the question is about."""
    who = shown.roster
    mask = np.ones(len(who), dtype=np.bool_)
    if question.district is not None:
        mask &= who.district == question.district
    if question.firm is not None:
        mask &= who.firm == question.firm
    if question.state is not None:
        mask &= shown.state == STATES.index(question.state)
    if question.q:
        wanted = question.q.casefold()
        mask &= np.fromiter((wanted in words for words in who.words), dtype=np.bool_, count=len(who))
    return mask
