"""Files and folders that are named on the command line."""

from __future__ import annotations

import os
from pathlib import Path

from commands.errors import Unusable


def write_file(file: Path, content: bytes) -> None:
    """Write `content` to `file`; raise Unusable where that is not possible."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unusable(f"cannot write {file} ({error.strerror}); name another file") from None


def require_writable(folder: Path) -> None:
    """Raise Unusable where `folder` can neither be made nor written to."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise Unusable(f"cannot write to {folder}: {existing} is not a folder of yours; name another with --to")
