"""The incidents of changed alerts in one transaction: loaded, changed by their table, written back.

    changes of alerts ─► incidents loaded ─► alerts written ─► incidents, entries and the incident of each alert written

The rows of alerts have their former states until they are written: the incidents are loaded before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from alerts.alert import Change, Transition
from alerts.answers import ACKNOWLEDGED
from alerts.book import FIRED
from alerts.incidents.incident import Incident, IncidentChange
from alerts.incidents.ledger import IncidentLedger, Member
from alerts.incidents.merging import with_moved_link
from alerts.inhibition import POWER_LOSS
from store.records.book import alert_row, read_alert, write_transitions
from store.records.incidents.rows import in_parts, load_folding, load_incidents, read_incident, write_changes
from store.records.incidents.tables import incident_lifts, incidents, public_reports
from store.records.incidents.tables import is_open as is_open_incident
from store.records.judging.deleted_lifts import keep_in_incident
from store.records.schema import alerts, is_open, lifts


class OpenIncidents:
    """The ledger of the incidents that changed alerts are in or may join, for the length of one transaction."""

    def __init__(self, connection: Connection, changes: Sequence[Change]) -> None:
        self._connection = connection
        moved = [change.alert for change in changes if change.transition is not None]
        members = _members(connection, {alert.id for alert in moved})
        buildings = _buildings(connection, {alert.lift_id for alert in moved if alert.rule == POWER_LOSS})
        concerned = load_incidents(connection, {name for name, _ in members.values()})
        lift_ids = {alert.lift_id for alert in moved} | {lift.lift_id for one in concerned for lift in one.lifts}
        concerned += load_folding(connection, lift_ids)
        concerned += _without_power(connection, set(buildings.values()))
        self._ledger = IncidentLedger(concerned, members, buildings)
        for change in changes:
            self._ledger.apply(change)

    def write(self) -> None:
        """Write the changed incidents and which alerts are in them; call after the alerts are written."""
        write_changes(self._connection, self._ledger.changes)
        for moved, into in self._ledger.moves:
            move_alerts(self._connection, moved, into)
        put_members(self._connection, self._ledger.joined)


def write_answers(connection: Connection, changes: Sequence[Change]) -> None:
    """Write alerts that people changed, with their transitions, and the incidents of these alerts."""
    open_incidents = OpenIncidents(connection, changes)
    for change in changes:
        connection.execute(update(alerts).where(alerts.c.id == change.alert.id).values(**alert_row(change.alert)))
    write_transitions(connection, changes)
    open_incidents.write()


def put_members(connection: Connection, incident_of: dict[str, str]) -> None:
    """Store the incident of each of these alerts."""
    rows = [{"_id": alert_id, "_incident_id": name} for alert_id, name in incident_of.items()]
    if rows:
        one = update(alerts).where(alerts.c.id == bindparam("_id")).values(incident_id=bindparam("_incident_id"))
        connection.execute(one, rows)


def move_alerts(connection: Connection, moved: str, into: str) -> None:
    """Move all alerts of an incident, the reports of the public page and the links of other incidents to the one that
    it was merged into.

    Whoever was responsible for its deleted lifts stays so in the other.
    """
    for table in (alerts, public_reports):
        connection.execute(update(table).where(table.c.incident_id == moved).values(incident_id=into))
    opened_ns = {each.id: each.opened_ns for each in load_incidents(connection, (moved, into))}
    lift_ids = connection.scalars(select(incident_lifts.c.lift_id).where(incident_lifts.c.incident_id == moved)).all()
    keep_in_incident(connection, lift_ids, opened_ns[moved], opened_ns[into])
    (merged,) = load_incidents(connection, [moved])
    linked = load_incidents(connection, set(merged.links) - {into})
    write_changes(connection, [IncidentChange(with_moved_link(each, moved, into), None) for each in linked])


def adopt_open_alerts(connection: Connection, now_ns: int) -> None:
    """Open the incidents of open alerts that are in none: those of a version without incidents.

    An alert that was acknowledged makes its incident an acknowledged one.
    """
    query = select(alerts.c.alert).where(is_open, alerts.c.incident_id.is_(None))
    found = [read_alert(text) for text in connection.scalars(query)]
    found.sort(key=lambda alert: (alert.noticed_ns, alert.id))
    changes = [Change(alert, Transition(alert.id, FIRED, alert.noticed_ns)) for alert in found]
    for alert in found:
        names = [name for name, _ in alert.acknowledgements]
        if names:
            changes.append(Change(alert, Transition(alert.id, ACKNOWLEDGED, now_ns, by=names[0])))
    OpenIncidents(connection, changes).write()


def _members(connection: Connection, alert_ids: Collection[str]) -> dict[str, Member]:
    """Return the incident and the stored state of those of these alerts that are in an incident."""
    found: dict[str, Member] = {}
    for some in in_parts(alert_ids):
        query = select(alerts.c.id, alerts.c.incident_id, alerts.c.state).where(alerts.c.id.in_(some))
        rows = connection.execute(query.where(alerts.c.incident_id.is_not(None)))
        found |= {row.id: (row.incident_id, row.state) for row in rows}
    return found


def _buildings(connection: Connection, lift_ids: Collection[str]) -> dict[str, str]:
    """Return the building of those of these lifts that have one in their facts: the address."""
    found: dict[str, str] = {}
    for some in in_parts(lift_ids):
        for row in connection.execute(select(lifts.c.lift_id, lifts.c.facts).where(lifts.c.lift_id.in_(some))):
            facts: dict[str, Any] = orjson.loads(row.facts)
            address = (facts.get("address") or "").strip()
            if address:
                found[row.lift_id] = address
    return found


def _without_power(connection: Connection, buildings: Collection[str]) -> list[Incident]:
    """Return the open incidents of these buildings without power."""
    found: list[Incident] = []
    for some in in_parts(buildings):
        query = select(incidents.c.incident).where(is_open_incident, incidents.c.building.in_(some))
        found += map(read_incident, connection.scalars(query))
    return found
