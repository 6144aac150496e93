"""The dashboards as a process: it starts with or without its stores, and stops on a signal."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dashboards.api.context import Settings
from dashboards.app import run
from store.records.repository import Records
from store.series.connect import open_timeseries
from tests.loopback import PATIENCE_S, accepts, free_port, until
from tests.processes import start_process

SERVE = """
import sys
from pathlib import Path
from dashboards.api.context import Settings
from dashboards.app import run
from store.records.repository import Records
from store.series.connect import open_timeseries
folder = Path(sys.argv[1])
run(Settings(
    lambda: Records.open(f"sqlite:///{folder}/records.db"), lambda: open_timeseries(folder / "series", writable=False),
    port=int(sys.argv[2]),
))
print("ended")
"""


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the server as a process; yield it and its address once it answers."""
    port = free_port()
    started = start_process([sys.executable, "-c", SERVE, str(folder), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: started.poll() is not None or accepts(port), "the server")
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=60).raise_for_status()
        yield started, f"http://127.0.0.1:{port}"
    finally:
        started.kill()
        started.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_while_a_stream_is_open(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (started, address), httpx.stream("GET", f"{address}/api/v1/live", timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        started.send_signal(number)
        assert (started.communicate(timeout=PATIENCE_S)[0], started.returncode) == ("ended\n", 0)


def test_the_server_listens_on_loopback_by_default() -> None:
    assert Settings(Records.open, open_timeseries).host == "127.0.0.1"  # type: ignore[arg-type]


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    taken = Settings(
        lambda: Records.open(f"sqlite:///{tmp_path}/records.db"), lambda: open_timeseries(tmp_path / "series")
    )
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        run(Settings(taken.open_records, taken.open_series, port=other.getsockname()[1]))
