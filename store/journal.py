"""The journal: what arrived, as it came, in order, synced before it is acknowledged.

All else is a reader with a position. Three verbs (append, read from, trim) so that a distributed log can take its
place. One process appends, any number read meanwhile. At its limit it refuses with `JournalFull`; trimming what every
reader has passed makes room again.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import lmdb

from telemetry.streams import Entry

LIMIT_DEFAULT_BYTES = 8 << 30
# LMDB copies each page it changes, so that even a trim needs room: the map is larger than what may be kept in it.
HEADROOM_BYTES = 256 << 20
TRIM_STEP = 20_000
READ_MESSAGES = 4_000
READ_BYTES = 16 << 20

HEADER = struct.Struct("<q?H")
KEY = struct.Struct(">Q")
NODE_BYTES = 24  # what LMDB and our header add to a message
INLINE_LIMIT_BYTES = 1_900  # a larger message gets pages of its own
TRIMMED = b"trimmed"
CLAIM = "monitor.lock"

Message = tuple[int, str, bytes, bool]


class JournalTaken(Exception):
    """Another process appends to this journal; the text says what to do."""


class JournalFull(Exception):
    """The journal is at its limit: stop acknowledging, let the readers catch up, trim, try again."""


class Journal:
    """Messages in the order of their arrival, at positions 1, 2, 3, …, and how far each reader has come."""

    def __init__(self, environment: lmdb.Environment, limit_bytes: int) -> None:
        self._environment = environment
        self._limit_bytes = limit_bytes
        self._page_bytes = environment.stat()["psize"]
        self._entries = environment.open_db(b"entries")
        self._readers = environment.open_db(b"readers")
        self._about = environment.open_db(b"about")
        self._claimed: TextIO | None = None

    @classmethod
    def open(cls, path: str | Path, limit_bytes: int = LIMIT_DEFAULT_BYTES) -> Self:
        """Open or create the journal in the folder `path`, to hold at most `limit_bytes`."""
        Path(path).mkdir(parents=True, exist_ok=True)
        environment = lmdb.open(str(path), map_size=limit_bytes + HEADROOM_BYTES, max_dbs=3)
        environment.reader_check()
        return cls(environment, limit_bytes)

    def claim(self) -> None:
        """Be the one process that appends, until the journal is closed. Raises `JournalTaken` where another one is.

        The lock is the operating system's: it goes with its process, however that ends.
        """
        lock = (Path(self._environment.path()) / CLAIM).open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise JournalTaken(
                f"the journal {self._environment.path()} is another monitor's (process {owner}): end that one, or give "
                "this one a data_dir of its own in [monitor]"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._claimed = lock

    def append(self, messages: Sequence[Message]) -> int:
        """Keep `messages` in one synced commit and return the position of the last one.

        Each message is `(arrived_ns, topic, payload, retained)`. Either all of them are kept or none is.
        """
        values = [_value(*message) for message in messages]
        try:
            with self._environment.begin(write=True) as txn:
                self._refuse_beyond_limit(txn, values)
                first = self._last(txn) + 1
                items = zip(map(KEY.pack, range(first, first + len(values))), values, strict=True)
                txn.cursor(self._entries).putmulti(items, append=True)
        except (lmdb.MapFullError, lmdb.DiskError) as full:
            raise JournalFull(f"no room for the journal: {full}") from full
        return first + len(values) - 1

    def read(self, after: int, max_messages: int = READ_MESSAGES, max_bytes: int = READ_BYTES) -> list[Entry]:
        """Return what follows the position `after`: at most so many messages and bytes, but one where there is one."""
        entries: list[Entry] = []
        room_bytes = max_bytes
        with self._environment.begin() as txn:
            cursor = txn.cursor(self._entries)
            if not cursor.set_range(KEY.pack(after + 1)):
                return entries
            # Only the front is ever trimmed: positions follow each other.
            (first,) = KEY.unpack(cursor.key())
            for position, value in zip(range(first, first + max_messages), cursor.iternext(keys=False), strict=False):
                room_bytes -= len(value)
                if room_bytes < 0 and entries:
                    break
                arrived_ns, retained, length = HEADER.unpack_from(value)
                start = HEADER.size + length
                topic = value[HEADER.size : start].decode()
                entries.append(Entry(position, arrived_ns, topic, value[start:], retained))
        return entries

    def begin_after(self, position: int) -> int:
        """Let positions go on after `position`, where readers elsewhere remember it and this journal is a newer one.

        What an older copy of the journal still holds is forgotten: return how many messages that were.
        """
        if self.last >= position:
            return 0
        forgotten = self.last + 1 - self.first
        self.trim(self.last)
        with self._environment.begin(write=True) as txn:
            txn.put(TRIMMED, KEY.pack(position), db=self._about)
        return forgotten

    def trim(self, upto: int) -> None:
        """Forget every message up to and including the position `upto`."""
        while self._trim_step(upto):
            pass

    @property
    def first(self) -> int:
        """The position of the oldest message kept; one past `last` when there is none."""
        with self._environment.begin() as txn:
            cursor = txn.cursor(self._entries)
            return int(KEY.unpack(cursor.key())[0]) if cursor.first() else self._last(txn) + 1

    @property
    def last(self) -> int:
        """The position of the newest message ever appended; 0 when there was none."""
        with self._environment.begin() as txn:
            return self._last(txn)

    @property
    def used_bytes(self) -> int:
        """What the kept messages take of the limit."""
        with self._environment.begin() as txn:
            return self._used_bytes(txn)

    @property
    def limit_bytes(self) -> int:
        """What the kept messages may take."""
        return self._limit_bytes

    def mark(self, reader: str, position: int) -> None:
        """Remember, synced, that `reader` has done with everything up to and including `position`."""
        with self._environment.begin(write=True) as txn:
            txn.put(reader.encode(), KEY.pack(position), db=self._readers)

    def position(self, reader: str) -> int:
        """Return how far `reader` has come; 0 for one that never marked."""
        with self._environment.begin() as txn:
            found = txn.get(reader.encode(), db=self._readers)
        return int(KEY.unpack(found)[0]) if found else 0

    def close(self) -> None:
        """Let go of the files."""
        self._environment.close()
        if self._claimed is not None:
            self._claimed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _last(self, txn: lmdb.Transaction[bytes]) -> int:
        cursor = txn.cursor(self._entries)
        key = cursor.key() if cursor.last() else txn.get(TRIMMED, db=self._about)
        return int(KEY.unpack(key)[0]) if key else 0

    def _used_bytes(self, txn: lmdb.Transaction[bytes]) -> int:
        stat = txn.stat(self._entries)
        return (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]) * self._page_bytes

    def _refuse_beyond_limit(self, txn: lmdb.Transaction[bytes], values: list[bytes]) -> None:
        page = self._page_bytes
        room = self._limit_bytes - self._used_bytes(txn)
        size = sum(
            n + NODE_BYTES if n < INLINE_LIMIT_BYTES else -(-(n + NODE_BYTES) // page) * page for n in map(len, values)
        )
        if size > room:
            raise JournalFull(
                f"the journal is at its limit of {self._limit_bytes} bytes: "
                "its readers must pass and trim, or the limit be raised"
            )

    def _trim_step(self, upto: int) -> bool:
        """Forget a bounded number of messages in one commit; return whether there may be more."""
        with self._environment.begin(write=True) as txn:
            txn.put(TRIMMED, KEY.pack(self._last(txn)), db=self._about)
            cursor = txn.cursor(self._entries)
            beyond = KEY.pack(min(upto, self._last(txn)) + 1)
            cursor.first()
            for _ in range(TRIM_STEP):
                if not b"" < cursor.key() < beyond:
                    return False
                cursor.delete()
        return True


def _value(arrived_ns: int, topic: str, payload: bytes, retained: bool) -> bytes:
    text = topic.encode()
    return b"".join((HEADER.pack(arrived_ns, retained, len(text)), text, payload))
