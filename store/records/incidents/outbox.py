"""The outbox of incidents: committed entries in the order of their commits, each with the incident at that moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from store.records.book import read_alert
from store.records.database import Database
from store.records.incidents.tables import incident_entries
from store.records.page import clamped
from store.records.schema import alerts

SummaryLifts = Mapping[tuple[str, str], frozenset[str]]
"""The lifts that a summary is about, by incident and English summary."""


@dataclass(frozen=True, slots=True)
class IncidentAnnouncement:
    """An entry of an incident's story and the incident's JSON (contract, section 3) at that moment."""

    id: int
    incident_id: str
    lift_id: str
    district: str
    kind: str
    at_ns: int
    by: str | None
    about: str | None
    note: str | None
    to: str | None
    organisation: str | None
    shared: bool
    incident_json: str


class IncidentOutbox:
    """The part of the records that notifiers read. The cursors are those of `store.records.outbox`."""

    _database: Database

    def incident_entries_since(self, entry_id: int, limit: int = 1000) -> list[IncidentAnnouncement]:
        """Return the entries after `entry_id`, oldest first."""
        query = select(*ANNOUNCED).where(incident_entries.c.id > clamped(entry_id))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(incident_entries.c.id).limit(limit))
            return [IncidentAnnouncement(*tuple(row)) for row in rows]

    def last_incident_entry(self) -> int:
        """Return the number of the newest entry, 0 before the first."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(incident_entries.c.id))).scalar() or 0

    def summary_lifts(self, incident_ids: Collection[str]) -> SummaryLifts:
        """Return the lifts of the alerts of these incidents, by incident and the alert's English summary."""
        if not incident_ids:
            return {}
        query = select(alerts.c.incident_id, alerts.c.alert).where(alerts.c.incident_id.in_(sorted(incident_ids)))
        found: dict[tuple[str, str], set[str]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                alert = read_alert(row.alert)
                found.setdefault((row.incident_id, alert.summary.get("en", "")), set()).add(alert.lift_id)
        return {key: frozenset(lift_ids) for key, lift_ids in found.items()}


ANNOUNCED = (
    incident_entries.c.id,
    incident_entries.c.incident_id,
    incident_entries.c.lift_id,
    incident_entries.c.district,
    incident_entries.c.kind,
    incident_entries.c.at_ns,
    incident_entries.c.by,
    incident_entries.c.about,
    incident_entries.c.note,
    incident_entries.c.to,
    incident_entries.c.organisation,
    incident_entries.c.shared,
    incident_entries.c.incident,
)
