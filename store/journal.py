"""The journal: messages as they arrived, in order, synced before they are acknowledged.

Judging and storing are readers, each with a position. Three operations (append, read, trim) allow a distributed log in
its place. One process appends, any number read at the same time. At its limit the journal refuses with `JournalFull`;
trimming messages that every reader has passed makes space.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import lmdb

from store.journal_files import JournalUnavailable, open_environment, unavailable
from telemetry.streams import Entry

LIMIT_DEFAULT_BYTES = 8 << 30
# LMDB copies each page it changes, so that even a trim needs space: the map is larger than the limit.
HEADROOM_BYTES = 256 << 20
TRIM_STEP = 20_000
READ_MESSAGES = 4_000
READ_BYTES = 16 << 20

HEADER = struct.Struct("<q?H")
KEY = struct.Struct(">Q")
NODE_BYTES = 24  # the overhead of LMDB and of our header for each message
INLINE_LIMIT_BYTES = 1_900  # a larger message takes whole pages
TRIMMED = b"trimmed"
LOCK_FILE = "monitor.lock"

JournalMessage = tuple[int, str, bytes, bool]


class JournalLocked(Exception):
    """Another process appends to this journal; the text names a remedy."""


class JournalFull(JournalUnavailable):
    """The journal is at its limit: stop acknowledging, let the readers catch up, trim, try again."""


class Journal:
    """Messages in the order of arrival, at positions 1, 2, 3, …, and the position of each reader."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes
        self._using = threading.Lock()
        self._transactions = 0
        self._is_broken = False
        self._lock_file: TextIO | None = None
        self._open_files()
        self._last_at_opening = self.last

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return self._folder

    @classmethod
    def open(cls, path: str | Path, limit_bytes: int = LIMIT_DEFAULT_BYTES) -> Self:
        """Open or create the journal in the folder `path`, to hold at most `limit_bytes`.

        Raises `JournalUnavailable` for a folder that cannot be made or written to, `JournalDamaged` for damaged files.
        """
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"the folder of the journal {path} cannot be made: {error.strerror}") from error
        return cls(Path(path), limit_bytes)

    def lock(self) -> None:
        """Lock the journal for appending until it is closed. Raises `JournalLocked` if another process did.

        The lock is the operating system's: it is released whenever the process ends.
        """
        file = (self._folder / LOCK_FILE).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise JournalLocked(
                f"the journal {self._folder} is another monitor's (process {owner}): end that one, or give "
                "this one a data_dir of its own in [monitor]"
            ) from None
        self._lock_file = file
        with suppress(OSError):  # the name of the process is for people; a full disk does not stop a start
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()

    def append(self, messages: Sequence[JournalMessage]) -> int:
        """Append `messages` in one synced commit and return the position of the last one.

        Each message is `(arrived_ns, topic, payload, retained)`. Either all of them are appended or none.
        """
        values = [_value(*message) for message in messages]
        with self._transaction(write=True) as txn:
            self._refuse_beyond_limit(txn, values)
            first = self._last(txn) + 1
            items = zip(map(KEY.pack, range(first, first + len(values))), values, strict=True)
            txn.cursor(self._entries).putmulti(items, append=True)
        return first + len(values) - 1

    def read(self, after: int, max_messages: int = READ_MESSAGES, max_bytes: int = READ_BYTES) -> list[Entry]:
        """Return the messages after the position `after`, within the limits on messages and bytes, but at least one."""
        entries: list[Entry] = []
        room_bytes = max_bytes
        with self._transaction() as txn:
            cursor = txn.cursor(self._entries)
            if not cursor.set_range(KEY.pack(after + 1)):
                return entries
            # Only the front is ever trimmed: positions are consecutive.
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

    def arrived_after(self, position: int) -> int | None:
        """Return when the first message after `position` arrived, in nanoseconds; None where there is none."""
        with self._transaction() as txn:
            cursor = txn.cursor(self._entries)
            return int(HEADER.unpack_from(cursor.value())[0]) if cursor.set_range(KEY.pack(position + 1)) else None

    def continue_after(self, position: int) -> int:
        """Continue numbering after `position`, which readers stored elsewhere while this journal is newer or older.

        Messages that an older copy of the journal still holds are discarded; return how many. Those appended since the
        journal was opened are numbered anew.
        """
        with self._transaction(write=True) as txn:
            last = self._last(txn)
            if last >= position:
                return 0
            cursor = txn.cursor(self._entries)
            discarded, number = 0, position
            while cursor.first() and (old := KEY.unpack(cursor.key())[0]) <= last:
                value = cursor.value()
                cursor.delete()
                if old > self._last_at_opening:
                    number += 1
                    txn.put(KEY.pack(number), value, append=True, db=self._entries)
                else:
                    discarded += 1
            txn.put(TRIMMED, KEY.pack(position), db=self._about)
        return discarded

    def trim(self, upto: int) -> None:
        """Delete every message up to and including the position `upto`."""
        while self._trim_step(upto):
            pass

    @property
    def first(self) -> int:
        """The position of the oldest message; one past `last` when there is none."""
        with self._transaction() as txn:
            cursor = txn.cursor(self._entries)
            return int(KEY.unpack(cursor.key())[0]) if cursor.first() else self._last(txn) + 1

    @property
    def last(self) -> int:
        """The position of the newest message ever appended; 0 when there was none."""
        with self._transaction() as txn:
            return self._last(txn)

    @property
    def used_bytes(self) -> int:
        """The bytes that the messages occupy of the limit."""
        with self._transaction() as txn:
            return self._used_bytes(txn)

    @property
    def limit_bytes(self) -> int:
        """The bytes that the messages may occupy."""
        return self._limit_bytes

    def mark(self, reader: str, position: int) -> None:
        """Store, synced, that `reader` has processed everything up to and including `position`."""
        with self._transaction(write=True) as txn:
            txn.put(reader.encode(), KEY.pack(position), db=self._readers)

    def position(self, reader: str) -> int:
        """Return the position of `reader`; 0 for one without a mark."""
        with self._transaction() as txn:
            found = txn.get(reader.encode(), db=self._readers)
        return int(KEY.unpack(found)[0]) if found else 0

    def close(self) -> None:
        """Close the files and release the lock."""
        self._environment.close()
        if self._lock_file is not None:
            self._lock_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_files(self) -> None:
        self._environment = open_environment(self._folder, self._limit_bytes + HEADROOM_BYTES)
        try:
            self._page_bytes = self._environment.stat()["psize"]
            self._entries = self._environment.open_db(b"entries")
            self._readers = self._environment.open_db(b"readers")
            self._about = self._environment.open_db(b"about")
        except lmdb.Error as error:
            self._environment.close()
            raise unavailable(self._folder, error) from error

    @contextmanager
    def _transaction(self, write: bool = False) -> Iterator[lmdb.Transaction[bytes]]:
        """Open a transaction; raise JournalUnavailable where it fails, and nothing was changed.

        After a failed write of its first pages LMDB refuses everything until it is opened anew; that waits for the
        transactions of other threads.
        """
        with self._using:
            if self._is_broken and not self._transactions:
                self._environment.close()
                self._open_files()
                self._is_broken = False
            self._transactions += 1
        try:
            with self._environment.begin(write=write) as txn:
                yield txn
        except lmdb.Error as error:
            self._is_broken |= isinstance(error, lmdb.PanicError)
            raise unavailable(self._folder, error) from error
        finally:
            with self._using:
                self._transactions -= 1

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
        """Delete a bounded number of messages in one commit; return whether there may be more."""
        with self._transaction(write=True) as txn:
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
