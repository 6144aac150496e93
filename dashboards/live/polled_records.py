"""The contents of the records at one poll, and how the next poll brings them up to date."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from alerts.alert import Alert
from alerts.incidents.wire import incident_json
from dashboards.live.lift_incidents import IncidentsOfLifts, after_entries, lifts_of_incident
from store.live import LiveTable, decode_live
from store.records.repository import (
    EVERYTHING,
    Announcement,
    HealthRecord,
    IncidentAnnouncement,
    LiveState,
    Records,
    RefusalCount,
    Registered,
    RegistryChanges,
    WindowRecord,
)

TRANSITIONS_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class PolledRecords:
    """The contents of the records at the last poll; the next poll reads only what is newer."""

    revision: int = EVERYTHING
    registry: Mapping[str, Registered] = field(default_factory=dict)
    windows: Mapping[str, WindowRecord] = field(default_factory=dict)
    live: Mapping[str, tuple[LiveState, LiveTable]] = field(default_factory=dict)
    transition: int = -1
    entry: int = -1
    alerts: Mapping[str, Sequence[Alert]] = field(default_factory=dict)
    incidents: IncidentsOfLifts = field(default_factory=dict)
    refusal: int = EVERYTHING
    refused: Mapping[str, Mapping[str, RefusalCount]] = field(default_factory=dict)
    partition_count: int = 0
    health_version: int = 0
    health: Mapping[str, HealthRecord] = field(default_factory=dict)

    @property
    def as_of_ns(self) -> int:
        """The instant at which a monitor last wrote, 0 where none ever did."""
        return max((live.at_ns for live, _ in self.live.values()), default=0)

    def after(
        self, records: Records, limit: int | None = None
    ) -> tuple[PolledRecords, list[Announcement], list[IncidentAnnouncement]]:
        """Poll again; return the new contents (`self` where nothing is new), the transitions and the entries since.

        Changes of the registry are read of about `limit` lifts (None: all).
        """
        announcements: list[Announcement] = []
        transition, alerts = self.transition, self.alerts
        if transition < 0:
            transition = records.last_transition()
            alerts = _open_alerts_by_lift(records.open_alerts())
        elif announcements := records.transitions_since(transition, TRANSITIONS_AT_ONCE):
            transition = announcements[-1].id
            alerts = _open_alerts_by_lift(records.open_alerts())
        entry, incidents, entries = self._entries_since(records)
        revision, registry, windows = self.revision, self.registry, self.windows
        if limit != 0 and records.revision() != revision:
            changes = records.registry_since(revision, limit)
            revision, registry = changes.revision, _changed(registry, changes)
            windows = {**windows, **{window.lift_id: window for window in changes.windows}}
        newest = max((live.version for live, _ in self.live.values()), default=0)
        fresh = {live.partition: (live, decode_live(live.lifts)) for live in records.live(newest)}
        refusal, counts = records.refusals_since(self.refusal)
        healths = records.healths_since(self.health_version)
        numbers = (revision, transition, entry, refusal)
        if numbers == (self.revision, self.transition, self.entry, self.refusal) and not (fresh or healths):
            return self, announcements, entries
        live, refused = {**self.live, **fresh}, _counted(self.refused, counts)
        parts = self.partition_count or records.partition_count()  # once it is fixed, it stays
        version = healths[-1].version if healths else self.health_version
        health = {**self.health, **{one.lift_id: one for one in healths}} if healths else self.health
        polled = PolledRecords(
            revision,
            registry,
            windows,
            live,
            transition,
            entry,
            alerts,
            incidents,
            refusal,
            refused,
            parts,
            version,
            health,
        )
        return polled, announcements, entries

    def _entries_since(self, records: Records) -> tuple[int, IncidentsOfLifts, list[IncidentAnnouncement]]:
        """Return the newest entry of incidents, the open incidents by lift, and the entries since the last poll."""
        if self.entry < 0:
            newest = records.last_incident_entry()
            return newest, {each.id: lifts_of_incident(incident_json(each)) for each in records.open_incidents()}, []
        entries = records.incident_entries_since(self.entry, TRANSITIONS_AT_ONCE)
        if not entries:
            return self.entry, self.incidents, []
        return entries[-1].id, after_entries(self.incidents, entries), entries

    @property
    def table(self) -> LiveTable:
        """The live tables of all monitors as one."""
        return _joined([table for _, table in self.live.values()]) if self.live else empty_table()

    def lifts_of(self, partitions: Collection[str]) -> NDArray[np.str_]:
        """Return the ids of the lifts in the live tables of these partitions."""
        tables = (table for name, (_, table) in self.live.items() if name in partitions)
        return np.concatenate([empty_table().lift_id, *(table.lift_id for table in tables)])


def _changed(registry: Mapping[str, Registered], changes: RegistryChanges) -> Mapping[str, Registered]:
    """Return the registry after these changes; `registry` itself where no lift changed."""
    if not changes.lifts and not changes.deleted:
        return registry
    after = {**registry, **{each.facts.lift_id: each for each in changes.lifts}}
    for lift_id in changes.deleted:
        after.pop(lift_id, None)
    return after


def _counted(
    before: Mapping[str, Mapping[str, RefusalCount]], changed: Sequence[RefusalCount]
) -> Mapping[str, Mapping[str, RefusalCount]]:
    """Return the counts of refusals by lift and reason after these changes."""
    if not changed:
        return before
    after = dict(before)
    for count in changed:
        after[count.lift_id] = {**after.get(count.lift_id, {}), count.reason: count}
    return after


def _open_alerts_by_lift(alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
    by_lift: dict[str, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: alert.onset_ns, reverse=True):
        by_lift.setdefault(alert.lift_id, []).append(alert)
    return by_lift


def _joined(tables: Sequence[LiveTable]) -> LiveTable:
    """Return the live tables of several monitors as one; where two contain a lift, the row of the last table stays."""
    if len(tables) == 1:
        return tables[0]
    columns = {f.name: np.concatenate([getattr(table, f.name) for table in tables]) for f in fields(LiveTable)}
    ids = columns["lift_id"][::-1]
    last = np.sort(len(ids) - 1 - np.unique(ids, return_index=True)[1])
    return LiveTable(**{name: column[last] for name, column in columns.items()})


def empty_table() -> LiveTable:
    """Return a live table without lifts."""
    names, whole, real = np.array([], dtype="U1"), np.array([], dtype=np.int64), np.array([], dtype=np.float64)
    return LiveTable(
        lift_id=names, district=names, last_seen_ns=whole, blind=names, blind_since_ns=whole,
        link=np.array([], dtype=np.int8), position_m=real,
        landing=np.array([], dtype=np.int32), direction=real, speed_mps=real, door=real, presence=real, mode=real,
        power=real, last_trip_ns=whole, received=whole, gaps=whole, repeats=whole, late=whole, steps=whole,
    )  # fmt: skip
