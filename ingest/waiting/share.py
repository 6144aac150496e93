"""The share of a turn: the rows of some messages that waited, judged in pieces, a piece a turn.

    turn     |            |            |            |
    share    begun, 1st   2nd piece    last, done   the next one begins
    beside   whatever arrives for other lifts is judged in every turn

A long message is put in order at once, which is quick, and its rows are judged in several turns. No snapshot is taken
in between, because a snapshot holds no such rows; the messages wait until their last row is judged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from telemetry.batch import Batch
from telemetry.cutting import pieces

PIECE_ROWS = 20_000
"""How many rows of a share are judged in one turn: some 20 ms."""

LiftsAt = Mapping[int, set[int]]
"""The lifts of the messages at each position of the journal."""


class Share:
    """The rows of a share that are still to be judged; false once there are none."""

    def __init__(self) -> None:
        self.lifts_at: LiftsAt = {}
        self._pieces: deque[Batch] = deque()

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def lifts(self) -> set[int]:
        """The lifts of which rows are still to be judged."""
        return set().union(*self.lifts_at.values()) if self._pieces else set()

    def begin(self, batch: Batch, lifts_at: LiftsAt) -> None:
        """Begin with the rows of the messages at these positions."""
        self.lifts_at, self._pieces = lifts_at, deque(pieces(batch, PIECE_ROWS))

    def next(self) -> Batch:
        """Return the next piece, which is not kept any longer."""
        return self._pieces.popleft()
