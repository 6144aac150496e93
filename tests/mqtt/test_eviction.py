"""Two clients with one client id at a real broker: one of them logs the eviction and stops, and the other goes on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mqtt.client import BrokerAddress, Session
from mqtt.connection import BrokerConnection
from mqtt.eviction import EVICTIONS_LIMIT, LASTING_S, EvictionCount
from tests.broker import Broker
from tests.ingest.running import Monitor
from tests.loopback import free_port, until

CLIENT_ID = "twins"


def rivals(port: int, protocol: str) -> list[BrokerConnection]:
    return [BrokerConnection(BrokerAddress(port=port, protocol=protocol), Session(CLIENT_ID)) for _ in range(2)]


def served(connections: list[BrokerConnection]) -> list[BrokerConnection]:
    """Serve all connections once and return the contested ones."""
    for connection in connections:
        connection.serve(0.02)
    return [connection for connection in connections if connection.is_contested]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_one_of_two_clients_with_one_id_stops_after_the_third_eviction_and_the_other_stays(
    broker: Broker, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    both = rivals(broker.port, protocol)
    with caplog.at_level(logging.ERROR):
        until(lambda: bool(served(both)), "a client that stops")
    (stopped,) = served(both)
    (staying,) = [connection for connection in both if connection is not stopped]
    until(lambda: bool(served(both)) and staying.is_connected, "the other client")
    attempts = stopped.connections
    served(both)
    assert (stopped.connections, stopped.is_refused) == (attempts, True)
    assert f"the client id '{CLIENT_ID}'" in stopped.error_line()
    assert "broker.client_id" in stopped.error_line()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    for connection in both:
        connection.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_monitor_ends_with_one_line_when_another_client_keeps_taking_its_client_id(
    broker: Broker, tmp_path: Path, protocol: str
) -> None:
    monitor = Monitor(tmp_path, broker.port)
    path = tmp_path / "liftwatch.toml"
    text = path.read_text(encoding="utf-8").replace("[monitor]", f"protocol = '{protocol}'\n[monitor]")
    path.write_text(text, encoding="utf-8")
    monitor.start()
    rival = BrokerConnection(BrokerAddress(port=broker.port, protocol=protocol), Session("liftwatch-monitor"))

    def ended() -> bool:
        rival.is_contested = False
        rival._retry_at = 0.0
        rival.serve(0.02)
        return monitor.has_ended()

    until(ended, "the monitor's end")
    rival.close()
    assert monitor.stop() == 2
    (line,) = [line for line in monitor.log.read_text(encoding="utf-8").splitlines() if line.startswith("liftwatch: ")]
    assert "the client id 'liftwatch-monitor'" in line
    assert "broker.client_id" in line


def test_connections_that_last_or_fail_otherwise_are_no_contest() -> None:
    count = EvictionCount()

    def contested(lasted_s: float, how: str) -> bool:
        return count.is_contested(lasted_s, is_taken_over=how == "taken over", is_closed=how == "closed")

    assert not any(contested(2 * LASTING_S, "taken over") for _ in range(2 * EVICTIONS_LIMIT))
    assert not any(contested(2 * LASTING_S, "closed") for _ in range(2 * EVICTIONS_LIMIT))
    for _ in range(EVICTIONS_LIMIT):
        assert not any(contested(1.0, "closed") for _ in range(EVICTIONS_LIMIT - 1))
        assert not contested(1.0, "broken")
    assert [contested(1.0, "taken over") for _ in range(EVICTIONS_LIMIT)] == [False] * (EVICTIONS_LIMIT - 1) + [True]


def test_a_broker_that_is_away_between_connections_is_no_rival(tmp_path: Path) -> None:
    connection = BrokerConnection(BrokerAddress(port=free_port(), protocol="3.1.1"), Session(CLIENT_ID))
    for _ in range(EVICTIONS_LIMIT):
        connection.serve(0.0)
    assert not connection.is_contested
