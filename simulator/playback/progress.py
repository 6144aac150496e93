"""Progress lines of long commands: one every few seconds, where standard error is a terminal."""

from __future__ import annotations

import sys
import time

EVERY_S = 5.0


class Progress:
    """The time of the last progress line."""

    def __init__(self) -> None:
        self._reported_s = time.monotonic()

    def report(self, line: str) -> None:
        """Write a line if one is due."""
        if self.due():
            self.write(line)

    def due(self) -> bool:
        """Return whether a line is due, and if so restart the interval."""
        now_s = time.monotonic()
        if now_s - self._reported_s <= EVERY_S:
            return False
        self._reported_s = now_s
        return True

    @staticmethod
    def write(line: str) -> None:
        """Write a line to standard error if it is a terminal."""
        if sys.stderr.isatty():
            sys.stderr.write(f"{line}\n")
