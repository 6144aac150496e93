"""The snapshot of judging in a file beside the journal, written in pieces so that other writers of the disk go on.

    commit ─► commit ─► commit ─► …          the records have the findings; the state is hundreds of megabytes
        └─ copy of the state ─► packed ─► file, replaced whole ─► the journal may be trimmed up to its position

Killed before the file is replaced, judging begins again from the one before. A snapshot that has to be in the
transaction of the findings is in the records (`store.records.monitors.snapshots`). `generation` is a random number that
the records get with each of those, and that a file bears: a file of another generation is older, or of other records.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from store.outage import Outage
from store.records.monitors.snapshots import Resume, Snapshot

log = logging.getLogger("liftwatch.judge")

FILE, NEW_FILE = "snapshot", "snapshot.new"
MAGIC = b"LWSNAP02"
HEADER = struct.Struct("<8sqqq")
"""Magic, generation, position, and the length of the state; the checksum of these and of the state follows."""
CHECKSUM = struct.Struct("<I")
REMEDY = (
    "Put data_dir and the records of the same moment back together, or leave them and watch the alerts that were open"
)
PIECE_BYTES = 8 << 20


class SnapshotNotWritten(Exception):
    """The last snapshot is not on the disk; the text names a remedy."""


class SnapshotFile:
    """The newest snapshot in the folder of a journal. One thread calls it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing: threading.Thread | None = None
        self._hurry = threading.Event()
        self.outage = Outage("the snapshot of judging waits", log)

    @property
    def is_writing(self) -> bool:
        """Return whether a snapshot is being written."""
        return self._writing is not None and self._writing.is_alive()

    def begin(
        self, position: int, pack: Callable[[], bytes | memoryview], generation: int, written: Callable[[], object]
    ) -> None:
        """Pack and write the snapshot of a position in a thread of its own, with pauses, and call `written` once the
        file is on the disk."""
        self.finish()
        self._hurry.clear()
        self._writing = threading.Thread(
            target=self._write, args=(position, pack, generation, written), name="snapshot", daemon=True
        )
        self._writing.start()

    def finish(self) -> None:
        """Wait for the snapshot that is being written, which makes no more pauses."""
        if self._writing is not None:
            self._hurry.set()
            self._writing.join()
            self._writing = None

    def require(self) -> None:
        """Wait for the snapshot that is being written; raise `SnapshotNotWritten` where the last one is not there."""
        self.finish()
        if self.outage.cause is not None:
            raise SnapshotNotWritten(self.outage.cause)

    def newest(self, resume: Resume) -> Snapshot | None:
        """Return the snapshot of the file or that of the records, whichever is later.

        A file is left out that is ahead of the records or of another generation, as beside records or a folder that
        were restored from a copy. One that is no later than the snapshot of the records is merely older.
        """
        self.finish()
        if not (self._folder / FILE).exists() or (found := self._read()) is None:
            return resume.snapshot
        generation, snapshot = found
        if resume.generation == generation != 0 and snapshot.position <= resume.position:
            return snapshot
        in_records = -1 if resume.snapshot is None else resume.snapshot.position
        if snapshot.position > in_records:
            log.error(
                "the snapshot %s of position %d does not belong to these records (judged up to %d, their own snapshot:"
                " %s), and is left out. %s",
                *(self._folder / FILE, snapshot.position, resume.position),
                *("none" if resume.snapshot is None else f"position {in_records}", REMEDY),
            )
        return resume.snapshot

    def _read(self) -> tuple[int, Snapshot] | None:
        """Return the generation and the snapshot of the file, None where there is no whole one."""
        with suppress(OSError), (self._folder / FILE).open("rb") as file:
            header, checksum = file.read(HEADER.size), file.read(CHECKSUM.size)
            if len(checksum) == CHECKSUM.size:
                magic, generation, position, length = HEADER.unpack(header)
                state = file.read()
                if magic == MAGIC and len(state) == length and checksum == _checksum(header, state):
                    return generation, Snapshot(position, state)
        log.error("the snapshot %s is cut off, damaged or of another version, and is left out", self._folder / FILE)
        return None

    def _write(
        self, position: int, pack: Callable[[], bytes | memoryview], generation: int, written: Callable[[], object]
    ) -> None:
        new = self._folder / NEW_FILE
        try:
            state = memoryview(pack())
            with new.open("wb") as file:
                header = HEADER.pack(MAGIC, generation, position, len(state))
                file.write(header + _checksum(header, state))
                for start in range(0, len(state), PIECE_BYTES):
                    begun_s = time.monotonic()
                    file.write(state[start : start + PIECE_BYTES])
                    file.flush()
                    os.fdatasync(file.fileno())
                    self._hurry.wait(time.monotonic() - begun_s)
                file.flush()
                os.fdatasync(file.fileno())
            new.replace(self._folder / FILE)
            _sync_folder(self._folder)
            written()
            self.outage.over()
        except Exception as error:  # the snapshot before stays; the next one is tried again
            self.outage.failed(
                f"{new} cannot be written ({error}): make room, or replace the disk",
                logging.ERROR,
                exc_info=not isinstance(error, OSError),
            )
            with suppress(OSError):
                new.unlink()


def _checksum(header: bytes, state: bytes | memoryview) -> bytes:
    """Return the checksum of a header and a state."""
    return CHECKSUM.pack(zlib.crc32(state, zlib.crc32(header)))


def _sync_folder(folder: Path) -> None:
    """Make the replacement of a file durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
