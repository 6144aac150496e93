"""Records the messages of a broker: a listener beside the monitor, with a session of its own.

Received messages are counted, and a lost connection makes the recording incomplete.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

from ingest.receiving.source import Arrival, Source
from store.outage import Outage
from store.recordings.files import RecordingNotWritten
from telemetry.batch import Decoded
from telemetry.streams import Entry, is_announcement
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.record")

TAKE_WAIT_S = 0.5
FLUSH_FIRST_S, FLUSH_EVERY_S = 2.0, 30.0
"""The first and the longest interval between two parts; it doubles in between, or a night would have too many parts."""
LAST_WAIT_S, LAST_LIMIT_S = 0.2, 5.0


class Taker(Protocol):
    """The interface of the writer of a recording (`store.recordings.recording.RecordingWriter`)."""

    def add(self, decoded: Decoded) -> None: ...

    def flush(self) -> None: ...


class Listener:
    """Receives and records: `heard` counts messages, `unbroken` is whether the connection was never lost."""

    def __init__(self, source: Source, taker: Taker, show: Callable[[int], None]) -> None:
        self.heard, self.unbroken = 0, True
        self._outage = Outage("the recording waits", log)
        self._source, self._taker, self._show = source, taker, show
        self._flushed, self._flush_after_s = time.monotonic(), FLUSH_FIRST_S

    def listen(self, for_s: float, ended: Event) -> None:
        """Record until the time is over or `ended` is set, then messages in transit for a moment."""
        until = time.monotonic() + for_s
        while not ended.is_set() and (left_s := until - time.monotonic()) > 0:
            self._take(min(TAKE_WAIT_S, left_s))
        until = time.monotonic() + LAST_LIMIT_S
        while self._take(LAST_WAIT_S) and time.monotonic() < until:
            pass

    def _take(self, wait_s: float) -> int:
        arrivals = self._source.take(wait_s)
        self.unbroken &= self._source.is_subscribed
        if arrivals:
            self._taker.add(decode(entries(arrivals, self.heard)))
            self._source.acknowledge(arrivals)
            self.heard += len(arrivals)
        if self.heard and time.monotonic() - self._flushed > self._flush_after_s:
            self._flush()
        self._show(self.heard)
        return len(arrivals)

    def _flush(self) -> None:
        """Write the received messages; with a full disk they stay in memory, up to the writer's limit."""
        self._flushed = time.monotonic()
        self._flush_after_s = min(2 * self._flush_after_s, FLUSH_EVERY_S)
        try:
            self._taker.flush()
            self._outage.over()
        except RecordingNotWritten as error:
            self._outage.failed(error)


def entries(arrivals: list[Arrival], before: int) -> list[Entry]:
    """Return the messages of lifts as entries of a journal."""
    return [
        Entry(position, arrival.arrived_ns, arrival.topic, arrival.payload, arrival.retained)
        for position, arrival in enumerate(arrivals, start=before + 1)
        if not is_announcement(arrival.topic)
    ]
