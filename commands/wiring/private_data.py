"""Access rights of the data, which show the movements of people: the user writes, the group reads, others neither.

Folders are 0750 and files 0640, whichever command makes them; wider rights of existing files are removed at a start.
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
    """Make existing data private, and new files while the context is open."""
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
    """Remove the rights of others from a file or folder of this user."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        allowed = stat.S_IMODE(mode) & (FOLDER_MODE if stat.S_ISDIR(mode) else FILE_MODE)
        if allowed != stat.S_IMODE(mode):
            path.chmod(allowed)
