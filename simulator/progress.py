"""Tells how something long goes: a line every few seconds, where somebody watches."""

from __future__ import annotations

import sys
import time

EVERY_S = 5.0


class Progress:
    """What has been begun just now and will take its time."""

    def __init__(self) -> None:
        self._told_s = time.monotonic()

    def due(self) -> bool:
        """Say whether it is time to tell again, and take it as told."""
        now_s = time.monotonic()
        due = now_s - self._told_s > EVERY_S
        if due:
            self._told_s = now_s
        return due

    def tell(self, line: str) -> None:
        """Write a line, where it is time to and somebody watches."""
        if self.due():
            write(line)


def write(line: str) -> None:
    """Write a line where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{line}\n")
