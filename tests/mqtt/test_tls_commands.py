"""Every command that speaks MQTT begins with TLS where `tls = true`: a listener looks at the first bytes it sends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import liftwatch
from registry.actor import Actor
from registry.facts import LiftFacts
from simulator.playback import player
from store.records.repository import Records
from tests.forked import Liftwatch
from tests.loopback import PATIENCE_S, free_port, until
from tests.mqtt.brokers import PASSWORD, USER, first_bytes_listener
from tests.mqtt.certificates import NAME, make_certificates

# paho leaves the socket of a failed handshake to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")

TLS_HANDSHAKE = b"\x16\x03"
WORLD = "lifts = 1\nhours = 0.0006\nform = 'json'\n"


class Installation:
    """A configuration whose broker is the listener, and the first bytes that the listener saw."""

    def __init__(self, folder: Path, port: int, seen: list[bytes]) -> None:
        self.folder, self.seen, self.http_port = folder, seen, free_port()
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        (folder / "world.toml").write_text(WORLD, encoding="utf-8")
        self.config = folder / "liftwatch.toml"
        self.config.write_text(
            f"[broker]\nhost = '{NAME}'\nport = {port}\ntls = true\nusername = '{USER}'\n"
            f"password_file = '{folder}/password'\n[monitor]\ndata_dir = '{folder}/data'\n"
            f"[dashboards]\nport = {self.http_port}\ndemo = true\n",
            encoding="utf-8",
        )
        (folder / "data").mkdir()

    def run(self, *arguments: str) -> int:
        """Run a command in this process."""
        return liftwatch.main(["--config", str(self.config), *arguments])

    def shows_tls(self) -> None:
        """Hold the first bytes of every connection against a ClientHello."""
        assert self.seen
        for first in self.seen:
            assert first.startswith(TLS_HANDSHAKE)
            assert USER.encode() not in first
            assert PASSWORD.encode() not in first


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose broker has a certificate that nobody trusts."""
    with first_bytes_listener(make_certificates(tmp_path / "certificates")) as (port, seen):
        yield Installation(tmp_path, port, seen)


@pytest.mark.parametrize(
    "command",
    [
        ["check-config"],
        ["inject", "sim-00001", "power-cut"],
        ["record", "{folder}/taken", "--for", "1"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_begins_with_tls_and_names_the_key_for_a_certificate_it_does_not_trust(
    installation: Installation, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert installation.run(*(part.format(folder=installation.folder) for part in command)) == 2
    installation.shows_tls()
    output = "".join(capsys.readouterr())
    assert output.count("its certificate is not trusted") == 1
    assert "broker.ca_file" in output


def test_the_monitor_begins_with_tls_and_goes_on_without_a_broker_that_it_does_not_trust(
    installation: Installation,
) -> None:
    log = installation.folder / "monitor.log"
    with log.open("wb") as out:
        process = Liftwatch(["--config", installation.config, "monitor"], out)
    until(lambda: b"broker.ca_file" in log.read_bytes() or process.poll() is not None, "the key to set")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    installation.shows_tls()


def test_simulate_and_replay_begin_with_tls(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "CLOSE_S", 0.5)
    world = ["simulate", "--scenario", f"{installation.folder}/world.toml"]
    assert installation.run(*world) == 0
    installation.shows_tls()
    simulated = len(installation.seen)
    assert installation.run(*world, "--to", f"{installation.folder}/taken") == 0
    assert installation.run("replay", f"{installation.folder}/taken") == 2
    installation.shows_tls()
    assert len(installation.seen) > simulated


def test_the_pages_fault_button_begins_with_tls(installation: Installation) -> None:
    with Records.open(f"sqlite:///{installation.folder}/data/records.db") as records:
        records.put_lifts([LiftFacts("sim-00001", "anji")], Actor.named("test"), time.time_ns())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFTWATCH_")}
    base = f"http://127.0.0.1:{installation.http_port}"
    with (
        (installation.folder / "serve.log").open("wb") as out,
        httpx.Client(base_url=base, trust_env=False, timeout=60) as http,
    ):
        process = Liftwatch(["--config", installation.config, "serve"], out, environment)
        until(lambda: answers(http), "the pages")
        answer = http.post("/api/v1/sim/sim-00001/fault", json={"cause": "power-cut", "for_s": 60})
        process.terminate()
        process.wait(PATIENCE_S)
    assert answer.status_code == 503
    assert "broker.ca_file" in answer.json()["detail"]
    installation.shows_tls()


def answers(http: httpx.Client) -> bool:
    """Return whether the server lists its lift."""
    try:
        return http.get("/api/v1/lifts/sim-00001").status_code == 200
    except httpx.TransportError:
        return False
