"""The poller: one thread that reads changes from the records four times a second, for all requests and streams.

    records ──► changes: registry revision, live versions, transitions ──► fleet view ──► lists, counts, metrics
                                                                      └──► events ──► broadcaster

A poll without changes does nothing more. A route that wrote to the records polls at once: its client reads its write.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from dashboards.http.metrics import ServerMetrics
from dashboards.http.problem import Problem, unavailable
from dashboards.live.event_stream import (
    EventBroadcaster,
    EventFilter,
    StreamPosition,
    encode_position,
)
from dashboards.live.events import alert_events, incident_events, lift_events, of_several_lifts
from dashboards.live.fleet_view import FleetView, LiftIndex, fleet_view, lift_index
from dashboards.live.lift_incidents import worst_by_lift
from dashboards.live.listing import LiftListing
from dashboards.live.partitions import MONITOR_SILENT_S, PartitionStatus, PartitionWatch
from dashboards.live.polled_records import TRANSITIONS_AT_ONCE, PolledRecords
from dashboards.live.published import PublishedLifts
from store.live import LiveTable
from store.monitor_counts import rules_set_aside
from store.outage import Outage
from store.records.repository import (
    Announcement,
    IncidentAnnouncement,
    Records,
    RecordsUnavailable,
    RefusalCount,
    SummaryLifts,
)

log = logging.getLogger(__name__)

POLL_S = 0.25
STALE_S, BUSY_S = 5.0, 30.0
"""The age up to which the last view is served: while the records do not answer, and while a poll takes long."""
REGISTRY_AT_ONCE, REGISTRY_REST = 5_000, 4
"""How many changed lifts the thread takes in at once, and how many times as long as that took it then leaves the
registry alone: an import must not take the server's time from requests."""


class FleetPoller:
    """Keeps the fleet view up to date, and publishes its changes to the broadcaster."""

    def __init__(
        self,
        records: Callable[[], Records],
        broadcaster: EventBroadcaster,
        server_metrics: ServerMetrics,
        monitor_silent_s: float = MONITOR_SILENT_S,
    ) -> None:
        self._records, self._broadcaster, self._server_metrics = records, broadcaster, server_metrics
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._polled = PolledRecords()
        self._watch = PartitionWatch(monitor_silent_s)
        self._partitions: tuple[PartitionStatus, ...] = ()
        self._published = PublishedLifts()
        self._listing: LiftListing | None = None
        self._polled_s = self._registry_rests_until_s = 0.0
        self._broken = Outage("polling the records fails", log)
        self._is_failing, self._cause = False, "nothing was read yet"
        self.position = StreamPosition(0, 0)

    def start(self) -> None:
        """Poll once, then start the thread that polls every `POLL_S`."""
        self.poll()
        self._thread = threading.Thread(target=self._run, name="fleet-poller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and join the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def listing(self) -> LiftListing:
        """Return the current listing of the fleet; a problem (503) while the records do not answer."""
        limit_s = STALE_S if self._is_failing else BUSY_S
        if self._listing is None or time.monotonic() - self._polled_s > limit_s:
            raise unavailable("records", self._cause)
        return self._listing

    def current_view(self) -> FleetView:
        """Return the current fleet view; a problem (503) while the records do not answer."""
        return self.listing().view

    @property
    def last_view(self) -> FleetView | None:
        """The last view, however old; None before the first."""
        return self._listing.view if self._listing else None

    def counts(self) -> dict[str, dict[str, float]]:
        """Return the counts of each monitor."""
        return {partition: live.counts for partition, (live, _) in self._polled.live.items()}

    def refused(self, lift_id: str) -> list[RefusalCount]:
        """Return the counts of refused messages of a lift by reason, the latest first."""
        return sorted(self._polled.refused.get(lift_id, {}).values(), key=lambda count: -count.last_ns)

    def partitions(self) -> tuple[PartitionStatus, ...]:
        """Return the status of each partition at the last poll."""
        return self._partitions

    def _stopped(self) -> set[str]:
        return {each.partition for each in self._partitions if not each.is_running}

    def rules_set_aside(self) -> list[str]:
        """Return the slugs of the rules that broke in a monitor and are not judged."""
        return rules_set_aside(key for counts in self.counts().values() for key in counts)

    def poll(self, registry_limit: int | None = None) -> None:
        """Read changes from the records and publish them; a failure is counted, and kept for the problem document."""
        with self._lock:
            begun_s, before = time.monotonic(), self._polled
            try:
                records = self._records()
                polled, announcements, entries = before.after(records, registry_limit)
                summary_lifts = records.summary_lifts(of_several_lifts(entries))
            except (RecordsUnavailable, Problem, ValueError) as error:
                self._cause = str(error.detail if isinstance(error, Problem) else error)
                self._is_failing = True
                self._server_metrics.polls.labels("failed").inc()
                return
            self._is_failing = False
            stopped_before = self._stopped()
            tables = [live for live, _ in polled.live.values()]
            self._partitions = self._watch.look(tables, polled.partition_count, time.monotonic(), time.time_ns())
            if polled is not self._polled or self._listing is None or self._stopped() != stopped_before:
                self._update(polled, announcements, entries, summary_lifts)
            self._polled_s = time.monotonic()
            if polled.registry is not before.registry:
                self._registry_rests_until_s = self._polled_s + REGISTRY_REST * (self._polled_s - begun_s)
            self._server_metrics.polls.labels("ok").inc()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self.poll(REGISTRY_AT_ONCE if time.monotonic() >= self._registry_rests_until_s else 0)
                self._broken.over()
            except Exception as error:  # the next poll may be whole again
                self._broken.failed(error, logging.ERROR, exc_info=True)

    def _update(
        self,
        polled: PolledRecords,
        announcements: Sequence[Announcement],
        entries: Sequence[IncidentAnnouncement],
        summary_lifts: SummaryLifts,
    ) -> None:
        """Build the new view and publish its changes."""
        table = polled.table
        unwatched = np.isin(table.lift_id, polled.lifts_of(self._stopped()))
        index = self._lift_index(polled, table)
        incidents = worst_by_lift(polled.incidents)
        view = fleet_view(
            polled.as_of_ns, index, table, polled.alerts, polled.windows, unwatched, polled.health, incidents
        )
        before, version = self.position, max(self.position.version + 1, time.time_ns())
        rows = self._published.update(view, version)
        self._polled, self._listing, self.position = (
            polled,
            LiftListing(view),
            StreamPosition(version, polled.transition, polled.entry),
        )
        if self._broadcaster.listeners:
            events = alert_events(announcements, before)
            events += incident_events(entries, StreamPosition(before.version, polled.transition), summary_lifts)
            wanted = self._broadcaster.wanted()
            selected = [row for row in rows.tolist() if wanted is None or view.lift_index.lift_id[row] in wanted]
            end = self.position._replace(version=before.version)
            events += lift_events(view, selected, end)
            self._broadcaster.publish(events, self.position, index)

    def _lift_index(self, polled: PolledRecords, table: LiveTable) -> LiftIndex:
        """Return the lift index: the object before unless the registry or the lifts of the live table changed."""
        if self._listing is not None and polled.registry is self._polled.registry:
            before, same = self._listing.view, np.array_equal
            if same(table.lift_id, before.live.lift_id) and same(table.district, before.live.district):
                return before.lift_index
        return lift_index(polled.registry.values(), table)

    def since(self, last: StreamPosition, event_filter: EventFilter) -> Iterable[bytes]:
        """Yield the events after the position `last` that pass the filter, as encoded chunks."""
        with self._lock:
            view, end = self.last_view, self.position
            rows = self._published.since(last.version).tolist()
        if view is None:
            return
        index, transition, entry = view.lift_index, last.transition, min(last.entry, end.entry)
        while transition < end.transition:
            announcements = self._records().transitions_since(transition, TRANSITIONS_AT_ONCE)
            if not announcements:
                break
            transition = announcements[-1].id
            seen = StreamPosition(last.version, transition, entry)
            yield event_filter.encode(alert_events(announcements, last._replace(entry=entry)), seen, index)
        while entry < end.entry:
            entries = self._records().incident_entries_since(entry, TRANSITIONS_AT_ONCE)
            if not entries:
                break
            entry = entries[-1].id
            seen = StreamPosition(last.version, end.transition, entry)
            summary_lifts = self._records().summary_lifts(of_several_lifts(entries))
            yield event_filter.encode(incident_events(entries, seen, summary_lifts), seen, index)
        rows = [row for row in rows if event_filter.matches(index.lift_id[row], str(index.district[row]), index)]
        events = lift_events(view, rows, end._replace(version=last.version))
        yield event_filter.encode(events, end, index) or encode_position(end)
