"""Time series in local Parquet files: no server; one process writes, any number read.

A write is one small segment for each stream and day, durable when the call returns; `maintain` merges segments and
makes the 1-minute reduction. Killing the writer at any moment leaves whole segments. Repeated rows are dropped when
read.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import polars as pl

from store.series import buckets
from store.series.compaction import due, merge, minutes
from store.series.frames import as_readings, deduplicated, minute_schema, new_segments, raw_schema, scan
from store.series.segments import (
    MINUTE,
    NAME,
    RAW,
    TEMPORARY,
    Segment,
    day_of,
    days,
    folder,
    list_segments,
    not_covered,
    publish,
    remove,
    split_superseded,
)
from store.series.timeseries import (
    EVENTS_LIMIT,
    HOUR_NS,
    KEPT_LONGER,
    MEASUREMENTS,
    MINUTE_DEFAULT_DAYS,
    MINUTE_NS,
    RAW_DEFAULT_DAYS,
    REDUCED_FROM_NS,
    STATE_LOOK_BACK_NS,
    TRIP_DEFAULT_DAYS,
    Points,
    Readings,
    Series,
    TimeSeriesRefused,
    TimeSeriesUnavailable,
)
from telemetry.instant import DAY_NS

# A listed segment may have been merged and deleted since: list and read again, at most this many times.
READ_ATTEMPTS = 5
MERGES_A_CALL = 32


class RetentionDays(NamedTuple):
    """For how many days readings, the streams of `KEPT_LONGER` and minutes are kept; 0 is for ever."""

    raw: int
    trip: int
    minute: int

    @property
    def longest_raw(self) -> int:
        """For how many days a folder of rows is kept, 0 for ever."""
        return max(self.raw, self.trip) if self.raw and self.trip else 0


class FileSeries:
    """The embedded implementation of `TimeSeries`."""

    def __init__(self, root: Path, retention_days: RetentionDays, lock: int | None) -> None:
        self._root = root
        self._retention_days = retention_days
        self._lock_file = lock
        self._writing = threading.Lock()
        self._maintaining = threading.Lock()
        self._writes = 0
        self._superseded: dict[Path, set[Path]] = {}
        self._listed: dict[Path, int] = {}
        self._swept_hour = -1
        self._merges_left = 0

    @classmethod
    def open(
        cls,
        path: str | Path,
        raw_days: int = RAW_DEFAULT_DAYS,
        minute_days: int = MINUTE_DEFAULT_DAYS,
        writable: bool = True,
        trip_days: int = TRIP_DEFAULT_DAYS,
    ) -> Self:
        """Open the folder `path`, creating it if needed. One process at a time may open it writable."""
        root = Path(path)
        try:
            root.mkdir(parents=True, exist_ok=True)
            opened = cls(root, RetentionDays(raw_days, trip_days, minute_days), _locked(root) if writable else None)
            if writable:
                opened._recover()
        except OSError as error:
            raise TimeSeriesUnavailable(f"cannot open time series in {root}: {error}") from error
        return opened

    def write(self, points: Sequence[Points]) -> None:
        """Write `points` as one segment for each stream and day."""
        if self._lock_file is None:
            raise TimeSeriesRefused(f"time series in {self._root} were opened for reading only")
        with self._writing:
            self._writes += 1
            try:
                publish(self._root, new_segments(points, self._writes))
            except (OSError, pl.exceptions.ComputeError) as error:
                raise TimeSeriesUnavailable(f"cannot write time series to {self._root}: {error}") from error

    def series(self, lift_id: str, stream: str, from_ns: int, to_ns: int, points: int) -> Series:
        """Return a sampled stream in at most `points` buckets, by the minute where the window is long or old."""
        if to_ns - from_ns < REDUCED_FROM_NS:
            rows = self.readings(lift_id, stream, from_ns, to_ns)
            if len(rows):
                return buckets.series(stream, from_ns, to_ns, points, rows)
        frame = self._attempt(lambda: self._by_minute(lift_id, stream, from_ns, to_ns))
        return buckets.series_of_reduced(stream, from_ns, to_ns, points, as_readings(frame), MINUTE_NS)

    def events(self, lift_id: str, stream: str, from_ns: int, to_ns: int, limit: int = EVENTS_LIMIT) -> Readings:
        """Return an event stream; the first row is the state at the beginning of the window, where that is known."""
        before = self._attempt(lambda: self._state_before(lift_id, stream, from_ns))
        rows = self._attempt(lambda: self._raw(lift_id, stream, from_ns, to_ns))
        return as_readings(pl.concat([before, rows])[:limit])

    def readings(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> Readings:
        """Return every raw row of a stream in the window."""
        return as_readings(self._attempt(lambda: self._raw(lift_id, stream, from_ns, to_ns)))

    def maintain(self, now_ns: int) -> None:
        """Delete expired segments, merge at most `MERGES_A_CALL` due ones, and delete those superseded earlier."""
        if self._lock_file is None or not self._maintaining.acquire(blocking=False):
            return
        try:
            self._maintain(now_ns)
        except (OSError, pl.exceptions.ComputeError) as error:
            raise TimeSeriesUnavailable(f"cannot merge time series in {self._root}: {error}") from error
        finally:
            self._maintaining.release()

    def expire(self, now_ns: int) -> None:
        """Delete the days that lie wholly beyond the retention."""
        if self._lock_file is None:
            return
        kept = self._retention_days
        for kind, retention_days in ((RAW, kept.longest_raw), (MINUTE, kept.minute)):
            for day in days(self._root, kind):
                if _is_over(day, retention_days, now_ns):
                    shutil.rmtree(folder(self._root, kind, day), ignore_errors=True)
                elif kind == RAW and _is_over(day, kept.raw, now_ns):
                    remove(each for each in list_segments(self._root, RAW, day) if each.stream not in KEPT_LONGER)

    def close(self) -> None:
        """Release the writer's lock."""
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _recover(self) -> None:
        """Delete the unfinished files of a killed writer and continue its numbering of writes."""
        for path in self._root.glob(f"*/*/*{TEMPORARY}"):
            path.unlink(missing_ok=True)
        names = (NAME.fullmatch(path.name) for path in self._root.glob("*/*/*.parquet"))
        self._writes = max((int(name[4]) for name in names if name), default=0)

    def _maintain(self, now_ns: int) -> None:
        hour = now_ns // HOUR_NS
        sweep, self._swept_hour = hour != self._swept_hour, hour
        self._merges_left = MERGES_A_CALL
        if sweep:  # first: a full disk has no room to merge, and expiry makes it
            self.expire(now_ns)
        for kind in (RAW, MINUTE):
            for day in days(self._root, kind):
                self._maintain_day(kind, day, sweep and day < day_of(now_ns), sweep)
        if self._merges_left == 0:
            self._swept_hour, self._listed = -1, {}

    def _maintain_day(self, kind: str, day: int, is_past: bool, is_asked: bool) -> None:
        """Merge due segments of one folder, unless nothing changed in the folder since it was last listed."""
        place = folder(self._root, kind, day)
        changed_ns = place.stat().st_mtime_ns
        before = self._superseded.pop(place, set())
        if self._listed.get(place) == changed_ns and not before and not is_asked:
            return
        self._listed[place] = changed_ns
        active, superseded = split_superseded(list_segments(self._root, kind, day))
        # A reader may have found these just before: they stay until the next call.
        remove(segment for segment in superseded if segment.path in before)
        if superseded:
            self._superseded[place] = {segment.path for segment in superseded}
        for group, level in due(active, is_past):
            if self._merges_left:
                self._merges_left -= 1
                merge(self._root, kind, group, level)

    def _raw(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> pl.DataFrame:
        segments = self._segments(RAW, stream, from_ns, to_ns)
        return deduplicated(stream, scan(segments, lift_id, from_ns, to_ns, raw_schema(stream)))

    def _by_minute(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> pl.DataFrame:
        """Return the 1-minute reduction, with the raw segments that are not in it yet reduced on the fly."""
        raw = self._segments(RAW, stream, from_ns, to_ns)
        reduced = self._segments(MINUTE, stream, from_ns, to_ns)
        ready = scan(reduced, lift_id, from_ns // MINUTE_NS * MINUTE_NS, to_ns, minute_schema(stream))
        waiting = not_covered(raw, reduced)
        rest = deduplicated(stream, scan(waiting, lift_id, from_ns, to_ns, raw_schema(stream)))
        added = minutes(stream, rest.with_columns(lift=pl.lit(lift_id))).select(ready.columns)
        return pl.concat([ready, added], how="vertical_relaxed")

    def _state_before(self, lift_id: str, stream: str, from_ns: int) -> pl.DataFrame:
        """Return one row with the last value of each channel before `from_ns`, or none; look back a day at a time."""
        columns = MEASUREMENTS[stream]
        found = pl.DataFrame(schema=raw_schema(stream))
        for day in range(day_of(from_ns - 1), day_of(from_ns - STATE_LOOK_BACK_NS) - 1, -1):
            end_ns = min(from_ns, (day + 1) * DAY_NS)
            found = pl.concat([self._raw(lift_id, stream, day * DAY_NS, end_ns), found])
            if len(found):
                found = found.select(pl.col("t").last(), *(pl.col(c).drop_nulls().last() for c in columns))
                if not any(found.row(0)[1 + i] is None for i in range(len(columns))):
                    break
        return found

    def _segments(self, kind: str, stream: str, from_ns: int, to_ns: int) -> list[Segment]:
        if to_ns <= from_ns:
            return []
        first, last = day_of(from_ns), day_of(to_ns - 1)
        overlapping = [day for day in days(self._root, kind) if first <= day <= last]
        return [
            segment
            for day in overlapping
            for segment in split_superseded(list_segments(self._root, kind, day, stream))[0]
        ]

    def _attempt(self, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return read()
            except (FileNotFoundError, pl.exceptions.ComputeError):
                continue
        try:
            return read()
        except (OSError, pl.exceptions.ComputeError) as error:
            raise TimeSeriesUnavailable(f"cannot read time series in {self._root}: {error}") from error


def _is_over(day: int, kept_days: int, now_ns: int) -> bool:
    return kept_days > 0 and (day + 1 + kept_days) * DAY_NS <= now_ns


def _locked(root: Path) -> int:
    descriptor = os.open(root / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise TimeSeriesRefused(
            f"another process writes the time series in {root}: stop it, or choose another folder"
        ) from error
    return descriptor
