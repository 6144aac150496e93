"""Incidents as rows: the incident as JSON, and the columns that are searched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Select, delete, exists, select

from alerts.incidents.actions import settles_ns
from alerts.incidents.incident import Incident, IncidentChange, IncidentLift, StoryEntry
from alerts.incidents.rescue import read_rescue
from alerts.incidents.wire import incident_json
from registry.catalogue import SEVERITIES
from store.records.incidents.tables import folds, incident_entries, incident_lifts, incidents, public_reports
from store.records.judging.thresholds import recent_changes
from store.records.outbox.tables import notification_attempts
from store.records.schema import alerts

AT_ONCE = 400
"""How many ids a query names."""


def read_incident(text: str) -> Incident:
    """Return the incident of a row."""
    values = orjson.loads(text)
    values["lifts"] = tuple(IncidentLift(**lift) for lift in values["lifts"])
    for name in ("acknowledged_by", "acknowledged_for", "links"):
        values[name] = tuple(values.get(name, ()))
    if values.get("rescue") is not None:
        values["rescue"] = read_rescue(values["rescue"])
    return Incident(**values)


def load_incidents(connection: Connection, ids: Collection[str]) -> list[Incident]:
    """Return the incidents with these ids."""
    return _each(connection, ids, lambda some: select(incidents.c.incident).where(incidents.c.id.in_(some)))


def load_folding(connection: Connection, lift_ids: Collection[str]) -> list[Incident]:
    """Return the open incidents into which alerts of these lifts fold."""
    query = select(incidents.c.incident).join(incident_lifts, incident_lifts.c.incident_id == incidents.c.id)
    return _each(connection, lift_ids, lambda some: query.where(folds, incident_lifts.c.lift_id.in_(some)))


def _each(connection: Connection, ids: Collection[str], query: Callable[[list[str]], Select[Any]]) -> list[Incident]:
    found: list[Incident] = []
    for some in in_parts(ids):
        found += map(read_incident, connection.scalars(query(some)))
    return found


def in_parts(ids: Collection[str]) -> Iterable[list[str]]:
    """Yield sorted ids, as many at a time as a query names."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]


def write_changes(connection: Connection, changes: Sequence[IncidentChange]) -> None:
    """Write the last state of each changed incident, and the entries in order, with recent changes of thresholds."""
    changes = _with_thresholds(connection, changes)
    last = {change.incident.id: change.incident for change in changes}
    for some in in_parts(last):
        connection.execute(delete(incident_lifts).where(incident_lifts.c.incident_id.in_(some)))
        connection.execute(delete(incidents).where(incidents.c.id.in_(some)))
    if last:
        connection.execute(incidents.insert(), [_row(incident) for incident in last.values()])
        connection.execute(incident_lifts.insert(), [row for one in last.values() for row in _lift_rows(one)])
    entries = [_entry_row(change.incident, change.entry) for change in changes if change.entry is not None]
    if entries:
        connection.execute(incident_entries.insert(), entries)


def _with_thresholds(connection: Connection, changes: Sequence[IncidentChange]) -> list[IncidentChange]:
    """Return the changes with the time of the last recent change of a threshold of each lift."""
    lift_ids = {lift.lift_id for change in changes for lift in change.incident.lifts}
    now_ns = max((change.entry.at_ns for change in changes if change.entry is not None), default=0)
    recent: dict[str, int] = {}
    for some in in_parts(lift_ids):
        recent |= recent_changes(connection, some, now_ns)
    return [replace(each, incident=_marked(each.incident, recent)) for each in changes] if recent else [*changes]


def _marked(incident: Incident, recent: Mapping[str, int]) -> Incident:
    lifts = (
        replace(lift, thresholds_changed_ns=recent.get(lift.lift_id, lift.thresholds_changed_ns))
        for lift in incident.lifts
    )
    return replace(incident, lifts=tuple(lifts))


def delete_incidents(connection: Connection, before_ns: int, limit: int) -> int:
    """Delete closed incidents without alerts, closed before an instant and without a later entry, and their stories.

    The attempts to notify somebody are part of the story.
    """
    has_alerts = exists().where(alerts.c.incident_id == incidents.c.id)
    later = exists().where(incident_entries.c.incident_id == incidents.c.id, incident_entries.c.at_ns >= before_ns)
    old = select(incidents.c.id).where(incidents.c.opened_ns < before_ns, incidents.c.closed_ns < before_ns)
    ids = list(connection.scalars(old.where(~later, ~has_alerts).order_by(incidents.c.opened_ns).limit(limit)))
    deleted = 0
    tables = (incident_entries, incident_lifts, notification_attempts, public_reports)
    for column in (*(table.c.incident_id for table in tables), incidents.c.id) if ids else ():
        deleted += connection.execute(delete(column.table).where(column.in_(ids))).rowcount
    return deleted


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "district": incident.district,
        "kind": incident.kind,
        "severity": incident.severity,
        "state": incident.state,
        "owner": incident.owner,
        "building": incident.building,
        "opened_ns": incident.opened_ns,
        "closed_ns": incident.closed_ns,
        "settles_ns": settles_ns(incident),
        "rescue_ns": rescue_ns(incident),
        "urgency": urgency(incident),
        "incident": orjson.dumps(incident).decode(),
    }


def rescue_ns(incident: Incident) -> int | None:
    """Return when the rescue of an open incident began, as long as somebody may be inside; None otherwise."""
    is_running = incident.is_open and incident.may_hold_people
    return incident.rescue.since_ns if is_running and incident.rescue is not None else None


LONGEST_FIRST = (-6, -3)
"""The places of those whose timer is overdue: the oldest comes first, of all others the newest."""


def urgency(incident: Incident) -> int:
    """Return the place of an incident in the order of urgency: by severity, and before those that are acknowledged.

    An open one that may hold people is below 0: unacknowledged -6 where a timer is overdue and -4 otherwise,
    acknowledged -3 and -1. Even numbers are unacknowledged.
    """
    is_acknowledged = incident.acknowledged_ns is not None
    if incident.is_open and incident.may_hold_people:
        is_late = incident.rescue is not None and bool(incident.rescue.overdue)
        return (-1 if is_acknowledged else -4) - 2 * is_late
    return 2 * SEVERITIES[::-1].index(incident.severity) + is_acknowledged


def _lift_rows(incident: Incident) -> Iterable[dict[str, Any]]:
    for lift in incident.lifts:
        yield {
            "incident_id": incident.id,
            "lift_id": lift.lift_id,
            "district": lift.district,
            "folds": incident.folds(lift.lift_id),
        }


def _entry_row(incident: Incident, entry: StoryEntry) -> dict[str, Any]:
    return {
        "incident_id": incident.id,
        "lift_id": incident.lift_id,
        "district": incident.district,
        "kind": entry.kind,
        "at_ns": entry.at_ns,
        "by": entry.by,
        "about": entry.about,
        "note": entry.note,
        "to": entry.to,
        "organisation": entry.organisation,
        "shared": entry.shared,
        "incident": orjson.dumps(incident_json(incident)).decode(),
    }
