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

from tests.loopback import free_port, until
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
    program = shutil.which("influxd")
    if program is None:
        pytest.skip(MISSING)
    port = free_port()
    server = start(program, tmp_path_factory.mktemp("influxd"), port)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: ready(f"{url}/api/v2/setup"), "influxd", 60)  # /health answers before the API does
        wanted = {"username": "tests", "password": "only-for-tests", "token": TOKEN, "org": "tests", "bucket": "unused"}
        httpx.post(f"{url}/api/v2/setup", json=wanted, trust_env=False, timeout=60).raise_for_status()
        yield Influx(url, TOKEN)
    finally:
        server.terminate()
        server.wait(30)


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


def start(program: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start an `influxd` that keeps everything in `folder`."""
    paths = {"bolt-path": "influxd.bolt", "sqlite-path": "influxd.sqlite", "engine-path": "engine"}
    options = [f"--{option}={folder / name}" for option, name in paths.items()]
    command = [
        program,
        "run",
        *options,
        f"--http-bind-address=127.0.0.1:{port}",
        "--reporting-disabled",
        "--log-level=error",
    ]
    return start_process(command, env={**os.environ, "HOME": str(folder)}, stdout=subprocess.DEVNULL)


def ready(url: str) -> bool:
    """Return whether the server answers at `url`."""
    try:
        return httpx.get(url, trust_env=False, timeout=60).is_success
    except httpx.TransportError:
        return False
