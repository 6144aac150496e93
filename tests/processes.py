"""Processes that tests start: none outlives the process that started it, however that one ends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def start_process(command: Sequence[str | Path], ended_by: str = "KILL", **how: Any) -> subprocess.Popen[Any]:
    """Start `command`, which the kernel sends the signal `ended_by` as soon as this process has ended.

    Call it from the main thread: the kernel watches the thread that starts a process.
    """
    return subprocess.Popen([*bound(ended_by), *map(str, command)], **how)


def bound(ended_by: str = "KILL") -> list[str]:
    """Return what to put before a command such that it ends with its parent; nothing where util-linux is missing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", ended_by, "--"] if setpriv else []
