"""The pace of judging: when a turn begins, and the metric of how long turns take.

    message    x  x   x  x   a        x   x         a is about the alarm button
    turn      |      |       |           |          `batch_s` apart at least, and `CALM` times as long more where the
                                                    next message is not urgent and no row waits for other streams

A turn costs the same for few messages as for one, and that is most of what a small fleet costs.
"""

from __future__ import annotations

import threading
import time

from prometheus_client import Histogram

TURN_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
CALM = 1.5


class TurnPace:
    """The beginnings of turns. `urgent` is set by who journals an urgent message, `stopping` to end."""

    def __init__(self, batch_s: float) -> None:
        self.urgent, self.stopping = threading.Event(), threading.Event()
        self.turn_time = Histogram(
            "liftwatch_monitor_turn_seconds", "A turn of judging", buckets=TURN_BUCKETS_S, registry=None
        )
        self.turned_s = self._begun_s = time.monotonic()
        self._batch_s = batch_s
        self._due_s: dict[str, float] = {}

    def begin(self) -> None:
        """Note that a turn begins."""
        self._begun_s = time.monotonic()

    def end(self) -> float:
        """Note that the turn ends, and return how long it took."""
        self.turned_s = time.monotonic()
        took_s = self.turned_s - self._begun_s
        self.turn_time.observe(took_s)
        return took_s

    def pause(self, *, is_calm: bool) -> None:
        """Wait for the next turn, where `is_calm` until a message is urgent or some time is over."""
        self.stopping.wait(max(0.0, self._begun_s + self._batch_s - time.monotonic()))
        if is_calm:
            self.urgent.wait(CALM * self._batch_s)
        self.urgent.clear()

    def is_due(self, action: str, every_s: float) -> bool:
        """Return whether a periodic action is due, and expect it again after `every_s`."""
        now_s = time.monotonic()
        is_due = now_s >= self._due_s.get(action, 0.0)
        if is_due:
            self._due_s[action] = now_s + every_s
        return is_due

    def stop(self) -> None:
        """End every wait."""
        self.stopping.set()
        self.urgent.set()
