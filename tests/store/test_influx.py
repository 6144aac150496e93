"""A real InfluxDB 2: what is made at first start, the minute's reduction, and the messages of its errors."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from influxdb_client import InfluxDBClient

from store.series import flux
from store.series.connect import open_timeseries
from store.series.influx import InfluxSeries
from store.series.timeseries import (
    HOUR_NS,
    MEASUREMENTS,
    MINUTE_NS,
    SECOND_NS,
    TimeSeriesRefused,
    TimeSeriesUnavailable,
)
from telemetry.instant import DAY_NS
from tests.loopback import PATIENCE_S, free_port, until
from tests.processes import start_process
from tests.store.influxd import Influx, ready
from tests.store.stored_streams import STREAMS, of_every_stream
from tests.store.worlds import START_NS, rows

pytestmark = pytest.mark.influx


@pytest.fixture
def store(influx: Influx) -> Iterator[InfluxSeries]:
    opened = InfluxSeries.open(influx.url, influx.token, influx.org, raw_days=0, minute_days=0)
    yield opened
    opened.close()


def reduce_what_is_late(store: InfluxSeries) -> None:
    for _ in range(200):
        store.maintain(START_NS + 400 * DAY_NS)


def test_opening_creates_buckets_and_task_once_and_restores_their_settings(influx: Influx) -> None:
    for raw_days in (30, 30, 10):
        open_timeseries(influx.url, token=influx.token, org=influx.org, raw_days=raw_days).close()
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        kept = {
            bucket.name: bucket.retention_rules[0].every_seconds
            for bucket in client.buckets_api().find_buckets(org=influx.org).buckets
            if bucket.type == "user"
        }
        tasks = client.tasks_api().find_tasks(org=influx.org)
    assert kept == {"lifts": 10 * 86_400, "lifts_1m": 730 * 86_400}
    assert [(task.name, task.status) for task in tasks] == [(flux.TASK_NAME, "active")]


def test_the_task_runs_and_writes_least_greatest_and_mean_of_whole_minutes(influx: Influx) -> None:
    store = InfluxSeries.open(influx.url, influx.token, influx.org)
    minute_ns = time.time_ns() // MINUTE_NS * MINUTE_NS - 3 * MINUTE_NS
    store.write([rows("speed", "L1", range(60), start_ns=minute_ns, v=range(60))])
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        api = client.tasks_api()
        api.run_manually(api.find_tasks(org=influx.org)[0].id)
    names = ["v_min", "v_max", "v_mean"]
    query = flux.rows(flux.MINUTE_BUCKET, "speed", "L1", names, minute_ns - HOUR_NS, minute_ns + HOUR_NS)
    until(lambda: len(store._query(query)) == 3, "what the task writes")
    found = store._query(query)
    assert dict(zip(found["field"], found["value"].cast(float), strict=True)) == {
        "v_min": 0,
        "v_max": 59,
        "v_mean": 29.5,
    }
    assert found["t"].unique().to_list() == [minute_ns]
    store.close()


def test_long_windows_read_the_minutes_and_the_raw_rows_after_them(store: InfluxSeries) -> None:
    store.write([rows("speed", "L1", range(0, 7_200, 10), v=np.arange(720))])
    reduce_what_is_late(store)
    later = range(7_200, 7_300, 10)
    store.write([rows("speed", "L1", later, v=1_000)])
    series = store.series("L1", "speed", START_NS, START_NS + 7 * HOUR_NS, 420)
    v = series.channels["v"]
    assert series.bucket_ns == MINUTE_NS
    assert v.max[:3].tolist() == [5, 11, 17]
    assert v.min[:3].tolist() == [0, 6, 12]
    assert v.mean[119:122].tolist() == [716.5, 1_000, 1_000]
    assert np.isnan(v.mean[122:]).all()
    coarse = store.series("L1", "speed", START_NS - DAY_NS, START_NS + DAY_NS, 10).channels["v"]
    assert (np.nanmin(coarse.min), np.nanmax(coarse.max)) == (0, 1_000)


def test_vibration_is_reduced_by_its_own_extremes_over_months(store: InfluxSeries) -> None:
    axes = {
        f"{f}_{a}": [v, v * 2] for a in "xyz" for f, v in (("rms", 0.5), ("min", -2.0), ("max", 3.0), ("mean", 0.25))
    }
    store.write([rows("vibration", "L1", [0, 1], **axes)])
    reduce_what_is_late(store)
    channel = store.series("L1", "vibration", START_NS - 40 * DAY_NS, START_NS + 40 * DAY_NS, 4).channels["z"]
    assert (np.nanmin(channel.min), np.nanmax(channel.max), np.nanmax(channel.mean)) == (-4, 6, 0.375)


@pytest.mark.parametrize(
    "name", ['x" or true //', "x\\", "${r.lift}", "x\n|> yield()", '")', "\x00", "升降机", "\\x22"]
)
def test_an_injection_in_a_name_is_escaped(store: InfluxSeries, name: str) -> None:
    store.write([rows("speed", ["innocent", name], [0, 1], v=[1, 2])])
    stored = name.replace("\\", "_").replace("\n", "_").replace("\x00", "_")
    found = store.readings(stored, "speed", START_NS, START_NS + HOUR_NS)
    assert found.channels["v"].tolist() == [2]
    if stored != name:
        assert len(store.readings(name, "speed", START_NS, START_NS + HOUR_NS)) == 0
    assert len(store.readings("innocent", "speed", START_NS, START_NS + HOUR_NS)) == 1


def test_a_wrong_token_is_refused_with_a_remedy(influx: Influx) -> None:
    with pytest.raises(TimeSeriesRefused, match=r"401.*token is missing or wrong"):
        open_timeseries(influx.url, token="wrong", org=influx.org)
    reader = open_timeseries(influx.url, token="wrong", org=influx.org, writable=False)
    with pytest.raises(TimeSeriesRefused, match="token"):
        reader.readings("L1", "speed", START_NS, START_NS + 1)


def test_rows_wait_for_a_revoked_token(influx: Influx) -> None:
    writer = open_timeseries(influx.url, token="revoked", org=influx.org, writable=False)
    with pytest.raises(TimeSeriesUnavailable, match="token"):
        writer.write([rows("speed", "L1", [0], v=[1])])


def test_a_missing_organisation_is_named(influx: Influx) -> None:
    with pytest.raises(TimeSeriesRefused, match="organisation 'nowhere'"):
        open_timeseries(influx.url, token=influx.token, org="nowhere")


def test_points_older_than_the_retention_are_refused_and_the_others_are_written(influx: Influx) -> None:
    store = InfluxSeries.open(influx.url, influx.token, influx.org, raw_days=30)
    now_ns = time.time_ns()
    with pytest.raises(TimeSeriesRefused, match="retention"):
        store.write([rows("speed", "L1", [0], v=[1]), rows("speed", "L1", [0], start_ns=now_ns, v=[2])])
    assert store.readings("L1", "speed", now_ns - DAY_NS, now_ns + 1).channels["v"].tolist() == [2]
    store.close()


def test_an_unreachable_server_is_reported_by_name() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TimeSeriesUnavailable, match=f"InfluxDB at {url} does not answer"):
        open_timeseries(url, token="t")


@pytest.mark.victoria
def test_victoria_metrics_takes_our_writes(tmp_path: Path) -> None:
    program = shutil.which("victoria-metrics")
    if program is None:
        pytest.skip("needs victoria-metrics on PATH (Debian package victoria-metrics)")
    url = f"http://127.0.0.1:{free_port()}"
    options = [
        f"-storageDataPath={tmp_path}",
        f"-httpListenAddr={url[7:]}",
        "-retentionPeriod=100y",
        "-loggerLevel=ERROR",
    ]
    server = start_process([program, *options])
    try:
        until(lambda: ready(f"{url}/health"), "victoria-metrics")
        store = InfluxSeries.open(url, "", "any", writable=False)
        store.write([rows("speed", ["L1", "L 2"], [0, 1, 2, 3], v=[1.5, 2, -3, 1e-9]), *of_every_stream()])
        store.close()
        metrics = {f"{name}_{field}" for name in STREAMS for field in MEASUREMENTS[name]}
        window = {"start": START_NS // SECOND_NS - 1, "end": START_NS // SECOND_NS + 10}

        def exported() -> list[str]:
            query = {"match[]": '{lift!=""}', **window}
            return httpx.get(f"{url}/api/v1/export", params=query, trust_env=False, timeout=60).text.splitlines()

        httpx.get(f"{url}/internal/force_flush", trust_env=False, timeout=60)
        until(lambda: len(exported()) == 2 + len(metrics), "what was written")
        found = {tuple(row["metric"].values()): row for row in map(json.loads, exported())}
        assert {metric for metric, district, _ in found if district == "south"} == metrics
        assert found["speed_v", "north", "L1"]["values"] == [1.5, -3]
        assert found["speed_v", "north", "L 2"]["values"] == [2, 1e-9]
        assert found["speed_v", "north", "L 2"]["timestamps"] == [(START_NS + s * SECOND_NS) // 10**6 for s in (1, 3)]
        assert found["door_state", "south", "L1"]["values"] == [1, 2]
        assert found["door_state", "south", "L1"]["timestamps"] == [START_NS // 10**6, START_NS // 10**6 + 250]
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
