"""The timers of rescues in the records: what is due is written with its entry in the story, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select, tuple_

from alerts.incidents.incident import Incident, IncidentChange
from alerts.incidents.rescue import RescuePoint, RescueTimes, helpers
from alerts.incidents.rescue_timers import NOBODY, on_time, wants_helper
from registry.lift_facts import LiftFacts
from store.records.database import Database
from store.records.incidents.rows import load_incidents, read_incident, write_changes
from store.records.incidents.tables import incidents, is_rescued
from store.records.judging.deleted_lifts import load_facts_of_incidents

log = logging.getLogger("liftwatch.rescues")

RESCUES_AT_ONCE = 1000


class RescueStore:
    """The part of the records that has the running rescues."""

    _database: Database

    def advance_rescues(
        self,
        times: RescueTimes,
        now_ns: int,
        is_own: Callable[[str], bool] = lambda _: True,
        points: Sequence[RescuePoint] = (),
    ) -> int:
        """Write what time does to the running rescues of own lifts; return how many entries that were.

        A level that rises and the call-out of its nearest point are one transaction. A rescue that raises is left out.
        """

        def is_due(incident: Incident) -> bool:
            return bool(_changes(incident, times, now_ns)) or (bool(points) and wants_helper(incident))

        with self._database.reading() as connection:
            due = [each.id for each in _running(connection) if is_own(each.lift_id) and is_due(each)]
        parts = (due[start : start + RESCUES_AT_ONCE] for start in range(0, len(due), RESCUES_AT_ONCE))
        return sum(self._advance(some, times, now_ns, points) for some in parts)

    def _advance(self, ids: Sequence[str], times: RescueTimes, now_ns: int, points: Sequence[RescuePoint]) -> int:
        with self._database.writing() as connection:
            found = load_incidents(connection, ids)
            opened_ns = {each.lift_id: each.opened_ns for each in found} if points else {}
            facts = load_facts_of_incidents(connection, opened_ns)
            changes = [
                change
                for each in found
                for change in _changes(each, times, now_ns, _helpers(points, each, facts.get(each.lift_id)))
            ]
            write_changes(connection, changes)
        return len(changes)


def _changes(
    incident: Incident, times: RescueTimes, now_ns: int, helpers: Mapping[int, str] = NOBODY
) -> list[IncidentChange]:
    try:
        return on_time(incident, times, now_ns, helpers)
    except Exception:  # whatever is wrong with one rescue delays the timers of no other
        log.exception("the timers of incident %s cannot be applied", incident.id)
        return []


def _helpers(points: Sequence[RescuePoint], incident: Incident, facts: LiftFacts | None) -> dict[int, str]:
    lat, lon = (None, None) if facts is None else (facts.lat, facts.lon)
    return helpers(points, incident.district, lat, lon)


def _running(connection: Connection) -> Iterator[Incident]:
    """Yield all running rescues, the oldest first, read in parts."""
    place = incidents.c.rescue_ns, incidents.c.id
    query = select(*place, incidents.c.incident).where(is_rescued).order_by(*place).limit(RESCUES_AT_ONCE)
    rows = connection.execute(query).all()
    while rows:
        yield from (read_incident(row.incident) for row in rows)
        rows = connection.execute(query.where(tuple_(*place) > tuple_(rows[-1].rescue_ns, rows[-1].id))).all()
