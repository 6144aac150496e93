"""The broker's files and its container's own script, run by a real Mosquitto: it starts and holds its rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import yaml

from ingest.receive import MqttSource
from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher
from tests.loopback import PATIENCE_S, accepts, free_port, until
from tests.processes import start_process

ROOT = Path(__file__).parent.parent
MOSQUITTO = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["mosquitto"]
MESSAGES = 3_000


class ShippedBroker:
    """The broker's container without the container: its own script in a folder, with free ports of the loopback.

    `port` is the devices' and `own_port` that of Liftwatch's own programs.
    """

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.port, self.own_port = folder, free_port(), free_port()
        for name in ("run", "config", "data", "secrets"):
            (folder / name).mkdir()
        for secret in MOSQUITTO["secrets"]:
            (folder / "secrets" / secret).write_text(f"{secret}-pass\n", encoding="utf-8")
        devices = "".join(f"{name}:broker_{name}-pass\n" for name in ("A-1", "A-2", "GW-7"))
        (folder / "secrets" / "broker_devices").write_text(devices, encoding="utf-8")
        for volume in MOSQUITTO["volumes"]:
            source, target = volume.split(":")[:2]
            if source.startswith("./"):
                (folder / "config" / Path(target).name).write_text(self._moved(ROOT / source), encoding="utf-8")
        script = in_place(MOSQUITTO["command"][0], folder).replace("exec mosquitto ", f"exec {program} ")
        self._command = [*MOSQUITTO["entrypoint"], script]
        self.start()

    def start(self) -> None:
        self._process = start_process(self._command, stderr=subprocess.PIPE, text=True)
        until(lambda: self._process.poll() is not None or accepts(self.own_port), "the broker")
        assert self._process.poll() is None, self._process.stderr and self._process.stderr.read()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=60)

    def _moved(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8").replace("/mosquitto/", f"{self.folder}/")
        for shipped, port in (("listener 1883", self.port), ("listener 1884", self.own_port)):
            text = text.replace(shipped, f"listener {port} 127.0.0.1")
        text = text.replace("#user GW-7", "user GW-7").replace("#topic write", "topic write")
        return text + ("\nuser root\n" if os.geteuid() == 0 and path.suffix == ".conf" else "")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedBroker]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("no mosquitto with its clients on PATH (Debian: mosquitto, mosquitto-clients)")
    running = ShippedBroker(tmp_path, program)
    yield running
    running.kill()


def in_place(script: str, folder: Path) -> str:
    """Return a script of the compose file as the container's shell would see it, with its folders moved."""
    return script.replace("$$", "$").replace("/mosquitto/", f"{folder}/").replace("/run/secrets/", f"{folder}/secrets/")


@pytest.mark.broker
def test_the_brokers_health_check_passes_for_a_living_broker_and_fails_for_a_dead_one(broker: ShippedBroker) -> None:
    script = in_place(MOSQUITTO["healthcheck"]["test"][1], broker.folder)
    for at, expected in ((broker.port, True), (free_port(), False)):
        check = script.replace("mosquitto_sub ", f"mosquitto_sub -h 127.0.0.1 -p {at} ")
        assert (subprocess.run(["sh", "-c", check], check=False, capture_output=True).returncode == 0) is expected


@pytest.mark.broker
@pytest.mark.parametrize(
    ("who", "topic", "may"),
    [
        ("lifts", "lift/v1/north/A-1/speed", True),
        ("lifts", "lift/v1/north/A-1/gateway", True),
        ("lifts", "lift/v1/north/speed", True),
        ("lifts", "lift/v1/north/A-1/alert", False),
        ("lifts", "lift/v1/north/A-1/incident", False),
        ("lifts", "lift/v1/north/A-1/health", False),
        ("A-1", "lift/v1/north/A-1/speed", True),
        ("A-1", "lift/v1/north/A-1/Speed", True),
        ("A-1", "lift/v1/north/A-1/gateway", False),
        ("A-1", "lift/v1/north/A-1/alert", False),
        ("A-1", "lift/v1/north/A-1/incident", False),
        ("A-1", "lift/v1/north/A-1/health", False),
        ("A-1", "lift/v1/north/A-2/speed", False),
        ("A-1", "lift/v1/north/GW-7/gateway", False),
        ("GW-7", "lift/v1/north/GW-7/gateway", True),
        ("GW-7", "lift/v1/north/A-1/bundle", False),
        ("GW-7", "lift/v1/north/GW-8/gateway", False),
        ("GW-7", "lift/v1/north/GW-7/alert", False),
        ("lifts", "sim/v1/A-1/fault", False),
        ("dashboards", "sim/v1/A-1/fault", True),
        ("dashboards", "lift/v1/north/A-1/alert", False),
        ("monitor", "lift/v1/north/A-1/alert", True),
        ("monitor", "lift/v1/north/A-1/speed", False),
        ("monitor", "sim/v1/A-1/fault", False),
    ],
)
def test_each_user_may_publish_only_to_its_own_topics(broker: ShippedBroker, who: str, topic: str, may: bool) -> None:
    assert publish(broker.port, who, f"broker_{who}-pass", topic) == ("Success" if may else "Not authorized")


@pytest.mark.broker
@pytest.mark.parametrize(("who", "password"), [(None, None), ("monitor", "broker_lifts-pass")])
def test_strangers_are_turned_away(broker: ShippedBroker, who: str | None, password: str | None) -> None:
    for port in (broker.port, broker.own_port):
        assert publish(port, who, password, "lift/v1/north/A-1/speed") == "refused: Not authorized"


@pytest.mark.broker
def test_a_device_cannot_take_the_monitors_client_id(broker: ShippedBroker) -> None:
    address = BrokerAddress(port=broker.own_port, username="monitor", password="broker_monitor-pass")
    source = MqttSource(address, "liftwatch-monitor")
    assert source.connect(PATIENCE_S) is None
    received: list[str] = []
    devices = ["A-1", "A-2", "A-1"]
    for who in devices:
        topic = f"lift/v1/north/{who}/speed"
        assert publish(broker.port, who, f"broker_{who}-pass", topic, client_id="liftwatch-monitor") == "Success"
    until(
        lambda: received.extend(one.topic for one in source.take(0.1)) or len(received) >= len(devices),
        "their messages",
    )
    assert source.connections == 1
    source.close()


@pytest.mark.broker
def test_what_the_broker_queued_for_an_absent_monitor_survives_its_crash_once_it_is_saved(
    broker: ShippedBroker,
) -> None:
    def subscribed() -> MqttSource:
        address = BrokerAddress(port=broker.own_port, username="monitor", password="broker_monitor-pass")
        source = MqttSource(address, "liftwatch-monitor")
        assert source.connect(PATIENCE_S) is None
        return source

    subscribed().close()
    lifts = Publisher(BrokerAddress(port=broker.own_port, username="lifts", password="broker_lifts-pass"))
    for number in range(MESSAGES):
        lifts.publish("lift/v1/north/A-1/speed", str(number).encode())
    assert lifts.flush(PATIENCE_S)
    published_at = time.time()
    saved = broker.folder / "data" / "mosquitto.db"
    until(lambda: saved.exists() and saved.stat().st_mtime > published_at, "a save")
    broker.kill()
    broker.start()
    source = subscribed()
    received: list[int] = []

    def all_received() -> bool:
        arrivals = source.take(0.1)
        received.extend(int(one.payload) for one in arrivals)
        source.acknowledge(arrivals)
        return len(received) >= MESSAGES

    until(all_received, "every message")
    assert received == list(range(MESSAGES))
    source.close()


def publish(port: int, who: str | None, password: str | None, topic: str, client_id: str = "") -> str:
    """Publish one message and return what the broker answered to it, or to the greeting."""
    answers: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    if who is not None:
        client.username_pw_set(who, password)

    def connected(client: mqtt.Client, _: object, __: object, reason: Any, ___: object) -> None:
        if reason.is_failure:
            answers.append(f"refused: {reason}")
        else:
            client.publish(topic, b"{}", qos=1)

    def published(_: mqtt.Client, __: object, ___: int, reason: Any, ____: object) -> None:
        answers.append("Success" if not reason.is_failure else str(reason))

    client.on_connect, client.on_publish = connected, published
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(lambda: bool(answers), "the broker's answer")
    finally:
        client.disconnect()
        client.loop_stop()
    return answers[0]
