"""`liftwatch demo --secure` as a person runs it: https, a broker that admits nobody else, one device by certificate."""

from __future__ import annotations

import signal
import ssl
import sys
from pathlib import Path

import httpx
import pytest

import liftwatch
from commands.errors import Unusable
from commands.secure_demo import FIRST_LINK
from commands.simulate import numbered
from simulator.scenarios.scenario import Scenario
from tests.broker import mosquitto
from tests.loopback import accepts, free_port, until
from tests.processes import start_process
from tests.secure_broker import BrokerClient

DEVICE = "sim-00003"


def free_ports() -> int:
    """Return the first of three free ports in a row."""
    while True:
        first = free_port()
        if not any(accepts(first + more) for more in (1, 2)):
            return first


@pytest.mark.parametrize(
    ("numbers", "part"), [(None, slice(None)), ("1-4", slice(0, 4)), ("4-4", slice(3, 4)), ("2-3", slice(1, 3))]
)
def test_a_part_of_the_fleet_is_named_by_numbers(numbers: str | None, part: slice) -> None:
    assert numbered(numbers, Scenario(lifts=4)) == part


@pytest.mark.parametrize("numbers", ["", "1", "0-2", "3-2", "1-5", "a-b", "-1", "1-2-3"])
def test_numbers_that_name_no_lifts_are_refused(numbers: str) -> None:
    with pytest.raises(Unusable, match="write two numbers from 1 to 4"):
        numbered(numbers, Scenario(lifts=4))


@pytest.mark.long
@pytest.mark.broker
def test_the_secure_demonstration_lives_and_ends_by_one_interrupt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mosquitto()
    port, broker_port, data, log = free_port(), free_ports(), tmp_path / "data", tmp_path / "demo.log"
    ports = ["--port", str(port), "--broker-port", str(broker_port)]
    command = [sys.executable, "-m", "liftwatch", "demo", "--secure", *ports, "--lifts", "2", "--data", str(data)]
    with log.open("wb") as out:
        process = start_process([*command, "--faults-per-hour", "0"], ended_by="TERM", stdout=out, stderr=out)
    until(lambda: "Ctrl-C" in log.read_text(encoding="utf-8") or process.poll() is not None, "the demonstration")
    assert process.poll() is None, log.read_text(encoding="utf-8")
    assert f"https://localhost:{port}/" in log.read_text(encoding="utf-8")
    authority = data / "broker" / "authority.pem"
    trusted = ssl.create_default_context(cafile=str(authority))
    pages = httpx.Client(base_url=f"https://localhost:{port}", verify=trusted, trust_env=False, timeout=60)
    assert pages.get("/api/v1/lifts").status_code == 401
    link = FIRST_LINK.search(log.read_text(encoding="utf-8"))
    assert link is not None
    code, password = link[0].partition("=")[2], "correct horse battery"
    first = {"code": code, "name": "Mei", "login": "mei", "organisation": "City", "password": password}
    assert pages.post("/welcome", data={**first, "again": password}).status_code == 303

    def judged() -> set[str]:
        """Return the lifts that are heard and judged; a fault that somebody reported of one may be open."""
        unheard = ("never-seen", "offline", "suspect")
        lifts = pages.get("/api/v1/lifts").json()["items"]
        return {lift["lift_id"] for lift in lifts if lift["blind"] is None and lift["state"] not in unheard}

    until(lambda: judged() == {"sim-00001", "sim-00002", DEVICE}, "all three lifts")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://localhost:{port}/healthz", trust_env=False, timeout=60)
    for listener in (broker_port, broker_port + 2):
        stranger = BrokerClient(listener, authority)
        stranger.close()
        assert stranger.answer == "Not authorized"
    config = str(data / "liftwatch.toml")
    assert liftwatch.main(["--config", config, "devices", "revoke", DEVICE]) == 0
    assert "the broker has been reloaded" in capsys.readouterr().err
    until(lambda: "refuses" in (data / "device.log").read_text(encoding="utf-8"), "the refusal of the revoked device")
    pages.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(100) == 0
    assert not any(map(accepts, (port, broker_port, broker_port + 1, broker_port + 2)))
