"""A monitor's own HTTP port: whether the monitor is ready and why not, also while the records are away."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import orjson
import pytest

import ingest.monitor
from ingest.probing import http_port
from ingest.probing.http_port import HttpAnswer, HttpPort
from ingest.probing.probes import routes
from mqtt.client import BrokerAddress
from notify.announcer import FEEDS, Announcer
from registry.actor import Actor
from store.journal import Journal
from store.records.repository import Records
from store.series.files import FileSeries
from telemetry.streams import topic
from tests.broker import Broker
from tests.ingest.judged import Subscribed
from tests.ingest.running import DISTRICT, Monitor, Voice, bundle, facts
from tests.loopback import accepts, free_port, until

ROUTES = {"/healthz": lambda: HttpAnswer(200, "text/plain", b"alive")}


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a small server."""
    number = free_port()
    server = HttpPort("127.0.0.1", number, ROUTES)
    server.start()
    until(lambda: accepts(number), "the server")
    yield number
    server.stop()


def get(port: int, method: str = "GET", path: str = "/healthz") -> httpx.Response:
    return httpx.request(method, f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=60)


def test_get_and_head_have_the_same_headers_and_another_path_names_those_there_are(port: int) -> None:
    got, head = get(port), get(port, "HEAD")
    assert (got.status_code, got.content, head.status_code, head.content) == (200, b"alive", 200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == "5"
    elsewhere = get(port, path="/elsewhere")
    assert (elsewhere.status_code, elsewhere.text) == (404, "Here are /healthz.\n")
    assert get(port, path="/healthz?since=1").status_code == 200


def is_alive(port: int) -> bool:
    try:
        return get(port).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("more", [b"", b"a"], ids=["silent", "dripping"])
def test_half_sent_requests_end_and_make_room_for_others(
    port: int, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    monkeypatch.setattr(http_port, "REQUEST_LIMIT_S", 0.2)
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * http_port.CONNECTIONS_LIMIT)]
    for connection in slow:
        with suppress(OSError):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")

    def answers() -> bool:
        for connection in slow:
            with suppress(OSError):
                connection.sendall(more)
        return is_alive(port)

    until(answers, "an answer beside clients that never end their requests")
    for connection in slow:
        connection.close()


def test_a_client_that_does_not_read_makes_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "REQUEST_LIMIT_S", 0.2)
    number, long = free_port(), HttpAnswer(200, "text/plain", bytes(16 << 20))
    server = HttpPort("127.0.0.1", number, {**ROUTES, "/long": lambda: long})
    server.start()
    until(lambda: accepts(number), "the server")
    slow = [socket.create_connection(("127.0.0.1", number)) for _ in range(http_port.CONNECTIONS_LIMIT)]
    for connection in slow:
        connection.sendall(b"GET /long HTTP/1.0\r\n\r\n")

    until(lambda: is_alive(number), "an answer beside clients that do not read")
    for connection in slow:
        connection.close()
    server.stop()


def test_a_port_in_use_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(http_port, "RETRY_LIMIT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        server = HttpPort("127.0.0.1", number, ROUTES)
        server.start()
        until(lambda: "set monitor.http_port to a free port" in caplog.text, "the remedy")
    until(lambda: accepts(number) and get(number).status_code == 200, "the server on a port that is free again")
    server.stop()


def test_a_broker_that_refuses_health_alone_is_a_warning_of_readiness(
    tmp_path: Path, records: Records, journal: Journal
) -> None:
    alerts, incidents, health = (Announcer(records, BrokerAddress(), "monitor", feed) for feed in FEEDS)
    series, announcers = lambda: FileSeries.open(tmp_path / "series", 100_000), (alerts, incidents, health)
    monitor = ingest.monitor.Monitor(Subscribed(), journal, records, series, (), announcers)
    health.outage.failed("refused")
    alerts.outage.failed("refused")
    answer = orjson.loads(routes(monitor)["/readyz"]().body)
    assert answer["warnings"] == ["health waits to be announced: refused"]
    assert [reason for reason in answer["reasons"] if "refused" in reason] == ["alerts wait to be announced: refused"]


def test_what_broke_and_is_set_aside_is_a_warning_of_readiness(
    tmp_path: Path, records: Records, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def series() -> FileSeries:
        return FileSeries.open(tmp_path / "series", 100_000)

    monitor = ingest.monitor.Monitor(Subscribed(), journal, records, series, (), ())
    assert orjson.loads(routes(monitor)["/readyz"]().body)["warnings"] == []
    counts = monitor.all_counts() | {"rule_set_aside:overspeed": 1.0, "rule_set_aside:behaviour": 1.0}
    monkeypatch.setattr(monitor, "all_counts", lambda: counts)
    assert orjson.loads(routes(monitor)["/readyz"]().body)["warnings"] == ["rules set aside: behaviour, overspeed"]


def test_a_monitor_is_ready_unless_judging_or_storing_is_behind_and_answers_while_its_records_are_locked(
    tmp_path: Path, broker: Broker
) -> None:
    monitor = Monitor(tmp_path, broker.port)
    monitor.records.put_lifts([facts("L1")], Actor.named("test"), 0)
    monitor.start()
    until(lambda: monitor.readiness() == (200, ""), "a monitor that is ready")
    voice = Voice(broker.port)
    with closing(sqlite3.connect(tmp_path / "records.db", isolation_level=None)) as locking:
        locking.execute("BEGIN EXCLUSIVE")
        for second in range(4):
            voice.publish(topic(DISTRICT, "L1", "bundle"), bundle(second, -2.3, 60.0 - 2.3 * second))
        until(lambda: "judging" in monitor.readiness()[1], "a judging that is behind")
        assert monitor.readiness()[0] == 503
        assert monitor.metric("liftwatch_monitor_journalled_total") == 4
        assert monitor.metric('liftwatch_monitor_lag_messages{kind="judging"') >= 0
        assert get(monitor.http_port).json() == {"status": "alive"}
        locking.execute("ROLLBACK")
    until(lambda: monitor.readiness() == (200, ""), "a monitor that is ready again")
    until(lambda: monitor.metric('liftwatch_monitor_deliveries_taken_total{kind="mqtt"') >= 1, "the alert")
    voice.publish(topic(DISTRICT, "L1", "bundle"), {"t": "yesterday"})
    until(lambda: "liftwatch_monitor_refused_total{kind=" in get(monitor.http_port, path="/metrics").text, "a refusal")
    for name in ("journal_bytes", "held_rows", "turn_seconds_count", 'lag_seconds{kind="storing"'):
        assert monitor.metric(f"liftwatch_monitor_{name}") >= 0
    voice.close()
    assert monitor.stop() == 0
