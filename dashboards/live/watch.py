"""The one that looks at the records for everybody: four times a second, in its own thread.

    records ──► what is new? registry revision, live versions, transitions ──► picture ──► lists, fleet, metrics
                                                                          └──► events ──► hub

Nothing new, nothing done. Whoever has just written asks for a look at once, so that they read what they wrote.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import orjson

from alerts.alert import Alert
from dashboards.http.metrics import Meters
from dashboards.http.problem import Problem, away
from dashboards.live.changes import Told
from dashboards.live.listing import Orders
from dashboards.live.picture import Picture, Roster, empty_table, picture, roster
from dashboards.live.stream import Event, Hub, Interest, Mark, closing, event
from store.live import RULE_SET_ASIDE, LiveTable, decode_live
from store.records.repository import (
    EVERYTHING,
    Announcement,
    LiveState,
    Records,
    RecordsUnavailable,
    Registered,
    RegistryChanges,
    WindowRecord,
)

log = logging.getLogger(__name__)

POLL_S = 0.25
STALE_S = 5.0
TRANSITIONS_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Seen:
    """What the last look found in the records; the next look reads only what is newer."""

    revision: int = EVERYTHING
    registry: Mapping[str, Registered] = field(default_factory=dict)
    windows: Mapping[str, WindowRecord] = field(default_factory=dict)
    live: Mapping[str, tuple[LiveState, LiveTable]] = field(default_factory=dict)
    transition: int = -1
    alerts: Mapping[str, Sequence[Alert]] = field(default_factory=dict)

    @property
    def as_of_ns(self) -> int:
        """When a monitor last wrote, 0 where none ever did."""
        return max((live.at_ns for live, _ in self.live.values()), default=0)

    def after(self, records: Records) -> tuple[Seen, list[Announcement]]:
        """Look once more; return what is there now (this very value where nothing is new) and the transitions since."""
        told: list[Announcement] = []
        transition, alerts = self.transition, self.alerts
        if transition < 0:
            transition = records.last_transition()
            alerts = _by_lift(records.open_alerts())
        elif told := records.transitions_since(transition, TRANSITIONS_AT_ONCE):
            transition = told[-1].id
            alerts = _by_lift(records.open_alerts())
        revision, registry, windows = self.revision, self.registry, self.windows
        if records.revision() != revision:
            changes = records.registry_since(revision)
            revision, registry = changes.revision, _changed(registry, changes)
            windows = {**windows, **{window.lift_id: window for window in changes.windows}}
        newest = max((live.version for live, _ in self.live.values()), default=0)
        fresh = {live.monitor: (live, decode_live(live.lifts)) for live in records.live(newest)}
        if (revision, transition) == (self.revision, self.transition) and not fresh:
            return self, told
        return Seen(revision, registry, windows, {**self.live, **fresh}, transition, alerts), told

    @property
    def table(self) -> LiveTable:
        """The tables of all monitors as one."""
        return joined([table for _, table in self.live.values()]) if self.live else empty_table()


class Watch:
    """Keeps the picture of the fleet, and tells the hub what is new in it."""

    def __init__(self, records: Callable[[], Records], hub: Hub, meters: Meters) -> None:
        self._records, self._hub, self._meters = records, hub, meters
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = Seen()
        self._told = Told()
        self._orders: Orders | None = None
        self._looked_s = 0.0
        self._cause = "nothing was read yet"
        self.mark = Mark(0, 0)

    def start(self) -> None:
        """Look, and go on looking."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def orders(self) -> Orders:
        """Return the fleet as it is now, ready to be listed; a problem (503) while the records are away."""
        if self._orders is None or time.monotonic() - self._looked_s > STALE_S:
            raise away("records", self._cause)
        return self._orders

    @property
    def shown(self) -> Picture | None:
        """The last picture, however old; None before the first."""
        return self._orders.picture if self._orders else None

    def counts(self) -> dict[str, dict[str, float]]:
        """Return what each monitor counts of itself."""
        return {monitor: live.counts for monitor, (live, _) in self._seen.live.items()}

    def rules_set_aside(self) -> list[str]:
        """Return the slugs of the rules that broke in a monitor and are not judged."""
        names = {key.partition(":") for counts in self.counts().values() for key in counts}
        return sorted(slug for name, _, slug in names if name == RULE_SET_ASIDE)

    def look(self) -> None:
        """Take in what is new; what keeps the records from answering is counted and kept for whoever asks."""
        with self._lock:
            try:
                seen, told = self._seen.after(self._records())
            except (RecordsUnavailable, Problem, ValueError) as error:
                self._cause = str(error.detail if isinstance(error, Problem) else error)
                self._meters.polls.labels("failed").inc()
                return
            if seen is not self._seen or self._orders is None:
                self._draw(seen, told)
            self._looked_s = time.monotonic()
            self._meters.polls.labels("ok").inc()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self.look()
            except Exception:
                log.exception("looking at the records failed")

    def _draw(self, seen: Seen, told: Sequence[Announcement]) -> None:
        """Draw the new picture, and tell what is new in it."""
        table = seen.table
        shown = picture(seen.as_of_ns, self._roster(seen, table), table, seen.alerts, seen.windows)
        before, version = self.mark, max(self.mark.version + 1, time.time_ns())
        rows = self._told.news(shown, version)
        self._seen, self._orders, self.mark = seen, Orders(shown), Mark(version, seen.transition)
        if self._hub.listeners:
            events = _alert_events(told, before.version)
            wanted = self._hub.wanted()
            heard = [row for row in rows.tolist() if wanted is None or shown.roster.lift_id[row] in wanted]
            events += lift_events(shown, heard, Mark(before.version, seen.transition))
            self._hub.publish(events, self.mark)

    def _roster(self, seen: Seen, table: LiveTable) -> Roster:
        """Return who is in the fleet: as before, unless the registry or who is heard has changed."""
        if self._orders is not None and seen.registry is self._seen.registry:
            before, same = self._orders.picture, np.array_equal
            if same(table.lift_id, before.live.lift_id) and same(table.district, before.live.district):
                return before.roster
        return roster(seen.registry.values(), table)

    def since(self, last: Mark, interest: Interest) -> Iterable[bytes]:
        """Yield what a listener who has come as far as `last` lacks, in pieces of wire."""
        with self._lock:
            shown, end = self.shown, self.mark
            rows = self._told.since(last.version).tolist()
        if shown is None:
            return
        transition = last.transition
        while transition < end.transition:
            told = self._records().transitions_since(transition, TRANSITIONS_AT_ONCE)
            if not told:
                break
            transition = told[-1].id
            yield interest.chunk(_alert_events(told, last.version), Mark(last.version, transition))
        who = shown.roster
        rows = [row for row in rows if interest.takes(who.lift_id[row], str(who.district[row]))]
        yield interest.chunk(lift_events(shown, rows, Mark(last.version, end.transition)), end) or closing(end)


def lift_events(shown: Picture, rows: Sequence[int], at: Mark) -> list[Event]:
    """Return these rows of a picture as events."""
    return [event("lift", at, shown.item(row)) for row in rows]


def _alert_events(transitions: Sequence[Announcement], version: int) -> list[Event]:
    return [event("alert", Mark(version, each.id), orjson.loads(each.alert_json)) for each in transitions]


def _changed(registry: Mapping[str, Registered], changes: RegistryChanges) -> Mapping[str, Registered]:
    """Return the registry after these changes; itself where no lift changed."""
    if not changes.lifts and not changes.deleted:
        return registry
    after = {**registry, **{each.facts.lift_id: each for each in changes.lifts}}
    for lift_id in changes.deleted:
        after.pop(lift_id, None)
    return after


def _by_lift(alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
    by_lift: dict[str, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: alert.onset_ns, reverse=True):
        by_lift.setdefault(alert.lift_id, []).append(alert)
    return by_lift


def joined(tables: Sequence[LiveTable]) -> LiveTable:
    """Return the tables of several monitors as one; where two know a lift, the later one stands."""
    if len(tables) == 1:
        return tables[0]
    joined = {f.name: np.concatenate([getattr(table, f.name) for table in tables]) for f in fields(LiveTable)}
    ids = joined["lift_id"][::-1]
    last = np.sort(len(ids) - 1 - np.unique(ids, return_index=True)[1])
    return LiveTable(**{name: column[last] for name, column in joined.items()})
