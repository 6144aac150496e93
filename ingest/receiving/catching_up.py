"""The lag of arriving messages while a broker delivers those that it kept during an absence of the monitor.

    LATE_FROM_S late ─► catching up, a line every LOG_EVERY_S ─► CAUGHT_UP_S late, or nothing comes ─► caught up

MQTT does not report how many messages wait at a broker. Their own times show the lag: about once a second some messages
of different lifts are read, and the median of how late they are is how far the monitor is behind. A message older than
a broker keeps it for the monitor (`SESSION_KEPT_S`) is history that a lift sends and does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from ingest.receiving.source import Arrival
from mqtt.client import SESSION_KEPT_S
from telemetry.streams import Entry
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.receive")

LATE_FROM_S, CAUGHT_UP_S = 120.0, 60.0
SAMPLE_EVERY_S = 1.0
SAMPLE_MESSAGES, SAMPLE_BYTES = 32, 256 << 10
IDLE_S = 3.0
LOG_EVERY_S = 10.0


class CatchingUp:
    """The progress of receiving a backlog; `behind_s` is 0 without one."""

    def __init__(self) -> None:
        self.behind_s = 0.0
        self.messages = 0
        self._began_s = self._began_behind_s = 0.0
        self._sampled_s = self._logged_s = self._heard_s = -np.inf

    def update(self, arrivals: Sequence[Arrival], now_s: float) -> None:
        """Update the lag with the messages that arrived, possibly none, at `now_s` of a monotonic clock."""
        if arrivals:
            self._heard_s = now_s
        elif self.behind_s and now_s - self._heard_s > IDLE_S:
            self._caught_up(now_s)
        if self.behind_s:
            self.messages += len(arrivals)
        if not arrivals or now_s - self._sampled_s < SAMPLE_EVERY_S:
            return
        late_s = median_lateness_s(arrivals)
        if late_s is None:
            return
        self._sampled_s = now_s
        if self.behind_s:
            self._go_on(late_s, now_s)
        elif late_s > LATE_FROM_S:
            self.behind_s = self._began_behind_s = late_s
            self._began_s = self._logged_s = now_s
            self.messages = len(arrivals)
            log.info("catching up: arriving messages are %s old; the broker or the lifts kept them", duration(late_s))

    def _go_on(self, late_s: float, now_s: float) -> None:
        if late_s < CAUGHT_UP_S:
            self._caught_up(now_s)
            return
        self.behind_s = late_s
        if now_s - self._logged_s > LOG_EVERY_S:
            self._logged_s = now_s
            gained_s = self._began_behind_s - late_s
            left_s = late_s * (now_s - self._began_s) / gained_s if gained_s > 0 else None
            losing = "lifts send faster than they are taken, or send history"
            left = losing if left_s is None else f"{duration(left_s)} to go"
            log.info("catching up: %d messages, now %s behind, %s", self.messages, duration(late_s), left)

    def _caught_up(self, now_s: float) -> None:
        log.info("caught up after %s and %d messages", duration(now_s - self._began_s), self.messages)
        self.behind_s = 0.0


def median_lateness_s(arrivals: Sequence[Arrival]) -> float | None:
    """Return the median time from the last reading of a message to its arrival, over some messages of different topics.

    Retained messages and those without a time of their own do not count; None where there are no others. 0 where all
    others are history.
    """
    newest = {arrival.topic: arrival for arrival in arrivals if not arrival.retained}
    last = list(newest.values())[: -SAMPLE_MESSAGES - 1 : -1]
    size_bytes = accumulate(len(arrival.payload) for arrival in last)
    sample = [one for one, upto in zip(last, size_bytes, strict=True) if upto - len(one.payload) < SAMPLE_BYTES]
    entries = [Entry(i, one.arrived_ns, one.topic, one.payload) for i, one in enumerate(sample, 1)]
    messages = decode(entries).messages
    late_s = (messages.arrived_ns - messages.t_end_ns)[messages.timed] / 1e9
    if not len(late_s):
        return None
    kept_s = late_s[late_s <= SESSION_KEPT_S]
    return float(np.median(kept_s)) if len(kept_s) else 0.0


def duration(seconds: float) -> str:
    """Return a duration for a person: seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
