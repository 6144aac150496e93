"""The broker of docker-compose.yml, run by a real Mosquitto: its script, its health check, its queue."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ingest.receiving.source import MqttSource
from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher
from registry.devices import MONITOR, SIMULATOR
from tests.broker import mosquitto
from tests.loopback import accepts, free_port, until
from tests.processes import start_process
from tests.secure_broker import DEVICES, OWN, SecureBroker, added

ROOT = Path(__file__).parent.parent
SERVICE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["mosquitto"]
MESSAGES = 3_000
pytestmark = pytest.mark.broker


class ComposeBroker(SecureBroker):
    """The broker's container without the container: its own script in a folder, with free ports of the loopback."""

    def start(self) -> None:
        script = SERVICE["command"][0].replace("$$", "$").replace("/mosquitto/access", f"{self.folder}/access")
        script = script.replace("/mosquitto/config", str(self.folder)).replace("mosquitto -c", f"{mosquitto()} -c", 1)
        self._process = start_process([*SERVICE["entrypoint"], script], start_new_session=True)
        until(lambda: self._process.poll() is not None or accepts(self.port[OWN]), "the broker")
        assert self._process.poll() is None

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=60)

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=60)


@pytest.fixture(name="broker")
def compose_broker(tmp_path: Path) -> Iterator[ComposeBroker]:
    running = ComposeBroker(tmp_path)
    running.config.write_text(  # nobody sends a signal: the script watches the files
        running.config.read_text(encoding="utf-8").replace("pid_file", "#"), encoding="utf-8"
    )
    yield running
    if running._process.poll() is None:
        running.kill()


def test_the_script_lets_the_broker_read_changed_files_and_ends_with_it(
    broker: ComposeBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    password = added(broker, capsys, "add", "A-1")

    def answer() -> str | None:
        client = broker.client(DEVICES, user="A-1", password=password)
        client.close()
        return client.answer

    until(lambda: answer() == "Success", "the new device at the broker")
    broker.devices("revoke", "A-1")
    until(lambda: answer() == "Not authorized", "the refusal of the revoked device")
    broker.end()
    assert not accepts(broker.port[OWN])


def test_the_health_check_passes_for_a_living_broker_and_fails_for_a_dead_one(broker: ComposeBroker) -> None:
    script = SERVICE["healthcheck"]["test"][1].replace("$$", "$").replace("/mosquitto/", f"{broker.folder}/")
    for at, expected in ((broker.port[OWN], True), (free_port(), False)):
        check = script.replace("-p 8885", f"-h localhost -p {at}")
        assert (subprocess.run(["sh", "-c", check], check=False, capture_output=True).returncode == 0) is expected


def test_what_the_broker_queued_for_an_absent_monitor_survives_its_crash_once_it_is_saved(
    broker: ComposeBroker,
) -> None:
    def address(name: str) -> BrokerAddress:
        ca_file = str(broker.folder / "access" / "authority.pem")
        return BrokerAddress("localhost", broker.port[OWN], name, broker.secret(name), tls=True, ca_file=ca_file)

    def subscribed() -> MqttSource:
        source = MqttSource(address(MONITOR), "liftwatch-monitor")
        assert source.connect(20.0) is None
        return source

    subscribed().close()
    lifts = Publisher(address(SIMULATOR))
    for number in range(MESSAGES):
        lifts.publish("lift/v1/north/A-1/speed", str(number).encode())
    assert lifts.flush(60.0)
    published_at = time.time()
    saved = broker.folder / "sessions" / "mosquitto.db"
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
