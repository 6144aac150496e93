"""A real Mosquitto with TLS, a password and an authority of its own: what works, and how a mistake is explained."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import liftwatch
from ingest.receiving.source import MqttSource
from mqtt.client import BadCertificates, BrokerAddress, Session, tls_context
from mqtt.connection import BrokerConnection
from mqtt.publisher import Publisher
from simulator.playback.player import Player, PlayerSettings
from simulator.scenarios.scenario import Scenario
from tests.broker import Broker
from tests.loopback import PATIENCE_S, until
from tests.mqtt.brokers import PASSWORD, USER, TlsBroker
from tests.mqtt.certificates import NAME, Certificates, make_certificates

pytestmark = [
    pytest.mark.broker,
    # paho leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]

MANY = 5_000


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[TlsBroker]:
    running = TlsBroker(tmp_path_factory.mktemp("broker"), certificates)
    yield running
    running.stop()


@pytest.fixture
def address(tls_broker: TlsBroker, certificates: Certificates) -> BrokerAddress:
    return BrokerAddress(NAME, tls_broker.port, USER, PASSWORD, tls=True, ca_file=str(certificates.ca))


def trouble(address: BrokerAddress) -> str:
    """Return the line about a broker that refuses at the first attempt."""
    connection = BrokerConnection(address, Session())
    assert connection.connect(PATIENCE_S) is not None
    connection.close()
    return connection.error_line()


@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
def test_more_messages_than_a_window_holds_are_published_and_received(address: BrokerAddress, protocol: str) -> None:
    address = replace(address, protocol=protocol)
    source, publisher = MqttSource(address, "monitor", session_kept_s=0), Publisher(address)
    assert source.connect(PATIENCE_S) is None
    sent = [f"{k}".encode().ljust(300) for k in range(MANY)]
    for payload in sent:
        publisher.publish("lift/v1/anji/L1/bundle", payload)
    assert publisher.flush(PATIENCE_S)
    received: list[bytes] = []
    while len(received) < MANY:
        arrivals = source.take(5.0)
        assert arrivals, f"{len(received)} of {MANY} messages"
        source.acknowledge(arrivals)
        received += [arrival.payload for arrival in arrivals]
    assert received == sent
    publisher.close()
    source.close()


def test_a_fault_is_injected_by_the_command_line(
    tls_broker: TlsBroker, address: BrokerAddress, certificates: Certificates, tmp_path: Path
) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text(
        f"[broker]\nhost = '{NAME}'\nport = {address.port}\ntls = true\nca_file = '{certificates.ca}'\n"
        f"username = '{USER}'\npassword_file = '{tls_broker.password_file}'\n[monitor]\ndata_dir = '{tmp_path}'\n",
        encoding="utf-8",
    )
    assert liftwatch.main(["--config", str(config), "check-config"]) == 0
    ended = threading.Event()
    player = Player(PlayerSettings(Scenario(lifts=2, form="json"), address), ended)
    thread = threading.Thread(target=player.play)
    thread.start()
    until(lambda: player.bundles > 0, "the first bundle")
    assert liftwatch.main(["--config", str(config), "inject", "sim-00001", "power-cut"]) == 0
    until(lambda: player.faults == 1, "the fault")
    ended.set()
    thread.join(PATIENCE_S)


def test_a_certificate_that_is_not_trusted_is_refused_at_once(address: BrokerAddress) -> None:
    line = trouble(replace(address, ca_file=None))
    assert "certificate is not trusted" in line
    assert "broker.ca_file" in line


def test_a_certificate_of_another_name_is_refused_at_once(address: BrokerAddress) -> None:
    line = trouble(replace(address, host="127.0.0.1"))
    assert "certificate" in line
    assert "set broker.host" in line


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("username", [USER, None])
def test_a_wrong_password_is_refused_at_once(address: BrokerAddress, protocol: str, username: str | None) -> None:
    wrong = replace(address, username=username, password="wrong", protocol=protocol)
    line = trouble(wrong)
    assert "broker.password_file" in line
    assert "wrong" not in line
    assert "wrong" not in repr(wrong)


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("not a certificate", "it holds no PEM certificate")]
)
def test_a_ca_file_that_is_none_is_named(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadCertificates, match=rf"broker\.ca_file: cannot use {path} \({why}"):
        tls_context(BrokerAddress(tls=True, ca_file=str(path)))


def test_tls_to_a_port_without_it_names_the_port(broker: Broker) -> None:
    publisher = Publisher(BrokerAddress(NAME, broker.port, tls=True))
    assert "broker.port" in (publisher.connect(1.0) or "")
    publisher.close()


def test_no_tls_to_a_port_that_wants_it_names_the_key(address: BrokerAddress) -> None:
    publisher = Publisher(replace(address, tls=False))
    assert "broker.tls" in (publisher.connect(1.0) or "")
    publisher.close()
