"""InfluxDB's line protocol from columns: one line a row, escaped, integers with `i`, NaN left out, nanosecond times.

    speed,district=north,lift=L1 v=1.75 1000000020000000000

Encoded by column expressions: no Python object for a row or a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from store.series.timeseries import INTEGER_FIELDS, TEXT_FIELDS, Points

LINES_LIMIT = 20_000
# Characters that no tag can hold: control characters, and the backslash, which would escape the next character.
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
PLAIN = re.compile(r"[A-Za-z0-9_-]+")
MEASUREMENT_SPECIAL = re.compile(r"([, ])")
NAME_SPECIAL = re.compile(r"([,= ])")
TEXT_SPECIAL = re.compile(r'(["\\])')


def chunks(points: Sequence[Points], lines_limit: int = LINES_LIMIT) -> Iterator[bytes]:
    """Yield line protocol in pieces of at most `lines_limit` lines."""
    parts: list[str] = []
    lines = 0
    tags: dict[tuple[int, int], pl.Series] = {}
    for rows in points:
        # All measurements of one group of messages share their lists of lifts and districts.
        key = (id(rows.lift_ids), id(rows.districts))
        if key not in tags:
            tags[key] = _tags(rows)
        encoded = _lines(rows, tags[key])
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


def _lines(rows: Points, tags: pl.Series) -> pl.Series:
    """Return one line for each row; a row without any value is left out."""
    finite = {name: np.isfinite(values) for name, values in rows.fields.items()}
    fields = [name for name, column in finite.items() if column.any()]
    if not fields:
        return pl.Series([], dtype=pl.String)
    frame = pl.DataFrame(
        [
            tags.gather(rows.lift),
            pl.Series("t", rows.t_ns),
            *(
                pl.Series(f"_{name}", np.where(finite[name], rows.fields[name], np.nan), nan_to_null=True)
                for name in fields
            ),
        ]
    )
    if all(finite[name].all() for name in fields):
        expressions = [piece for i, name in enumerate(fields) for piece in (pl.lit("," if i else ""), *_field(name))]
    else:
        frame = frame.filter(pl.any_horizontal(pl.col(f"_{name}").is_not_null() for name in fields))
        expressions = [
            pl.concat_str([pl.concat_str(_field(name)) for name in fields], separator=",", ignore_nulls=True)
        ]
    name = pl.lit(MEASUREMENT_SPECIAL.sub(r"\\\1", FORBIDDEN.sub("_", rows.measurement)))
    line = pl.concat_str([name, pl.col("tags"), pl.lit(" "), *expressions, pl.lit(" "), pl.col("t")])
    return frame.select(line.alias("line"))["line"]


def _tags(rows: Points) -> pl.Series:
    """Return `,tag=…,tag=…` of each lift: tags in the order of their names, an empty one left out."""
    lifts = zip(rows.lift_ids, rows.districts, strict=True)
    return pl.Series(
        "tags", [_tag("district", district) + _tag("lift", lift_id) for lift_id, district in lifts], pl.String
    )


def _tag(name: str, value: str) -> str:
    if not value:
        return ""
    if PLAIN.fullmatch(value):
        return f",{name}={value}"
    return f",{name}=" + NAME_SPECIAL.sub(r"\\\1", FORBIDDEN.sub("_", value))


def _field(name: str) -> list[pl.Expr]:
    """Return the pieces of `name=value`; joined they are null where the row has no such value."""
    key = pl.lit(NAME_SPECIAL.sub(r"\\\1", FORBIDDEN.sub("_", name)) + "=")
    value = pl.col(f"_{name}")
    if name in INTEGER_FIELDS:
        return [key, value.cast(pl.Int64), pl.lit("i")]
    if name in TEXT_FIELDS:
        texts = {code: f'"{_text(text)}"' for code, text in enumerate(TEXT_FIELDS[name])}
        return [key, value.cast(pl.Int64).replace_strict(texts, default=None, return_dtype=pl.String)]
    return [key, value.cast(pl.String)]


def _text(value: str) -> str:
    return TEXT_SPECIAL.sub(r"\\\1", value)
