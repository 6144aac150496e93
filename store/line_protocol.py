"""InfluxDB's line protocol from columns: one line a row, escaped, integers with `i`, NaN left out, nanosecond times.

    speed,district=north,lift=L1 v=1.75 1000000020000000000

Written by column expressions: no Python object for a row or a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from store.timeseries import INTEGER_FIELDS, TEXT_FIELDS, Floats, Points

LINES_LIMIT = 20_000
# What no tag can hold: control characters, and the backslash, which would take the next character with it.
UNHOLDABLE = re.compile(r"[\x00-\x1f\x7f\\]")
MEASUREMENT_SPECIAL = re.compile(r"([, ])")
NAME_SPECIAL = re.compile(r"([,= ])")
TEXT_SPECIAL = re.compile(r'(["\\])')


def chunks(points: Sequence[Points], lines_limit: int = LINES_LIMIT) -> Iterator[bytes]:
    """Yield line protocol of at most so many lines a piece."""
    parts: list[str] = []
    lines = 0
    for rows in points:
        encoded = _lines(rows)
        at = 0
        while at < len(encoded):
            piece = encoded[at : at + lines_limit - lines]
            parts.append(piece.str.join("\n").item())
            at += len(piece)
            lines += len(piece)
            if lines == lines_limit:
                yield "\n".join(parts).encode()
                parts, lines = [], 0
    if parts:
        yield "\n".join(parts).encode()


def encode(rows: Points) -> bytes:
    """Return the rows of one measurement as lines, without a last line break."""
    return b"\n".join(chunks([rows], max(len(rows), 1)))


def _lines(rows: Points) -> pl.Series:
    """Return one line a row; a row that says nothing is left out."""
    fields = [name for name, values in rows.fields.items() if np.isfinite(values).any()]
    if not fields:
        return pl.Series([], dtype=pl.String)
    frame = pl.DataFrame(
        [
            pl.Series("line", _keys(rows), dtype=pl.String).gather(rows.lift),
            pl.Series("t", rows.t_ns),
            *(pl.Series(f"_{name}", _known(rows.fields[name]), nan_to_null=True) for name in fields),
        ]
    )
    said = pl.concat_str([_field(name) for name in fields], separator=",", ignore_nulls=True)
    speaks = pl.any_horizontal(pl.col(f"_{name}").is_not_null() for name in fields)
    line = pl.concat_str([pl.col("line"), said, pl.col("t").cast(pl.String)], separator=" ")
    return frame.filter(speaks).select(line.alias("line"))["line"]


def _keys(rows: Points) -> list[str]:
    """Return `measurement,tag=…,tag=…` of each lift: tags in the order of their names, an empty one left out."""
    name = MEASUREMENT_SPECIAL.sub(r"\\\1", UNHOLDABLE.sub("_", rows.measurement))
    return [
        f"{name}{_tag('district', district)}{_tag('lift', lift_id)}"
        for lift_id, district in zip(rows.lift_ids, rows.districts, strict=True)
    ]


def _tag(name: str, value: str) -> str:
    if not value:
        return ""
    if value.isalnum():
        return f",{name}={value}"
    return f",{name}=" + NAME_SPECIAL.sub(r"\\\1", UNHOLDABLE.sub("_", value))


def _known(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _field(name: str) -> pl.Expr:
    """Return the expression of `name=value`, null where the row does not speak of it."""
    key = NAME_SPECIAL.sub(r"\\\1", UNHOLDABLE.sub("_", name)) + "="
    value = pl.col(f"_{name}")
    if name in INTEGER_FIELDS:
        return pl.format(key.replace("{", "") + "{}i", value.cast(pl.Int64))
    if name in TEXT_FIELDS:
        texts = [f'{key}"{_text(text)}"' for text in TEXT_FIELDS[name]]
        return value.cast(pl.Int64).replace_strict(dict(enumerate(texts)), default=None, return_dtype=pl.String)
    return pl.lit(key) + value.cast(pl.String)


def _text(value: str) -> str:
    return TEXT_SPECIAL.sub(r"\\\1", value)
