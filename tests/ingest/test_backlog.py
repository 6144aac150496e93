"""A monitor that was away for long: a real Mosquitto with more than ten thousand messages in the monitor's session.

The monitor starts, journals and acknowledges from the first message, judges meanwhile, and logs how far it is.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from ingest.receiving.catching_up import CatchingUp
from ingest.receiving.source import Arrival
from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher
from registry.actor import Actor
from telemetry.streams import topic
from tests.broker import Broker, mosquitto
from tests.ingest.running import DISTRICT, Monitor, Voice, bundle, facts
from tests.loopback import PATIENCE_S, until

LIFTS, SECONDS, AWAY_S, FAST_S = 200, 60, 3600, 4
MANY = LIFTS * SECONDS
YEAR_S = 365 * 86_400
UNTUNED = "max_inflight_messages 20\n"
"""Mosquitto's default. Without `max_queued_messages 0` it would keep no more than 1 000 messages either."""


@pytest.fixture(params=["tuned, MQTT 5", "untuned, MQTT 5", "tuned, MQTT 3.1.1"])
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Broker, Monitor]]:
    """Give a monitor that has subscribed and gone, and its broker; a tuned one sends all at once in MQTT 3.1.1."""
    how, version = request.param.split(", MQTT ")
    (tmp_path / "broker").mkdir()
    broker = Broker(mosquitto(), tmp_path / "broker", UNTUNED if how == "untuned" else "")
    monitor = Monitor(tmp_path, broker.port)
    path = tmp_path / "liftwatch.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[monitor]", f"protocol = '{version}'\n[monitor]"))
    monitor.records.put_lifts([facts(f"L{k}") for k in range(LIFTS)], Actor.named("test"), 0)
    monitor.start().stop()
    yield broker, monitor
    monitor.stop()
    broker.stop()


def publish_backlog(port: int) -> None:
    """Publish a bundle a lift and second, an hour old; the first lift runs too fast in the first seconds."""
    publisher = Publisher(BrokerAddress(port=port))
    assert publisher.connect(PATIENCE_S) is None
    began_ms = time.time_ns() // 1_000_000 - AWAY_S * 1000
    for second in range(SECONDS):
        for lift in range(LIFTS):
            v_mps, z_m = (-2.3, 60.0 - 2.3 * second) if lift == 0 and second < FAST_S else (0.0, 3.0)
            body = bundle(second, v_mps, z_m) | {"t": began_ms + 1000 * second}
            publisher.publish(topic(DISTRICT, f"L{lift}", "bundle"), orjson.dumps(body))
    assert publisher.flush(PATIENCE_S)
    publisher.close()


@pytest.mark.long
def test_a_monitor_that_was_away_takes_its_backlog_and_judges_meanwhile(away: tuple[Broker, Monitor]) -> None:
    broker, monitor = away
    publish_backlog(broker.port)
    voice = Voice(broker.port)
    before = monitor.log.stat().st_size
    monitor.start()
    until(lambda: bool(voice.alerts), "the alert of a lift that was too fast while the monitor was away")
    until(lambda: monitor.counts().get("journalled", 0) >= MANY, "the whole backlog")
    until(lambda: monitor.counts().get("messages", 0) >= MANY, "judging of the whole backlog")
    until(lambda: monitor.counts().get("catching_up_seconds") == 0.0, "the end of catching up")
    assert monitor.counts()["journalled"] == MANY
    assert (voice.alerts[0]["lift_id"], voice.alerts[0]["rule"]) == ("L0", "overspeed")
    log = monitor.log.read_text(encoding="utf-8")[before:]
    assert log.count("receiving from") == 1
    assert "no answer" not in log
    assert re.search(r"catching up: arriving messages are (5\d|60) min old", log)
    assert "caught up after" in log
    voice.close()


def arrivals(late_s: float, lifts: int, *, retained: bool = False) -> list[Arrival]:
    now_ns = time.time_ns()
    payload = orjson.dumps(bundle(0, 0.0, 3.0) | {"t": (now_ns - int(late_s * 1e9)) // 1_000_000})
    return [Arrival(now_ns, topic(DISTRICT, f"L{k}", "bundle"), payload, retained, None) for k in range(lifts)]


def test_how_far_it_is_follows_the_lifts_and_not_the_backlog_of_one(caplog: pytest.LogCaptureFixture) -> None:
    progress = CatchingUp()
    with caplog.at_level(logging.INFO):
        progress.update(arrivals(3600, 1) + arrivals(1, 9)[1:], 0.0)
        assert progress.behind_s == 0.0
        for second in range(1, 40):
            progress.update(arrivals(3600 - 100 * second, 9), float(second))
        assert progress.behind_s == 0.0
    began, *going, ended = caplog.messages
    assert "58 min old" in began
    assert [message.split(", ", 1)[1] for message in going] == [
        "now 40 min behind, 24 s to go",
        "now 22 min behind, 13 s to go",
        "now 3 min behind, 2 s to go",
    ]
    assert ended == "caught up after 35 s and 324 messages"


def test_a_backlog_ends_with_its_last_message_and_retained_messages_are_none(caplog: pytest.LogCaptureFixture) -> None:
    progress = CatchingUp()
    progress.update(arrivals(3600, 9, retained=True), 0.0)
    assert progress.behind_s == 0.0
    progress.update(arrivals(3600, 9), 2.0)
    assert progress.behind_s > 3500
    progress.update([], 3.0)
    assert progress.behind_s > 3500
    with caplog.at_level(logging.INFO):
        progress.update([], 10.0)
    assert progress.behind_s == 0.0
    assert caplog.messages == ["caught up after 8 s and 9 messages"]


def test_a_monitor_that_loses_ground_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    progress = CatchingUp()
    with caplog.at_level(logging.INFO):
        for second in range(13):
            progress.update(arrivals(3600 + 10 * second, 9), float(second))
    assert caplog.messages[-1].endswith("behind, lifts send faster than they are taken, or send history")


def test_lifts_that_send_history_of_years_are_no_backlog_and_hide_none(caplog: pytest.LogCaptureFixture) -> None:
    history = [one._replace(topic=topic(DISTRICT, f"H{k}", "bundle")) for k, one in enumerate(arrivals(9 * YEAR_S, 9))]
    progress = CatchingUp()
    with caplog.at_level(logging.INFO):
        progress.update(history, 0.0)
        assert progress.behind_s == 0.0
        assert caplog.messages == []
        progress.update(history + arrivals(3600, 3), 2.0)
        assert 3500 < progress.behind_s < 3700
        progress.update(history, 4.0)
    assert progress.behind_s == 0.0
    assert caplog.messages[-1].startswith("caught up after 2 s")
