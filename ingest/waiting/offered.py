"""The decoded groups that judging offers to storing, and the messages of the journal that are not stored.

    judging ──offer──▶ [ decoded groups, at most `WAITING_LIMIT_BYTES` ] ──follow──▶ storing
                           └─▶ what is beyond the limit is dropped: storing reads it from the journal

One thread offers, another one takes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import Decoded
from telemetry.groups import size_bytes

WAITING_LIMIT_BYTES = 64 << 20
WRITE_BYTES = 16 << 20
"""How much is written at once, a group at least: converting rows takes several times their memory."""
LEFT_OUT_LIMIT = 100_000
"""How many messages that are left out are remembered until they are passed; what is beyond is stored as it came."""


@dataclass(frozen=True, slots=True)
class DecodedGroup:
    """The decoded messages at the positions `first` to `last`; `left_out` marks those that are not stored.

    A group that is not whole holds messages that are not decoded yet: it is read from the journal to be stored.
    """

    first: int
    last: int
    decoded: Decoded
    left_out: NDArray[np.bool_]
    is_whole: bool = True


class OfferedGroups:
    """The offered groups that are not stored yet, and which messages are left out: the lifts of each position."""

    def __init__(self) -> None:
        self.forgotten = 0
        self._groups: deque[DecodedGroup] = deque()
        self._left_out: dict[int, set[str]] = {}
        self._offered = self._taken = 0  # bytes: one is written by who offers, the other by who takes

    def __len__(self) -> int:
        return len(self._groups)

    def offer(self, group: DecodedGroup) -> None:
        """Keep a group, unless too much waits, and the messages in it that are left out."""
        messages = group.decoded.messages
        for row in np.flatnonzero(group.left_out).tolist():
            if len(self._left_out) < LEFT_OUT_LIMIT:
                self._left_out.setdefault(int(messages.position[row]), set()).add(messages.lift_id[row])
            else:
                self.forgotten += 1
        if group.is_whole and self._offered - self._taken < WAITING_LIMIT_BYTES:
            self._offered += size_bytes(group.decoded)
            self._groups.append(group)

    def follow(self, position: int) -> list[DecodedGroup]:
        """Take the groups that follow a position without a gap."""
        groups: list[DecodedGroup] = []
        end = self._taken + WRITE_BYTES
        while self._groups and self._groups[0].first <= position + 1 and self._taken < end:
            group = self._groups.popleft()
            self._taken += size_bytes(group.decoded)
            if group.last > position:
                groups.append(group)
                position = group.last
        return groups

    def is_left_out(self, position: int, lift_id: str) -> bool:
        """Return whether the message of a lift at a position is left out."""
        return lift_id in self._left_out.get(position, ())

    def passed(self, position: int) -> None:
        """Forget which messages up to a position are left out."""
        for before in [there for there in list(self._left_out) if there <= position]:
            del self._left_out[before]
