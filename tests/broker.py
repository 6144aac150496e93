"""A real Mosquitto on a free port of the loopback, for whoever needs a broker."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import accepts, free_port, until
from tests.processes import start_process

CONF = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n{more}"
LACKING = "no mosquitto on PATH (Debian: mosquitto)"


class Broker:
    """A broker that a test may kill and start again at the same port."""

    def __init__(self, program: str, folder: Path, more: str = "") -> None:
        self.port = free_port()
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        root = "user root\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(CONF.format(port=self.port, more=root + more), encoding="utf-8")
        self.start()

    def start(self) -> None:
        self._process = start_process(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: self._process.poll() is not None or accepts(self.port), "the broker")
        assert self._process.poll() is None, "mosquitto ended at once"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=60)


def mosquitto() -> str:
    """Return Mosquitto's path, or skip the test."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip(LACKING)
    return program


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker without a password."""
    running = Broker(mosquitto(), tmp_path)
    yield running
    running.stop()
