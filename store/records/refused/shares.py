"""Shares of a bounded table: the rows to delete when it is full, so that no sender crowds out the others. Pure.

A row's rank counts the rows of its sender from the newest; its place counts those of its district, low ranks first.
Rows go by the greater of the two: the largest share is cut down to the next one, and at a tie the oldest goes first.

    sender A of district x    1 2 3 4 5 6 ◄── these go first: A has most
    sender B of district x    1 2
    C, D, E .. of district y  1 1 1 1 1   ◄── then the oldest of these: y has most, whatever names it invents
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class SharedRow(NamedTuple):
    """A row by its number, its sender, and the district (or another wider share) that it belongs to."""

    number: int
    sender: str
    district: str


def crowding(rows: Sequence[SharedRow], excess: int) -> list[int]:
    """Return the numbers of the `excess` rows to delete first; `rows` come oldest first."""
    if excess <= 0:
        return []
    newest_first = rows[::-1]
    of_sender: Counter[str] = Counter()
    ranks = []
    for row in newest_first:
        of_sender[row.sender] += 1
        ranks.append(of_sender[row.sender])
    of_district: Counter[str] = Counter()
    going = []
    for age in sorted(range(len(rows)), key=lambda age: (ranks[age], age)):
        row = newest_first[age]
        of_district[row.district] += 1
        going.append((max(ranks[age], of_district[row.district]), age, row.number))
    going.sort(reverse=True)
    return [number for _, _, number in going[:excess]]
