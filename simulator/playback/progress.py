"""Tells how something long goes: a line every few seconds, where somebody watches."""

from __future__ import annotations

import sys
import time

EVERY_S = 5.0


class Progress:
    """When it was told last how something goes; it begins now."""

    def __init__(self) -> None:
        self._told_s = time.monotonic()

    def tell(self, line: str) -> None:
        """Write a line, where it is time to and somebody watches."""
        if self.due():
            self.write(line)

    def due(self) -> bool:
        """Say whether it is time to tell again, and take it as told."""
        now_s = time.monotonic()
        if now_s - self._told_s <= EVERY_S:
            return False
        self._told_s = now_s
        return True

    @staticmethod
    def write(line: str) -> None:
        """Write a line where somebody watches."""
        if sys.stderr.isatty():
            sys.stderr.write(f"{line}\n")
