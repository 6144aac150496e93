"""Merging segments into fewer, larger, sorted ones, and reducing them to minutes on the way.

Every twenty consecutive segments of a level become one of the next (seconds, minutes, hours), up to a bounded number
of rows, which bounds the memory and the time of a merge. At `MINUTE_LEVEL` the 1-minute reduction of what is merged is
written first, under the same range of writes: a raw segment is in the reduction if and only if a minute segment's
writes hold its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import polars as pl

from store.series.segments import MINUTE, RAW, NewSegment, Segment, publish
from store.series.timeseries import EVENT_STREAMS, MINUTE_NS, REDUCTIONS

FAN_IN = 20
ROWS_LIMIT = 2_000_000
MINUTE_LEVEL = 2
LEVEL_LIMIT = 9


def due(active: list[Segment], sweep: bool) -> Iterator[tuple[list[Segment], int]]:
    """Yield the runs of consecutive segments of a stream that are to become one, and at which level.

    In a `sweep`, for days that are past, levels do not matter, except that segments not yet reduced stay apart.
    """

    def kind(segment: Segment) -> tuple[str, bool, int]:
        reduced = segment.level >= MINUTE_LEVEL
        return segment.stream, reduced and segment.rows >= ROWS_LIMIT // 2, reduced if sweep else segment.level

    for (_, sealed, _), run in groupby(active, kind):
        segments = list(run)
        if sealed or (len(segments) < FAN_IN and not sweep):
            continue
        group = _within_limit(segments if sweep else segments[:FAN_IN])
        level = max(segment.level for segment in group) + 1
        if len(group) > 1 or level <= MINUTE_LEVEL:
            yield group, min(max(level, MINUTE_LEVEL) if sweep else level, LEVEL_LIMIT)


def merge(root: Path, kind: str, group: list[Segment], level: int) -> None:
    """Publish one segment that holds the rows of `group`, sorted by lift and time, repeats dropped."""
    stream, day = group[0].stream, group[0].day
    writes = group[0].first, group[-1].last
    frame = pl.concat([pl.read_parquet(segment.path, glob=False) for segment in group], how="diagonal")
    frame = combined(frame) if kind == MINUTE else ordered(stream, frame)
    if kind == RAW and stream in REDUCTIONS and group[0].level < MINUTE_LEVEL <= level:
        publish(root, [NewSegment(MINUTE, day, stream, MINUTE_LEVEL, *writes, minutes(stream, frame))])
    publish(root, [NewSegment(kind, day, stream, level, *writes, frame)])


def ordered(stream: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Sort by lift and time; of rows that repeat each other keep the last.

    A row of a sampled stream is identified by its lift and time. Two rows of an event stream may each hold some of the
    channels, so only a row that is equal in all of them is a repeat.
    """
    frame = frame.sort("lift", "t", maintain_order=True)
    identity = frame.columns if stream in EVENT_STREAMS else ["lift", "t"]
    differs = pl.any_horizontal(pl.col(column).ne_missing(pl.col(column).shift(-1)) for column in identity)
    return frame.filter(differs)


def minutes(stream: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the 1-minute reduction of raw rows: `{column}_{how}` of `REDUCTIONS`, and `n` readings behind a row."""
    aggregates = [
        getattr(pl.col(column), how)().alias(f"{column}_{how}")
        for column, hows in REDUCTIONS[stream].items()
        for how in hows
    ]
    return (
        frame.group_by("lift", pl.col("t") // MINUTE_NS * MINUTE_NS)
        .agg(*aggregates, pl.len().alias("n"))
        .sort("lift", "t")
    )


def combined(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each minute and lift from rows that each reduce a part of that minute."""
    n = pl.col("n")
    aggregates = []
    for column in frame.columns:
        if column.endswith("_mean"):
            weight = pl.when(pl.col(column).is_not_null()).then(n)
            aggregates.append(((pl.col(column) * n).sum() / weight.sum()).cast(frame.schema[column]).alias(column))
        elif column not in ("lift", "t", "n"):
            aggregates.append(pl.col(column).min() if column.endswith("_min") else pl.col(column).max())
    return frame.group_by("lift", "t").agg(*aggregates, n.sum()).sort("lift", "t")


def _within_limit(segments: list[Segment]) -> list[Segment]:
    """Return the first segments whose rows stay within the limit together, at least one."""
    rows = 0
    for i, segment in enumerate(segments):
        rows += segment.rows
        if i and rows > ROWS_LIMIT:
            return segments[:i]
    return segments
