"""The files of a recording: each is whole from the moment its name appears, and synced before the next is written.

A file that cannot be written raises `RecordingNotWritten`, one that cannot be read `InvalidRecording`; both name the
file and a remedy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from store.recordings.format import TABLES, InvalidRecording
from store.recordings.frames import schema
from telemetry.streams import MACHINE

TEMPORARY = ".unfinished"
ROWS_AT_ONCE, WAVEFORMS_AT_ONCE = 250_000, 4_000
"""Rows of a table that are read at once and form a row group of its file: fewer where a row holds a waveform."""
WAVEFORM_TABLES = ("vibration", MACHINE)
_CAUSE = "underlying IO error: "


class RecordingNotWritten(OSError):
    """A recording that could not be written, with a remedy."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Translate errors of the disk into `RecordingNotWritten`."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        why = getattr(error, "strerror", None) or str(error).rpartition(_CAUSE)[2]
        raise RecordingNotWritten(f"{folder} cannot be written ({why}); make room, or name another folder") from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate errors of a missing or damaged file into `InvalidRecording`."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvalidRecording(f"{path} cannot be read ({str(error)[:200]}); take the recording anew") from None


def rows_at_once(name: str) -> int:
    """Return how many rows of a table, or of a part of it, are read at once."""
    return WAVEFORMS_AT_ONCE if name.startswith(WAVEFORM_TABLES) else ROWS_AT_ONCE


def write(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Write a table, or a part of one."""
    unfinished = folder / f"{name}{TEMPORARY}"
    frame.write_parquet(unfinished, row_group_size=rows_at_once(name))
    move_into_place(unfinished, folder / f"{name}.parquet")


def move_into_place(unfinished: Path, path: Path) -> None:
    """Sync a file, then rename it to its final name."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def paths(folder: Path, name: str) -> list[Path]:
    """Return the files that hold a table: the joined one if it exists, else the parts."""
    joined = folder / f"{name}.parquet"
    return [joined] if joined.exists() else sorted(folder.glob(f"{name}.[0-9]*.parquet"))


def join(folder: Path, name: str) -> None:
    """Join the parts of a table into one file."""
    parts = sorted(folder.glob(f"{name}.[0-9]*.parquet"))
    joined = folder / f"{name}.parquet"
    if len(parts) == 1:
        os.replace(parts.pop(), joined)
    else:
        unfinished = joined.with_suffix(TEMPORARY)
        pl.scan_parquet(parts, glob=False).sink_parquet(unfinished, row_group_size=rows_at_once(name))
        move_into_place(unfinished, joined)
    for part in parts:
        part.unlink()


class TableCursor:
    """Reads the rows of one table in the order of their messages, a slice at a time."""

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        self._slices = self._read(files, rows_at_once(name))
        self._rest = self._empty = pl.DataFrame(schema=schema(TABLES[name]))
        self._ended = False

    def until(self, message: int) -> pl.DataFrame:
        """Return the next rows, up to those of `message`."""
        ready = [self._rest]
        while not self._ended and (ready[-1].is_empty() or ready[-1]["message"][-1] < message):
            following = next(self._slices, None)
            self._ended = following is None
            ready.append(self._empty if following is None else self._with_all_columns(following))
        last = ready.pop()
        cut = int(last["message"].search_sorted(message))
        self._rest = last[cut:]
        return pl.concat([*ready, last[:cut]])

    def _with_all_columns(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a slice with the columns that a later version added; these are texts, and empty."""
        return frame.with_columns(pl.lit("").alias(name) for name in self._empty.columns if name not in frame.columns)

    def _read(self, files: Sequence[Path], rows: int) -> Iterator[pl.DataFrame]:
        for path in files:
            scanned, offset, frame = pl.scan_parquet(path, glob=False), 0, None
            while frame is None or len(frame):
                with reading(path):
                    frame = scanned.slice(offset, rows).collect()
                yield frame
                offset += rows
