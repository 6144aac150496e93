"""Opens the LMDB environment of a journal so that nothing in its files can kill the process.

LMDB maps its files into memory: touching a page that has no place on the disk ends the process with SIGBUS. So the lock
file's pages are reserved first, and a data file that is shorter than its header states is read in a process of its own.
LMDB may leave its last pages unwritten while nothing refers to them, so that such a file is damaged only where that
reading fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import lmdb

DATA_FILE, LMDB_LOCK_FILE = "data.mdb", "lock.mdb"
LMDB_LOCK_BYTES = 8192  # LMDB's table of 126 readers
DATABASES = 3
READ_EVERYTHING = """
import lmdb, os, sys
with lmdb.open(sys.argv[1], readonly=True, lock=False) as environment, open(os.devnull, "wb") as nowhere:
    environment.copyfd(nowhere.fileno(), compact=True)
"""


class JournalUnavailable(Exception):
    """The journal's disk has no room or is broken: acknowledge nothing, try again later."""


class JournalDamaged(Exception):
    """The files of the journal cannot be used; the text names what is safe to do. Nothing was changed in them."""


def open_environment(folder: Path, map_bytes: int) -> lmdb.Environment:
    """Open the environment in `folder`, which exists; raise JournalUnavailable or JournalDamaged."""
    try:
        _reserve_lock_file(folder)
        environment = lmdb.open(str(folder), map_size=map_bytes, max_dbs=DATABASES, mode=0o640)
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError) as error:
        raise _damaged(folder, f"is not a journal of this version of LMDB ({_cause(error)})") from error
    except (lmdb.Error, OSError) as error:
        raise unavailable(folder, error) from error
    size_bytes = (folder / DATA_FILE).stat().st_size
    used_bytes = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if size_bytes < used_bytes and not _is_whole(folder):
        environment.close()
        raise _damaged(folder, f"is cut off: {size_bytes} bytes of {used_bytes}, and messages lie beyond its end")
    environment.reader_check()
    return environment


def unavailable(folder: Path | str, error: Exception) -> JournalUnavailable:
    """Return the error for a failure of the disk of the journal in `folder`, with the remedy."""
    return JournalUnavailable(
        f"the journal {folder} has no room or a broken disk ({_cause(error)}): make room, or replace the disk"
    )


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error).rpartition(": ")[2]


def _damaged(folder: Path, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"the journal {folder / DATA_FILE} {what}. Nothing was changed. Put a whole copy of the folder back, or move "
        "it away and start again: then the messages that were not yet judged or stored are lost, and all records stay"
    )


def _reserve_lock_file(folder: Path) -> None:
    descriptor = os.open(folder / LMDB_LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        os.posix_fallocate(descriptor, 0, LMDB_LOCK_BYTES)
    finally:
        os.close(descriptor)


def _is_whole(folder: Path) -> bool:
    """Return whether every page that the journal refers to can be read, in a child process that SIGBUS may kill."""
    command = [sys.executable, "-c", READ_EVERYTHING, str(folder)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode >= 0
