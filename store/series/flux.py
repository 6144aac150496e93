"""Flux: the queries that are sent to InfluxDB, and the downsampling task that is installed there.

Values from outside enter a query only through `text` (every byte other than a letter, digit, dash or underscore is
escaped) or as an integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from store.series.timeseries import REDUCTIONS

RAW_BUCKET = "lifts"
MINUTE_BUCKET = "lifts_1m"
TASK_NAME = "liftwatch lifts_1m"
# Each run reduces more than the time since the last one, so that rows that come a little late are reduced too.
TASK_EVERY, TASK_OFFSET, TASK_BACK_MIN = "5m", "20s", 20
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def text(value: str) -> str:
    """Return `value` as a Flux string literal."""
    return '"' + "".join(chr(byte) if byte in PLAIN else f"\\x{byte:02x}" for byte in value.encode()) + '"'


def instant(t_ns: int) -> str:
    """Return an instant of nanoseconds since 1970 as a Flux time."""
    return f"time(v: {int(t_ns)})"


def rows(bucket: str, stream: str, lift_id: str, fields: Iterable[str], from_ns: int, to_ns: int) -> str:
    """Return the query for the rows of these fields of one lift."""
    return (
        f"from(bucket: {text(bucket)}) |> range(start: {instant(from_ns)}, stop: {instant(to_ns)})"
        f" |> filter(fn: (r) => r._measurement == {text(stream)} and r.lift == {text(lift_id)} and {_any(fields)})"
    )


def raw(stream: str, lift_id: str, fields: Iterable[str], from_ns: int, to_ns: int, limit: int | None = None) -> str:
    """Return the query for raw rows, the first `limit` of each field."""
    first = (
        "" if limit is None else f' |> group(columns: ["_field"]) |> sort(columns: ["_time"]) |> limit(n: {int(limit)})'
    )
    return rows(RAW_BUCKET, stream, lift_id, fields, from_ns, to_ns) + first + _select("rows")


def last(bucket: str, stream: str, lift_id: str, fields: Iterable[str], from_ns: int, to_ns: int) -> str:
    """Return the query for the last value of each field in the window."""
    newest = ' |> last() |> group(columns: ["_field"]) |> sort(columns: ["_time"]) |> last()'
    return rows(bucket, stream, lift_id, fields, from_ns, to_ns) + newest + _select("last")


def windows(
    bucket: str,
    stream: str,
    lift_id: str,
    fields: Mapping[str, Iterable[str]],
    from_ns: int,
    to_ns: int,
    width_ns: int,
    offset_ns: int,
) -> str:
    """Return the queries for the fields that `fields` names for each of min, max and mean, in windows of one width.

    Each of the three is a query of its own, which the storage engine answers without reading rows out.
    """
    return "\n".join(
        rows(bucket, stream, lift_id, names, from_ns, to_ns)
        + f" |> aggregateWindow(every: {int(width_ns)}ns, offset: {int(offset_ns)}ns, fn: {how},"
        + ' createEmpty: false, timeSrc: "_start")'
        + _select(how)
        for how, names in fields.items()
    )


def reduction(start: str, stop: str, lift_ids: Iterable[str] = ()) -> str:
    """Return the script that writes the 1-minute reduction of whole minutes, for all lifts or for some."""
    chosen = " or ".join(f"r.lift == {text(lift_id)}" for lift_id in lift_ids)
    of_some = f" and ({chosen})" if chosen else ""
    return "\n".join(
        f"from(bucket: {text(RAW_BUCKET)}) |> range(start: {start}, stop: {stop})"
        f" |> filter(fn: (r) => r._measurement == {text(stream)} and {_any(names)}{of_some})"
        f' |> aggregateWindow(every: 1m, fn: {how}, createEmpty: false, timeSrc: "_start")'
        f" |> map(fn: (r) => ({{r with _field: r._field + {text('_' + how)}}}))"
        f" |> to(bucket: {text(MINUTE_BUCKET)}) |> yield(name: {text(f'{stream}_{how}')})"
        for stream, columns in REDUCTIONS.items()
        for how, names in _by_reduction(columns).items()
    )


def task() -> str:
    """Return the script of the task that makes the 1-minute reduction."""
    option = f"option task = {{name: {TASK_NAME!r}, every: {TASK_EVERY}, offset: {TASK_OFFSET}}}".replace("'", '"')
    bounds = f"start = date.truncate(t: -{TASK_BACK_MIN}m, unit: 1m)\nstop = date.truncate(t: now(), unit: 1m)"
    return f'import "date"\n\n{option}\n\n{bounds}\n\n{reduction("start", "stop")}\n'


def _by_reduction(columns: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    columns_of: dict[str, list[str]] = {}
    for column, hows in columns.items():
        for how in hows:
            columns_of.setdefault(how, []).append(column)
    return columns_of


def _any(fields: Iterable[str]) -> str:
    return "(" + " or ".join(f"r._field == {text(name)}" for name in fields) + ")"


def _select(name: str) -> str:
    return f' |> keep(columns: ["_time", "_value", "_field"]) |> yield(name: {text(name)})'
