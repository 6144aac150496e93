"""What runs out of time fails alone: a small suite under this project's own options, on two workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.loopback import until

ROOT = Path(__file__).parents[1]
CONFTEST = "from tests.time_limit import *\n"
SLEEPS = """
import time, pytest
from tests.processes import start_process

@pytest.fixture
def server(tmp_path_factory):
    running = start_process(["sleep", "600"])
    with open("{pids}", "a") as pids:
        print(running.pid, file=pids)
    yield running
    running.kill()
    running.wait()

def test_before(): pass
def test_sleeps(server): time.sleep(600)
def test_after(): pass
"""
NEVER_RETURNS = """
import ctypes
from test_sleeps import server

def test_before(): pass

def test_never_returns_from_c(server):
    mutex = ctypes.create_string_buffer(128)
    for _ in range(2):  # no signal ends a wait for a mutex, and PyDLL keeps Python's own lock
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)

def test_after(): pass
"""
HANGS_WHILE_IT_STOPS = """
import threading, pytest

@pytest.fixture
def stubborn():
    yield
    threading.Event().wait()

def test_before(): pass
def test_fails_and_its_fixture_hangs(stubborn): raise AssertionError
def test_after(): pass
"""
OTHERS = "import pytest\n@pytest.mark.parametrize('number', range(20))\ndef test_other(number): pass\n"


def alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_runs_out_of_time_fails_alone_and_its_servers_end(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    for name, text in {
        "conftest": CONFTEST,
        "test_sleeps": SLEEPS.replace("{pids}", str(pids)),
        "test_never_returns": NEVER_RETURNS,
        "test_hangs_while_it_stops": HANGS_WHILE_IT_STOPS,
        "test_others": OTHERS,
    }.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    ours = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    here = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *ours, "-n", "2", "--dist", "worksteal", "-o", "timeout=6", str(tmp_path)],
        cwd=tmp_path, env={name: os.environ[name] for name in ("PATH",)} | here, capture_output=True, text=True,
    )  # fmt: skip
    failed = set(re.findall(r"(?:FAILED|ERROR) \S*::(\w+)", ran.stdout))
    assert failed == {"test_sleeps", "test_never_returns_from_c", "test_fails_and_its_fixture_hangs"}, ran.stdout
    assert " 26 passed" in ran.stdout, ran.stdout
    for pid in map(int, pids.read_text(encoding="utf-8").split()):
        until(lambda pid=pid: not alive(pid), f"the end of process {pid}")
