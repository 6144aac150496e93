"""An attack on the shipped broker by everybody who has a credential, had one, or has none: nothing gets through.

each attacker x each foreign topic     published in five ways, as a last will, subscribed to
the monitor and the simulator          receive what is permitted alone, and stay connected
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from registry.devices import DASHBOARDS, MONITOR, SIMULATOR
from telemetry.streams import ANNOUNCEMENTS, STREAMS
from tests.loopback import until
from tests.mqtt.certificates import make_certificates
from tests.secure_broker import CERTIFICATES, DEVICES, OWN, REFUSED_BY_TLS, BrokerClient, SecureBroker, added

pytestmark = pytest.mark.broker
LIFTS, GATEWAYS, REVOKED = ("A-1", "C-1"), ("GW-7", "GC-8"), ("R-1", "RC-1")
ATTACKERS = (*LIFTS, *GATEWAYS, *REVOKED, DASHBOARDS, SIMULATOR, MONITOR)
VICTIMS = ("V-1", "V-2", "GW-5", "unknown")
NAMES = (*ANNOUNCEMENTS, *(f"{name}/x" for name in ANNOUNCEMENTS))
STRANGE = (
    "$SYS/broker/version", "$SYS/broker/clients/total", "$CONTROL/dynamic-security/v1", "$CONTROL/x", "x", "/",
    "lift/v1x/north/V-1/bundle", "Lift/v1/north/V-1/alert", "sim/v1/V-1/fault/x",
)  # fmt: skip
IN_LIFTS = (
    "lift/v1/north", "lift/v1/north/x/V-1/bundle", "lift/v1/north//V-1/bundle", "lift/v1/north/v-1/bundle",
    "lift/v1/north/V-1", "lift/v1/north/V-1/bundle/x", "lift/v1/north/V-1/" + "x" * 60_000,
)  # fmt: skip
ENDING = (
    "lift/v1/north/+/alert",
    "lift/v1/north/V-1/#",
    "#",
    "$share/g/lift/v1/north/V-1/bundle",
    "a/" * 300,
    "a\x01b",
)
"""Topics for which the broker ends the connection, or refuses."""
READS = (
    "#", "+/#", "lift/v1/#", "lift/v1/+/V-1/#", "lift/+/north/V-1/alert", "lift/v1/north/V-1/bundle", "$SYS/#",
    "$SYS/broker/version", "$CONTROL/#", "$share/liftwatch/lift/v1/#", "$share/g/#", "$share/g/$SYS/#",
    "$queue/lift/v1/#", "+/+/+/+/+", "/#", "lift/v1/" + "+/" * 150 + "#",
)  # fmt: skip
WAYS = ((1, True), (0, False), (0, True), (2, False), (2, True))
"""Qualities of service and retained, besides the first publication, whose answer is read."""
RETAINED = {MONITOR: "lift/v1/north/V-1/alert", SIMULATOR: "lift/v1/north/V-1/bundle", DASHBOARDS: "sim/v1/V-1/fault"}
END = "lift/v1/north/end/speed"


def foreign_topics(attacker: str) -> list[str]:
    """Return the topics that an attacker may not publish on."""
    levels = {SIMULATOR: NAMES, MONITOR: (*STREAMS, "alert/x")}.get(attacker, (*STREAMS, *NAMES))
    found = [f"lift/v1/{place}/{who}/{level}" for place, who, level in product(("north", "south"), VICTIMS, levels)]
    if attacker in (*LIFTS, *GATEWAYS):
        found += [f"lift/v1/north/{attacker}/{level}" for level in NAMES]
    if attacker in LIFTS:
        found.append(f"lift/v1/north/{attacker}/gateway")
    if attacker in GATEWAYS:
        found += [f"lift/v1/north/{attacker}/{level}" for level in STREAMS if level != "gateway"]
        behind = {"GW-7": "A-3", "GC-8": "C-3"}[attacker]
        found += [
            f"lift/v1/north/{behind}/{level}" for level in (*NAMES, *STREAMS) if level not in ("bundle", "status")
        ]
    if attacker in REVOKED:
        found += [f"lift/v1/north/{attacker}/{level}" for level in STREAMS]
    faults = () if attacker == DASHBOARDS else ("sim/v1/V-1/fault", "sim/v1/A-1/fault")
    return [*found, *STRANGE, *faults, *(() if attacker == SIMULATOR else IN_LIFTS)]


class Attack:
    """The world of the attack: who watches, who attacks, and how many acts were tried."""

    def __init__(self, broker: SecureBroker, capsys: pytest.CaptureFixture[str]) -> None:
        self.broker, self.acts = broker, 0
        self.passwords = {name: added(broker, capsys, "add", name) for name in ("A-1", "R-1", "V-1")}
        for name, lifts in (("GW-7", "A-3,A-4"), ("GW-5", "V-2")):
            self.passwords[name] = added(broker, capsys, "add", "--gateway", name, "--lifts", lifts)
        self.keys = broker.folder / "keys"
        broker.devices("add", "C-1", "RC-1", "--certificate", "--to", self.keys)
        broker.devices("add", "--gateway", "GC-8", "--lifts", "C-3", "--certificate", "--to", self.keys)
        self.monitor, self.simulator = (broker.program(name, name) for name in (MONITOR, SIMULATOR))
        self.monitor.subscribe("lift/v1/#")
        self.simulator.subscribe("sim/v1/+/fault")
        self.attackers = {name: self.connected(name) for name in ATTACKERS}
        broker.devices("revoke", *REVOKED)
        until(lambda: all(self._is_refused(name) for name in REVOKED), "the revocation")
        self.monitor.received.clear()

    def _is_refused(self, name: str) -> bool:
        return self.attackers[name].publish(f"lift/v1/north/{name}/speed") != "Success"

    def connected(self, name: str, **how: str) -> BrokerClient:
        """Return a new connection by the own credential."""
        if name in RETAINED:
            return self.broker.client(OWN, user=name, password=self.broker.secret(name), **how)
        if name in self.passwords:
            return self.broker.client(DEVICES, user=name, password=self.passwords[name], **how)
        return self.broker.client(CERTIFICATES, certificate=self.keys / f"{name}.pem", **how)

    def permitted(self, name: str) -> list[str]:
        """Publish on each foreign topic in each way; return the topics that the broker permitted."""
        client, topics = self.attackers[name], foreign_topics(name)
        self.acts += len(topics) * (1 + len(WAYS))
        for topic, (qos, retain) in product(topics, WAYS):
            client.send(topic, qos=qos, retain=retain)
        sent = [(topic, client.send(topic)) for topic in topics]
        return [topic for topic, number in sent if client.answered(number) == "Success"]

    def settled(self) -> list[str]:
        """Return the topics of what reached the monitor, after a last message that is permitted."""
        simulator = self.broker.program(SIMULATOR)
        assert simulator.publish(END) == "Success"
        until(lambda: any(topic == END for topic, _ in self.monitor.received), "the last message")
        simulator.close()
        assert not self.monitor.is_ended
        assert not self.simulator.is_ended
        return [topic for topic, _ in self.monitor.received if topic != END]

    def is_gone(self, client: BrokerClient, answer: str) -> bool:
        """Close a connection that was tried; return whether it was refused in this way."""
        self.acts += 1
        client.close()
        return client.answer == answer


@pytest.fixture(name="attack")
def world_of_the_attack(secure_broker: SecureBroker, capsys: pytest.CaptureFixture[str]) -> Iterator[Attack]:
    """The broker with victims, attackers and watchers."""
    world = Attack(secure_broker, capsys)
    yield world
    for client in (world.monitor, world.simulator, *world.attackers.values()):
        client.close()


def test_nobody_publishes_on_or_reads_what_is_not_its_own(attack: Attack) -> None:
    for name, topic in product(ATTACKERS, READS):
        attack.attackers[name].subscribe(topic)
    for name in ATTACKERS:
        assert (name, attack.permitted(name)) == (name, [])
    assert (attack.settled(), attack.simulator.received) == ([], [])
    for name, topic in RETAINED.items():
        assert attack.attackers[name].publish(topic, retain=True) == "Success"
    for name, topic in product(ATTACKERS, READS):
        attack.attackers[name].subscribe(topic)
        attack.acts += 2
    for name in ATTACKERS:
        attack.attackers[name].publish("x")  # answered after what was to be delivered
    read = {name: {topic for topic, _ in attack.attackers[name].received} for name in ATTACKERS}
    of_monitor = {RETAINED[MONITOR], RETAINED[SIMULATOR], END, "$SYS/broker/version"}
    assert read == {name: set() for name in ATTACKERS} | {MONITOR: of_monitor, SIMULATOR: {RETAINED[DASHBOARDS]}}
    assert attack.acts == 7530


def test_wills_names_and_malformed_topics_bring_nothing_either(attack: Attack) -> None:
    wills = ("lift/v1/north/V-1/status", "lift/v1/north/V-1/alert", "lift/v1/south/GW-5/gateway", "sim/v1/V-1/fault")
    for name in (*LIFTS, *GATEWAYS):
        for topic in (*wills, f"lift/v1/north/{name}/alert", f"lift/v1/north/{name}/incident"):
            attack.connected(name, will=topic).break_off()
            attack.acts += 1
        for topic in ENDING:
            client = attack.connected(name)
            assert client.publish(topic) in ("Not authorized", "ended"), topic
            assert attack.is_gone(client, "Success")
        for client_id in (MONITOR, SIMULATOR, "V-1", "GW-5"):
            assert attack.is_gone(attack.connected(name, client_id=client_id), "Success"), "with its own client id"
    assert (attack.settled(), attack.simulator.received) == ([], [])
    assert attack.acts == 64


def test_strangers_and_credentials_at_other_ports_do_not_connect(attack: Attack) -> None:
    broker, strange = attack.broker, make_certificates(attack.broker.folder / "strange")
    programs = {name: broker.secret(name) for name in RETAINED}
    for user, secret in [*attack.passwords.items(), *programs.items()]:
        listeners = (OWN,) if user in attack.passwords else (DEVICES,)
        for listener, client_id in product(listeners, (MONITOR, SIMULATOR, user)):
            wanted = broker.client(listener, user=user, password=secret, client_id=client_id)
            assert attack.is_gone(wanted, "Not authorized"), (user, listener)
        for listener, guess in product((DEVICES, OWN), ("", "wrong", user, "liftwatch")):
            assert attack.is_gone(broker.client(listener, user=user, password=guess), "Not authorized")
        assert attack.is_gone(broker.client(CERTIFICATES, user=user, password=secret), REFUSED_BY_TLS)
    assert attack.is_gone(broker.client(DEVICES, user="R-1", password=attack.passwords["R-1"]), "Not authorized")
    for name, listener in product(("C-1", "GC-8", "RC-1"), (DEVICES, OWN)):
        assert attack.is_gone(broker.client(listener, certificate=attack.keys / f"{name}.pem"), "Not authorized")
    for certificate in (attack.keys / "RC-1.pem", strange.certificate):
        assert attack.is_gone(broker.client(CERTIFICATES, certificate=certificate), REFUSED_BY_TLS)
    for listener in (DEVICES, OWN):
        assert attack.is_gone(broker.client(listener), "Not authorized")
    for user in ("V-1", MONITOR):
        client = attack.connected("C-1", user=user, password="x")
        assert client.publish("lift/v1/north/V-1/bundle") == "Not authorized", "the certificate says who it is"
        assert client.publish("lift/v1/north/C-1/alert") == "Not authorized"
        assert attack.is_gone(client, "Success")
    assert attack.settled() == []
    assert attack.acts == 109
