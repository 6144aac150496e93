"""A start of the monitor waits for nothing but its own data folder; each part waits for what it needs itself."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from ingest import retrying
from registry.actor import Actor
from store.journal import Journal
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable
from store.series import influx
from store.series.connect import open_timeseries
from store.series.files import FileSeries
from store.series.timeseries import TimeSeries
from telemetry.streams import topic
from tests.broker import Broker, mosquitto
from tests.ingest.running import DISTRICT, Monitor, Voice, bundle, facts
from tests.ingest.test_storing import SPAN_NS, append_bundles, storing_in
from tests.loopback import PATIENCE_S, free_port, until
from tests.store.broken_influx import WAYS, broken_influx


def test_a_monitor_starts_without_broker_records_and_time_series_and_judges_when_they_come(tmp_path: Path) -> None:
    broker = Broker(mosquitto(), tmp_path)
    broker.stop()
    obstacle = tmp_path / "later"
    obstacle.write_text("a file where the folder of the records will be", encoding="utf-8")
    with broken_influx("hangs") as url:
        more = f"[records]\nurl = 'sqlite:///{obstacle}/records.db'\n[timeseries]\nkind = 'influxdb'\nurl = '{url}'\n"
        monitor = Monitor(tmp_path, broker.port, more).start(receives=False)
        until(lambda: b"judging waits" in monitor.log.read_bytes(), "a monitor that waits for its records")
        until(lambda: "receiving waits for the broker" in monitor.readiness()[1], "the reason that it receives nothing")
        status, reasons = monitor.readiness()
        assert (status, "judging waits: The folder of sqlite:///" in reasons) == (503, True)
        broker.start()
        voice = Voice(broker.port)
        until(lambda: b"receiving from" in monitor.log.read_bytes(), "a monitor that receives")
        for second in range(4):
            voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
        obstacle.unlink()
        obstacle.mkdir()
        with Records.open(f"sqlite:///{obstacle}/records.db") as records:
            records.put_lifts([facts("L1")], Actor.named("test"), 0)
            until(lambda: bool(voice.alerts), "the alert of what came before the records")
        assert voice.alerts[0]["lift_id"] == "L1"
        voice.close()
        assert monitor.stop() == 0
        broker.stop()
    assert "storing waits: InfluxDB at" in monitor.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
def test_storing_waits_for_a_time_series_that_is_away_at_the_start(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "TIMEOUT_MS", 300)
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 0.01)
    is_back, tried = threading.Event(), threading.Event()
    with broken_influx(way) as url, Journal.open(tmp_path / "journal", 64 << 20) as journal:

        def open_series() -> TimeSeries:
            if is_back.is_set():
                return FileSeries.open(tmp_path / "series", raw_days=100_000)
            tried.set()
            return open_timeseries(url, token="t")

        store = storing_in(open_series, journal)
        append_bundles(journal, "L1")
        store.start()
        assert tried.wait(PATIENCE_S)
        until(lambda: store.outage.cause is not None, "a storing that waits")
        assert store.position == 0
        is_back.set()
        until(lambda: store.position == 1, "the reading in the store")
        assert store.outage.cause is None
        store.stop()
    with_readings = FileSeries.open(tmp_path / "series", writable=False)
    assert len(with_readings.readings("L1", "speed", *SPAN_NS)) == 10


def test_records_that_are_opened_at_first_use_are_used_once_they_are_there(tmp_path: Path) -> None:
    obstacle = tmp_path / "later"
    obstacle.write_text("no folder", encoding="utf-8")
    with Records.opened_at_first_use(f"sqlite:///{obstacle}/records.db") as records:
        for _ in range(2):
            with pytest.raises(RecordsUnavailable, match="cannot be made"):
                records.registry()
        obstacle.unlink()
        records.put_lifts([facts("L1")], Actor.named("test"), 0)
        assert records.lift("L1") is not None
    absent = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    with Records.opened_at_first_use(absent) as records, pytest.raises(RecordsUnavailable, match="the server runs"):
        records.registry()


def test_what_is_no_address_of_a_database_is_refused_at_once() -> None:
    with pytest.raises(RecordsUnavailable, match="no address"):
        Records.opened_at_first_use("not a url")


def test_an_outage_is_logged_once_a_minute_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    outage = Outage("storing waits", logging.getLogger("test"), lambda: now_s)
    with caplog.at_level(logging.INFO):
        for now_s in range(130):  # noqa: B007
            outage.failed("nobody there")
        outage.over()
        outage.over()
    assert [record.message for record in caplog.records] == [
        *["storing waits: nobody there"] * 3,
        "storing waits: over after 129 s",
    ]
