"""Converts the tables of a recording to Polars frames, which Parquet stores, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import polars as pl

from registry.facts import LiftFacts
from store.recordings.format import (
    BOOLEAN,
    BYTES,
    INSTANT,
    INTEGER,
    LABELS,
    NUMBER,
    TEXT,
    TEXTS,
    WAVE,
    ColumnMap,
    Kind,
    WaveColumn,
)

NS = pl.Datetime("ns", "UTC")
DTYPES: Mapping[str, Any] = {
    TEXT: pl.String,
    INSTANT: NS,
    INTEGER: pl.Int64,
    NUMBER: pl.Float64,
    BOOLEAN: pl.Boolean,
    WAVE: pl.List(pl.Float32),
    BYTES: pl.Binary,
    TEXTS: pl.List(pl.String),
}
_FACTS: Mapping[Any, Any] = {
    "str": pl.String,
    "str | None": pl.String,
    "float": pl.Float64,
    "float | None": pl.Float64,
    "int | None": pl.Int64,
    "bool": pl.Boolean,
    "tuple[Floor, ...]": pl.List(pl.Struct({"label": pl.String, "height_m": pl.Float64})),
}


def schema(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the columns of a table as a frame's schema."""
    return {name: pl.Enum(kind) if isinstance(kind, tuple) else DTYPES[kind] for name, kind in kinds.items()}


def to_frame(table: ColumnMap, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """Return a table as a frame; NaN becomes null."""
    return pl.DataFrame([_series(name, table[name], kind) for name, kind in kinds.items()])


def facts_frame(facts: Sequence[LiftFacts]) -> pl.DataFrame:
    """Return the registry's facts, one row for each lift."""
    columns = {field.name: [getattr(lift, field.name) for lift in facts] for field in fields(LiftFacts)}
    columns["floors"] = [[asdict(floor) for floor in floors] for floors in columns["floors"]]
    return pl.DataFrame([pl.Series(field.name, columns[field.name], _FACTS[field.type]) for field in fields(LiftFacts)])


def labels_frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return labels, one row for each symptom."""
    return to_frame({name: [row[name] for row in rows] for name in LABELS}, LABELS)


def to_table(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> ColumnMap:
    """Return a frame as a table; null becomes NaN."""
    return {name: _column(frame[name], kind) for name, kind in kinds.items()}


def _series(name: str, column: Any, kind: Kind) -> pl.Series:
    if isinstance(kind, tuple):
        codes = pl.Series(column, nan_to_null=True, dtype=pl.Float64).cast(pl.UInt32)
        return pl.Series(name, kind, dtype=pl.Enum(kind)).gather(codes)
    if kind == INSTANT:
        return pl.Series(name, column, dtype=pl.Int64).cast(NS)
    if kind == WAVE:
        return _lists(column).alias(name)
    if kind == BOOLEAN and getattr(column, "dtype", None) == np.float64:
        return pl.Series(name, column, nan_to_null=True).cast(pl.Boolean)
    if kind == NUMBER:
        return pl.Series(name, column, dtype=pl.Float64, nan_to_null=True)
    return pl.Series(name, column, dtype=DTYPES[kind])


def _lists(waves: WaveColumn) -> pl.Series:
    lengths = np.diff(waves.first)
    if len(lengths) and (lengths == lengths[0]).all() and lengths[0]:
        return pl.Series(waves.values.reshape(len(lengths), -1)).cast(DTYPES[WAVE])
    row = np.repeat(np.arange(len(lengths)), lengths)
    return pl.DataFrame({"row": row, "wave": waves.values}).group_by("row", maintain_order=True).agg("wave")["wave"]


def _column(series: pl.Series, kind: Kind) -> Any:
    if isinstance(kind, tuple):
        return series.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
    if kind == INSTANT:
        return series.cast(pl.Int64).to_numpy()
    if kind == WAVE:
        values = series.explode().cast(pl.Float32).to_numpy()
        return WaveColumn(values, np.r_[0, series.list.len().cast(pl.Int64).cum_sum().to_numpy()])
    if kind in (NUMBER, BOOLEAN):
        return series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return series.to_numpy() if kind == INTEGER else series.to_list()
