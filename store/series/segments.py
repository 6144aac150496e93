"""Segments: Parquet files that are whole or absent, named so that a listing shows which of them are active.

    {root}/{kind}/{day}/{stream}.{level}.{first}-{last}.{rows}.parquet

`kind` is `raw` or `minute`, `day` the UTC day of the readings, `first`-`last` the numbers of the writes it holds,
`level` how often it was merged. A segment supersedes those of lower level whose writes lie inside its own, from the
moment its name appears; so no list has to be stored, and there is no state in between.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from telemetry.instant import DAY_NS

RAW, MINUTE = "raw", "minute"
NAME = re.compile(r"([a-z]+)\.(\d)\.(\d{12})-(\d{12})\.(\d+)\.parquet")
TEMPORARY = ".unfinished"
ROW_GROUP = 1 << 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Segment(NamedTuple):
    """One file. Sorts by its writes: active segments of one stream and day never overlap."""

    first: int
    last: int
    level: int
    rows: int
    stream: str
    day: int
    path: Path


class NewSegment(NamedTuple):
    """A segment that is to be written: its place and its rows."""

    kind: str
    day: int
    stream: str
    level: int
    first: int
    last: int
    frame: pl.DataFrame


def folder(root: Path, kind: str, day: int) -> Path:
    """Return the folder of the UTC day with this number since 1970."""
    return root / kind / (EPOCH + timedelta(days=day)).date().isoformat()


def days(root: Path, kind: str) -> list[int]:
    """Return the days that have a folder, in order."""
    try:
        names = os.listdir(root / kind)
    except FileNotFoundError:
        return []
    return sorted((datetime.fromisoformat(name).replace(tzinfo=UTC) - EPOCH).days for name in names)


def list_segments(root: Path, kind: str, day: int, stream: str | None = None) -> list[Segment]:
    """Return every segment of a day, of one stream or of all, in the order of writes, superseded ones too."""
    place = folder(root, kind, day)
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return []
    found = []
    wanted = f"{stream}." if stream else ""
    for name in names:
        parts = NAME.fullmatch(name) if name.startswith(wanted) else None
        if parts:
            level, first, last, rows = (int(part) for part in parts.groups()[1:])
            found.append(Segment(first, last, level, rows, parts[1], day, place / name))
    return sorted(found, key=lambda segment: (segment.stream, segment.first, -segment.last, -segment.level))


def split_superseded(segments: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Split the segments of `list_segments` into the active and the superseded ones."""
    active: list[Segment] = []
    superseded: list[Segment] = []
    for segment in segments:
        cover = active[-1] if active else None
        if cover and cover.stream == segment.stream and segment.last <= cover.last:
            superseded.append(segment)
        else:
            active.append(segment)
    return active, superseded


def not_covered(segments: Iterable[Segment], covering: Iterable[Segment]) -> list[Segment]:
    """Return the segments whose writes no covering segment of the same day holds; all are active and of one stream."""
    by_day: dict[int, list[Segment]] = {}
    for cover in covering:
        by_day.setdefault(cover.day, []).append(cover)

    def is_covered(segment: Segment) -> bool:
        same_day = by_day.get(segment.day, [])
        at = bisect_right(same_day, segment.first, key=lambda cover: cover.first) - 1
        return at >= 0 and segment.last <= same_day[at].last

    return [segment for segment in segments if not is_covered(segment)]


def publish(root: Path, new_segments: Iterable[NewSegment]) -> None:
    """Write segments so that each is durable and whole from the moment its name appears."""
    moves: list[tuple[Path, Path]] = []
    try:
        for segment in new_segments:
            place = folder(root, segment.kind, segment.day)
            place.mkdir(parents=True, exist_ok=True)
            writes = f"{segment.first:012d}-{segment.last:012d}"
            final = place / f"{segment.stream}.{segment.level}.{writes}.{segment.frame.height}.parquet"
            moves.append((final.with_suffix(TEMPORARY), final))
            segment.frame.write_parquet(moves[-1][0], compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        for unfinished, _ in moves:
            _sync(unfinished)
        for unfinished, final in moves:
            unfinished.rename(final)
    finally:
        for unfinished, _ in moves:
            unfinished.unlink(missing_ok=True)
    for place in {final.parent for _, final in moves}:
        for path in (place, place.parent, root):
            _sync(path)


def remove(segments: Iterable[Segment]) -> None:
    """Delete segments."""
    for segment in segments:
        segment.path.unlink(missing_ok=True)


def day_of(t_ns: int) -> int:
    """Return the number of the UTC day of an instant."""
    return t_ns // DAY_NS


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
