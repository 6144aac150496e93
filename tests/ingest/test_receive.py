"""Receiving from a real broker, and from one that knows no MQTT 5: what is kept, and what is left behind."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTProtocolVersion

import liftwatch
from ingest.receiving.source import FORMER_TOPICS, MqttSource
from mqtt import connection
from mqtt.buffered_client import BufferedClient
from mqtt.client import BrokerAddress
from telemetry.streams import PAYLOAD_LIMIT_BYTES, topic
from tests.broker import Broker
from tests.ingest.running import DISTRICT, Voice
from tests.loopback import PATIENCE_S, free_port

V5 = 5


@pytest.fixture
def source(broker: Broker) -> Iterator[MqttSource]:
    made = MqttSource(BrokerAddress(port=broker.port), "monitor")
    assert made.connect(PATIENCE_S) is None
    yield made
    made.close()


@pytest.fixture
def old_broker(broker: Broker) -> Iterator[int]:
    """Stand before a broker and answer MQTT 5 as MQTT 3.1.1 demands (3.2.2.3: return code 1, and close)."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_sockets = [listening]

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                open_sockets.append(client)
                greeting = client.recv(65_536)
                if greeting[greeting.index(b"MQTT") + 4] == V5:
                    client.sendall(b"\x20\x02\x00\x01")
                    client.close()
                    continue
                behind = socket.create_connection(("127.0.0.1", broker.port))
                open_sockets.append(behind)
                behind.sendall(greeting)
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    for one in open_sockets:
        one.close()


def test_a_broker_that_refuses_mqtt_5_is_greeted_in_3_1_1(old_broker: int) -> None:
    source = MqttSource(BrokerAddress(port=old_broker), "monitor")
    assert source.connect(PATIENCE_S) is None
    assert source.version == MQTTProtocolVersion.MQTTv311
    source.close()


def test_an_absent_broker_is_logged_once_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        why = MqttSource(BrokerAddress(port=free_port()), "monitor").connect(1.0)
    assert why is not None
    assert "refused" in why
    assert caplog.messages == []


def test_what_is_taken_at_once_is_bounded_in_bytes(
    source: MqttSource, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "READ_LIMIT_BYTES", 100_000)
    voice = Voice(broker.port)
    for _ in range(20):
        voice.publish(topic(DISTRICT, "L1", "bundle"), b"{" + b" " * 60_000)
    sizes = []
    while sum(sizes) < 20:
        taken = source.take(5.0)
        assert sum(len(one.payload) for one in taken) <= 100_000 + 60_001
        sizes.append(len(taken))
    voice.close()


def test_many_packets_are_received_with_few_system_calls_and_acknowledged_at_once(
    source: MqttSource, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages that are in memory are taken though the socket has no more of them."""
    calls: list[int] = []
    receive = Client._sock_recv

    def counted(client: Client, size: int) -> bytes:
        calls.extend([size] if isinstance(client, BufferedClient) else [])
        return receive(client, size)

    monkeypatch.setattr(Client, "_sock_recv", counted)
    monkeypatch.setattr(connection, "READ_LIMIT_MESSAGES", 100)
    voice = Voice(broker.port)
    for _ in range(1_000):
        voice.publish(topic(DISTRICT, "L1", "bundle"), b"{}")
    taken = 0
    for _ in range(1_000):
        begun_s, arrivals = time.monotonic(), source.take(1.0)
        source.acknowledge(arrivals)
        taken += len(arrivals)
        if taken == 1_000:
            break
        assert time.monotonic() - begun_s < 1.0 or arrivals, "messages in memory waited for the socket"
    assert taken == 1_000
    assert len(calls) < 500
    source.take(0.1)
    source.close()
    again = MqttSource(BrokerAddress(port=broker.port), "monitor")
    assert again.connect(PATIENCE_S) is None
    assert again.take(0.5) == [], "the broker sends again what is not acknowledged"
    again.close()
    voice.close()


def test_a_session_from_before_gets_each_message_once(broker: Broker) -> None:
    former = Client(CallbackAPIVersion.VERSION2, "monitor", clean_session=False)
    subscribed = threading.Event()
    former.on_connect = lambda client, *_: client.subscribe([(each, 1) for each in FORMER_TOPICS])
    former.on_subscribe = lambda *_: subscribed.set()
    former.connect("127.0.0.1", broker.port)
    former.loop_start()
    assert subscribed.wait(PATIENCE_S)
    former.disconnect()
    former.loop_stop()
    source = MqttSource(BrokerAddress(port=broker.port, protocol="3.1.1"), "monitor")
    assert source.connect(PATIENCE_S) is None
    source.take(1.0)  # the broker gets the end of the subscription
    voice = Voice(broker.port)
    voice.publish(topic(DISTRICT, "L1", "bundle"), b"{}")
    voice.publish(topic(DISTRICT, "L1", "last"), b"{}")
    taken: list[str] = []
    while topic(DISTRICT, "L1", "last") not in taken:
        taken += [arrival.topic for arrival in source.take(5.0)]
    voice.close()
    source.close()
    assert taken == [topic(DISTRICT, "L1", "bundle"), topic(DISTRICT, "L1", "last")]


def test_a_payload_far_too_large_is_kept_only_so_far_as_to_be_refused(broker: Broker) -> None:
    source = MqttSource(BrokerAddress(port=broker.port, protocol="3.1.1"), "monitor")
    assert source.connect(PATIENCE_S) is None
    voice = Voice(broker.port)
    voice.publish(topic(DISTRICT, "L1", "bundle"), b"{" * (3 * PAYLOAD_LIMIT_BYTES))
    taken = []
    while not taken:
        taken = source.take(5.0)
    assert len(taken[0].payload) == PAYLOAD_LIMIT_BYTES + 1
    voice.close()
    source.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_check_leaves_no_session_behind(broker: Broker, tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "liftwatch.toml"
    text = f"[broker]\nport = {broker.port}\nprotocol = '{protocol}'\n[monitor]\ndata_dir = '{tmp_path}'\n"
    path.write_text(text, encoding="utf-8")
    assert liftwatch.main(["--config", str(path), "check-config"]) == 0
    found: list[bool] = []
    again = Client(CallbackAPIVersion.VERSION2, "liftwatch-check-monitor", clean_session=False)
    again.on_connect = lambda _client, _data, flags, *_: found.append(flags.session_present)
    again.connect("127.0.0.1", broker.port)
    while not found:
        again.loop(1.0)
    again.disconnect()
    assert found == [False]
