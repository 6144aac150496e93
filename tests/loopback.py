"""Ports of this machine that a test may use, and waiting for what listens there without sleeping for luck."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress

PORTS = range(20_000, 32_000)
"""Below the ports that Linux gives to connections and to listeners that ask for port 0."""
PATIENCE_S = 180.0
"""Longer than anything takes on a machine that does much else, and shorter than the time limit of a test."""
_draw = random.SystemRandom()
_reserved: list[socket.socket] = []


def free_port() -> int:
    """Return a port of the loopback that nobody listens on, and that no other test is given while this process runs.

    The UDP port of the same number is what reserves it: a server that the test starts, stops and starts again listens
    on TCP alone.
    """
    while True:
        port, reservation = _draw.choice(PORTS), socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError), socket.socket() as probe:
            reservation.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
            _reserved.append(reservation)
            return port
        reservation.close()


def until(ready: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait for `ready`, and fail by name where it does not come within `within_s` of a machine that is not overloaded:
    a second counts less while more programs wait for a processor than there are."""
    left_s, last_s = within_s, time.monotonic()
    while not ready():
        assert left_s > 0, f"{what} did not come within {within_s:.0f} s"
        time.sleep(0.05)
        left_s, last_s = left_s - (time.monotonic() - last_s) / _load(), time.monotonic()


def _load() -> float:
    """Return how many programs want each processor, 1 at least."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def accepts(port: int) -> bool:
    """Return whether something listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
