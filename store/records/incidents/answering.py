"""The actions of a person on an incident, passed on to its alerts: they are acknowledged, and resolved after a closing.

ack      each alert that is not closed is acknowledged in the same transaction
close    each is resolved 10 s later by the monitor, so that a closing can be undone until then
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from alerts.alert import CLOSED, Alert, Change
from alerts.answers import Answer, Refused, on_answer
from registry.actor import Actor
from registry.scope import ALL_LIFTS, LiftScope
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.book import alert_document, read_alert
from store.records.incidents.book import write_answers
from store.records.incidents.rows import read_incident
from store.records.incidents.tables import incidents, is_settling
from store.records.schema import alerts
from store.records.scoping import alerts_in

SETTLED_AT_ONCE = 200


def settle_closed_incidents(connection: Connection, now_ns: int) -> list[Change]:
    """Resolve the alerts of incidents that people closed, once the time to undo is over."""
    query = select(incidents.c.incident).where(is_settling, incidents.c.settles_ns <= now_ns)
    changes: list[Change] = []
    for text in connection.scalars(query.order_by(incidents.c.settles_ns).limit(SETTLED_AT_ONCE)).all():
        incident = read_incident(text)
        by = replace(Actor.named(str(incident.closed_by)), organisation=incident.closed_for)
        changes += answer_alerts(connection, unclosed_alerts(connection, incident.id), Answer("resolve", by), now_ns)
    return changes


def unclosed_alerts(connection: Connection, incident_id: str, scope: LiftScope = ALL_LIFTS) -> list[Alert]:
    """Return the alerts of an incident that are not closed, of lifts in the scope."""
    query = select(alerts.c.alert).where(alerts.c.incident_id == incident_id, alerts.c.state != CLOSED)
    return [read_alert(text) for text in connection.scalars(query.where(alerts_in(scope)).order_by(alerts.c.id))]


def answer_alerts(connection: Connection, stored: Iterable[Alert], answer: Answer, now_ns: int) -> list[Change]:
    """Apply an answer to alerts of an incident and audit each; an alert that refuses the answer stays as it is."""
    changes, subjects = [], []
    for alert in stored:
        try:
            change = on_answer(alert, answer, now_ns)
        except Refused:
            continue
        if change is not None:
            changes.append(change)
            subjects.append(answer_subject(alert, change.alert, answer))
    write_answers(connection, changes)
    write_audit(connection, now_ns, answer.by, f"alert.{answer.kind}", subjects)
    return changes


def answer_subject(before: Alert, after: Alert, answer: Answer) -> AuditSubject:
    """Return the fields of an answer, and its changes to an alert, for the audit log."""
    asked = {name: getattr(answer, name) for name in ("note", "to", "until_ns")}
    changed = difference(_without_notes(before), _without_notes(after))
    return AuditSubject(after.id, asked, *changed, after.lift_id, after.district)


def _without_notes(alert: Alert) -> dict[str, Any]:
    """Return an alert as a document with the names of its acknowledgements alone: each note is in its own row."""
    return {**alert_document(alert), "acknowledgements": [name for name, _ in alert.acknowledgements]}
