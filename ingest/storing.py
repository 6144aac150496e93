"""Keeps readings: a reader of the journal that goes at its own pace.

    judging ──offer──▶ [ decoded groups, bounded ] ──▶ time series, about once a second
                                │ full, or the store was away
                                └──▶ read on in the journal, from this reader's own position

It never overtakes judging, which knows what is left out: repeats, and lifts for whom there is no room. A store that is
away makes readings late, not lost. Writing something twice changes nothing, so the position may lag. Where something
breaks, its messages are tried once more one by one, and one that breaks by itself is passed over.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.partition import EVERY_LIFT, Partition
from store.journal import READ_MESSAGES, Journal
from store.series.points import points
from store.series.timeseries import DAY_NS, TimeSeries, TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.batch import Decoded
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.store")

READER = "store"
WAITING_LIMIT_MESSAGES = 40_000
LEFT_OUT_LIMIT = 100_000
"""How many messages that are left out are remembered until they are passed; what is beyond is stored as it came."""
MAINTAIN_EVERY_S = 5.0
RETRY_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Group:
    """What the messages at the positions `first` to `last` said; `left_out` marks those that are not stored."""

    first: int
    last: int
    decoded: Decoded
    left_out: NDArray[np.bool_]


class Storing(threading.Thread):
    """Writes what was decoded to the time series and marks how far it came."""

    def __init__(
        self,
        journal: Journal,
        series: TimeSeries,
        districts: Callable[[], Mapping[str, str]],
        reached: Callable[[], int],
        raw_days: int,
        every_s: float = 1.0,
        partition: Partition = EVERY_LIFT,
    ) -> None:
        super().__init__(name="store", daemon=True)
        self.counts = {"stored_rows": 0, "expired_rows": 0, "store_retries": 0, "store_refused": 0, "store_failed": 0}
        self.counts["store_not_left_out"] = 0
        self.position = journal.position(READER)
        self._journal = journal
        self._series = series
        self._districts, self._reached = districts, reached
        self._keep_ns = raw_days * DAY_NS
        self._every_s = every_s
        self._partition = partition
        self._waiting: deque[Group] = deque()
        self._left_out: dict[int, set[str]] = {}
        self._offered = self._taken = 0  # messages: one is written by who offers, the other by this thread
        self._read_to = self._doubted_to = self.position
        self._failures = 0
        self._stopping = threading.Event()
        self._maintained = 0.0

    def offer(self, group: Group) -> None:
        """Share what was decoded; where this reader is behind it is dropped here and read in the journal later."""
        messages = group.decoded.messages
        for row in np.flatnonzero(group.left_out).tolist():
            if len(self._left_out) < LEFT_OUT_LIMIT:
                self._left_out.setdefault(int(messages.position[row]), set()).add(messages.lift_id[row])
            else:
                self.counts["store_not_left_out"] += 1
        if self._offered - self._taken < WAITING_LIMIT_MESSAGES:
            self._offered += len(messages.lift_id)
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
        except Exception:  # nothing here may stop the readings that follow
            log.exception("storing failed after journal position %d", self.position)
            self._doubt()

    def _doubt(self) -> None:
        """Take what was at hand one by one from now on; pass over the only message."""
        if self._read_to == self.position + 1:
            self.counts["store_failed"] += 1
            log.error("the message at journal position %d is not stored", self._read_to)
            self._done(self._read_to)
        self._doubted_to = self._read_to
        self._failures += 1
        self._stopping.wait(random.uniform(0, min(RETRY_LIMIT_S, 0.5 * 2 ** min(self._failures, 8))))

    def _next(self) -> list[Group]:
        """Return the groups that follow this reader's position: shared ones, else read from the journal."""
        reached = self._reached()  # first: what is offered from here on may not be read in the journal yet
        in_doubt = self.position < self._doubted_to
        groups = [] if in_doubt else self._shared()
        if groups:
            self._read_to = groups[-1].last
            return groups
        room = min(1 if in_doubt else READ_MESSAGES, reached - self.position)
        entries = self._journal.read(self.position, room) if room > 0 else []
        if not entries:
            return []
        self._read_to = entries[-1].position
        decoded = self._partition.of_group(decode(entries))
        said = zip(decoded.messages.position.tolist(), decoded.messages.lift_id, strict=True)
        left_out = [lift_id in self._left_out.get(position, ()) for position, lift_id in said]
        return [Group(entries[0].position, self._read_to, decoded, np.array(left_out, dtype=np.bool_))]

    def _shared(self) -> list[Group]:
        """Take the shared groups that follow this reader's position without a gap."""
        groups: list[Group] = []
        reached = self.position
        while self._waiting and self._waiting[0].first <= reached + 1:
            group = self._waiting.popleft()
            self._taken += len(group.decoded.messages.lift_id)
            if group.last > reached:
                groups.append(group)
                reached = group.last
        return groups

    def _store(self, groups: list[Group]) -> bool:
        """Write groups, retrying with full jitter while the store is away; return whether there was anything."""
        if not groups:
            return False
        oldest_ns = time.time_ns() - self._keep_ns
        said = [points(group.decoded, self._districts(), oldest_ns, group.left_out) for group in groups]
        rows = [part for parts in said for part in parts]
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
        self._done(groups[-1].last)
        self._failures = 0
        return True

    def _done(self, position: int) -> None:
        self._journal.mark(READER, position)
        for passed in [there for there in list(self._left_out) if there <= position]:
            del self._left_out[passed]
        self.position = position


def expired(decoded: Decoded, oldest_ns: int) -> int:
    """Return how many readings are older than they are kept."""
    return sum(int((samples.t_ns < oldest_ns).sum()) for samples in decoded.samples.values())
