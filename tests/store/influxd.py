"""A real InfluxDB 2 for the tests: `influxd` from PATH on a free port, or the one LIFTWATCH_TEST_INFLUX_URL names.

Each test gets an organisation of its own, which goes when the test ends. The token of a given server comes from
LIFTWATCH_TEST_INFLUX_TOKEN and must be an operator's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from influxdb_client import InfluxDBClient

from tests.loopback import PATIENCE_S, free_port, until
from tests.processes import start_process

TOKEN = "a-token-for-tests"
MISSING = "needs influxd 2.x on PATH, or LIFTWATCH_TEST_INFLUX_URL and _TOKEN"


@dataclass(frozen=True)
class Influx:
    """Where it is, and an organisation to work in."""

    url: str
    token: str
    org: str = ""


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """Start an `influxd`, or use the one that is named, or skip."""
    url = os.environ.get("LIFTWATCH_TEST_INFLUX_URL")
    if url:
        yield Influx(url, os.environ.get("LIFTWATCH_TEST_INFLUX_TOKEN", ""))
        return
    server = InfluxServer(tmp_path_factory.mktemp("influxd"))
    yield Influx(server.url, server.token)
    server.stop()


@pytest.fixture
def influx(influxd: Influx) -> Iterator[Influx]:
    """Return an InfluxDB with an empty organisation of this test's own."""
    with organisation(influxd) as own:
        yield own


@contextmanager
def organisation(server: Influx) -> Iterator[Influx]:
    """Make an empty organisation, and remove it afterwards."""
    with InfluxDBClient(server.url, server.token) as client:
        api = client.organizations_api()
        org = api.create_organization(name=f"test-{uuid4().hex[:12]}")
        try:
            yield Influx(server.url, server.token, org.name)
        finally:
            api.delete_organization(org.id)


class InfluxServer:
    """An `influxd` that keeps everything in `folder`, and that a test may stop and start again at the same port."""

    token, org = TOKEN, "tests"

    def __init__(self, folder: Path) -> None:
        program = shutil.which("influxd")
        if program is None:
            pytest.skip(MISSING)
        port = free_port()
        self.url, self._folder = f"http://127.0.0.1:{port}", folder
        paths = {"bolt-path": "influxd.bolt", "sqlite-path": "influxd.sqlite", "engine-path": "engine"}
        options = [f"--{option}={folder / name}" for option, name in paths.items()]
        options += [f"--http-bind-address=127.0.0.1:{port}", "--reporting-disabled", "--log-level=error"]
        self._command = [program, "run", *options]
        self.start()
        wanted = {"username": "tests", "password": "only-for-tests", "bucket": "unused"}
        wanted |= {"token": self.token, "org": self.org}
        httpx.post(f"{self.url}/api/v2/setup", json=wanted, trust_env=False, timeout=60).raise_for_status()

    def start(self) -> None:
        environment = {**os.environ, "HOME": str(self._folder)}
        self._process = start_process(self._command, env=environment, stdout=subprocess.DEVNULL)
        until(lambda: ready(f"{self.url}/api/v2/setup"), "influxd")  # /health answers before the API does

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


def ready(url: str) -> bool:
    """Return whether the server answers at `url`."""
    try:
        return httpx.get(url, trust_env=False, timeout=60).is_success
    except httpx.TransportError:
        return False
