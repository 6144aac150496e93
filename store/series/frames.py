"""Rows of the embedded store as Polars frames: from points to segments, from segments to readings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from store.series.segments import RAW, NewSegment, Segment
from store.series.timeseries import MEASUREMENTS, MERGED, REDUCTIONS, Points, Readings
from telemetry.instant import DAY_NS

Schema = dict[str, type[pl.DataType]]


def dtype_of(stream: str) -> type[pl.DataType]:
    """Return the precision in which a stream is stored: features are as precise as the samples they are made of."""
    return pl.Float32 if stream in ("vibration", "feature") else pl.Float64


def raw_schema(stream: str) -> Schema:
    """Return the columns of one lift's raw rows."""
    return {"t": pl.Int64, **dict.fromkeys(MEASUREMENTS[stream], dtype_of(stream))}


def minute_schema(stream: str) -> Schema:
    """Return the columns of one lift's rows of the 1-minute reduction."""
    names = [f"{column}_{how}" for column, hows in REDUCTIONS[stream].items() for how in hows]
    return {"t": pl.Int64, **dict.fromkeys(names, dtype_of(stream)), "n": pl.UInt32}


def new_segments(points: Sequence[Points], write: int) -> list[NewSegment]:
    """Return the segments, one for each stream and day, that hold these rows."""
    parts: dict[tuple[str, int], list[pl.DataFrame]] = {}
    for rows in points:
        frame = _frame(rows)
        day = rows.t_ns // DAY_NS
        for one in np.unique(day).tolist():
            part = frame if (day == one).all() else frame.filter(day == one)
            parts.setdefault((rows.measurement, one), []).append(part)
    return [NewSegment(RAW, day, stream, 0, write, write, pl.concat(frames)) for (stream, day), frames in parts.items()]


def _frame(rows: Points) -> pl.DataFrame:
    dtype = dtype_of(rows.measurement)
    missing = np.full(len(rows), np.nan)
    columns = (
        pl.Series(name, rows.fields.get(name, missing), nan_to_null=True).cast(dtype)
        for name in MEASUREMENTS[rows.measurement]
    )
    lift = pl.Series("lift", rows.lift_ids, dtype=pl.String).gather(rows.lift)
    return pl.DataFrame([lift, pl.Series("t", rows.t_ns, dtype=pl.Int64), *columns])


def scan(segments: list[Segment], lift_id: str, from_ns: int, to_ns: int, schema: Schema) -> pl.DataFrame:
    """Return one lift's rows of a window in the order of time; of equal times the row written last is last."""
    if not segments:
        return pl.DataFrame(schema=schema)
    selected = (pl.col("lift") == lift_id) & (pl.col("t") >= from_ns) & (pl.col("t") < to_ns)
    # A segment of an earlier version lacks the columns that were added since.
    rows = pl.scan_parquet(
        [segment.path for segment in segments],
        glob=False,
        schema={"lift": pl.String, **schema},
        missing_columns="insert",
        extra_columns="ignore",
    )
    return rows.filter(selected).select(list(schema)).collect().sort("t", maintain_order=True)


def deduplicated(stream: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Join rows of equal time: the last one is kept, or all values are merged (`MERGED`)."""
    if not frame["t"].is_duplicated().any():
        return frame
    if stream in MERGED:
        return frame.group_by("t", maintain_order=True).agg(pl.all().drop_nulls().last())
    return frame.unique("t", keep="last", maintain_order=True)


def as_readings(frame: pl.DataFrame) -> Readings:
    """Return the columns of a frame that has a column `t`.

    In one expression, and none for an empty frame: a ride has a hundred columns, and most days of a fleet have none.
    """
    names = [name for name in frame.columns if name != "t"]
    if frame.is_empty():
        return Readings(np.empty(0, np.int64), {name: np.empty(0) for name in names})
    values = frame.select(pl.col(names).cast(pl.Float64).fill_null(np.nan))
    return Readings(frame["t"].to_numpy(), {name: values[name].to_numpy() for name in names})
