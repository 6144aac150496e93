"""Changes of incidents by people: each is one transaction, with its entry in the story and its row in the audit log.

How alerts change incidents: `store.records.incidents.book`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import Connection, select

from alerts.answers import Answer, Refused
from alerts.incidents.actions import Call, IncidentAction, on_action, on_call
from alerts.incidents.incident import NOTIFIED, UNREACHED, Incident, IncidentChange
from alerts.incidents.merging import link, merge
from alerts.incidents.splitting import Division, divide, split
from registry.actor import Actor
from registry.scope import ALL_LIFTS, LiftScope
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.book import read_alert
from store.records.database import Database
from store.records.incidents.answering import answer_alerts, clearing_alerts, unclosed_alerts
from store.records.incidents.book import adopt_open_alerts, move_alerts, put_members
from store.records.incidents.reports import answer_reports, move_reports, unanswered_by_lift
from store.records.incidents.rows import load_folding, read_incident, write_changes
from store.records.incidents.scoping import incidents_in
from store.records.incidents.tables import incident_entries, incidents
from store.records.incidents.visible import visible_incidents
from store.records.judging.deleted_lifts import keep_in_incident
from store.records.schema import alerts, lifts
from store.records.scoping import lifts_in
from store.records.versions import incident_version, require_version

TAKES_UP = ("ack", "accept", "arrive")
"""Actions that acknowledge the alerts of the incident too."""
SET_BY_PEOPLE = ("assign", "reopen")
"""Actions on what people alone set."""
ATTEMPTS = (NOTIFIED, UNREACHED)
ENTRIES_COMPARED = 1000
Expected = Collection[str] | None
"""The versions of which the incident must have one; None expects nothing."""


class IncidentStore:
    """The part of the records that changes incidents.

    A method returns the incident as it is then, None where the scope has none. Each raises `alerts.answers.Refused`
    where the state of the incident does not allow the action, and VersionConflict where its version is not expected.
    """

    _database: Database

    def adopt_open_alerts(self, now_ns: int) -> None:
        """Open the incidents of open alerts that are in none, which a version without incidents left."""
        with self._database.writing() as connection:
            adopt_open_alerts(connection, now_ns)

    def act_on_incident(
        self,
        incident_id: str,
        action: IncidentAction,
        now_ns: int,
        expected: Expected = None,
        scope: LiftScope = ALL_LIFTS,
    ) -> Incident | None:
        """Apply a person's action; an acknowledgement acknowledges the incident's alerts in the scope too.

        The scope has the lifts that the person may act on: where they are not all, the incident is acknowledged for
        them, and their reports alone are answered.
        """
        with self._database.writing() as connection:
            before = _find(connection, incident_id, scope, expected, action.kind)
            if before is None:
                return None
            unclosed = unclosed_alerts(connection, incident_id)
            if action.answer is not None:
                before = _answer(connection, before, action, now_ns)
            has_other, acting = _has_other(connection, before), _acting(connection, before, scope)
            clearing = clearing_alerts(connection, unclosed)
            reports = unanswered_by_lift(connection, incident_id) if action.kind == "answer" else {}
            answered = set(reports) if acting is None else set(reports) & set(acting)
            of_others = sum(count for lift_id, count in reports.items() if lift_id not in answered)
            change = on_action(
                before, action, now_ns, clearing, has_other=has_other, acting=acting, unanswered=of_others
            )
            if change is None:
                return before
            write_changes(connection, [change])
            if action.kind == "answer":
                answer_reports(connection, incident_id, answered, action.note, now_ns)
            if action.kind in TAKES_UP:
                at = None if action.rescue is None else action.rescue.lift_id
                own = unclosed_alerts(connection, incident_id, scope)
                own = [alert for alert in own if at is None or alert.lift_id == at]
                answer_alerts(connection, own, Answer("ack", action.by, shared=action.shared), now_ns)
            asked = {name: getattr(action, name) for name in ("note", "to", "stage", "lift_id", "reason", "answer")}
            asked |= {} if action.rescue is None else asdict(action.rescue)
            _audit(connection, now_ns, action.by, action.kind, before, change.incident, asked)
            return _find(connection, incident_id)

    def report_by_call(
        self, lift_id: str, kind: str, callback: str | None, by: Actor, now_ns: int, scope: LiftScope = ALL_LIFTS
    ) -> Incident | None:
        """Open an incident for a telephone call, or enter the call into the open one; None where the scope has no
        such lift."""
        with self._database.writing() as connection:
            query = select(lifts.c.district).where(lifts.c.lift_id == lift_id, lifts_in(scope))
            district = connection.execute(query).scalar()
            if district is None:
                return None
            before = next(iter(load_folding(connection, {lift_id})), None)
            change = on_call(before, Call(lift_id, district, kind, by, callback), now_ns)
            write_changes(connection, [change])
            asked = {"kind": kind, "callback": callback}
            _audit(connection, now_ns, by, "call", before, change.incident, asked)
            return change.incident

    def merge_incidents(
        self,
        incident_id: str,
        other_id: str,
        by: Actor,
        now_ns: int,
        note: str | None = None,
        expected: Expected = None,
        scope: LiftScope = ALL_LIFTS,
    ) -> Incident | None:
        """Merge the other incident into the first; return the first."""
        with self._database.writing() as connection:
            both = _find_both(connection, incident_id, other_id, scope, expected)
            if both is None:
                return None
            changes = merge(*both, now_ns, by, note)
            write_changes(connection, changes)
            move_alerts(connection, other_id, incident_id)
            asked = {"other": other_id, "note": note}
            _audit(connection, now_ns, by, "merge", both[0], changes[0].incident, asked)
            return changes[0].incident

    def split_incident(
        self,
        incident_id: str,
        alert_ids: Collection[str],
        by: Actor,
        now_ns: int,
        note: str | None = None,
        expected: Expected = None,
        scope: LiftScope = ALL_LIFTS,
        *,
        lift_ids: Collection[str] = (),
    ) -> Incident | None:
        """Split alerts, and lifts with all that is about them, off an incident; return the new incident.

        An alert or a lift that is not in it is refused.
        """
        with self._database.writing() as connection:
            before = _find(connection, incident_id, scope, expected)
            if before is None:
                return None
            division = _divided(connection, before, alert_ids, lift_ids)
            kept, new = split(before, division, now_ns, by, note)
            write_changes(connection, [kept, new])
            put_members(connection, {alert.id: new.incident.id for alert in division.taken})
            move_reports(connection, incident_id, division.moved, new.incident.id)
            concerned = [lift.lift_id for lift in new.incident.lifts]
            keep_in_incident(connection, concerned, before.opened_ns, new.incident.opened_ns)
            asked = {"alerts": sorted(alert_ids), "lifts": sorted(lift_ids), "note": note, "new": new.incident.id}
            _audit(connection, now_ns, by, "split", before, kept.incident, asked)
            return new.incident

    def link_incidents(
        self,
        incident_id: str,
        other_id: str,
        by: Actor,
        now_ns: int,
        note: str | None = None,
        expected: Expected = None,
        scope: LiftScope = ALL_LIFTS,
    ) -> Incident | None:
        """Link two incidents; return the first."""
        with self._database.writing() as connection:
            both = _find_both(connection, incident_id, other_id, scope, expected)
            if both is None:
                return None
            changes: Sequence[IncidentChange] = link(*both, now_ns, by, note) or ()
            write_changes(connection, changes)
            if changes:
                asked = {"other": other_id, "note": note}
                _audit(connection, now_ns, by, "link", both[0], changes[0].incident, asked)
            return changes[0].incident if changes else both[0]


def _answer(connection: Connection, before: Incident, action: IncidentAction, now_ns: int) -> Incident:
    """Answer the reports of an incident with the answer of its closing; return the incident after that."""
    change = on_action(before, IncidentAction("answer", action.by, action.answer, shared=True), now_ns)
    if change is None:
        return before
    write_changes(connection, [change])
    answer_reports(connection, before.id, unanswered_by_lift(connection, before.id), action.answer, now_ns)
    return change.incident


def _find(
    connection: Connection,
    incident_id: str,
    scope: LiftScope = ALL_LIFTS,
    expected: Expected = None,
    action: str | None = None,
) -> Incident | None:
    """Return an incident, None where the scope has none. Raises VersionConflict for an action on another version."""
    query = select(incidents.c.incident).where(incidents.c.id == incident_id, incidents_in(scope))
    text = connection.execute(query).scalar()
    if text is None:
        return None
    incident = read_incident(text)
    if not _is_unchanged(connection, incident, expected, action):
        require_version(incident_version(incident), expected)
    return incident


def _is_unchanged(connection: Connection, incident: Incident, expected: Expected, action: str | None) -> bool:
    """Return whether nothing that an action replaces has changed since one of the expected versions.

    Attempts to notify somebody change nothing that people act on. The monitor changes neither the owner of an incident
    nor who closed it.
    """
    versions = [int(version) for version in expected or () if version.isdecimal()]
    since = incident.entries - max((version for version in versions if version <= incident.entries), default=0)
    if not versions or not 0 < since <= ENTRIES_COMPARED:
        return False
    own = incident_entries.c
    query = select(own.kind, own.by).where(own.incident_id == incident.id).order_by(own.id.desc())
    later = connection.execute(query.limit(since)).all()
    if action in SET_BY_PEOPLE:
        return all(entry.by is None for entry in later)
    return all(entry.by is None and entry.kind in ATTEMPTS for entry in later)


def _find_both(
    connection: Connection, one: str, other: str, scope: LiftScope, expected: Expected
) -> tuple[Incident, Incident] | None:
    """Return two incidents, None where the scope lacks one. Raises VersionConflict for the first."""
    second = _find(connection, other, scope)
    first = None if second is None else _find(connection, one, scope, expected)
    return None if first is None or second is None else (first, second)


def _acting(connection: Connection, incident: Incident, scope: LiftScope) -> Collection[str] | None:
    """Return those lifts of an incident that are in the scope; None where all are."""
    (visible,) = visible_incidents(connection, [incident], scope)
    return None if len(visible.lift_ids) == len(incident.lifts) else visible.lift_ids


def _has_other(connection: Connection, incident: Incident) -> bool:
    """Return whether another open incident folds the alerts of a lift of a closed one."""
    if incident.is_open:
        return False
    folding = load_folding(connection, {lift.lift_id for lift in incident.lifts if lift.folds})
    return any(other.id != incident.id for other in folding)


def _divided(
    connection: Connection, incident: Incident, alert_ids: Collection[str], lift_ids: Collection[str]
) -> Division:
    """Return the division that takes these alerts and lifts off an incident."""
    query = select(alerts.c.alert).where(alerts.c.incident_id == incident.id)
    found = [read_alert(text) for text in connection.scalars(query)]
    named = {*(alert.id for alert in found), *(lift.lift_id for lift in incident.lifts)}
    if foreign := {*alert_ids, *lift_ids} - named:
        raise Refused("not-its-alert", f"Not alerts or lifts of this incident: {', '.join(sorted(foreign))}.")
    taken = [alert for alert in found if alert.id in alert_ids]
    left = [alert for alert in found if alert.id not in alert_ids]
    return divide(incident, taken, left, lift_ids, unanswered_by_lift(connection, incident.id))


def _audit(
    connection: Connection,
    now_ns: int,
    by: Actor,
    action: str,
    before: Incident | None,
    after: Incident,
    asked: dict[str, Any],
) -> None:
    changed = difference({} if before is None else _document(before), _document(after))
    subject = AuditSubject(after.id, asked, *changed, after.lift_id, after.district)
    write_audit(connection, now_ns, by, f"incident.{action}", [subject])


def _document(incident: Incident) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(orjson.dumps(incident))
    return document
