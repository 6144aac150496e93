"""The files of a recording: whole from the moment their name appears, and on the disk before what comes after them.

What cannot be written is `NotWritten`, what cannot be read `NotARecording`: both say which file, and what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from telemetry.recording import NotARecording

TEMPORARY = ".unfinished"
_CAUSE = "underlying IO error: "


class NotWritten(OSError):
    """A recording that could not be written on, and what to do."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise `NotWritten` for whatever the disk refuses."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        why = getattr(error, "strerror", None) or str(error).rpartition(_CAUSE)[2]
        raise NotWritten(f"{folder} cannot be written ({why}); make room, or name another folder") from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise `NotARecording` for a file that is gone or damaged."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise NotARecording(f"{path} cannot be read ({str(error)[:200]}); take the recording anew") from None


def write(path: Path, frame: pl.DataFrame) -> None:
    """Write a table's file."""
    unfinished = path.with_suffix(TEMPORARY)
    frame.write_parquet(unfinished)
    settle(unfinished, path)


def settle(unfinished: Path, path: Path) -> None:
    """Give a file its name once the disk has it."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def paths(folder: Path, name: str) -> list[Path]:
    """Return the files that hold a table: the joined one where it is there, else the parts."""
    joined = folder / f"{name}.parquet"
    return [joined] if joined.exists() else sorted(folder.glob(f"{name}.[0-9]*.parquet"))


def join(folder: Path, name: str) -> None:
    """Make one file of the parts of a table."""
    parts = sorted(folder.glob(f"{name}.[0-9]*.parquet"))
    joined = folder / f"{name}.parquet"
    if len(parts) == 1:
        os.replace(parts.pop(), joined)
    else:
        unfinished = joined.with_suffix(TEMPORARY)
        pl.scan_parquet(parts, glob=False).sink_parquet(unfinished)
        settle(unfinished, joined)
    for part in parts:
        part.unlink()
