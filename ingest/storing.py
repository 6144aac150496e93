"""Stores readings: a reader of the journal with a position of its own.

    judging ──offers──▶ [ decoded groups, bounded ] ──▶ time series, about once a second
                                │ full, the store was unavailable, or judging has stopped
                                └──▶ read on in the journal, from this reader's own position

An unavailable store delays readings and loses none. Writing a group twice changes nothing, so the position may lag.

A stop stores what the journal holds, for `STOP_LIMIT_S` at most, and logs how many messages the next start stores.

Judging decides which messages are left out: repeats, and those of unregistered lifts without a place. So storing
follows judging, with the groups that judging has decoded. Where judging has not moved for `OVERTAKE_AFTER_S` (the
records are unavailable), storing decodes the messages itself: a repeat is then written again, and an unregistered lift
gets a place in the order of the journal, as in judging.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ingest.failing.quarantine import Quarantine
from ingest.fleet import Listing
from ingest.retrying import retry_while_unavailable
from ingest.senders import foreign, gateways
from ingest.waiting.measured import MeasuredWaiting
from ingest.waiting.offered import DecodedGroup, OfferedGroups
from mqtt.backoff import Backoff
from registry.partition import EVERY_LIFT, Partition
from store.journal import READ_MESSAGES, Journal
from store.journal_files import JournalUnavailable
from store.outage import Outage
from store.series.points import points
from store.series.timeseries import Points, TimeSeries, TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.batch import Decoded
from telemetry.groups import expired, of_lifts
from telemetry.instant import DAY_NS
from telemetry.streams import Entry
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.store")

READER = "store"
READ_BYTES = 2 << 20
OVERTAKE_AFTER_S = 5.0
STOP_LIMIT_S = 10.0
"""How long a stop goes on storing: a service manager kills a process that takes much longer to end."""
MEASURED_AT_ONCE = 5_000
MAINTAIN_EVERY_S = 5.0
FIRST_PAUSE_S = 0.5
RETRY_LIMIT_S = 30.0


class Storing(threading.Thread):
    """Writes decoded readings to the time series and marks its position.

    `open_series` opens the time series, which may be away: this thread waits for them, and closes them at its end.
    `listing` returns None, and `offered_to` how far judging has come, until judging has loaded the registry. The rows
    of `measured` are stored where they are younger than `measured_days`, by default than `raw_days`.
    """

    def __init__(
        self,
        journal: Journal,
        open_series: Callable[[], TimeSeries],
        listing: Callable[[], Listing | None],
        offered_to: Callable[[], int],
        raw_days: int,
        every_s: float = 1.0,
        partition: Partition = EVERY_LIFT,
        measured: Callable[[], Mapping[str, MeasuredWaiting]] = dict,
        measured_days: int | None = None,
    ) -> None:
        super().__init__(name="store", daemon=True)
        self.counts = {"stored_rows": 0, "expired_rows": 0, "store_retries": 0, "store_refused": 0, "store_failed": 0}
        self.counts |= {"store_not_left_out": 0, "store_decoded": 0, "rides_stored": 0, "rides_dropped": 0}
        self.counts |= {"behaviour_stored": 0, "behaviour_dropped": 0}
        self.position = journal.position(READER)
        self._journal = journal
        self._open_series = open_series
        self._series: TimeSeries | None = None
        self.outage = Outage("storing waits", log)
        self._refused = Outage("the time series refuse rows for good", log)
        self._listing, self._offered_to, self._measured = listing, offered_to, measured
        self._keep_ns = raw_days * DAY_NS
        self._keep_measured_ns = (raw_days if measured_days is None else measured_days) * DAY_NS
        self._every_s = every_s
        self._partition = partition
        self._offered = OfferedGroups()
        self._given_room: set[str] = set()
        self._read_to = self.position
        self._seen_offered, self._seen_s = -1, 0.0
        self._quarantine = Quarantine()
        self._backoff = Backoff(FIRST_PAUSE_S, RETRY_LIMIT_S)
        self._stopping = threading.Event()
        self._stop_by_s = 0.0
        self._maintained = 0.0

    def offer(self, group: DecodedGroup) -> None:
        """Share a decoded group; where this reader is behind, the group is dropped and read from the journal later."""
        self._offered.offer(group)
        self.counts["store_not_left_out"] = self._offered.forgotten

    def stop(self) -> None:
        """Write what the journal holds within `STOP_LIMIT_S`, unless the time series are unavailable, and end.

        Nothing may be offered any more.
        """
        self._stop_by_s = time.monotonic() + STOP_LIMIT_S
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Write until stopped, and then what the journal still holds."""
        while not self._stopping.wait(self._every_s):
            self._turn()
        self._store_rest()
        if self._series is not None:
            self._series.close()

    def _store_rest(self) -> None:
        """Write what the journal holds until the time of a stop is over or the store fails, and log what is left."""
        is_done = False
        while not is_done and self.outage.cause is None and time.monotonic() < self._stop_by_s:
            before = self.position
            self._turn()
            is_done = self.position == before and not self._quarantine.in_doubt(before + 1)
        if left := self._journal.last - self.position:
            log.warning("%d messages of the journal are not stored yet; the next start stores them", left)

    def _turn(self) -> None:
        try:
            if not self._is_open():
                return
            while self._store(self._next()) and self._may_go_on():
                pass
            while self._store_measured() and self._may_go_on():
                pass
            if time.monotonic() - self._maintained > MAINTAIN_EVERY_S:
                self._maintained = time.monotonic()
                self._maintain()
        except JournalUnavailable as error:
            self.outage.failed(error)
            self._stopping.wait(self._backoff.pause_s())
        except Exception as error:  # nothing here may stop the readings that follow
            log.exception("storing failed after journal position %d", self.position)
            self._failed(error)

    def _may_go_on(self) -> bool:
        return not self._stopping.is_set() or time.monotonic() < self._stop_by_s

    def _is_open(self) -> bool:
        """Open the time series if they are not open; return whether they are."""
        if self._series is None:
            self._retry(self._open, (TimeSeriesUnavailable, TimeSeriesRefused))
        return self._series is not None

    def _open(self) -> None:
        self._series = self._open_series()

    def _maintain(self) -> None:
        assert self._series is not None
        try:
            self._series.maintain(time.time_ns())
        except TimeSeriesUnavailable as error:
            self.outage.failed(error)

    def _retry(self, act: Callable[[], object], away: type[Exception] | tuple[type[Exception], ...]) -> bool:
        return retry_while_unavailable(act, away, self._stopping, self.outage, limit_s=RETRY_LIMIT_S)

    def _failed(self, error: Exception) -> None:
        """Suspect the messages of the failed turn, or skip a single one; wait before the next try."""
        if self._quarantine.failed(self.position + 1, self._read_to, repr(error)):
            self.counts["store_failed"] += 1
            log.error("the message at journal position %d is not stored", self._read_to)
            self._done(self._read_to)
        self._stopping.wait(self._backoff.pause_s())

    def _next(self) -> list[DecodedGroup]:
        """Return the groups that follow this reader's position: shared ones, else read from the journal."""
        offered_to = self._offered_to()  # first: what is offered from here on may not be read in the journal yet
        groups = [] if self._quarantine.in_doubt(self.position + 1) else self._offered.follow(self.position)
        if groups:
            self._read_to = groups[-1].last
            return groups
        limit = min(self._quarantine.group_limit(self.position + 1, READ_MESSAGES), self._readable_to() - self.position)
        entries = self._journal.read(self.position, limit, READ_BYTES) if limit > 0 else []
        if not entries:
            return []
        self._read_to = entries[-1].position
        decoded = of_lifts(decode(entries), self._partition.has)
        self.counts["store_decoded"] += len(entries)
        return [
            DecodedGroup(entries[0].position, self._read_to, decoded, self._not_stored(decoded, entries, offered_to))
        ]

    def _readable_to(self) -> int:
        """Return the position up to which the journal may be read: that of judging, or the end if judging stopped."""
        offered_to, now_s = self._offered_to(), time.monotonic()
        if self._stopping.is_set() and self._listing() is not None:
            return self._journal.last
        if offered_to != self._seen_offered or offered_to >= self._journal.last:
            self._seen_offered, self._seen_s = offered_to, now_s
        if now_s - self._seen_s > OVERTAKE_AFTER_S and self._listing() is not None:
            return self._journal.last
        return offered_to

    def _not_stored(self, decoded: Decoded, entries: Sequence[Entry], offered_to: int) -> NDArray[np.bool_]:
        """Return the messages that are left out: those that judging leaves out, of unauthorised senders and, beyond the
        position that judging has offered, of unregistered lifts without a place."""
        districts, room, accepts, revoked = self._listing() or Listing({}, 0)
        forged = foreign(decoded.messages, gateways(entries), accepts, revoked)
        self._given_room -= districts.keys()
        out = []
        messages = decoded.messages
        for position, lift_id, is_forged in zip(messages.position.tolist(), messages.lift_id, forged, strict=True):
            if not is_forged and position > offered_to and lift_id not in districts and len(self._given_room) < room:
                self._given_room.add(lift_id)
            is_listed = position <= offered_to or lift_id in districts or lift_id in self._given_room
            out.append(is_forged or not is_listed or self._offered.is_left_out(position, lift_id))
        return np.array(out, dtype=np.bool_)

    def _store(self, groups: list[DecodedGroup]) -> bool:
        """Write groups, retrying while the store is unavailable; return whether there were any."""
        if not groups:
            return False
        oldest_ns = time.time_ns() - self._keep_ns
        listing = self._listing()
        districts = listing.districts if listing is not None else {}
        by_group = [points(group.decoded, districts, oldest_ns, group.left_out) for group in groups]
        rows = [part for parts in by_group for part in parts]
        self.counts["expired_rows"] += sum(expired(group.decoded, oldest_ns) for group in groups)
        if not self._retry(lambda: self._write(rows), TimeSeriesUnavailable):
            return False
        log.debug("stored groups=%d position=%d rows=%d", len(groups), groups[-1].last, sum(map(len, rows)))
        self._done(groups[-1].last)
        self._backoff.reset()
        return True

    def _store_measured(self) -> bool:
        """Write some of the rides and observations; return whether more wait."""
        return any(self._store_some(name, waiting) for name, waiting in self._measured().items())

    def _store_some(self, name: str, waiting: MeasuredWaiting) -> bool:
        """Write some of the rows that wait, retrying while the store is unavailable; return whether more wait."""
        number, some = waiting.first(MEASURED_AT_ONCE)
        try:
            rows = waiting.points(some, time.time_ns() - self._keep_measured_ns)
            if rows and not self._retry(lambda: self._write(rows), TimeSeriesUnavailable):
                return False
        except Exception:  # readings must not wait for what cannot be stored
            log.exception("%d rows of %s are not stored", len(some), name)
            waiting.dropped += len(some)
        waiting.done(number)
        self.counts[f"{name}_stored"] += len(some)
        self.counts[f"{name}_dropped"] = waiting.dropped
        return len(some) == MEASURED_AT_ONCE

    def _write(self, rows: list[Points]) -> None:
        assert self._series is not None
        try:
            self._series.write(rows)
            self.counts["stored_rows"] += sum(len(part) for part in rows)
        except TimeSeriesUnavailable:
            self.counts["store_retries"] += 1
            raise
        except TimeSeriesRefused as error:
            self.counts["store_refused"] += sum(len(part) for part in rows)
            self._refused.failed(error, logging.ERROR)

    def _done(self, position: int) -> None:
        with suppress(JournalUnavailable):  # after a restart some is written twice, which changes nothing
            self._journal.mark(READER, position)
        self._offered.passed(position)
        self._quarantine.forget(position)
        self.position = position
