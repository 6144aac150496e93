"""A real Mosquitto on a free port of the loopback, for whoever needs a broker."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import PATIENCE_S, accepts, free_port, until
from tests.processes import start_process

CONF = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n{more}"
NOT_SHIPPED = (
    *("listener", "protocol", "use_username_as_clientid", "persistence_location"),
    *("allow_anonymous", "password_file", "acl_file", "log_dest"),
    *("certfile", "keyfile", "cafile", "crlfile", "require_certificate", "use_identity_as_username"),
)
"""The options of the shipped configuration that name places of the container, or ask for a password."""
LACKING = "no mosquitto on PATH (Debian: mosquitto)"


class Broker:
    """A broker that a test may kill and start again at the same port."""

    def __init__(self, program: str, folder: Path, more: str = "", conf: str = CONF) -> None:
        self.port = free_port()
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        root = "user root\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(conf.format(port=self.port, more=root + more), encoding="utf-8")
        self.start()

    def start(self) -> None:
        self._process = start_process(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: self._process.poll() is not None or accepts(self.port), "the broker")
        assert self._process.poll() is None, "mosquitto ended at once"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)


def shipped_broker(program: str, folder: Path) -> Broker:
    """Return a broker with the shipped configuration but for the address, the folder of its sessions, and strangers."""
    shipped = (Path(__file__).parents[1] / "ingest" / "mosquitto.conf").read_text(encoding="utf-8")
    kept = [line for line in shipped.splitlines() if line.split(" ")[0] not in NOT_SHIPPED]
    (folder / "sessions").mkdir()
    folder.chmod(0o755)
    own = [f"persistence_location {folder}/sessions/", "listener {port} 127.0.0.1", "allow_anonymous true", "{more}"]
    return Broker(program, folder, conf="\n".join(kept + own))


def mosquitto() -> str:
    """Return Mosquitto's path, or skip the test."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip(LACKING)
    return program


@pytest.fixture
def refusing_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that lets everybody read, and publish below `sim/` alone."""
    (tmp_path / "acl").write_text("topic read #\ntopic write sim/#\n", encoding="utf-8")
    running = Broker(mosquitto(), tmp_path, f"acl_file {tmp_path}/acl\n")
    yield running
    running.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker without a password."""
    running = Broker(mosquitto(), tmp_path)
    yield running
    running.stop()
