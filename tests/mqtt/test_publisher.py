"""Every message reaches the broker, in order, whatever happens to the connection; refusals are logged."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from mqtt import publisher as module
from mqtt.client import BrokerAddress
from mqtt.publisher import NotPublished, Publisher, publish_once
from tests.broker import Broker
from tests.loopback import PATIENCE_S, free_port
from tests.mqtt.brokers import ACCEPTED, MQTT5, listener, scripted_broker, serve_until

pytestmark = pytest.mark.broker

TOPIC = "lift/v1/anji/L1/bundle"
PUBACK_1 = b"\x40\x02\x00\x01"


class Subscriber(Publisher):
    """A client that only receives."""

    def __init__(self, port: int) -> None:
        super().__init__(BrokerAddress(port=port), topics=["lift/v1/#"])
        serve_until(self, lambda: self.is_subscribed, "a subscription")

    def take(self, number: int) -> list[bytes]:
        """Return the payloads of the next messages, waiting for so many."""
        serve_until(self, lambda: len(self.received) >= number, "the messages")
        taken = [payload for _, payload in self.received]
        self.received.clear()
        return taken


def test_what_was_in_flight_when_the_connection_broke_is_sent_again_in_order() -> None:
    """The broker closes its first connection without an answer, and acknowledges the first message of the second."""
    payloads = [b"the first", b"the second", b"the third"]
    streams: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(ACCEPTED[MQTT5])
            streams.append(b"")
            while payloads[-1] not in streams[-1]:
                streams[-1] += connection.recv(4096)
                if len(streams) == 2 and payloads[1] not in streams[1]:
                    assert payloads[-1] not in streams[1], "one message alone until the broker has answered it"
                    connection.sendall(PUBACK_1)

    with listener(serve) as port:
        publisher = Publisher(BrokerAddress(port=port))
        assert publisher.connect(PATIENCE_S) is None
        for payload in payloads:
            publisher.publish(TOPIC, payload)
        serve_until(publisher, lambda: len(streams) == 2 and payloads[-1] in streams[1], "all of it once more")
        publisher.close()
    places = [streams[1].index(payload) for payload in payloads]
    assert places == sorted(places)


def test_messages_wait_for_a_broker_that_was_stopped(broker: Broker) -> None:
    publisher = Publisher(BrokerAddress(port=broker.port))
    assert publisher.connect(PATIENCE_S) is None
    broker.stop()
    for k in range(3):
        publisher.publish(TOPIC, b"%d" % k)
    assert not publisher.flush(20.0)
    broker.start()
    subscriber = Subscriber(broker.port)
    assert publisher.connect(PATIENCE_S) is None
    assert publisher.flush(PATIENCE_S)
    assert subscriber.take(3) == [b"0", b"1", b"2"]
    publisher.close()
    subscriber.close()


def test_the_oldest_messages_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> None:
    monkeypatch.setattr(module, "KEPT_LIMIT", 2)
    publisher, subscriber = Publisher(BrokerAddress(port=broker.port)), Subscriber(broker.port)
    for k in range(5):
        publisher.publish(TOPIC, b"%d" % k)
    assert publisher.dropped == 3
    assert publisher.flush(PATIENCE_S)
    assert subscriber.take(2) == [b"3", b"4"]
    publisher.close()
    subscriber.close()


def test_a_message_that_the_broker_refuses_is_an_error_that_names_the_topic(refusing_broker: Broker) -> None:
    address = BrokerAddress(port=refusing_broker.port)
    publish_once(address, "sim/v1/L1/fault", b"{}")
    with pytest.raises(
        NotPublished, match=rf"refuses messages on {TOPIC} \(Not authorized\); allow this user to write"
    ):
        publish_once(address, TOPIC, b"{}")


def test_many_messages_that_the_broker_refuses_are_named_and_are_no_eviction(
    refusing_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Mosquitto closes the connection after each refusal, and its answer to the first of many may be lost."""
    for _ in range(3):
        publisher = Publisher(BrokerAddress(port=refusing_broker.port), "many")
        for k in range(300):
            publisher.publish(TOPIC, b"%d" % k)
        serve_until(publisher, lambda: publisher.connections > 3, "three closed connections")  # noqa: B023
        assert publisher.refused
        assert not publisher.is_contested
        publisher.close()
    assert f"refuses messages on {TOPIC}" in caplog.text
    assert "client id" not in caplog.text


def test_one_message_is_not_waited_for_longer_than_asked() -> None:
    with scripted_broker(lambda _: b"") as (port, _), pytest.raises(NotPublished, match="no answer"):
        publish_once(BrokerAddress(port=port), TOPIC, b"{}", within_s=0.5)
    begun = time.monotonic()
    with pytest.raises(NotPublished, match="connection refused"):
        publish_once(BrokerAddress(port=free_port()), TOPIC, b"{}")
    assert time.monotonic() - begun < module.PUBLISH_LIMIT_S


def test_waiting_ends_with_the_event(broker: Broker) -> None:
    publisher, ended = Publisher(BrokerAddress(port=broker.port)), threading.Event()
    threading.Timer(0.3, ended.set).start()
    begun = time.monotonic()
    publisher.wait(60.0, ended)
    assert time.monotonic() - begun < 20.0
    publisher.close()
