"""Recordings that were interrupted, as processes: complete, or marked incomplete; never silently short."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import liftwatch
from tests.loopback import PATIENCE_S, until
from tests.processes import start_process

SCENARIO = "lifts = 40\nseed = 3\nhour = 8\n"
SMALL_BYTES = 60_000


def simulating(place: Path, hours: float, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """Start to write so many hours of a world into `taken`."""
    (place / "long.toml").write_text(f"{SCENARIO}hours = {hours}\n", encoding="utf-8")
    line = [sys.executable, "-m", "liftwatch", "simulate", "--scenario", str(place / "long.toml"), "--to"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return start_process([*line, str(place / "taken")], **pipes, preexec_fn=limit)


def complete(folder: Path) -> object:
    return json.loads((folder / "recording.json").read_bytes())["complete"]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 1), (signal.SIGTERM, 1)])
def test_a_simulation_that_is_ended_midway_is_marked_incomplete(tmp_path: Path, how: int, code: int) -> None:
    with simulating(tmp_path, 4.0) as running:
        until(lambda: (tmp_path / "taken" / "facts.parquet").exists(), "a recording that has begun")
        running.send_signal(how)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == code
    assert complete(tmp_path / "taken") is False
    assert err == ""
    assert ("marked incomplete: it was interrupted" in out) == (code == 1)


def test_a_full_disk_is_one_line_and_the_recording_is_marked_incomplete(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, SMALL_BYTES))

    with simulating(tmp_path, 0.05, limit) as running:
        out, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, out) == (liftwatch.UNUSABLE, "")
    (line,) = err.splitlines()
    assert "cannot be written (File too large" in line
    assert "make room, or name another folder" in line
    assert complete(tmp_path / "taken") is False
