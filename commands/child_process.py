"""Child processes that are kept running: started, waited for, started again when they end, and ended.

Standard output and errors of a child go to a log file of its own. A child is in a session of its own, so that Ctrl-C
at the terminal reaches the parent alone, and it does not see the LIFTWATCH_ variables of the environment.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.configuration_file import PREFIX
from commands.errors import Unusable

log = logging.getLogger("liftwatch.demo")

LOOPBACK = "127.0.0.1"
READY_LIMIT_S = 180.0
"""A monitor that has to compile its recurrences first takes a minute on a loaded machine."""
READY_POLL_S = 0.1
END_LIMIT_S = 30.0
RESTART_PAUSE_S = 2.0
SUPERVISE_POLL_S = 0.5


@dataclass(slots=True)
class ChildProcess:
    """A command that is run in a process of its own, and the check of whether the process is ready for use."""

    name: str
    command: Sequence[str]
    log_path: Path
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    restart_at: float | None = None

    def start(self) -> None:
        """Start the process."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self.log_path.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdout=out, stderr=out, env=environment, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        """Wait until the process is ready; raise Unusable with its last line of log where it ended instead."""
        until = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise Unusable(f"{self.name} ended at once: {last_line(self.log_path)}")
            if self.is_ready():
                return
            time.sleep(READY_POLL_S)
        raise Unusable(f"{self.name} is not ready after {READY_LIMIT_S:.0f} s, see {self.log_path}")

    def end(self) -> None:
        """Terminate the process; kill it where it does not end in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            log.warning("%s does not end by itself and is killed", self.name)
            self.process.kill()
            self.process.wait()


def supervise(children: Sequence[ChildProcess]) -> None:
    """Start every child again that ends, after a pause, until KeyboardInterrupt."""
    while True:
        time.sleep(SUPERVISE_POLL_S)
        for child in children:
            if child.process is None or child.process.poll() is None:
                continue
            if child.restart_at is None:
                code = child.process.returncode
                print(f"{child.name} ended ({code}), see {child.log_path}; starting it again", flush=True)
                child.restart_at = time.monotonic() + RESTART_PAUSE_S
            elif time.monotonic() >= child.restart_at:
                child.restart_at = None
                child.start()


def own_command(config: Path | None) -> list[str]:
    """Return the command that runs this program again, with a configuration file."""
    return [sys.executable, "-m", "liftwatch", *(["--config", str(config)] if config else [])]


def last_line(path: Path) -> str:
    """Return the last line of a log file."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def is_listening(port: int) -> bool:
    """Return whether a loopback port accepts connections."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def refuse_taken_port(what: str, port: int, option: str) -> None:
    """Raise Unusable where a loopback port cannot be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Unusable(
                f"port {port}, which {what} would use, cannot be had ({error.strerror}); end what uses it or choose "
                f"another with {option}"
            ) from None
