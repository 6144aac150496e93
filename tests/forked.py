"""Processes forked from one that has imported the program: a start takes milliseconds instead of seconds of computing.

test process ──starts──► fork server: imports the program once ──forks──► `liftwatch monitor`, `liftwatch serve`, work
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, BinaryIO

import liftwatch
from tests.loopback import PATIENCE_S

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.imported_program"])
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


@contextmanager
def forked(work: Callable[..., None], *given: Any) -> Iterator[ForkServerProcess]:
    """Run `work(ready, *given)` in a process of its own, yield it when `ready()` was called, and kill it in the end."""
    ready = _FORKS.Event()
    process = _FORKS.Process(target=work, args=(ready.set, *given), daemon=True)
    process.start()
    try:
        assert ready.wait(PATIENCE_S), f"exit code {process.exitcode}"
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


class Liftwatch:
    """`liftwatch ARGUMENTS` as a process, with what `subprocess.Popen` offers; the kernel ends it with the tests."""

    def __init__(
        self, arguments: Sequence[str | Path], out: BinaryIO, environment: Mapping[str, str] = os.environ
    ) -> None:
        """Start it; `out` takes its standard output and error."""
        given = [str(argument) for argument in arguments], Output(out), dict(environment), Path.cwd()
        self._process = _FORKS.Process(target=_run, args=given, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code; `subprocess.TimeoutExpired` after `timeout` seconds."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"liftwatch, process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def printed(arguments: Sequence[str | Path], folder: Path) -> tuple[int, str]:
    """Run `liftwatch ARGUMENTS` to its end; return the exit code, and what it printed into a file of `folder`."""
    log = folder / "printed"
    with log.open("wb") as out:
        code = Liftwatch(arguments, out).wait(PATIENCE_S)
    return code, log.read_text(encoding="utf-8")


class Output:
    """An open file that a forked process takes over as its standard output and error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return _redirect, (DupFd(self._file.fileno()),)


def _redirect(descriptor: Any) -> None:
    """Write to a descriptor from now on, in the process that unpickles an `Output`."""
    number = descriptor.detach()
    for standard in (1, 2):
        os.dup2(number, standard)
    os.close(number)


def _run(arguments: list[str], _: None, environment: dict[str, str], folder: Path) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.exit(liftwatch.main(arguments))
