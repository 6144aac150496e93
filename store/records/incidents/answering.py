"""The actions of a person on an incident, passed on to its alerts: they are acknowledged, and resolved after a closing.

ack      each alert that is not closed is acknowledged in the same transaction
close    each is resolved 10 s later by the monitor, so that a closing can be undone until then
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from alerts.alert import CLOSED, FIRING, Alert, Change
from alerts.answers import Answer, Refused, on_answer
from alerts.book import Occurrence
from alerts.incidents.actions import UNDO_NS
from registry.actor import Actor
from registry.catalogue import SEVERITIES
from registry.scope import ALL_LIFTS, LiftScope
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.book import alert_document, read_alert
from store.records.incidents.book import write_answers
from store.records.incidents.rows import in_parts, read_incident
from store.records.incidents.tables import incidents, is_settling
from store.records.judging.deleted_lifts import is_deleted
from store.records.schema import alerts, deleted_lifts
from store.records.scoping import alerts_in

SETTLED_AT_ONCE = 200


def settle_closed_incidents(
    connection: Connection, now_ns: int, occurrences: Sequence[Occurrence] = ()
) -> list[Change]:
    """Resolve the alerts of incidents that people closed, once the time to undo is over.

    It is over at once where one of these findings is that the condition of such an alert came again: the alert would
    take it in, and nobody would be called. It is over too where the clock was set back.
    """
    is_due = (incidents.c.settles_ns <= now_ns) | (incidents.c.settles_ns > now_ns + UNDO_NS)
    query = select(incidents.c.incident).where(
        is_settling, is_due | incidents.c.id.in_(_came_again(connection, occurrences))
    )
    changes: list[Change] = []
    for text in connection.scalars(query.order_by(incidents.c.settles_ns).limit(SETTLED_AT_ONCE)).all():
        incident = read_incident(text)
        by = replace(Actor.named(str(incident.closed_by)), organisation=incident.closed_for)
        unclosed = unclosed_alerts(connection, incident.id)
        clearing = clearing_alerts(connection, unclosed)
        unjudged = [alert for alert in unclosed if alert not in clearing]
        changes += answer_alerts(connection, clearing, Answer("resolve", by), now_ns)
        changes += answer_alerts(connection, unjudged, Answer("resolve", by, is_unjudged=True), now_ns)
    return changes


def _came_again(connection: Connection, occurrences: Sequence[Occurrence]) -> list[str]:
    """Return the closed incidents with an alert, to be resolved by hand, whose condition ended and came again."""
    ended, again = set[tuple[str, str]](), dict[tuple[str, str], tuple[Occurrence, bool]]()
    for each in occurrences:
        key = each.lift_id, each.rule.slug
        if each.finding.kind == "off":
            ended.add(key)
        elif each.finding.kind == "on" and each.finding.by_hand:
            again[key] = each, key in ended
    if not again:
        return []
    query = select(alerts.c.alert, alerts.c.incident_id).join(incidents, incidents.c.id == alerts.c.incident_id)
    found = []
    for some in in_parts({lift_id for lift_id, _ in again}):
        for row in connection.execute(query.where(is_settling, alerts.c.state == FIRING, alerts.c.lift_id.in_(some))):
            alert = read_alert(row.alert)
            found_again, has_ended = again.get((alert.lift_id, alert.rule), (None, False))
            if found_again is None or found_again.finding.at_ns <= alert.last_ns:
                continue
            if has_ended or SEVERITIES[found_again.finding.severity] not in alert.levels:
                found.append(row.incident_id)
    return found


def unclosed_alerts(connection: Connection, incident_id: str, scope: LiftScope = ALL_LIFTS) -> list[Alert]:
    """Return the alerts of an incident that are not closed, of lifts in the scope."""
    query = select(alerts.c.alert).where(alerts.c.incident_id == incident_id, alerts.c.state != CLOSED)
    return [read_alert(text) for text in connection.scalars(query.where(alerts_in(scope)).order_by(alerts.c.id))]


def clearing_alerts(connection: Connection, some: Iterable[Alert]) -> list[Alert]:
    """Return the alerts that readings can clear: those of lifts that were not deleted."""
    found = list(some)
    query = select(deleted_lifts.c.lift_id).where(deleted_lifts.c.lift_id.in_({alert.lift_id for alert in found}))
    deleted = set(connection.scalars(query.where(is_deleted()))) if found else set()
    return [alert for alert in found if alert.lift_id not in deleted]


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
