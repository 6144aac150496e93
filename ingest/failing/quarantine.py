"""Quarantine: finds the messages at which a reader of the journal fails, and sets them aside one by one.

fails between 5 and 9      5 to 9 are in doubt and read one by one, everything else in groups
fails at 7 alone           7 is set aside with the reason; 8 and 9 one by one, then groups again
"""

from __future__ import annotations


class Quarantine:
    """The suspect messages of one reader of the journal, and those set aside.

    `set_aside` holds the reason for each position that is not read any more. Where the failure came after the message
    had been put in order, `skips_rows_after` holds its position: it is read, and the rows that come out are not judged.
    """

    def __init__(self) -> None:
        self.set_aside: dict[int, str] = {}
        self.skips_rows_after: set[int] = set()
        self._doubted = range(0)

    @property
    def unread(self) -> set[int]:
        """The positions that are set aside and not even read."""
        return self.set_aside.keys() - self.skips_rows_after

    def in_doubt(self, position: int) -> bool:
        """Return whether the message at `position` is to be read by itself."""
        return position in self._doubted

    def group_limit(self, first: int, limit: int) -> int:
        """Return the number of messages from `first` on that may be read together, at most `limit`."""
        if self.in_doubt(first):
            return 1
        ahead = self._doubted.start - first
        return min(ahead, limit) if ahead > 0 else limit

    def failed(self, first: int, last: int, reason: str, *, in_rows: bool = False) -> bool:
        """Doubt the messages from `first` to `last`, or set the only one aside; return whether it was set aside.

        `in_rows`: it was put in order, and the failure came with the rows that were judged then.
        """
        if first < last:
            self._doubted = range(first, last + 1)
            return False
        if first == last:
            self.set_aside[last] = reason
        if in_rows:
            self.skips_rows_after.add(last)
        return first == last

    def forget(self, upto: int) -> None:
        """Remove positions that are never read again."""
        self.set_aside = {position: why for position, why in self.set_aside.items() if position > upto}
        self.skips_rows_after = {position for position in self.skips_rows_after if position > upto}
