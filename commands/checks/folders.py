"""Folders that the monitor writes to: created and written to, then removed again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from commands.errors import Unusable


def usable_folder(folder: Path, key: str) -> str:
    """Return the folder; raise Unusable where it cannot be made or written to."""
    try:
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        if existing == folder:
            tempfile.TemporaryFile(dir=folder).close()
            return str(folder)
        with tempfile.TemporaryDirectory(dir=existing):
            return f"{folder}, made at the monitor's first start"
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Unusable(
            f"cannot {'write to' if folder.is_dir() else 'make'} the folder {folder} ({why}); create it for the "
            f"monitor's user, or set {key} to another one"
        ) from None
