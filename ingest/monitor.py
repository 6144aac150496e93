"""The monitor: one process that receives, journals, judges and stores, and runs the notifiers.

Threads around one journal: receiving (this one) appends and acknowledges, judging commits alerts, storing keeps
readings; notifiers read the committed transitions. Each reader has its own position, so killing the process at any
moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from detectors.rule import Rule
from ingest import committing
from ingest.judging import Judging
from ingest.probing import probes
from ingest.probing.http_port import HttpPort
from ingest.receiving.catching_up import CatchingUp
from ingest.receiving.listening import Listening
from ingest.receiving.source import Arrival, Source
from ingest.storing import Storing
from ingest.waiting.urgency import ALARM, mentions
from registry.partition import EVERY_LIFT, Partition
from store.journal import Journal
from store.journal_files import JournalUnavailable
from store.monitor_counts import (
    BEHIND_LIMIT_S,
    LAG_MESSAGES,
    LAG_SECONDS,
    behind,
    rules_set_aside,
    set_aside_warnings,
    without,
)
from store.outage import Outage
from store.records.repository import KEEP_DEFAULT_YEARS, PartitionMismatch, Records, RecordsUnavailable
from store.series.timeseries import TimeSeries

log = logging.getLogger("liftwatch.monitor")

TAKE_WAIT_S = 0.1
GATHER_S, BURST_S = 0.095, 0.005
ENOUGH_MESSAGES, ENOUGH_BYTES, HANDFUL_MESSAGES = 100, 1 << 20, 4
UNGATHERED_S = 1.0
FULL_PAUSE_S = 1.0
PICTURE_EVERY_S = 1.0
TRIM_EVERY_S = 10.0
FORGET_EVERY_S = 600.0


class Notifier(Protocol):
    """A thread that delivers committed transitions to people or programs; `wake` signals new ones."""

    name: str
    wake: threading.Event
    counts: Counter[str]
    outage: Outage

    def is_alive(self) -> bool: ...

    def register(self) -> None:
        """Deliver every transition from now on; called before the first message is judged."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Monitor:
    """Wires the readers of one journal together."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        records: Records,
        open_series: Callable[[], TimeSeries],
        rules: Sequence[Rule],
        notifiers: Sequence[Notifier] = (),
        *,
        partition: Partition = EVERY_LIFT,
        raw_days: int = 30,
        measured_days: int | None = None,
        keep_years: int = KEEP_DEFAULT_YEARS,
        batch_s: float = 0.2,
        batch_messages: int = 10_000,
        http_address: tuple[str, int] | None = None,
    ) -> None:
        self.name = partition.name
        self.counts: Counter[str] = Counter()
        self._source, self._journal, self._records = source, journal, records
        self._partition = partition
        self._notifiers, self._notifying = notifiers, False
        self._mismatch: PartitionMismatch | None = None
        self._storing = Storing(
            journal,
            open_series,
            lambda: self._judging.listing(),  # noqa: PLW0108 - made below
            lambda: self._judging.offered_to,
            raw_days,
            partition=partition,
            measured=lambda: self._judging.measured(),  # noqa: PLW0108 - made below
            measured_days=measured_days,
        )
        self._judging = Judging(
            journal,
            records,
            rules,
            self._storing.offer,
            self._wake_notifiers,
            lambda: self._listening.stretch,
            before_resuming=self._claim_records,
            partition=partition,
            keep_days=raw_days,
            batch_s=batch_s,
            batch_messages=batch_messages,
        )
        self._keep_years = keep_years
        self._listening = Listening()
        self._no_room = Outage("nothing is acknowledged", log)
        self._picture_waits = Outage("the fleet's picture waits", log)
        self._catching_up = CatchingUp()
        self.turn_time = self._judging.pace.turn_time
        self._http = HttpPort(*http_address, probes.routes(self)) if http_address else None
        self._housekeeper = threading.Thread(target=self._housekeeping, name="housekeeping", daemon=True)
        self._ungathered_until_s = 0.0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask `run` to end; safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Run until stopped, or until the source fails for good; then commit everything.

        Raises PartitionMismatch where records that were away at the start turn out to be of other partitions.
        """
        for thread in (self._judging, self._storing, self._housekeeper, *((self._http,) if self._http else ())):
            thread.start()
        try:
            while not self._stopping.is_set():
                self._receive()
                self._listening.note(time.time_ns(), self._source.is_subscribed, self._catching_up.behind_s)
        finally:
            self._stopping.set()
            self._source.close()
            self._judging.stop()
            self._storing.stop()
            self._housekeeper.join()
            with suppress(RecordsUnavailable):  # the last counts, of what was judged and stored since the stop
                self._put_picture()
            for notifier in self._notifiers if self._notifying else ():
                notifier.stop()
            if self._http is not None:
                self._http.stop()
        if self._mismatch is not None:
            raise self._mismatch

    def _receive(self) -> None:
        arrivals = self._gather()
        ours = [arrival for arrival in arrivals if self._partition.accepts(arrival.topic)]
        if ours or self._source.is_subscribed:
            self._catching_up.update(ours, time.monotonic())
        if not arrivals:
            return
        while ours and not self._kept(ours):
            if self._stopping.wait(FULL_PAUSE_S):
                return
        self._source.acknowledge(arrivals)
        self.counts["journalled"] += len(ours)
        if is_urgent(ours):
            self._judging.pace.urgent.set()

    def _gather(self) -> list[Arrival]:
        """Return the arrived messages and, unless these are many or one is urgent, those of the next `GATHER_S`, for
        one commit.

        A synced commit costs as much CPU as ten messages. A broker that hands out a handful of messages at a time,
        and more only once these are acknowledged, shows by a burst with nothing after it, and is not kept waiting then.
        """
        arrivals = self._source.take(TAKE_WAIT_S)
        is_enough = not 0 < len(arrivals) < ENOUGH_MESSAGES or is_urgent(arrivals)
        is_enough = is_enough or sum(len(arrival.payload) for arrival in arrivals) > ENOUGH_BYTES
        if is_enough or time.monotonic() < self._ungathered_until_s:
            return arrivals
        self._stopping.wait(BURST_S)
        arrivals += self._source.take(0.0)
        burst = len(arrivals)
        self._stopping.wait(GATHER_S)
        arrivals += self._source.take(0.0)
        if len(arrivals) == burst >= HANDFUL_MESSAGES:
            self._ungathered_until_s = time.monotonic() + UNGATHERED_S
        return arrivals

    def _kept(self, arrivals: Sequence[Arrival]) -> bool:
        """Journal the messages; a full journal acknowledges nothing, so that the broker keeps later messages."""
        try:
            self._journal.append([arrival[:4] for arrival in arrivals])
            self._no_room.over()
            return True
        except JournalUnavailable as error:
            self._listening.note(time.time_ns(), subscribed=False, is_full=True)
            self.counts["journal_full"] += 1
            self._no_room.failed(error, logging.ERROR)
            return False

    def _claim_records(self) -> None:
        """Claim the records for the own partition, and start the notifiers, before anything is judged."""
        if self._notifying:
            return
        try:
            self._records.claim(self._partition)
        except PartitionMismatch as error:
            self._mismatch = error
            self._stopping.set()
            raise RecordsUnavailable(str(error)) from error
        for notifier in self._notifiers:
            notifier.register()
        for notifier in self._notifiers:
            notifier.start()
        self._notifying = True

    def _wake_notifiers(self) -> None:
        for notifier in self._notifiers:
            notifier.wake.set()

    def _housekeeping(self) -> None:
        """Write the live table and end temporary changes once a second; trim journal and records less often."""
        trimmed, forgot = 0.0, time.monotonic()
        while not self._stopping.wait(PICTURE_EVERY_S):
            try:
                self._put_picture()
                self._records.end_temporary_changes(time.time_ns())
                if time.monotonic() - forgot > FORGET_EVERY_S:
                    forgot = time.monotonic()
                    self._records.delete_expired(time.time_ns(), self._keep_years)
                if time.monotonic() - trimmed > TRIM_EVERY_S:
                    trimmed = time.monotonic()
                    self._journal.trim(min(self._journal.position(committing.READER), self._storing.position))
                self._picture_waits.over()
            except Exception as error:  # one failed second must not stop the live table
                is_away = isinstance(error, RecordsUnavailable | JournalUnavailable)
                self._picture_waits.failed(error, exc_info=not is_away)

    def _put_picture(self) -> None:
        if self._judging.picture is not None:
            self._records.put_live(self._judging.picture.encode(), self.all_counts(), time.time_ns())

    def not_ready(self) -> list[str]:
        """Return the reasons why this monitor is not ready: outages of dependencies, and readers that are behind."""
        outages = [self._no_room, self._judging.outage, self._judging.snapshot_outage, self._storing.outage]
        outages += [notifier.outage for notifier in self._notifiers if notifier.outage.blocks]
        reasons = [reason for outage in outages for reason in outage.reasons]
        if not self._source.is_subscribed:
            reasons.append(f"receiving waits for the broker: {self._source.last_error or 'no answer yet'}")
        turn_s = time.monotonic() - self._judging.pace.turned_s
        if turn_s >= BEHIND_LIMIT_S and self._judging.outage.cause is None:
            reasons.append(f"judging has not finished a turn for {turn_s:.0f} s")
        return [*reasons, *behind(self.all_counts())]

    def warnings(self) -> list[str]:
        """Return what is wrong with a monitor that may be ready all the same."""
        outages = [notifier.outage for notifier in self._notifiers if not notifier.outage.blocks]
        reasons, counts = [reason for outage in outages for reason in outage.reasons], self.all_counts()
        return [*reasons, *set_aside_warnings(rules_set_aside(counts)), *without(counts)]

    def dead_threads(self) -> list[str]:
        """Return the names of the threads that ended while the monitor runs."""
        threads: list[Any] = [self._judging, self._storing, self._housekeeper]
        threads += self._notifiers if self._notifying else ()
        return [thread.name for thread in threads if not thread.is_alive()]

    def all_counts(self) -> dict[str, float]:
        """Return the counts of all parts, and the lag of the readers of the journal."""
        counts: Counter[str] = Counter()
        notified = (notifier.counts for notifier in self._notifiers)
        for part in (self.counts, self._judging.counts, self._storing.counts, *notified):
            counts.update(dict(part))  # a copy made in one step: the other threads go on counting
        gauges: dict[str, float] = {"held_rows": self._judging.held_rows}
        gauges["catching_up_seconds"] = round(self._catching_up.behind_s)
        with suppress(JournalUnavailable):
            gauges |= {"journal_bytes": self._journal.used_bytes, "journal_limit_bytes": self._journal.limit_bytes}
            judged = self._judging.judged_to or self._journal.position(committing.READER)
            for reader, position in (("judging", judged), ("storing", self._storing.position)):
                arrived_ns = self._journal.arrived_after(position)
                since_ns = 0 if arrived_ns is None else max(0, time.time_ns() - arrived_ns)
                gauges[f"{LAG_SECONDS}:{reader}"] = since_ns / 1e9
                gauges[f"{LAG_MESSAGES}:{reader}"] = max(0, self._journal.last - position)
        return {**counts, **gauges}


def is_urgent(arrivals: Sequence[Arrival]) -> bool:
    """Return whether any message is about the alarm button."""
    return any(mentions(arrival.payload, (ALARM,)) for arrival in arrivals)
