"""The data say who was where: the user of the processes writes them, the group may read them, nobody else.

Folders are 0750 and files 0640, whichever command makes them; what an earlier version left open is closed at a start.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from configuration import Configuration

UMASK = 0o027
FOLDER_MODE, FILE_MODE = 0o750, 0o640
SQLITE_FILES = ("", "-wal", "-shm", "-journal")


@contextmanager
def private_data(settings: Configuration) -> Iterator[None]:
    """Make what is created meanwhile private, after making the data that are there private."""
    for path in data_paths(settings):
        with suppress(OSError):  # not there, or another user's: that user's own process does it
            _restrict(path)
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def data_paths(settings: Configuration) -> Iterator[Path]:
    """Yield the data folder, its journal and series with all that is in them, and the files of SQLite."""
    yield settings.monitor.data_dir
    for folder in (settings.monitor.data_dir / "journal", settings.series_path):
        yield folder
        yield from folder.rglob("*")
    backend, _, records = settings.records_url.partition(":///")
    if backend.startswith("sqlite"):
        yield from (Path(records.partition("?")[0] + ending) for ending in SQLITE_FILES)


def _restrict(path: Path) -> None:
    """Take from a file or folder of ours the rights that others have to it."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        allowed = stat.S_IMODE(mode) & (FOLDER_MODE if stat.S_ISDIR(mode) else FILE_MODE)
        if allowed != stat.S_IMODE(mode):
            path.chmod(allowed)
