"""The MQTT version of a connection, its return, and its log lines on a broker that does not answer."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from mqtt import connection as module
from mqtt import failures
from mqtt.client import BrokerAddress, Session
from mqtt.connection import BrokerConnection
from mqtt.version import SILENT_ATTEMPTS
from tests.loopback import PATIENCE_S, free_port
from tests.mqtt.brokers import ACCEPTED, MQTT5, MQTT311, listener, scripted_broker, serve_until

REFUSED_VERSION = b"\x20\x02\x00\x01"
BUSY = b"\x20\x03\x00\x89\x00"
SUBSCRIPTION_REFUSED = b"\x90\x04\x00\x01\x00\x87"
CLOSED = None


def connected(port: int, within_s: float = PATIENCE_S) -> BrokerConnection:
    connection = BrokerConnection(BrokerAddress(port=port), Session())
    assert connection.connect(within_s) is None
    return connection


def connected_after(monkeypatch: pytest.MonkeyPatch, unusable: list[bytes], protocol: str = "auto") -> list[int]:
    """Connect to a broker that gives these answers and then accepts; return the versions it was asked for.

    The connection waits briefly for each of these answers, and long for the one that follows.
    """
    answers = iter(unusable)
    monkeypatch.setattr(module, "ANSWER_LIMIT_S", 0.3)
    with scripted_broker(lambda version: next(answers, ACCEPTED[version])) as (port, versions):
        connection = BrokerConnection(BrokerAddress(port=port, protocol=protocol), Session())
        serve_until(connection, lambda: connection.connections >= len(unusable), "the first attempts")
        monkeypatch.setattr(module, "ANSWER_LIMIT_S", PATIENCE_S)
        assert connection.connect(PATIENCE_S) is None
        connection.close()
    return versions


def reconnected(connection: BrokerConnection, versions: list[int]) -> int:
    """Break a connection and return the version that the next one begins with."""
    before = len(versions)
    assert connection._client is not None
    connection._client.socket().shutdown(2)  # type: ignore[union-attr]
    connection.serve(1.0)
    serve_until(connection, lambda: len(versions) > before, "another connection")
    connection.close()
    return versions[before]


def test_a_broker_that_answers_late_keeps_mqtt_5() -> None:
    def late(version: int) -> bytes:
        time.sleep(2.0)
        return ACCEPTED[version]

    with scripted_broker(late) as (port, versions):
        connected(port).close()
    assert versions == [MQTT5]


def test_a_broker_that_is_busy_is_asked_again_in_mqtt_5() -> None:
    answers = iter([BUSY, BUSY, ACCEPTED[MQTT5]])
    with scripted_broker(lambda _: next(answers)) as (port, versions):
        connected(port).close()
    assert versions == [MQTT5] * 3


def test_a_refused_version_is_never_tried_again() -> None:
    with scripted_broker(lambda version: REFUSED_VERSION if version == MQTT5 else ACCEPTED[version]) as (
        port,
        versions,
    ):
        connection = connected(port)
        assert versions == [MQTT5, MQTT311]
        assert reconnected(connection, versions) == MQTT311


def test_a_broker_that_closes_without_an_answer_is_at_once_asked_in_3_1_1_and_next_time_in_5() -> None:
    with scripted_broker(lambda version: CLOSED if version == MQTT5 else ACCEPTED[version]) as (port, versions):
        connection = connected(port, within_s=5.0)
        assert versions == [MQTT5, MQTT311]
        assert reconnected(connection, versions) == MQTT5


def test_a_silent_broker_is_asked_again_in_mqtt_5(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.ANSWER_LIMIT_S >= 10.0
    assert connected_after(monkeypatch, [b"", b""]) == [MQTT5] * 3


def test_a_broker_that_ignores_mqtt_5_is_asked_in_3_1_1_after_some_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = connected_after(monkeypatch, [b""] * SILENT_ATTEMPTS)
    assert versions == [MQTT5] * SILENT_ATTEMPTS + [MQTT311]


def test_a_broker_that_has_accepted_mqtt_5_is_never_asked_in_3_1_1() -> None:
    answers = iter([ACCEPTED[MQTT5], CLOSED, CLOSED, ACCEPTED[MQTT5]])
    with scripted_broker(lambda _: next(answers)) as (port, versions):
        connection = connected(port)
        reconnected(connection, versions)
        assert connection.connect(PATIENCE_S) is None
        connection.close()
    assert versions == [MQTT5] * 4


def test_a_lost_connection_is_opened_again_at_once_and_after_that_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED_S", 0.0)
    monkeypatch.setattr(module, "RETRY_FIRST_S", 1e9)
    monkeypatch.setattr(module, "RETRY_LIMIT_S", 1e9)
    answers = iter([ACCEPTED[MQTT5], CLOSED])
    with scripted_broker(lambda _: next(answers)) as (port, versions):
        connection = BrokerConnection(BrokerAddress(port=port, protocol="5"), Session())
        assert connection.connect(PATIENCE_S) is None
        reconnected(connection, versions)
        assert connection.connect(0.5) is not None
    assert versions == [MQTT5] * 2


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_version_that_is_asked_for_is_the_only_one(protocol: str) -> None:
    with scripted_broker(lambda _: CLOSED) as (port, versions):
        connection = BrokerConnection(BrokerAddress(port=port, protocol=protocol), Session())
        serve_until(connection, lambda: len(versions) >= 3, "three attempts")
        connection.close()
    assert set(versions) == {MQTT5 if protocol == "5" else MQTT311}


@pytest.mark.parametrize("must_subscribe", [True, False])
def test_a_refused_subscription_ends_a_connection_that_is_there_to_receive(must_subscribe: bool) -> None:
    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(ACCEPTED[MQTT5])
            connection.recv(4096)
            connection.sendall(SUBSCRIPTION_REFUSED)
            connection.recv(4096)

    with listener(serve) as port:
        connection = BrokerConnection(
            BrokerAddress(port=port), Session(), ["lift/v1/+/+/door"], must_subscribe=must_subscribe
        )
        why = connection.connect(PATIENCE_S)
        if must_subscribe:
            assert why == "it refuses 1 of 1 subscriptions (Not authorized); allow this user to read lift/v1/+/+/door"
        else:
            connection.serve(1.0)
            assert connection.is_connected
        connection.close()


def test_garbage_for_an_answer_is_a_failure_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x00", b"\x20\xff\xff\xff\xff\xff"]
    assert len(connected_after(monkeypatch, garbage, protocol="5")) == 4


def test_a_broker_that_is_not_there_is_one_line_with_the_keys_to_set() -> None:
    connection = BrokerConnection(BrokerAddress(port=1), Session())
    connection.connect(0.5)
    assert connection.error_line() == (
        "the broker 127.0.0.1:1 cannot be used: connection refused; start one there, or set broker.host and broker.port"
    )


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (socket.gaierror(-2, "Name or service not known"), "set broker.host to a name that resolves"),
        (TimeoutError("timed out"), "set broker.host and broker.port"),
        (UnicodeError("label empty or too long"), "check broker.host and broker.port"),
    ],
)
def test_every_error_of_connecting_names_a_key(error: Exception, remedy: str) -> None:
    assert failures.of_connecting(error, BrokerAddress()).endswith(remedy)


def test_who_waits_for_a_connection_reads_the_failure_and_the_log_does_not_repeat_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = BrokerConnection(BrokerAddress(port=free_port()), Session())
    with caplog.at_level(logging.INFO):
        assert connection.connect(0.5) is not None
        assert caplog.messages == []
        serve_until(connection, lambda: bool(caplog.messages), "a failure in the log")
    assert "retrying" in caplog.messages[0]


def test_the_same_failure_is_logged_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_LIMIT_S", 0.0)
    connection = BrokerConnection(BrokerAddress(port=free_port()), Session())
    with caplog.at_level(logging.INFO):
        serve_until(connection, lambda: connection.connections >= 5, "five attempts")
    assert len(caplog.messages) == 1
