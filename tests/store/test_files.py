"""The embedded store: segments are whole whenever the writer is killed, merged unnoticed by readers, and expired."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from store.series import compaction
from store.series.files import FileSeries
from store.series.segments import MINUTE, RAW, days, list_segments, split_superseded
from store.series.timeseries import HOUR_NS, MINUTE_NS, SECOND_NS, Points, TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.instant import DAY_NS
from tests.processes import start_process
from tests.store.worlds import START_NS, rows

PROJECT = Path(__file__).parents[2]
LATER_NS = START_NS + 400 * DAY_NS
DAY = START_NS // DAY_NS


@pytest.fixture(autouse=True)
def merging_is_due_after_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FAN_IN", 10)


def seconds(first: int, count: int = 1, lifts: int = 3) -> list[Points]:
    """Return whole seconds of speed, vibration and door for some lifts; the speed is the second."""
    t_s = first + np.repeat(np.arange(count), lifts)
    names = [f"L{i}" for i in range(lifts)]
    axes = {f"{f}_{a}": np.float32(first) for a in "xyz" for f in ("rms", "min", "max", "mean")}
    return [
        rows("speed", names, t_s, v=t_s),
        rows("vibration", names, t_s, **axes),
        rows("door", names, t_s, state=t_s % 4),
    ]


def active(root: Path, kind: str = RAW) -> list[str]:
    return [one.path.name for day in days(root, kind) for one in split_superseded(list_segments(root, kind, day))[0]]


def speeds(store: FileSeries, lift_id: str = "L1") -> list[float]:
    return store.readings(lift_id, "speed", START_NS - DAY_NS, LATER_NS).channels["v"].tolist()


def test_merging_keeps_every_row_and_leaves_few_files(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    for second in range(237):
        store.write(seconds(second))
        if second % 10 == 9:
            store.maintain(START_NS + second * SECOND_NS)
    assert speeds(store) == list(range(237))
    assert len(active(tmp_path)) <= 3 * (2 + 3 + 7)
    for _ in range(2):
        store.maintain(START_NS + 237 * SECOND_NS)
    on_disk = sum(1 for path in tmp_path.rglob("raw/*/*.parquet"))
    assert on_disk == len(active(tmp_path)), "what is superseded is gone by the call after next"
    assert len(store.events("L2", "door", START_NS, LATER_NS)) == 237


def test_a_day_that_is_past_becomes_one_file_a_stream(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    for second in range(37):
        store.write(seconds(second))
    for _ in range(6):
        store.maintain(START_NS + DAY_NS)
    for hour in range(2, 5):
        store.maintain(START_NS + DAY_NS + hour * HOUR_NS)
    assert len(active(tmp_path)) == 3
    assert len(active(tmp_path, MINUTE)) == 2
    assert speeds(store) == list(range(37))


def test_repeats_are_dropped_by_merging_too(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    for _ in range(10):
        store.write(seconds(0, 5))
    store.maintain(START_NS)
    assert [name.split(".")[-2] for name in active(tmp_path)] == ["15", "15", "15"]
    assert speeds(store) == [0, 1, 2, 3, 4]


def test_a_merge_beyond_the_limit_of_rows_is_split_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_LIMIT", 40)
    store = FileSeries.open(tmp_path)
    for second in range(0, 600, 5):
        store.write(seconds(second, 5))
        store.maintain(START_NS + second * SECOND_NS)
    for hour in range(1, 40):
        store.maintain(START_NS + DAY_NS + hour * HOUR_NS)
    assert speeds(store) == list(range(600))
    sizes = [int(name.split(".")[-2]) for name in active(tmp_path)]
    assert max(sizes) <= 40
    minutes = store.series("L1", "speed", START_NS, START_NS + DAY_NS, 2_000).channels["v"]
    assert np.nanmax(minutes.max) == 599
    assert minutes.mean[:2].tolist() == [29.5, 89.5]


def test_long_windows_use_the_minute_reduction_and_unreduced_rows(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    for second in range(250):
        store.write(seconds(second))
    for _ in range(20):
        store.maintain(START_NS)
    assert active(tmp_path, MINUTE)
    assert any(".0." in name for name in active(tmp_path))
    series = store.series("L1", "speed", START_NS, START_NS + 30 * DAY_NS, 43_200)
    assert series.bucket_ns == MINUTE_NS
    v = series.channels["v"]
    assert v.min[:6].tolist()[:5] == [0, 60, 120, 180, 240]
    assert v.max[:5].tolist() == [59, 119, 179, 239, 249]
    assert v.mean[:5].tolist() == [29.5, 89.5, 149.5, 209.5, 244.5]
    assert np.isnan(v.mean[5:]).all()


def test_raw_days_expire_before_their_minute_reduction(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path, raw_days=30, minute_days=730)
    for second in range(100):
        store.write(seconds(second))
    for _ in range(20):
        store.maintain(START_NS + HOUR_NS)
    store.expire(START_NS + 30 * DAY_NS)
    assert len(speeds(store)) == 100
    store.expire(START_NS + 31 * DAY_NS)
    assert speeds(store) == []
    series = store.series("L1", "speed", START_NS, START_NS + 2 * MINUTE_NS, 500)
    assert series.channels["v"].max.tolist() == [59, 99]
    store.maintain(START_NS + 731 * DAY_NS)
    assert list(tmp_path.rglob("*.parquet")) == []


def a_trip(t_ns: int, **fields: float) -> Points:
    columns = {name: np.array([value]) for name, value in fields.items()}
    return Points("trip", np.zeros(1, np.int32), ["L1"], ["d"], np.array([t_ns]), columns)


def test_trips_are_kept_longer_than_readings(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path, raw_days=30, trip_days=90)
    store.write([*seconds(0), a_trip(START_NS, distance_m=6.0)])
    store.expire(START_NS + 31 * DAY_NS)
    assert speeds(store) == []
    for kept_days, expected in ((31, [6.0]), (90, [6.0]), (91, [])):
        store.expire(START_NS + kept_days * DAY_NS)
        found = store.readings("L1", "trip", START_NS - DAY_NS, START_NS + DAY_NS)
        assert list(found.channels["distance_m"]) == expected


def test_a_segment_of_a_version_with_fewer_columns_is_read_and_merged(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path, raw_days=0)
    store.write([a_trip(START_NS, distance_m=6.0)])
    (path,) = tmp_path.rglob("trip*.parquet")
    pl.read_parquet(path).drop("load_class", "boundary_0_s").write_parquet(path)
    store.write([a_trip(START_NS + 1, distance_m=9.0, load_class=1.0)])
    for _ in range(2):
        found = store.readings("L1", "trip", START_NS, START_NS + DAY_NS)
        assert list(found.channels["distance_m"]) == [6.0, 9.0]
        assert np.array_equal(found.channels["load_class"], [np.nan, 1.0], equal_nan=True)
        store.maintain(START_NS + 2 * DAY_NS)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    with pytest.raises(TimeSeriesRefused, match="another process writes"):
        FileSeries.open(tmp_path)
    reader = FileSeries.open(tmp_path, writable=False)
    store.write(seconds(0))
    assert speeds(reader) == [0]
    with pytest.raises(TimeSeriesRefused, match="reading only"):
        reader.write(seconds(1))
    store.close()
    FileSeries.open(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_reported_as_unavailable(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    (tmp_path / "raw").write_text("in the way")
    with pytest.raises(TimeSeriesUnavailable, match="cannot write"):
        store.write(seconds(0))
    (tmp_path / "raw").unlink()
    store.write(seconds(0))
    assert speeds(store) == [0]


WRITE_UNTIL_KILLED = """
import sys
from pathlib import Path
from store.series import compaction
from store.series.files import FileSeries
from tests.store.test_files import seconds, START_NS, SECOND_NS
compaction.FAN_IN = 3
store = FileSeries.open(sys.argv[1])
second = int(sys.argv[2])
while True:
    store.write(seconds(second))
    print(second, flush=True)
    if second % 2:
        store.maintain(START_NS + second * SECOND_NS)
    second += 1
"""


def test_every_write_that_returned_is_there_after_the_writer_was_killed(tmp_path: Path) -> None:
    rng = random.Random(11)
    written = -1
    for _ in range(6):
        command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(tmp_path), str(written + 1)]
        writer = start_process(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        for _ in range(rng.randrange(1, 25)):
            written = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().splitlines(keepends=True)
        written = max([written, *(int(line) for line in rest if line.endswith("\n"))])
        writer.wait()
        writer.stdout.close()
        store = FileSeries.open(tmp_path)
        assert speeds(store)[: written + 1] == list(range(written + 1))
        assert len(speeds(store)) <= written + 2
        by_minute = store.series("L1", "speed", START_NS, START_NS + DAY_NS, 1_440).channels["v"]
        assert np.nanmax(by_minute.max) >= written
        store.close()


def test_a_reader_sees_every_row_while_segments_merge(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    reader = FileSeries.open(tmp_path, writable=False)
    written, stop, wrong = [0], threading.Event(), []

    def watch() -> None:
        while not stop.is_set():
            least = written[0]
            found = speeds(reader)
            if found[:least] != list(range(least)):
                wrong.append((least, found))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        for second in range(60):
            store.write(seconds(second))
            written[0] = second + 1
            store.maintain(START_NS + second * SECOND_NS)
    finally:
        stop.set()
        watcher.join()
    assert wrong == []


def test_rows_of_the_same_time_but_other_lifts_are_not_repeats(tmp_path: Path) -> None:
    store = FileSeries.open(tmp_path)
    for _ in range(10):
        store.write(seconds(0, 1, lifts=200))
    store.maintain(START_NS)
    assert [speeds(store, f"L{i}") for i in (0, 99, 199)] == [[0]] * 3
    assert DAY in days(tmp_path, RAW)
