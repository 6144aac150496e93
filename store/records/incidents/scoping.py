"""Scopes as SQL for incidents: an incident is in a scope where one of its lifts is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, or_, select, true

from registry.scope import LiftScope
from store.records.incidents.tables import incident_lifts, incidents
from store.records.judging.deleted_lifts import was_named_when_deleted
from store.records.scoping import rows_in


def incidents_in(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition that an incident has a lift in the scope."""
    return true() if scope.everything else of_lifts(lifts_of_incidents_in(scope))


def incidents_seen(connection: Connection, incident_ids: Collection[str], scope: LiftScope) -> set[str]:
    """Return those of these incidents that have a lift in the scope."""
    if not incident_ids:
        return set()
    return set(connection.scalars(select(incidents.c.id).where(incidents.c.id.in_(incident_ids), incidents_in(scope))))


def lifts_of_incidents_in(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition that a lift of an incident is in the scope, or was when it was deleted from the incident."""
    inside = rows_in(scope, incident_lifts.c.lift_id, incident_lifts.c.district)
    return or_(inside, was_named_when_deleted(scope)) if scope.names else inside


def of_lifts(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that an incident has a lift for which a condition on `incident_lifts` is true."""
    return incidents.c.id.in_(select(incident_lifts.c.incident_id).where(condition))
