"""The outcomes of notifications: those that have reached nobody, and the attempts about an incident."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Table, exists, select, true

from alerts.incidents.incident import UNREACHED
from alerts.notification import Notification
from registry.scope import ALL_LIFTS, LiftScope
from store.records.database import Database
from store.records.identity.tables import memberships
from store.records.incidents.rows import read_incident
from store.records.incidents.scoping import incidents_in
from store.records.incidents.tables import incident_entries, incidents, is_open
from store.records.incidents.visible import VisibleIncident, visible_incidents
from store.records.outbox.notifications import NotificationAttempt
from store.records.outbox.tables import FAILED, is_notification_waiting, notification_attempts, notifications

ATTEMPTS_LIMIT = 500


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt as the story of an incident has it."""

    notification_id: int
    person_id: str
    attempt: NotificationAttempt


@dataclass(frozen=True, slots=True)
class FailedNotification:
    """A notification that has reached nobody, for the desk; until `settled_ns` it is tried again."""

    id: int
    notification: Notification
    settled_ns: int | None
    error: str | None


class NotificationOutcomes:
    """The part of the records that queries what became of notifications."""

    _database: Database

    def failed_notifications(
        self,
        since_ns: int,
        limit: int = 100,
        *,
        scope: LiftScope = ALL_LIFTS,
        organisation_id: str | None = None,
        is_final: bool = True,
    ) -> list[FailedNotification]:
        """Return the notifications that have reached nobody, made since an instant, the newest first.

        Limited to incidents of a scope and to people of an organisation, where one is given. Without `is_final` those
        are included that have failed so far and are tried again, and codes and tests are left out.
        """
        columns = (notifications.c.id, notifications.c.content, notifications.c.settled_ns, notifications.c.error)
        failed = select(*columns).where(notifications.c.made_ns >= since_ns, _people_in(notifications, organisation_id))
        if not scope.everything:
            failed = failed.where(notifications.c.incident_id.in_(select(incidents.c.id).where(incidents_in(scope))))
        if is_final:
            failed = failed.where(notifications.c.state == FAILED)
        else:
            is_failing = is_notification_waiting & notifications.c.error.is_not(None)
            failed = failed.where((notifications.c.state == FAILED) | is_failing, notifications.c.incident_id != "")
        with self._database.reading() as connection:
            rows = connection.execute(failed.order_by(notifications.c.id.desc()).limit(limit)).all()
        return [
            FailedNotification(row.id, Notification.from_json(orjson.loads(row.content)), row.settled_ns, row.error)
            for row in rows
        ]

    def uncalled_incidents(self, limit: int = 100, *, scope: LiftScope = ALL_LIFTS) -> list[VisibleIncident]:
        """Return the open critical incidents about which nobody could be called, and which nobody has acknowledged,
        oldest first."""
        missed = exists().where(incident_entries.c.incident_id == incidents.c.id, incident_entries.c.kind == UNREACHED)
        called = exists().where(notifications.c.incident_id == incidents.c.id)
        waits = (is_open, incidents.c.severity == "critical", incidents.c.urgency % 2 == 0)
        query = select(incidents.c.incident).where(*waits, missed, ~called, incidents_in(scope))
        with self._database.reading() as connection:
            texts = connection.scalars(query.order_by(incidents.c.opened_ns).limit(limit))
            return visible_incidents(connection, [read_incident(each) for each in texts], scope)

    def notification_attempts(self, incident_id: str, organisation_id: str | None = None) -> list[StoredAttempt]:
        """Return the newest attempts about an incident, of people of an organisation where one is given, the oldest
        first."""
        about = (notification_attempts.c.incident_id == incident_id, _people_in(notification_attempts, organisation_id))
        newest = select(*_ATTEMPT).where(*about).order_by(notification_attempts.c.id.desc()).limit(ATTEMPTS_LIMIT)
        with self._database.reading() as connection:
            rows = connection.execute(newest).all()
        return [StoredAttempt(row[0], row[1], NotificationAttempt(*row[2:])) for row in reversed(rows)]


def _people_in(table: Table, organisation_id: str | None) -> ColumnElement[bool]:
    """Return the condition that a row is about a person of an organisation; None is every organisation."""
    if organisation_id is None:
        return true()
    theirs = select(memberships.c.person_id).where(memberships.c.organisation_id == organisation_id)
    return table.c.person_id.in_(theirs)


_ATTEMPT = tuple(
    notification_attempts.c[name]
    for name in ("notification_id", "person_id", "way_id", "kind", "address", "at_ns", "result", "reason")
)  # fmt: skip
