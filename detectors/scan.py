"""A recurrence over time, elementwise over the fleet.

Rows are laid round by round (round k = the k-th row of every lift that has one), so that a round is one contiguous
slice of every column. Where it covers the whole fleet no state is copied. Cutting the stream elsewhere changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import rounds

NEVER_NS = -(2**62)
GAP_S = 3.0
GAP_INTERVALS = 3
GAP_MOST_S = 61.0
"""Longer between two readings than the first, and than so many of the lift's intervals before, is a gap: what was read
before it is unknown, and clocks stand still across it. No interval is longer than a heartbeat of a minute."""

Columns = Mapping[str, NDArray[Any]]
Recurrence = Callable[[Columns, Columns, Columns], tuple[Columns, Columns]]


def age_s(t_ns: NDArray[np.int64], then_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the seconds since an instant (more than a century where it is `NEVER_NS`)."""
    seconds: NDArray[np.float64] = (t_ns - then_ns) / 1e9
    return seconds


def gap_ns(interval_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how long the next interval may be and still be no gap, by the last one (0: there was none)."""
    return np.clip(GAP_INTERVALS * interval_ns, int(GAP_S * 1e9), int(GAP_MOST_S * 1e9))


class Round(NamedTuple):
    """Rows that stand beside each other in time, and the lifts they belong to (`whole`: every lift, in order)."""

    rows: slice | NDArray[np.intp]
    lifts: NDArray[np.int32]
    whole: bool


def lay(lift: NDArray[np.int32], n: int) -> tuple[NDArray[np.intp], tuple[Round, ...]]:
    """Return the order that lays sorted rows round by round, and the rounds in that order (one empty one at least)."""
    parts = list(rounds(lift)) or [np.empty(0, dtype=np.intp)]
    ends = np.cumsum([len(part) for part in parts]).tolist()
    laid = tuple(
        Round(slice(end - len(part), end), lift[part], len(part) == n) for part, end in zip(parts, ends, strict=True)
    )
    return np.concatenate(parts), laid


def only(laid: Iterable[Round], chosen: NDArray[np.bool_]) -> tuple[Round, ...]:
    """Return the rounds cut down to the lifts where `chosen` (a column over the lifts) holds."""
    cut = []
    for part in laid:
        if part.whole and chosen.all():
            cut.append(part)
            continue
        keep = np.flatnonzero(chosen[part.lifts])
        if len(keep):
            first = part.rows.start if isinstance(part.rows, slice) else 0
            rows = keep + first if isinstance(part.rows, slice) else part.rows[keep]
            cut.append(Round(rows, part.lifts[keep], False))
    return tuple(cut)


def scan(
    laid: Iterable[Round], state: Columns, recurrence: Recurrence, rows: Columns, lifts: Columns | None = None
) -> tuple[Columns, Columns]:
    """Run `recurrence(state, row, lift) -> (state, columns)` over the rounds; inputs are never modified.

    Parameters
    ----------
    state, lifts : columns whose last axis is the lift; `lifts` does not change (thresholds, facts)
    rows : columns over the rows, laid as `laid` says

    Returns
    -------
    state, columns : as the recurrence made them; `columns` in the order of the rounds
    """
    lifts = lifts or {}
    parts: list[Columns] = []
    own: dict[str, NDArray[Any]] = {}
    for part in laid:
        row = {name: column[part.rows] for name, column in rows.items()}
        if part.whole:
            state, made = recurrence(state, row, lifts)
            parts.append(made)
            continue
        if state is not own:
            state = own = {name: column.copy() for name, column in state.items()}
        here, made = recurrence(_of(state, part), row, _of(lifts, part))
        for name, column in here.items():
            own[name][..., part.lifts] = column
        parts.append(made)
    names = parts[0] if parts else {}
    return state, {name: np.concatenate([part[name] for part in parts]) for name in names}


def _of(columns: Columns, part: Round) -> Columns:
    return {name: column[..., part.lifts] for name, column in columns.items()}
