"""Time series in InfluxDB 2, through `influxdb-client`: synchronous writes of encoded lines, queries in Flux.

The client's background batching is not used: it loses points when the server is away for long. A transient failure is
`TimeSeriesUnavailable` and the same call may be repeated: the same lines written twice are the same points.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Self

import numpy as np
import polars as pl
import urllib3
from influxdb_client import Dialect, InfluxDBClient, WriteService
from influxdb_client.rest import ApiException

from store.series import buckets, flux, influx_setup
from store.series.line_protocol import chunks
from store.series.timeseries import (
    EVENTS_LIMIT,
    HOUR_NS,
    MEASUREMENTS,
    MINUTE_DEFAULT_DAYS,
    MINUTE_NS,
    RAW_DEFAULT_DAYS,
    REDUCED_FROM_NS,
    REDUCIBLE,
    STATE_LOOK_BACK_NS,
    TEXT_FIELDS,
    Points,
    Readings,
    Series,
    TimeSeriesRefused,
    TimeSeriesUnavailable,
)

BUCKETS = (flux.RAW_BUCKET, flux.MINUTE_BUCKET)
TIMEOUT_MS = 30_000
GZIP_LEVEL = 1
GZIP_WINDOW = 16 + zlib.MAX_WBITS
TRANSIENT_STATUSES = (408, 429)
POINTS_STATUSES = (400, 413, 422)
"""The answers that refuse the points themselves; every other one is about the way to the server."""
# The task reduces rows younger than this; older rows are reduced by `maintain`, one hour of some lifts in each call.
LATE_FROM_NS = 10 * MINUTE_NS
LATE_LIFTS_A_CALL = 20
LATE_LIMIT = 200_000
CSV = Dialect(header=True, annotations=[], date_time_format="RFC3339Nano")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"


class InfluxSeries:
    """The implementation of `TimeSeries` in an InfluxDB 2."""

    def __init__(self, client: InfluxDBClient, url: str, org: str) -> None:
        self._client = client
        self._url = url
        self._org = org
        self._writer = WriteService(client.api_client)
        self._late: set[tuple[int, str]] = set()

    @classmethod
    def open(
        cls,
        url: str,
        token: str,
        org: str,
        raw_days: int = RAW_DEFAULT_DAYS,
        minute_days: int = MINUTE_DEFAULT_DAYS,
        writable: bool = True,
    ) -> Self:
        """Connect; where `writable`, create missing buckets, their retention and the downsampling task."""
        opened = cls(InfluxDBClient(url=url, token=token, org=org, timeout=TIMEOUT_MS), url, org)
        if writable:
            with opened._translating_errors():
                influx_setup.prepare(opened._client, org, dict(zip(BUCKETS, (raw_days, minute_days), strict=True)))
        return opened

    def check_health(self) -> str:
        """Return the server's name and version; raise where it is no InfluxDB 2, or is not healthy."""
        with self._translating_errors():
            health = influx_setup.health(self._client)
        if health.status != "pass":
            raise TimeSeriesUnavailable(f"InfluxDB at {self._url} is not healthy: {health.message}")
        return f"{health.name} {health.version}"

    def check_access(self) -> str:
        """Return which buckets there are and which `open` will make; raise where the token cannot use them."""
        with self._translating_errors():
            there = influx_setup.usable_buckets(self._client, self._org, BUCKETS)
        missing = [name for name in BUCKETS if name not in there]
        made = f"; made when the monitor starts: {', '.join(missing)}" if missing else ""
        return f"the token may write to {', '.join(there) or 'no bucket yet'}{made}"

    def write(self, points: Sequence[Points]) -> None:
        """Write `points` in bounded pieces; a refused piece does not stop the others from being written."""
        refused: TimeSeriesRefused | None = None
        for lines in chunks(points):
            try:
                # A token or bucket that was removed may be restored, a proxy may be mended: writing waits for them.
                with self._translating_errors(access_error=TimeSeriesUnavailable):
                    self._post(lines)
            except TimeSeriesRefused as error:
                refused = error
        self._note_late_rows(points)
        if refused:
            raise refused

    def series(self, lift_id: str, stream: str, from_ns: int, to_ns: int, points: int) -> Series:
        """Return a sampled stream in at most `points` buckets, by the minute where the window is long or old."""
        if to_ns - from_ns < REDUCED_FROM_NS:
            rows = self._windows(
                flux.RAW_BUCKET, lift_id, stream, from_ns, to_ns, *buckets.grid(from_ns, to_ns, points)
            )
            if len(rows):
                return buckets.series_of_reduced(stream, from_ns, to_ns, points, rows)
        rows = self._by_minute(lift_id, stream, from_ns, to_ns, *buckets.grid(from_ns, to_ns, points, MINUTE_NS))
        return buckets.series_of_reduced(stream, from_ns, to_ns, points, rows, MINUTE_NS)

    def events(self, lift_id: str, stream: str, from_ns: int, to_ns: int, limit: int = EVENTS_LIMIT) -> Readings:
        """Return an event stream; the first row is the state at the beginning of the window, where that is known."""
        columns = MEASUREMENTS[stream]
        before = self._query(
            flux.last(flux.RAW_BUCKET, stream, lift_id, columns, from_ns - STATE_LOOK_BACK_NS, from_ns)
        )
        rows = self._query(flux.raw(stream, lift_id, columns, from_ns, to_ns, limit)) if to_ns > from_ns else NO_ROWS
        before = before.with_columns(t=pl.lit(before["t"].max(), dtype=pl.Int64))
        found = _readings(pl.concat([before, rows]), columns)
        return Readings(found.t_ns[:limit], {name: values[:limit] for name, values in found.channels.items()})

    def readings(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> Readings:
        """Return every raw row of a stream in the window."""
        columns = MEASUREMENTS[stream]
        rows = self._query(flux.raw(stream, lift_id, columns, from_ns, to_ns)) if to_ns > from_ns else NO_ROWS
        return _readings(rows, columns)

    def maintain(self, now_ns: int) -> None:
        """Reduce one hour of some of the lifts whose rows came too late for the task."""
        hour = min((hour for hour, _ in self._late), default=None)
        if hour is None:
            return
        some = sorted(late for late in self._late if late[0] == hour)[:LATE_LIFTS_A_CALL]
        start_ns, stop_ns = hour * HOUR_NS, min((hour + 1) * HOUR_NS, now_ns // MINUTE_NS * MINUTE_NS)
        if stop_ns > start_ns:
            lift_ids = [lift_id for _, lift_id in some]
            self._query(flux.reduction(flux.instant(start_ns), flux.instant(stop_ns), lift_ids))
        self._late.difference_update(some)

    def expire(self, now_ns: int) -> None:
        """Do nothing: the buckets have a retention of their own."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, lines: bytes) -> None:
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
        self._writer.post_write(
            org=self._org,
            bucket=flux.RAW_BUCKET,
            body=packer.compress(lines) + packer.flush(),
            precision="ns",
            content_encoding="gzip",
            content_type="text/plain; charset=utf-8",
        )

    def _note_late_rows(self, points: Sequence[Points]) -> None:
        late_ns = time.time_ns() - LATE_FROM_NS
        for rows in points:
            late = rows.t_ns < late_ns
            if rows.measurement in REDUCIBLE and late.any() and len(self._late) < LATE_LIMIT:
                count = len(rows.lift_ids)
                pairs = np.unique(rows.t_ns[late] // HOUR_NS * count + rows.lift[late]).tolist()
                self._late.update((pair // count, rows.lift_ids[pair % count]) for pair in pairs)

    def _windows(
        self, bucket: str, lift_id: str, stream: str, from_ns: int, to_ns: int, begins: buckets.Instants, width_ns: int
    ) -> Readings:
        if to_ns <= from_ns or not len(begins):
            return _readings(NO_ROWS, ())
        reduced = bucket == flux.MINUTE_BUCKET
        fields: dict[str, list[str]] = {"min": [], "max": [], "mean": []}
        for names in REDUCIBLE[stream].values():
            for how, name in zip(fields, names, strict=True):
                fields[how].append(f"{name}_{how}" if reduced else name)
        offset_ns = int(begins[0]) % width_ns
        rows = self._query(flux.windows(bucket, stream, lift_id, fields, from_ns, to_ns, width_ns, offset_ns))
        if not reduced:
            rows = rows.with_columns(field=pl.concat_str("field", "result", separator="_"))
        return _readings(rows, [name if reduced else f"{name}_{how}" for how in fields for name in fields[how]])

    def _by_minute(
        self, lift_id: str, stream: str, from_ns: int, to_ns: int, begins: buckets.Instants, width_ns: int
    ) -> Readings:
        """Return the 1-minute reduction, followed by the raw rows after its last minute."""
        if not len(begins):
            return _readings(NO_ROWS, ())
        from_ns = from_ns // MINUTE_NS * MINUTE_NS
        ready = self._windows(flux.MINUTE_BUCKET, lift_id, stream, from_ns, to_ns, begins, width_ns)
        name = f"{next(iter(REDUCIBLE[stream].values()))[2]}_mean"
        newest = self._query(flux.last(flux.MINUTE_BUCKET, stream, lift_id, [name], from_ns, to_ns))
        tail_ns = int(newest["t"][0]) + MINUTE_NS if len(newest) else from_ns
        rest = self._windows(flux.RAW_BUCKET, lift_id, stream, tail_ns, to_ns, begins, width_ns)
        return _joined(ready, rest)

    def _query(self, query: str) -> pl.DataFrame:
        """Return the rows that answer a query: `result`, `field`, `t` and `value`, which is text."""
        with self._translating_errors():
            answer: bytes = self._client.query_api().query_raw(query, dialect=CSV).data
        return _parse_csv(answer)

    @contextmanager
    def _translating_errors(self, access_error: type[Exception] = TimeSeriesRefused) -> Iterator[None]:
        """Raise a transient or permanent error with its remedy; refused credentials raise `access_error`."""
        try:
            yield
        except ApiException as error:
            message = f"InfluxDB at {self._url} answered {error.status}: {_server_message(error)}"
            if error.status in TRANSIENT_STATUSES or (error.status or 0) >= 500:
                raise TimeSeriesUnavailable(message) from error
            raise (TimeSeriesRefused if error.status in POINTS_STATUSES else access_error)(
                message + _remedy(error.status, self._org)
            ) from error
        except urllib3.exceptions.LocationValueError as error:
            raise TimeSeriesRefused(f"{self._url!r} is not the address of an InfluxDB: {error}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TimeSeriesUnavailable(f"InfluxDB at {self._url} does not answer: {error}") from error
        except (AttributeError, TypeError, ValueError) as error:  # the client reads an answer of any length
            raise TimeSeriesUnavailable(f"the server at {self._url} answers as no InfluxDB does: {error}") from error


NO_ROWS = pl.DataFrame(schema={"result": pl.String, "field": pl.String, "t": pl.Int64, "value": pl.String})


def _server_message(error: ApiException) -> str:
    return " ".join(str(error.message or error.reason or "nothing").split())


def _remedy(status: int | None, org: str) -> str:
    if status == 401:
        return "; the token is missing or wrong: set the token of an all-access or read/write authorisation"
    if status in (403, 404):
        return f"; does the organisation {org!r} exist, and may the token read and write its buckets and tasks?"
    return ""


def _parse_csv(answer: bytes) -> pl.DataFrame:
    """Parse annotated CSV without its annotations: blocks with a header each, separated by empty lines."""
    frames = [NO_ROWS]
    for block in re.split(rb"\r?\n\r?\n", answer):
        if not block.strip():
            continue
        frame = pl.read_csv(BytesIO(block), infer_schema=False)
        if "error" in frame.columns:
            raise TimeSeriesUnavailable(f"InfluxDB gave up a query: {frame['error'][0]}")
        if "_field" not in frame.columns or "_value" not in frame.columns:
            continue
        t = pl.col("_time").str.to_datetime(TIME_FORMAT, time_unit="ns").cast(pl.Int64)
        frames.append(
            frame.select("result", pl.col("_field").alias("field"), t.alias("t"), pl.col("_value").alias("value"))
        )
    return pl.concat(frames)


def _readings(rows: pl.DataFrame, columns: Sequence[str]) -> Readings:
    """Return one row for each instant from one row for each instant and field; of equal ones the last is kept."""
    t_ns = rows["t"].unique().sort().to_numpy()
    channels = {name: np.full(len(t_ns), np.nan) for name in columns}
    for (name,), part in rows.group_by("field", maintain_order=True):
        if name in channels:
            channels[str(name)][np.searchsorted(t_ns, part["t"].to_numpy())] = _numbers(str(name), part["value"])
    return Readings(t_ns, channels)


def _numbers(name: str, values: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if name in TEXT_FIELDS:
        codes: Mapping[str, float] = {text: float(code) for code, text in enumerate(TEXT_FIELDS[name])}
        values = values.replace_strict(codes, default=None, return_dtype=pl.Float64)
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _joined(first: Readings, second: Readings) -> Readings:
    names = {**first.channels, **second.channels}
    parts = [(rows, np.full(len(rows), np.nan)) for rows in (first, second)]
    channels = {name: np.concatenate([rows.channels.get(name, none) for rows, none in parts]) for name in names}
    return Readings(np.concatenate([first.t_ns, second.t_ns]), channels)
