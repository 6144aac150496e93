"""Devices at a real Mosquitto: each has its own topics alone, and what is revoked is refused at once and for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.devices import DASHBOARDS, MONITOR, SIMULATOR
from tests.loopback import until
from tests.mqtt.certificates import make_certificates
from tests.secure_broker import (
    CERTIFICATES,
    DEVICES,
    OWN,
    REFUSED_BY_TLS,
    BrokerClient,
    SecureBroker,
    added,
)

pytestmark = pytest.mark.broker
WRITES = [
    ("A-1", "lift/v1/north/A-1/speed", True),
    ("A-1", "lift/v1/north/A-1/Speed", True),  # a misspelt stream: the monitor refuses it and shows why
    ("A-1", "lift/v1/north/A-1/gateway", False),
    ("A-1", "lift/v1/north/A-1/alert", False),
    ("A-1", "lift/v1/north/A-1/incident", False),
    ("A-1", "lift/v1/north/A-1/health", False),
    ("A-1", "lift/v1/north/A-2/speed", False),
    ("A-1", "lift/v1/north/GW-7/gateway", False),
    ("A-1", "sim/v1/A-1/fault", False),
    ("A-1", "$SYS/broker/version", False),
    ("A-1", "$CONTROL/dynamic-security/v1", False),
    ("GW-7", "lift/v1/north/GW-7/gateway", True),
    ("GW-7", "lift/v1/north/A-3/bundle", True),
    ("GW-7", "lift/v1/north/A-3/status", True),
    ("GW-7", "lift/v1/north/A-3/alert", False),
    ("GW-7", "lift/v1/north/A-1/bundle", False),
    ("GW-7", "lift/v1/north/GW-8/gateway", False),
    ("GW-7", "lift/v1/north/GW-7/alert", False),
    ("GW-7", "lift/v1/north/GW-7/speed", False),
    ("GW-7", "lift/v1/north/GW-7/bundle", False),
    (MONITOR, "lift/v1/north/A-1/alert", True),
    (MONITOR, "lift/v1/north/A-1/incident", True),
    (MONITOR, "lift/v1/north/A-1/speed", False),
    (MONITOR, "sim/v1/A-1/fault", False),
    (DASHBOARDS, "sim/v1/A-1/fault", True),
    (DASHBOARDS, "lift/v1/north/A-1/alert", False),
    (DASHBOARDS, "lift/v1/north/A-1/speed", False),
    (SIMULATOR, "lift/v1/north/A-1/speed", True),
    (SIMULATOR, "lift/v1/north/A-1/alert", False),
    (SIMULATOR, "sim/v1/A-1/fault", False),
]
READS = ["lift/v1/north/A-2/speed", "lift/v1/#", "#", "+/+/+/+/+", "sim/v1/+/fault", "$SYS/#", "$CONTROL/#"]


@pytest.fixture(name="broker")
def running_broker(secure_broker: SecureBroker) -> SecureBroker:
    return secure_broker


def device(broker: SecureBroker, name: str, password: str, **how: str) -> BrokerClient:
    return broker.client(DEVICES, user=name, password=password, **how)


def by_certificate(broker: SecureBroker, name: str, folder: str = "keys", **how: str) -> BrokerClient:
    return broker.client(CERTIFICATES, certificate=broker.folder / folder / f"{name}.pem", **how)


def refusal(connected: BrokerClient) -> str | None:
    connected.close()
    return connected.answer


def test_everyone_publishes_on_the_topics_of_its_own_lifts_alone(
    broker: SecureBroker,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lift = added(broker, capsys, "add", "A-1")
    gateway = added(broker, capsys, "add", "--gateway", "GW-7", "--lifts", "A-3,A-4")
    clients = {"A-1": device(broker, "A-1", lift), "GW-7": device(broker, "GW-7", gateway)}
    clients |= {name: broker.program(name) for name in (MONITOR, DASHBOARDS, SIMULATOR)}
    answers = [(who, topic, clients[who].publish(topic)) for who, topic, _ in WRITES]
    assert answers == [(who, topic, "Success" if may else "Not authorized") for who, topic, may in WRITES]
    for client in clients.values():
        client.close()


@pytest.mark.parametrize("kind", ["password", "certificate"])
def test_a_device_receives_nothing_whatever_it_subscribes_to(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    if kind == "password":
        spy = device(broker, "A-1", added(broker, capsys, "add", "A-1"))
    else:
        broker.devices("add", "A-1", "--certificate", "--to", broker.folder / "keys")
        spy = by_certificate(broker, "A-1")
    for topic in READS:
        spy.subscribe(topic)
    simulator, dashboards, monitor = (broker.program(name) for name in (SIMULATOR, DASHBOARDS, MONITOR))
    monitor.subscribe("lift/v1/#")
    assert dashboards.publish("sim/v1/A-2/fault", retain=True) == "Success"
    assert monitor.publish("lift/v1/north/A-2/alert", retain=True) == "Success"
    assert simulator.publish("lift/v1/north/A-2/speed", retain=True) == "Success"
    assert spy.publish("lift/v1/north/A-1/speed") == "Success"
    until(lambda: len(monitor.received) >= 3, "the messages at the monitor")
    for topic in READS:  # again: now there are retained messages
        spy.subscribe(topic)
    assert spy.publish("lift/v1/north/A-1/speed") == "Success"  # answered after anything that was to be delivered
    assert spy.received == []
    for client in (spy, simulator, dashboards, monitor):
        client.close()


def test_nobody_signs_in_without_a_credential_of_its_own(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(broker, capsys, "add", "A-1", "A-2")
    for listener in (DEVICES, OWN):
        assert refusal(broker.client(listener)) == "Not authorized"
        assert refusal(broker.client(listener, user="A-1", password="wrong")) == "Not authorized"
        assert refusal(broker.client(listener, user="A-2", password=password)) == "Not authorized"
        assert refusal(broker.client(listener, user=MONITOR, password=password)) == "Not authorized"
    assert refusal(broker.client(CERTIFICATES, user="A-1", password=password)) == REFUSED_BY_TLS


def test_a_device_cannot_take_the_monitors_client_id(broker: SecureBroker, capsys: pytest.CaptureFixture[str]) -> None:
    password = added(broker, capsys, "add", "A-1")
    broker.devices("add", "A-2", "--certificate", "--to", broker.folder / "keys")
    monitor = broker.program(MONITOR, "liftwatch-monitor")
    assert monitor.subscribe("lift/v1/#") == "Granted QoS 1"
    thieves = (
        device(broker, "A-1", password, client_id="liftwatch-monitor"),
        by_certificate(broker, "A-2", client_id="liftwatch-monitor"),
    )
    for thief, name in zip(thieves, ("A-1", "A-2"), strict=True):
        assert thief.publish(f"lift/v1/north/{name}/speed") == "Success"
    until(lambda: len(monitor.received) == 2, "both messages")
    assert not monitor.is_ended
    for name in ("liftwatch-monitor", "Liftwatch-Monitor", "liftwatch"):
        broker.devices("add", name, code=2)
    for client in (*thieves, monitor):
        client.close()


def test_a_device_is_refused_at_the_port_of_the_programs_and_takes_no_client_id_there(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    lift = added(broker, capsys, "add", "A-1")
    gateway = added(broker, capsys, "add", "--gateway", "G-1", "--lifts", "A-2")
    broker.devices("add", "A-3", "--certificate", "--to", broker.folder / "keys")
    monitor = broker.program(MONITOR, "liftwatch-monitor")
    assert monitor.subscribe("lift/v1/#") == "Granted QoS 1"
    for name, password in (("A-1", lift), ("G-1", gateway)):
        stranger = broker.client(OWN, user=name, password=password, client_id="liftwatch-monitor")
        assert refusal(stranger) == "Not authorized"
    by_key = broker.client(OWN, certificate=broker.folder / "keys" / "A-3.pem", client_id="liftwatch-monitor")
    assert refusal(by_key) == "Not authorized"
    assert refusal(broker.client(DEVICES, user=MONITOR, password=broker.secret(MONITOR))) == "Not authorized"
    sender = device(broker, "A-1", lift)
    assert sender.publish("lift/v1/north/A-1/speed") == "Success"
    until(lambda: len(monitor.received) == 1, "the message at the monitor, which nobody has evicted")
    assert not monitor.is_ended
    for client in (sender, monitor):
        client.close()


def test_a_last_will_on_anothers_topic_is_not_published(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(broker, capsys, "add", "A-1")
    monitor = broker.program(MONITOR)
    monitor.subscribe("lift/v1/#")
    for topic in ("lift/v1/north/A-2/status", "lift/v1/north/A-1/alert", "lift/v1/north/A-1/status"):
        device(broker, "A-1", password, will=topic).break_off()
    until(lambda: bool(monitor.received), "the permitted will")
    assert monitor.received == [("lift/v1/north/A-1/status", b"will")]
    monitor.close()


def test_a_revoked_password_ends_its_connection_and_is_refused_also_after_a_crash(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(broker, capsys, "add", "A-1")
    kept = added(broker, capsys, "add", "A-2")
    revoked, other = device(broker, "A-1", password), device(broker, "A-2", kept)
    broker.devices("revoke", "A-1")
    until(lambda: revoked.is_ended, "the end of the revoked connection")
    assert refusal(device(broker, "A-1", password)) == "Not authorized"
    assert other.publish("lift/v1/north/A-2/speed") == "Success"
    broker.kill()
    broker.start()
    assert refusal(device(broker, "A-1", password)) == "Not authorized"
    assert refusal(device(broker, "A-2", kept)) == "Success"
    new = added(broker, capsys, "add", "A-1")
    until(lambda: refusal(device(broker, "A-1", new)) == "Success", "the device that was added again")


def test_a_new_password_ends_the_old_one(broker: SecureBroker, capsys: pytest.CaptureFixture[str]) -> None:
    old = added(broker, capsys, "add", "A-1")
    connected = device(broker, "A-1", old)
    new = added(broker, capsys, "rotate", "A-1")
    until(lambda: connected.is_ended, "the end of the old connection")
    assert refusal(device(broker, "A-1", old)) == "Not authorized"
    assert refusal(device(broker, "A-1", new)) == "Success"


def test_a_revoked_certificate_can_do_nothing_and_is_refused_also_after_a_crash(
    broker: SecureBroker,
) -> None:
    broker.devices("add", "A-1", "A-2", "--certificate", "--to", broker.folder / "keys")
    revoked, other = by_certificate(broker, "A-1"), by_certificate(broker, "A-2")
    assert revoked.publish("lift/v1/north/A-1/speed") == "Success"
    assert revoked.publish("lift/v1/north/A-2/speed") == "Not authorized"
    for _ in range(3):  # lists of revoked certificates within one second take effect too
        broker.devices("write")
    broker.devices("revoke", "A-1")
    until(lambda: revoked.publish("lift/v1/north/A-1/speed") in ("Not authorized", "ended"), "the refusal")
    assert refusal(by_certificate(broker, "A-1")) == REFUSED_BY_TLS
    assert other.publish("lift/v1/north/A-2/speed") == "Success"
    broker.kill()
    broker.start()
    assert refusal(by_certificate(broker, "A-1")) == REFUSED_BY_TLS
    assert refusal(by_certificate(broker, "A-2")) == "Success"


def test_a_new_certificate_ends_the_old_one(broker: SecureBroker) -> None:
    broker.devices("add", "A-1", "--certificate", "--to", broker.folder / "old")
    broker.devices("rotate", "A-1", "--certificate", "--to", broker.folder / "new")
    until(lambda: refusal(by_certificate(broker, "A-1", "old")) == REFUSED_BY_TLS, "the refusal of the old one")
    assert refusal(by_certificate(broker, "A-1", "new")) == "Success"


def test_a_certificate_of_another_authority_is_refused(broker: SecureBroker, tmp_path: Path) -> None:
    strange = make_certificates(tmp_path / "strange")
    assert refusal(broker.client(CERTIFICATES, certificate=strange.certificate)) == REFUSED_BY_TLS


def test_lost_files_of_the_broker_come_back_from_the_records(
    broker: SecureBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(broker, capsys, "add", "A-1")
    broker.kill()
    for path in (broker.folder / "access").iterdir():
        path.unlink()
    broker.devices("write")
    broker.start()
    assert refusal(device(broker, "A-1", password)) == "Success"
