"""The monitor on a real broker: what comes in is judged, remembered and announced, whatever is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.answers import Answer
from registry.actor import Actor
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import AlertFilter
from store.series.connect import open_timeseries
from store.series.timeseries import TimeSeriesRefused
from telemetry.streams import topic
from tests.broker import Broker, mosquitto
from tests.forked import Liftwatch, printed
from tests.ingest.running import DISTRICT, RATED_MPS, T0_MS, Monitor, Voice, bundle, facts
from tests.loopback import accepts, free_port, until
from tests.store.influxd import Influx

LIFTS, SECONDS = 8, 40


@pytest.fixture
def monitor(tmp_path: Path, broker: Broker) -> Iterator[Monitor]:
    made = Monitor(tmp_path, broker.port)
    made.records.put_lifts([facts("L1"), facts("L2")], Actor.named("test"), 0)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def voice(broker: Broker) -> Iterator[Voice]:
    client = Voice(broker.port)
    yield client
    client.close()


def received(monitor: Monitor, messages: int) -> bool:
    return monitor.counts().get("messages", 0) >= messages


def run_of(lift: int, second: int) -> tuple[float, float]:
    """Return speed and place of a lift that runs up too fast for some seconds, a different number for each lift."""
    too_fast = 5 <= second < 8 + lift
    return (1.2 * RATED_MPS if too_fast else 0.0), 3.0


def test_a_second_monitor_on_the_same_journal_is_refused_and_the_first_goes_on(monitor: Monitor, voice: Voice) -> None:
    code, output = printed(["--config", monitor.folder / "liftwatch.toml", "monitor"], monitor.folder)
    assert code == 2
    (complaint,) = [line for line in output.splitlines() if line.startswith("liftwatch: ")]
    assert "is another monitor's" in complaint
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(0, 0.0, 3.0))
    until(lambda: received(monitor, 1), "a monitor that still receives")


def test_a_bundle_becomes_an_alert_that_is_stored_and_announced(monitor: Monitor, voice: Voice) -> None:
    for second in range(4):
        voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
    until(lambda: bool(voice.alerts), "an announced alert")
    announced = voice.alerts[0]
    assert (announced["lift_id"], announced["rule"], announced["severity"], announced["state"]) == (
        "L1",
        "overspeed",
        "critical",
        "firing",
    )
    assert announced["onset"].startswith("2018-01-01T00:00:00")
    stored = monitor.records.alerts(AlertFilter(), limit=10).items
    assert [alert.id for alert in stored] == [announced["id"]]


def test_readings_are_in_the_store(monitor: Monitor, voice: Voice) -> None:
    now_ms = int(time.time() * 1000) - 10_000
    body = bundle(0, 1.0, 3.0) | {"t": now_ms}
    voice.publish(topic(DISTRICT, "L1", "bundle"), body)
    series = open_timeseries(monitor.folder / "series", writable=False)
    span = (now_ms * 1_000_000, (now_ms + 5_000) * 1_000_000)
    until(lambda: len(series.readings("L1", "speed", *span)) == 10, "ten speeds in the store")
    series.close()


def test_what_is_refused_is_counted_and_kept_and_stops_nothing(monitor: Monitor, voice: Voice) -> None:
    voice.publish(topic(DISTRICT, "L1", "bundle"), b"{")
    voice.publish(topic(DISTRICT, "L1", "speed"), {"seq": 1, "t": T0_MS, "dt": 100, "v": [1.0, "fast"]})
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(3, 0.0, 3.0))
    until(lambda: received(monitor, 3) and monitor.counts().get("bundles") == 1, "the good one")
    kept = monitor.records.dead_letters().items
    assert len(kept) == 2
    assert all(letter.detail for letter in kept)


def test_every_wrong_topic_that_begins_as_a_lifts_does_is_refused(monitor: Monitor, voice: Voice) -> None:
    wrong = (
        "Anji/L1/bundle",
        "anji/L1/Speed",
        "anji/L1/bundle/",
        "anji/L1/bundle ",
        "anji/bundle",
        "anji//bundle",
        "x",
    )
    for levels in wrong:
        voice.publish(f"lift/v1/{levels}", bundle(1, 0.0, 3.0))
    until(lambda: len(monitor.records.dead_letters().items) == len(wrong), "a dead letter of each")
    assert {letter.topic for letter in monitor.records.dead_letters().items} == {f"lift/v1/{each}" for each in wrong}


def test_what_the_monitor_announces_is_no_refusal(monitor: Monitor, voice: Voice) -> None:
    for announced in ("alert", "incident", "health"):
        voice.publish(topic(DISTRICT, "L1", announced), {"lift_id": "L1", "district": DISTRICT})
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(1, 0.0, 3.0))
    until(lambda: received(monitor, 1), "the bundle")
    assert (monitor.counts()["journalled"], monitor.records.dead_letters().items) == (1, [])


def test_a_stranger_is_listed_and_judged_by_what_needs_no_facts(monitor: Monitor, voice: Voice) -> None:
    voice.publish(topic("huzhou", "stranger", "bundle"), bundle(0, 0.0, 3.0))
    until(lambda: monitor.records.lift("stranger") is not None, "a listed stranger")
    listed = monitor.records.lift("stranger")
    assert listed is not None
    assert (listed.registered, listed.facts.district) == (False, "huzhou")


def test_strangers_are_bounded(monitor: Monitor, voice: Voice) -> None:
    for first in range(0, UNREGISTERED_LIMIT + 40, 20):
        lifts = {f"S{k:04}": bundle(0, 0.0, 3.0) for k in range(first, first + 20)}
        voice.publish(topic("x", "gw", "gateway"), {"lifts": lifts})
    until(lambda: monitor.counts().get("refused:unregistered", 0) == 40, "forty refused strangers")
    _, listed = monitor.records.registry()
    assert sum(not entry.registered for entry in listed) == UNREGISTERED_LIMIT


def test_another_district_on_the_topic_is_counted_and_the_registrys_stands(monitor: Monitor, voice: Voice) -> None:
    for second in range(4):
        voice.publish(topic("elsewhere", "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
    until(lambda: bool(voice.alerts), "an alert")
    assert voice.alerts[0]["district"] == DISTRICT
    until(lambda: monitor.counts().get("district_differs") == 4, "four counted differences")


def test_messages_arrive_again_after_the_broker_was_away(monitor: Monitor, voice: Voice, broker: Broker) -> None:
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(0, 0.0, 3.0))
    until(lambda: received(monitor, 1), "the first message")
    broker.stop()
    broker.start()
    again = Voice(broker.port)
    until(lambda: monitor.log.read_bytes().count(b"receiving from") == 2, "a second subscription")
    again.publish(topic(DISTRICT, "L1", "bundle"), bundle(1, 0.0, 3.0))
    until(lambda: received(monitor, 2), "the second message")
    again.close()


def test_the_backlog_of_one_lift_does_not_hold_up_the_others(monitor: Monitor, voice: Voice) -> None:
    """All of it waits for a monitor that is stopped; the long lift runs too fast at the end of its 20 000 readings."""
    rows, last = 200, 99
    os.kill(monitor.pid, signal.SIGSTOP)
    for part in range(last + 1):
        speeds = [0.0] * (rows - 4) + [2.3 * (part == last)] * 4
        long = {"seq": part, "t": T0_MS + 1000 * rows * part, "speed": {"dt": 1000, "v": speeds}}
        voice.publish(topic(DISTRICT, "L2", "bundle"), long)
    for second in range(4):
        voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
    os.kill(monitor.pid, signal.SIGCONT)
    until(lambda: monitor.counts().get("rows", 0) >= 20_040, "the whole backlog")
    until(lambda: {alert["lift_id"] for alert in voice.alerts} == {"L1", "L2"}, "an alert of each")
    assert voice.alerts[0]["lift_id"] == "L1", "the backlog was judged first"


def test_a_rule_fires_anew_after_a_person_resolved_its_alert(monitor: Monitor, voice: Voice) -> None:
    for second in range(4):
        voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 100.0 - 2.3 * second))
    until(lambda: bool(voice.alerts), "an alert")
    monitor.records.answer(voice.alerts[0]["id"], Answer("resolve", Actor.named("test")), 1)
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(200, -2.3, 50.0))  # at once, and for a second only
    voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(201, 0.0, 47.7))
    until(lambda: len(voice.alerts) == 3, "a second alert")
    assert voice.alerts[-1]["id"] != voice.alerts[0]["id"]
    assert [alert["state"] for alert in voice.alerts] == ["firing", "closed", "firing"]


def history(monitor: Monitor) -> list[tuple[str, str, str]]:
    """Return everything that was ever decided, without the wall clock."""
    found = monitor.records.transitions_since(0, 10_000)
    return sorted((one.lift_id, one.alert_id, one.kind) for one in found)


def test_a_monitor_on_a_real_influxdb_keeps_readings_there(tmp_path: Path, broker: Broker, influx: Influx) -> None:
    (tmp_path / "token").write_text(influx.token, encoding="utf-8")
    where = f"[timeseries]\nkind = 'influxdb'\nurl = '{influx.url}'\norg = '{influx.org}'\n"
    monitor = Monitor(tmp_path, broker.port, where + f"token_file = '{tmp_path}/token'\n").start()
    client = Voice(broker.port)
    now_ms = int(time.time() * 1000) - 10_000
    client.publish(topic(DISTRICT, "L1", "bundle"), bundle(0, 1.0, 3.0) | {"t": now_ms})
    series = open_timeseries(influx.url, token=influx.token, org=influx.org, writable=False)
    span = (now_ms * 1_000_000, (now_ms + 5_000) * 1_000_000)

    def stored() -> bool:
        try:
            return len(series.readings("L1", "displacement", *span)) == 10
        except TimeSeriesRefused:  # the monitor makes the buckets after its start
            return False

    until(stored, "ten positions in InfluxDB")
    client.close()
    assert monitor.stop() == 0


def test_a_broker_with_mqtt_3_1_1_alone_is_enough(tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "broker.log").open("wb") as out:
        small = Liftwatch(["broker", "--port", str(port)], out)
    try:
        until(lambda: accepts(port), "the broker written in Python")
        monitor = Monitor(tmp_path, port).start()
        client = Voice(port)
        for second in range(4):
            client.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
        until(lambda: received(monitor, 4), "four messages")
        client.close()
        assert monitor.stop() == 0
    finally:
        small.kill()
        small.wait()


@pytest.mark.long
def test_a_monitor_killed_at_any_moment_loses_no_alert_and_raises_none_twice(tmp_path: Path) -> None:
    seed = 20011
    calm = lived(tmp_path / "calm", set())
    assert len({alert for _, alert, _ in calm}) >= LIFTS, "the calm run raised too little to compare"
    killed = lived(tmp_path / "killed", set(random.Random(seed).sample(range(2, SECONDS), 5)))
    assert killed == calm, f"seed {seed}"


def lived(folder: Path, kills: set[int]) -> list[tuple[str, str, str]]:
    """Return what a monitor decided that was killed in those seconds of a small fleet's life."""
    folder.mkdir()
    broker = Broker(mosquitto(), folder)
    voice, monitor = Voice(broker.port), Monitor(folder, broker.port)
    monitor.records.put_lifts(
        [facts(name) for name in ("END", *(f"L{k}" for k in range(LIFTS)))], Actor.named("test"), 0
    )
    monitor.start()
    for second in range(SECONDS):
        for lift in range(LIFTS):
            voice.publish(topic(DISTRICT, f"L{lift}", "bundle"), bundle(second, *run_of(lift, second)))
        if second in kills:
            monitor.kill()
            monitor.start()
    for second in range(4):  # an alert after all others
        voice.publish(topic(DISTRICT, "END", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
    until(lambda: any(lift == "END" for lift, _, _ in history(monitor)), "the end")
    decided = history(monitor)
    until(lambda: len({(one["id"], one["state"]) for one in voice.alerts}) == len(decided), "every announcement")
    assert monitor.stop() == 0
    voice.close()
    broker.stop()
    return decided
