"""The places for unregistered lifts: when all are taken, a new lift may replace a listed one.

A lift belongs to the crowd of the gateway that sends for it, or of its topic's district. The largest crowd gives a
place to a smaller one, also its only one to a crowd that has none, so that no flood keeps others out. Within a crowd,
and between crowds of one size, a lift gives way once it has been silent for `GIVE_WAY_AFTER_S`. It is always the one
whose last message is oldest. Pure.

    gateway GW-1   ####################  1 000    a lift of district anji is new: GW-1's oldest gives way
    district anji                        0        one more of GW-1 is new: refused, until one of its own falls silent
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

GIVE_WAY_AFTER_S = 3600.0


class UnregisteredLift(NamedTuple):
    """An unregistered lift with a place; `seen_ns` is the arrival of its last message, 0: none since the start."""

    seen_ns: int
    lift_id: str
    crowd: str


class Places:
    """All places, taken by `unregistered`; the lifts in `busy` are never replaced."""

    def __init__(self, unregistered: Iterable[UnregisteredLift], busy: Iterable[str], now_ns: int) -> None:
        self._now_ns = now_ns
        self._sizes: Counter[str] = Counter()
        self._oldest_last: defaultdict[str, list[UnregisteredLift]] = defaultdict(list)
        exempt = set(busy)
        for lift in sorted(unregistered, reverse=True):
            self._sizes[lift.crowd] += 1
            if lift.lift_id not in exempt:
                self._oldest_last[lift.crowd].append(lift)
        self._refused_from: int | None = None

    def give_way(self, crowd: str) -> str | None:
        """Return the lift that gives its place to a new one of `crowd`; None where none does."""
        if self._refused_from is not None and self._sizes[crowd] >= self._refused_from:
            return None  # refused before: only a smaller crowd may find a place
        leaving = self._from_larger(crowd) or self._silent()
        if leaving is None:
            self._refused_from = self._sizes[crowd]
            return None
        self._oldest_last[leaving.crowd].pop()
        self._sizes[leaving.crowd] -= 1
        self._sizes[crowd] += 1
        self._refused_from = None
        return leaving.lift_id

    def _from_larger(self, crowd: str) -> UnregisteredLift | None:
        """Return the oldest of the largest crowds, where that stays no smaller than `crowd` will be, or `crowd` has
        no place."""
        ready = [name for name, unregistered in self._oldest_last.items() if unregistered]
        largest = max(ready, key=lambda name: (self._sizes[name], -self._oldest_last[name][-1].seen_ns), default=None)
        if largest is None or 0 < self._sizes[crowd] >= self._sizes[largest] - 1:
            return None
        return self._oldest_last[largest][-1]

    def _silent(self) -> UnregisteredLift | None:
        """Return the lift whose last message is oldest, where that is old enough."""
        oldest = min((unregistered[-1] for unregistered in self._oldest_last.values() if unregistered), default=None)
        if oldest is None or self._now_ns - oldest.seen_ns < GIVE_WAY_AFTER_S * 1e9:
            return None
        return oldest
