"""Plays a recording to a broker: the same messages, at the pace at which they arrived or any other.

No message is lost: what the broker has not acknowledged is sent again, and without a connection the replay waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event

from mqtt.failures import NO_ANSWER
from mqtt.publisher import Publisher
from simulator.playback.progress import Progress
from simulator.terminals.replay_forms import FORMS, packets
from telemetry.batch import Decoded

WAIT_S = 0.5
CLOSE_S = 60.0
PACED_S = 0.01
"""A message that is due within this time is sent now: waiting for each by itself costs more."""


class Undelivered(OSError):
    """The broker did not acknowledge all messages of a recording."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: `speed` times as fast as the messages came (0: as fast as the broker takes them)."""

    speed: float = 1.0
    shift_ns: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.speed < float("inf"):
            raise ValueError(f"speed: {self.speed!r} is not 0 or more; 1 is the pace at which it came")


class Replayer:
    """A recording's messages on their way to a broker; `sent` counts them."""

    def __init__(self, publisher: Publisher, pace: Pace, ended: Event, form: str = FORMS[0]) -> None:
        self.sent = 0
        self._publisher, self._pace, self._ended, self._form = publisher, pace, ended, form
        self._began_s: float | None = None
        self._first_ns = 0
        self._progress = Progress()

    def play(self, groups: Iterable[Decoded]) -> None:
        """Publish all messages, and return once the broker has acknowledged them; raise Undelivered otherwise."""
        for decoded in groups:
            self._publish(decoded)
            if self._ended.is_set():
                break
        self._publisher.flush(CLOSE_S)
        self._publisher.close()
        missing = self._publisher.unacknowledged + self._publisher.refused
        if missing:
            raise Undelivered(f"{missing} messages were not acknowledged ({self._publisher.last_error or NO_ANSWER})")

    def _publish(self, decoded: Decoded) -> None:
        for due in packets(decoded, self._form, self._pace.shift_ns):
            if not self._wait_for(due.arrived_ns):
                return
            self._publisher.publish(due.packet.topic, due.packet.payload, due.packet.retain)
            self.sent += due.messages
            self._progress.report(f"replay: {self.sent} messages sent, {self._publisher.acknowledged} acknowledged")

    def _wait_for(self, arrived_ns: int) -> bool:
        """Wait until a message that arrived at this time is due and there is a connection; return whether to go on."""
        while not self._publisher.is_connected and not self._ended.is_set():
            self._publisher.wait(WAIT_S, self._ended)
        if self._began_s is None:
            self._began_s, self._first_ns = time.monotonic(), arrived_ns
        if self._pace.speed > 0:
            due_s = self._began_s + (arrived_ns - self._first_ns) / 1e9 / self._pace.speed
            while (ahead_s := due_s - time.monotonic()) > PACED_S and not self._ended.is_set():
                self._publisher.wait(ahead_s, self._ended)
        return not self._ended.is_set()
