"""The timers of rescues in the records: what is due is written with its entry in the story, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from alerts.incidents.incident import Incident
from alerts.incidents.rescue import RescueTimes
from alerts.incidents.rescuing import on_time
from store.records.database import Database
from store.records.incidents.rows import load_incidents, read_incident, write_changes
from store.records.incidents.tables import incidents, is_rescued

RESCUES_AT_ONCE = 1000


class RescueStore:
    """The part of the records that has the running rescues."""

    _database: Database

    def advance_rescues(self, times: RescueTimes, now_ns: int, is_own: Callable[[str], bool] = lambda _: True) -> int:
        """Write what time does to the running rescues of own lifts; return how many entries that were."""
        with self._database.reading() as connection:
            due = [each.id for each in _running(connection) if is_own(each.lift_id) and on_time(each, times, now_ns)]
        if not due:
            return 0
        with self._database.writing() as connection:
            changes = [change for each in load_incidents(connection, due) for change in on_time(each, times, now_ns)]
            write_changes(connection, changes)
        return len(changes)


def _running(connection: Connection) -> list[Incident]:
    query = select(incidents.c.incident).where(is_rescued).order_by(incidents.c.rescue_ns).limit(RESCUES_AT_ONCE)
    return [read_incident(text) for text in connection.scalars(query)]
