"""Processes that tests start: none outlives the process that started it, nor the test that failed amid its use."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class OwnedProcess(subprocess.Popen[Any]):
    """A process that is killed and waited for as soon as nothing refers to it.

    A test that fails before its last lines leaves a running process behind; without this, a later test would fail by
    the warning about it.
    """

    def __del__(self) -> None:
        if getattr(self, "returncode", 0) is None:
            self.kill()
            self.wait()
        for pipe in (self.stdin, self.stdout, self.stderr) if hasattr(self, "stderr") else ():
            if pipe is not None:
                pipe.close()


def start_process(command: Sequence[str | Path], ended_by: str = "KILL", **how: Any) -> OwnedProcess:
    """Start `command`, which the kernel sends the signal `ended_by` as soon as this process has ended.

    Call it from the main thread: the kernel watches the thread that starts a process.
    """
    return OwnedProcess([*bound(ended_by), *map(str, command)], **how)


def bound(ended_by: str = "KILL") -> list[str]:
    """Return what to put before a command such that it ends with its parent; nothing where util-linux is missing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", ended_by, "--"] if setpriv else []
