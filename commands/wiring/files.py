"""Files and folders that are named on the command line, and standard output in their place."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from commands.errors import Unusable


def write_file(file: Path, content: bytes) -> None:
    """Write `content` to `file`; raise Unusable where that is not possible."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unusable(f"cannot write {file} ({error.strerror}); name another file") from None


def write_output(content: bytes) -> None:
    """Write `content` to standard output, as much as its reader accepts: `head` ends before the end."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes the rest at its end


@contextmanager
def opened_file(file: Path | None) -> Iterator[TextIO]:
    """Open `file` for writing text, or standard output for None; raise Unusable where writing is not possible."""
    if file is None:
        yield sys.stdout
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as opened:
            yield opened
    except OSError as error:
        raise Unusable(f"cannot write {file} ({error.strerror}); name another file") from None


def require_writable(folder: Path) -> None:
    """Raise Unusable where `folder` can neither be made nor written to."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise Unusable(f"cannot write to {folder}: {existing} is not a folder of yours; name another with --to")
