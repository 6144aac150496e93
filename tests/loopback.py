"""Ports of this machine that a test may use, and waiting for what listens there without sleeping for luck."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    """Wait for `ready`, and fail by name where it does not come."""
    end = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < end, f"{what} did not come within {within_s:.0f} s"
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Say whether something listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
