"""A recurrence over time, elementwise over the fleet.

Rows are laid round by round (round k = the k-th row of every lift that has one), so that a round is one contiguous
slice of every column, of the rows and of the state. Cutting the stream elsewhere changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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


class Rounds(NamedTuple):
    """Rows laid round by round: round k holds the k-th row of each of the first `sizes[k]` of `lifts`.

    Lifts with more rows come first, so that the lifts of a round are the first of those of the round before it. `rows`
    are the rows that are meant, in that order, where they are not all of them.
    """

    lifts: NDArray[np.int32]
    sizes: list[int]
    order: NDArray[np.intp]
    rows: NDArray[np.intp] | None = None


def lay(lift: NDArray[np.int32]) -> Rounds:
    """Return the rounds of sorted rows, and the order that lays the rows round by round."""
    if not len(lift):
        return Rounds(lift, [0], np.empty(0, dtype=np.intp))
    first = np.flatnonzero(np.r_[True, lift[1:] != lift[:-1]])
    length = np.diff(np.r_[first, len(lift)])
    most = np.argsort(-length, kind="stable")
    first, length = first[most], length[most]
    sizes = np.searchsorted(-length, -np.arange(length[0]), side="left").tolist()
    return Rounds(lift[first], sizes, np.concatenate([first[:size] + k for k, size in enumerate(sizes)]))


def only(laid: Rounds, chosen: NDArray[np.bool_]) -> Rounds:
    """Return the rounds cut down to the lifts where `chosen` (a column over the lifts) holds."""
    keep = chosen[laid.lifts]
    if keep.all():
        return laid
    meant = np.flatnonzero(np.concatenate([keep[:size] for size in laid.sizes]))
    left = np.r_[0, np.cumsum(keep)]
    sizes = [size for size in left[laid.sizes].tolist() if size]
    return Rounds(laid.lifts[keep], sizes, laid.order, meant if laid.rows is None else laid.rows[meant])


def scan(
    laid: Rounds, state: Columns, recurrence: Recurrence, rows: Columns, lifts: Columns | None = None
) -> tuple[Columns, Columns]:
    """Run `recurrence(state, row, lift) -> (state, columns)` over the rounds; inputs are never modified.

    Parameters
    ----------
    state, lifts : columns whose last axis is the lift; `lifts` does not change (thresholds, facts)
    rows : columns over the rows, laid as `laid` says

    Returns
    -------
    state, columns : as the recurrence made them, in the order of the rows (of the rounds, for a part of the lifts)
    """
    chosen = laid.order if laid.rows is None else laid.order[laid.rows]
    rows = {name: column[chosen] for name, column in rows.items()}
    own, fixed = _of(state, laid.lifts), _of(lifts or {}, laid.lifts)
    ended: list[Columns] = []
    parts: list[Columns] = []
    begin, left = 0, len(laid.lifts)
    for size in laid.sizes:
        if size < left:
            ended.append({name: column[..., size:].copy() for name, column in own.items()})
            own, fixed, left = _first(own, size), _first(fixed, size), size
        row = {name: column[begin : begin + size] for name, column in rows.items()}
        own, made = recurrence(own, row, fixed)
        parts.append(made)
        begin += size
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    if laid.rows is None:
        back = np.empty_like(laid.order)
        back[laid.order] = np.arange(len(laid.order))
        columns = {name: column[back] for name, column in columns.items()}
    return _put(state, laid.lifts, [own, *reversed(ended)]), columns


def _of(columns: Columns, lifts: NDArray[np.int32]) -> Columns:
    return {name: column[..., lifts] for name, column in columns.items()}


def _first(columns: Columns, size: int) -> Columns:
    return {name: column[..., :size] for name, column in columns.items()}


def _put(state: Columns, lifts: NDArray[np.int32], parts: list[Columns]) -> Columns:
    """Return the state with that of these lifts put in, which is in parts one after the other."""
    after = {name: column.copy() for name, column in state.items()}
    for name, column in after.items():
        column[..., lifts] = np.concatenate([part[name] for part in parts], axis=-1)
    return after
