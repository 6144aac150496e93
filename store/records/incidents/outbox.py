"""The outbox of incidents: committed entries in the order of their commits, each with the incident at that moment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from store.records.database import Database
from store.records.incidents.tables import incident_entries
from store.records.page import clamped


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
