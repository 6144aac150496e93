"""The budget of one lift in a turn, so that a flood delays no other lift: further messages wait in its backlog.

    journal   A a a B a a a a a C a a      one turn: B, C and A's first messages; then a share of A's rows each turn,
    waiting         . . . . .   . .        beside whatever else arrives

A long message of a lift that has a backlog is not even decoded before its turn: it is `postponed`.

Only positions are kept, so that memory is bounded however much one lift sends, and a snapshot holds none of them: a
restart reads on from the oldest message that waits, and passes over what each lift is done with. So the journal cannot
be trimmed beyond that message; the waiting messages of a lift that steadily sends too much are given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.fleet import NO_ROOM
from ingest.waiting.urgency import mentions
from telemetry.arrays import I32, I64, Bools
from telemetry.batch import Decoded

LIFT_ROWS = 5_000
"""How many rows of one lift are judged of what is read in one turn; a message of more waits for a share."""
NEW_ROWS = 500_000
"""How many rows of all lifts are judged of what is read in one turn; what lifts send in their time is less."""
TURN_ROWS = 50_000
"""How many rows of all lifts that wait are in one share, a message at least."""
MESSAGE_ROWS = 50
"""Decoding a message costs as much as judging so many rows."""
POSTPONED_BYTES = 2_000
"""A longer message is postponed where its lift has a backlog, or more than `LIFT_ROWS` in what is read in one turn."""
BYTES_A_ROW = 4
"""A message that is not decoded yet has about a row for so many bytes."""
WAVE_SAMPLES_A_ROW = 16
"""So many samples of vibration cost as much as a row."""

NONE: Mapping[int, int] = {}

REST = 3
"""While the journal holds messages that are not read yet, judging what waits rests so many times as long as it took."""


class Waiting(NamedTuple):
    """A message that waits: its position, the rows that it costs as much as, with all that came in it for other lifts,
    the bytes that had been read with its group, and whether it is not decoded yet."""

    position: int
    rows: int
    read_bytes: int
    postponed: bool


class Outrun(NamedTuple):
    """A lift whose waiting messages are given up: how many, and the position of the last one."""

    lift: int
    messages: int
    last: int


class Backlogs:
    """The waiting messages, by lift, in their order."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[Waiting]] = {}
        self._hurried: set[int] = set()
        self._is_for_all = True
        self._read_bytes = 0
        self._rests_until_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def oldest(self) -> int | None:
        """The position of the first waiting message."""
        return min((waiting[0].position for waiting in self._waiting.values()), default=None)

    def behind(self, lifts: int) -> Bools:
        """Return which of `lifts` lifts have waiting messages."""
        behind = np.zeros(lifts, dtype=np.bool_)
        behind[list(self._waiting)] = True
        return behind

    def postpones(self, lift: int, payload: bytes, read_bytes: int) -> bool:
        """Return whether a long message of a lift, of which `read_bytes` come with it in one turn, need not be decoded
        before its turn: nothing in it is urgent."""
        is_behind = lift in self._waiting or read_bytes > LIFT_ROWS * BYTES_A_ROW
        return is_behind and not mentions(payload)

    def defer(self, decoded: Decoded, lift: I32, size_bytes: int = 0, postponed: Mapping[int, int] = NONE) -> Bools:
        """Return which messages of a group of `size_bytes` have to wait, and keep their positions.

        `postponed` has the size of each message that is not decoded yet, by position.
        """
        self._read_bytes += size_bytes
        undecoded = np.array([postponed.get(at, 0) for at in decoded.messages.position.tolist()], dtype=np.int64)
        rows = rows_of(decoded) + undecoded // BYTES_A_ROW
        deferred = np.isin(lift, list(self._waiting))
        for one in np.unique(lift[(undecoded > 0) & (lift != NO_ROOM)]):
            deferred |= (lift == one) & (np.cumsum((lift == one) & (undecoded > 0)) > 0)
        for one in np.flatnonzero(_rows_by_lift(np.where(deferred, NO_ROOM, lift), rows) > LIFT_ROWS):
            mine = np.flatnonzero(lift == one)
            deferred[mine[int(np.searchsorted(np.cumsum(rows[mine]), LIFT_ROWS, side="right")) :]] = True
        kept = _rows_by_lift(np.where(deferred, NO_ROOM, lift), rows)
        fewest_first = np.argsort(kept, kind="stable")
        deferred |= np.isin(lift, fewest_first[np.cumsum(kept[fewest_first]) > NEW_ROWS])
        position = decoded.messages.position
        _, number = np.unique(position, return_inverse=True)
        cost = np.bincount(number, rows + MESSAGE_ROWS)[number].astype(np.int64)
        columns = (lift, position, cost, undecoded > 0)
        for one, at, rows_worth, later in zip(*(column[deferred].tolist() for column in columns), strict=True):
            self._waiting.setdefault(one, deque()).append(Waiting(at, rows_worth, self._read_bytes, later))
        return deferred

    def is_due(self, now_s: float, is_behind: bool) -> bool:
        """Return whether a share is to be judged: after a rest where reading `is_behind`, else any time."""
        return bool(self._waiting) and (now_s >= self._rests_until_s or not is_behind)

    def rest(self, begun_s: float, ended_s: float) -> None:
        """Begin the rest after a share."""
        self._rests_until_s = ended_s + REST * (ended_s - begun_s)

    def hurry(self, lifts: I32) -> None:
        """Judge the waiting messages of these lifts before those of others, until none waits any more."""
        if not self._hurried:
            self._is_for_all = False
        self._hurried = self._hurried.union(lifts.tolist()) & self._waiting.keys()

    def share(self) -> tuple[dict[int, set[int]], set[int]]:
        """Return the messages of a share: the lifts of each position, and the positions that were postponed.

        They wait until `done`. Every second share, and the first one, is of the lifts that were hurried alone.
        """
        lifts_at: dict[int, set[int]] = {}
        postponed: set[int] = set()
        left = TURN_ROWS
        hurried = [] if self._is_for_all else [lift for lift in self._waiting if lift in self._hurried]
        self._is_for_all = not self._is_for_all
        for lift in hurried or [*self._waiting]:
            for position, rows, _, later in self._waiting[lift]:
                cost = 0 if position in lifts_at else rows
                if lifts_at and cost > left:
                    break
                lifts_at.setdefault(position, set()).add(lift)
                postponed |= {position} if later else set()
                left -= cost
            if left <= 0:
                break
        return lifts_at, postponed

    def forget(self, lift: int) -> None:
        """Forget the messages of a lift whose index may become another one's."""
        self._waiting.pop(lift, None)

    def give_up(self, limit_bytes: float) -> list[Outrun]:
        """Forget all messages of the lifts whose oldest was read more than `limit_bytes` ago; return these lifts."""
        oldest_bytes = self._read_bytes - limit_bytes
        behind = [lift for lift, waiting in self._waiting.items() if waiting[0].read_bytes < oldest_bytes]
        given_up = [(lift, self._waiting.pop(lift)) for lift in behind]
        return [Outrun(lift, len(waiting), waiting[-1].position) for lift, waiting in given_up]

    def done(self, lifts_at: Mapping[int, set[int]]) -> None:
        """Remove judged messages, unless they were forgotten meanwhile; their lifts come last in the next share."""
        for position in sorted(lifts_at):
            for lift in lifts_at[position]:
                waiting = self._waiting.pop(lift, None)
                if waiting and waiting[0].position == position:
                    waiting.popleft()
                if waiting:
                    self._waiting[lift] = waiting


def _rows_by_lift(lift: I32, rows: I64) -> I64:
    """Return how many rows the messages of each lift have."""
    has_lift = lift != NO_ROOM
    return np.bincount(lift[has_lift], rows[has_lift]).astype(np.int64)


def rows_of(decoded: Decoded) -> I64:
    """Return the cost of each message, in rows."""
    n = len(decoded.messages.seq)
    rows = np.zeros(n, dtype=np.int64)
    for samples in decoded.samples.values():
        rows += np.bincount(samples.message, minlength=n)
    for waves in (decoded.waveforms, decoded.machine):
        np.add.at(rows, waves.message, np.diff(waves.first) // WAVE_SAMPLES_A_ROW)
    return rows


def of_share(decoded: Decoded, lift: I32, lifts_at: dict[int, set[int]]) -> NDArray[np.bool_]:
    """Return which of these messages belong to a share."""
    pairs = zip(decoded.messages.position.tolist(), lift.tolist(), strict=True)
    return np.array([one in lifts_at[position] for position, one in pairs], dtype=np.bool_)
