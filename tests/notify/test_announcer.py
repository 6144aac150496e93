"""Alerts on a real broker: published in order and once, and kept for it while it is away or refuses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher
from notify.announcer import ALERTS, FEEDS, HEALTH, INCIDENTS, Announcer, Feed
from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.repository import HealthRecord, Records
from tests.alerts.rules import DISTRICT, DOOR, LIFT, STOP, T0, occurrence
from tests.broker import Broker, mosquitto
from tests.loopback import until
from tests.mqtt.brokers import serve_until

pytestmark = pytest.mark.broker


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture
def broker_of_earlier_files(tmp_path: Path) -> Iterator[Broker]:
    """A broker whose files let the monitor publish alerts and incidents, and no health yet."""
    rights = "topic read #\ntopic write lift/v1/+/+/alert\ntopic write lift/v1/+/+/incident\n"
    (tmp_path / "acl").write_text(rights, encoding="utf-8")
    running = Broker(mosquitto(), tmp_path, f"acl_file {tmp_path}/acl\n")
    yield running
    running.stop()


@contextmanager
def announcing(records: Records, port: int, feed: Feed = ALERTS) -> Iterator[Announcer]:
    announcer = Announcer(records, BrokerAddress(port=port), feed.role, feed)
    announcer.start()
    try:
        yield announcer
    finally:
        announcer.stop()


@contextmanager
def subscribed(port: int) -> Iterator[Publisher]:
    subscriber = Publisher(BrokerAddress(port=port), topics=["lift/v1/+/+/alert"])
    serve_until(subscriber, lambda: subscriber.is_subscribed, "a subscription")
    yield subscriber
    subscriber.close()


def received(subscriber: Publisher, number: int) -> list[tuple[str, str]]:
    """Return rule and state of the next alerts, waiting for so many."""
    serve_until(subscriber, lambda: len(subscriber.received) >= number, "the alerts")
    alerts = [json.loads(payload) for _, payload in subscriber.received]
    return [(alert["rule"], alert["state"]) for alert in alerts]


def commit_alerts(records: Records) -> None:
    found = [occurrence(STOP, "on", 10), occurrence(DOOR, "on", 20), occurrence(STOP, "off", 30)]
    records.judge(position=1, occurrences=found, now_ns=T0)


def test_transitions_are_published_in_their_order_and_once(records: Records, broker: Broker) -> None:
    commit_alerts(records)
    with subscribed(broker.port) as subscriber:
        with announcing(records, broker.port) as announcer:
            alerts = received(subscriber, 3)
            until(lambda: announcer.counts[ALERTS.counter] == 3, "the cursor behind them")
        with announcing(records, broker.port):
            subscriber.serve(0.5)
        assert [rule for rule, _ in alerts] == [STOP.slug, DOOR.slug, STOP.slug]
        assert len(subscriber.received) == 3
    assert records.cursor(ALERTS.cursor) == records.last_transition()


def test_entries_of_incidents_are_published_on_the_topic_of_their_lift_in_order_and_once(
    records: Records, broker: Broker
) -> None:
    commit_alerts(records)
    subscriber = Publisher(BrokerAddress(port=broker.port), topics=["lift/v1/+/+/incident"])
    serve_until(subscriber, lambda: subscriber.is_subscribed, "a subscription")
    with announcing(records, broker.port, INCIDENTS) as announcer:
        serve_until(subscriber, lambda: len(subscriber.received) >= 2, "the entries")
        until(lambda: announcer.counts[INCIDENTS.counter] == 2, "the cursor behind them")
    with announcing(records, broker.port, INCIDENTS):
        subscriber.serve(0.5)
    bodies = [json.loads(payload) for _, payload in subscriber.received]
    assert [(body["severity"], body["kind"], body["state"]) for body in bodies] == [
        ("major", "out-of-order", "open")
    ] * 2
    assert {topic for topic, _ in subscriber.received} == {f"lift/v1/{DISTRICT}/{LIFT}/incident"}
    assert [len(body["lifts"]) for body in bodies] == [1, 1]
    subscriber.close()


def test_transitions_wait_for_a_broker_that_is_away(
    records: Records, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    commit_alerts(records)
    with announcing(records, broker.port) as announcer:
        until(lambda: "alerts wait to be announced: the broker" in caplog.text, "the warning")
        assert records.cursor(ALERTS.cursor) == 0
        broker.start()
        until(lambda: announcer.counts[ALERTS.counter] == 3, "the announcements")
    assert records.cursor(ALERTS.cursor) == records.last_transition()


def test_transitions_that_the_broker_refuses_are_not_taken_for_published(
    records: Records, refusing_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    commit_alerts(records)
    with announcing(records, refusing_broker.port) as announcer:
        until(lambda: "allow this user to write there" in caplog.text, "the warning")
        assert (records.cursor(ALERTS.cursor), announcer.counts[ALERTS.counter]) == (0, 0)


def test_the_newest_health_of_a_lift_is_published_once_and_retained(records: Records, broker: Broker) -> None:
    for score in (80, 75):
        document = json.dumps({"health": score})
        records.put_health([HealthRecord(LIFT, DISTRICT, T0, score, "yellow", document)])
    with announcing(records, broker.port, HEALTH) as announcer:
        until(lambda: announcer.counts[HEALTH.counter] == 1, "the newest of both")
    late = Publisher(BrokerAddress(port=broker.port), topics=["lift/v1/+/+/health"])
    serve_until(late, lambda: len(late.received) == 1, "the retained health")
    assert late.received[0] == (f"lift/v1/{DISTRICT}/{LIFT}/health", b'{"health": 75}')
    late.close()


def test_a_broker_that_refuses_health_delays_neither_alerts_nor_incidents(
    records: Records, broker_of_earlier_files: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    records.put_health([HealthRecord(LIFT, DISTRICT, T0, 80.0, "yellow", "{}")])
    with ExitStack() as running:
        port = broker_of_earlier_files.port
        alerts, incidents, health = (running.enter_context(announcing(records, port, feed)) for feed in FEEDS)
        until(lambda: "run `liftwatch devices write`" in (health.outage.cause or ""), "the refusal with the remedy")
        commit_alerts(records)
        until(lambda: (alerts.counts[ALERTS.counter], incidents.counts[INCIDENTS.counter]) == (3, 2), "the others")
        assert (alerts.outage.cause, incidents.outage.cause, health.counts[HEALTH.counter]) == (None, None, 0)
        assert caplog.text.count("health waits to be announced") == 1
        assert "alerts wait" not in caplog.text


def test_the_retained_health_of_a_deleted_lift_and_of_a_moved_one_at_its_old_topic_is_cleared_after_a_restart(
    records: Records, broker: Broker
) -> None:
    records.put_lifts([LiftFacts("gone", DISTRICT)], Actor.named("ann"), T0)
    before = HealthRecord(LIFT, DISTRICT, T0, 80.0, "yellow", "{}")
    records.put_health([before, replace(before, lift_id="gone")])
    with announcing(records, broker.port, HEALTH) as announcer:
        until(lambda: announcer.counts[HEALTH.counter] == 2, "the healths of both")
    records.delete_lift("gone", Actor.named("ann"), T0)
    records.put_health([replace(before, district="elsewhere")])
    with announcing(records, broker.port, HEALTH) as announcer:
        until(lambda: announcer.counts[HEALTH.counter] > 0, "what was published after the restart")
    late = Publisher(BrokerAddress(port=broker.port), topics=["lift/v1/#"])
    serve_until(late, lambda: late.is_subscribed, "a subscription")
    late.publish("lift/v1/after/all/retained", b"")
    serve_until(late, lambda: ("lift/v1/after/all/retained", b"") in late.received, "all that is retained")
    assert list(late.received)[:-1] == [(f"lift/v1/elsewhere/{LIFT}/health", b"{}")]
    late.close()
