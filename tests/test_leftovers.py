"""What a failed test leaves open fails no other test: a small suite under this project's own options."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.loopback import until
from tests.test_time_limit import ROOT, alive

CONFTEST = "from tests.leftovers import pytest_runtest_logfinish, pytest_runtest_logreport\n"
LEAVES_ALL_OPEN = """
import gc, socket, sqlite3, subprocess
from tests.processes import start_process

class Held:
    def __init__(self):
        self.itself = self
        self.server = socket.create_server(("127.0.0.1", 0))
        self.records = sqlite3.connect(":memory:")
        self.running = start_process(["sleep", "600"], stdout=subprocess.PIPE)

def test_fails_before_it_closes_anything():
    held = Held()
    with open("{pids}", "w") as pids:
        pids.write(str(held.running.pid))
    raise AssertionError

def test_another():
    gc.collect()
"""


def test_what_a_failed_test_leaves_open_ends_and_fails_no_other_test(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_open.py").write_text(LEAVES_ALL_OPEN.replace("{pids}", str(pids)), encoding="utf-8")
    ours = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    command = [sys.executable, "-m", "pytest", *ours, str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, env=here, capture_output=True, text=True, check=False)
    assert re.findall(r"(?:FAILED|ERROR) \S*::(\w+)", ran.stdout) == ["test_fails_before_it_closes_anything"], (
        ran.stdout
    )
    assert "1 passed" in ran.stdout
    until(lambda: not alive(int(pids.read_text(encoding="utf-8"))), "the end of the process")
