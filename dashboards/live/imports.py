"""The imports of lifts that this server applies at the moment, each with the number of lifts taken so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class RunningImport:
    """An import of `of` lifts that began at `since_ns`."""

    of: int
    since_ns: int
    taken: int = 0

    def take(self, taken: int) -> None:
        """Set the number of lifts taken so far."""
        self.taken = taken


class RunningImports:
    """The running imports, in the order of their begin; several threads use the same object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[RunningImport] = []

    @contextmanager
    def applying(self, of: int) -> Iterator[RunningImport]:
        """List an import of `of` lifts until the block ends; yield the import."""
        started = RunningImport(of, time.time_ns())
        with self._lock:
            self._running.append(started)
        try:
            yield started
        finally:
            with self._lock:
                self._running = [each for each in self._running if each is not started]

    def now(self) -> list[RunningImport]:
        """Return the running imports."""
        with self._lock:
            return list(self._running)
