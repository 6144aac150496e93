"""A monitor whose whole data folder is on a disk that fills and is freed: nothing ends, nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.actor import Actor
from store.recordings.files import RecordingNotWritten
from store.recordings.recording import Recording, RecordingWriter
from store.records.repository import AlertFilter, Records, RecordsUnavailable
from store.series.connect import open_timeseries
from store.series.files import FileSeries
from store.series.timeseries import TimeSeriesUnavailable
from telemetry.instant import DAY_NS
from telemetry.streams import topic
from telemetry.wire.decode import decode
from tests.broker import Broker
from tests.ingest.running import DISTRICT, T0_MS, Monitor, Voice, bundle, facts
from tests.loopback import until
from tests.small_disk import SmallDisk
from tests.store.messages import sample_entries
from tests.store.test_recordings import FACTS, header
from tests.store.worlds import START_NS, rows

FILLER = "x" * 20_000
KEEP_ALL = "[timeseries]\nraw_days = 100000\n"


def test_a_monitor_waits_while_its_disk_is_full_also_over_a_restart_and_loses_nothing(
    tmp_path: Path, broker: Broker, small_disk: SmallDisk
) -> None:
    monitor = Monitor(small_disk.folder, broker.port, KEEP_ALL)
    monitor.log = tmp_path / "monitor.log"
    monitor.records.put_lifts([facts("L1"), facts("L2")], Actor.named("test"), 0)
    monitor.start()
    voice, published = Voice(broker.port), 0

    def publish() -> None:
        nonlocal published
        voice.publish(topic(DISTRICT, "L2", "bundle"), bundle(published, 0.0, 3.0) | {"unknown": FILLER})
        published += 1

    publish()
    until(lambda: monitor.counts().get("stored_rows", 0) >= 10, "a reading in the store")
    small_disk.fill()

    def is_full() -> bool:
        publish()
        return "nothing is acknowledged: the journal" in monitor.readiness()[1]

    until(is_full, "a monitor that reports a full disk")
    for second in range(4):
        voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
    monitor.kill()
    monitor.start()
    until(lambda: "nothing is acknowledged: the journal" in monitor.readiness()[1], "the same after a restart")
    small_disk.free()
    until(lambda: bool(voice.alerts), "the alert of what came while the disk was full")
    until(lambda: monitor.readiness() == (200, ""), "a monitor that is ready")
    assert [alert["lift_id"] for alert in voice.alerts] == ["L1"]
    assert len(monitor.records.alerts(AlertFilter(), limit=10).items) == 1
    series = open_timeseries(small_disk.folder / "series", writable=False)
    span = (T0_MS * 1_000_000, (T0_MS + 1000 * published) * 1_000_000)
    until(lambda: len(series.readings("L2", "speed", *span)) == 10 * published, "every reading in the store")
    voice.close()
    assert monitor.stop() == 0
    monitor.records.close()


def test_a_full_disk_refuses_readings_until_there_is_room(small_disk: SmallDisk) -> None:
    series = FileSeries.open(small_disk.folder / "series", raw_days=100_000)
    small_disk.fill()
    for _ in range(3):
        with pytest.raises(TimeSeriesUnavailable, match="No space left"):
            series.write([rows("speed", "L1", range(5_000), v=range(5_000))])
    small_disk.free()
    series.write([rows("speed", "L1", range(5_000), v=range(5_000))])
    assert len(series.readings("L1", "speed", START_NS, START_NS + DAY_NS)) == 5_000
    series.close()


def test_a_full_disk_is_freed_by_what_has_expired(small_disk: SmallDisk) -> None:
    """Merging needs room, expiry makes it: expiry comes first."""
    series = FileSeries.open(small_disk.folder / "series", raw_days=1, minute_days=1)
    for part in range(12):
        series.write([rows("speed", "L1", range(50_000), v=[float(part)] * 50_000)])
    series.write([rows("speed", "L1", range(100), start_ns=START_NS + 3 * DAY_NS, v=range(100))])
    small_disk.fill()
    series.maintain(START_NS + 4 * DAY_NS)
    assert len(series.readings("L1", "speed", START_NS, START_NS + DAY_NS)) == 0
    assert len(series.readings("L1", "speed", START_NS + 3 * DAY_NS, START_NS + 4 * DAY_NS)) == 100
    series.close()


def test_a_recording_on_a_full_disk_is_whole_once_there_is_room(small_disk: SmallDisk) -> None:
    folder = small_disk.folder / "taken"
    with RecordingWriter(folder, header(), FACTS) as writer:
        writer.add(decode(sample_entries()))
        small_disk.fill()
        for _ in range(2):
            with pytest.raises(RecordingNotWritten, match="make room"):
                writer.flush()
        small_disk.free()
        writer.flush()
        writer.close()
    recording = Recording(folder)
    assert recording.header.complete
    assert sum(len(group.messages.seq) for group in recording.groups()) == recording.header.messages > 0


def test_records_on_a_full_disk_wait_and_go_on(small_disk: SmallDisk) -> None:
    with Records.opened_at_first_use(f"sqlite:///{small_disk.folder}/records.db") as records:
        small_disk.fill()
        with pytest.raises(RecordsUnavailable, match=r"is full|disk I/O|unable to open"):
            records.put_lifts([facts("L1")], Actor.named("test"), 0)
        small_disk.free()
        records.put_lifts([facts("L1")], Actor.named("test"), 0)
        assert records.lift("L1") is not None
