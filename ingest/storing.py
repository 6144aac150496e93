"""Keeps readings: a reader of the journal that goes at its own pace.

    judging ──offer──▶ [ decoded groups, bounded ] ──▶ time series, about once a second
                                │ full, or the store was away
                                └──▶ read on in the journal, from this reader's own position

A store that is away makes readings late, not lost. Writing something twice changes nothing, so the position may lag.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from store.journal import Journal
from store.points import points
from store.timeseries import DAY_NS, TimeSeries, TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.batch import Decoded
from telemetry.decode import decode

log = logging.getLogger("liftwatch.store")

READER = "store"
WAITING_LIMIT = 64
MAINTAIN_EVERY_S = 5.0
RETRY_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Group:
    """What the messages at the positions `first` to `last` said."""

    first: int
    last: int
    decoded: Decoded


class Storing(threading.Thread):
    """Writes what was decoded to the time series and marks how far it came."""

    def __init__(
        self,
        journal: Journal,
        series: TimeSeries,
        districts: Callable[[], Mapping[str, str]],
        raw_days: int,
        every_s: float = 1.0,
    ) -> None:
        super().__init__(name="store", daemon=True)
        self.counts = {"stored_rows": 0, "expired_rows": 0, "store_retries": 0, "store_refused": 0}
        self.position = journal.position(READER)
        self._journal = journal
        self._series = series
        self._districts = districts
        self._keep_ns = raw_days * DAY_NS
        self._every_s = every_s
        self._waiting: deque[Group] = deque()
        self._stopping = threading.Event()
        self._maintained = 0.0

    def offer(self, group: Group) -> None:
        """Share what was decoded; where this reader is behind it is dropped here and read in the journal later."""
        if len(self._waiting) < WAITING_LIMIT:
            self._waiting.append(group)

    def stop(self) -> None:
        """Write what is at hand and end."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Write until stopped."""
        while not self._stopping.wait(self._every_s):
            self._turn()
        self._turn()

    def _turn(self) -> None:
        try:
            while self._store(self._next()) and not self._stopping.is_set():
                pass
            if time.monotonic() - self._maintained > MAINTAIN_EVERY_S:
                self._maintained = time.monotonic()
                self._series.maintain(time.time_ns())
        except Exception:  # nothing here may stop the readings that follow; the group is tried again
            log.exception("storing failed; it is tried again")
            self._stopping.wait(RETRY_LIMIT_S)

    def _next(self) -> list[Group]:
        """Return the groups that follow this reader's position: shared ones, else read from the journal."""
        groups: list[Group] = []
        while self._waiting and self._waiting[0].last <= self.position:
            self._waiting.popleft()
        expected = self.position + 1
        while self._waiting and self._waiting[0].first <= expected:
            groups.append(self._waiting.popleft())
            expected = groups[-1].last + 1
        if groups or (not self._waiting and self._journal.last == self.position):
            return groups
        entries = self._journal.read(self.position)
        return [Group(entries[0].position, entries[-1].position, decode(entries))] if entries else []

    def _store(self, groups: list[Group]) -> bool:
        """Write groups, retrying with full jitter while the store is away; return whether there was anything."""
        if not groups:
            return False
        oldest_ns = time.time_ns() - self._keep_ns
        rows = [part for group in groups for part in points(group.decoded, self._districts(), oldest_ns)]
        self.counts["expired_rows"] += sum(expired(group.decoded, oldest_ns) for group in groups)
        attempt = 0
        while True:
            try:
                self._series.write(rows)
                self.counts["stored_rows"] += sum(len(part) for part in rows)
                break
            except TimeSeriesUnavailable as error:
                attempt += 1
                self.counts["store_retries"] += 1
                log.warning("the time series wait: %s", error)
                if self._stopping.wait(random.uniform(0, min(RETRY_LIMIT_S, 0.5 * 2 ** min(attempt, 8)))):
                    return False
            except TimeSeriesRefused as error:
                self.counts["store_refused"] += sum(len(part) for part in rows)
                log.error("the time series refuse %d rows for good: %s", sum(len(part) for part in rows), error)
                break
        self.position = groups[-1].last
        self._journal.mark(READER, self.position)
        return True


def expired(decoded: Decoded, oldest_ns: int) -> int:
    """Return how many readings are older than they are kept."""
    return sum(int((samples.t_ns < oldest_ns).sum()) for samples in decoded.samples.values())
