"""Takes a recording of what is said at a broker: a listener beside the monitor, with a session of its own.

What it could not hear, it knows: a connection that broke makes the recording incomplete.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

from ingest.receive import Arrival, Source
from telemetry.batch import Decoded
from telemetry.decode import decode
from telemetry.streams import Entry

TAKE_WAIT_S = 0.5
FLUSH_EVERY_S = 30.0


class Taker(Protocol):
    """What a recording is written with (`store.recordings.Writer`)."""

    def add(self, decoded: Decoded) -> None: ...

    def flush(self) -> None: ...


def listen(source: Source, taker: Taker, for_s: float, ended: Event, show: Callable[[int], None]) -> bool:
    """Record until the time is over or `ended` is set; say whether the broker was there all the time.

    `show` is told after each look how many messages came.
    """
    until = time.monotonic() + for_s
    flushed, heard, unbroken = time.monotonic(), 0, True
    while not ended.is_set() and (left_s := until - time.monotonic()) > 0:
        arrivals = source.take(min(TAKE_WAIT_S, left_s))
        unbroken &= source.hearing()
        if arrivals:
            taker.add(decode(entries(arrivals, heard)))
            source.acknowledge(arrivals)
            heard += len(arrivals)
        if time.monotonic() - flushed > FLUSH_EVERY_S:
            taker.flush()
            flushed = time.monotonic()
        show(heard)
    return unbroken


def entries(arrivals: list[Arrival], before: int) -> list[Entry]:
    """Return what has come as the journal would hold it."""
    return [
        Entry(position, arrival.arrived_ns, arrival.topic, arrival.payload, arrival.retained)
        for position, arrival in enumerate(arrivals, start=before + 1)
    ]
