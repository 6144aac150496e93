"""Shared by the routes of incidents: incidents as responses, problems of refused actions, the incident of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.answers import Refused
from alerts.incidents.incident import Incident, StoryEntry
from alerts.incidents.reports import PublicReport
from alerts.incidents.wire import incident_json
from alerts.wire import to_json
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse
from dashboards.http.preconditions import etag
from dashboards.http.problem import Problem, invalid_field, not_found
from registry.actor import Actor
from registry.scope import Scope
from store.records.audit.writing import REFUSED, CountedAct
from store.records.repository import IncidentHistory, VisibleIncident, incident_version
from telemetry.instant import rfc3339, text

REASONS_OF_FIELDS = ("reason", "note", "answer", "number", "lift_id")
"""Refusals that name a field of the body."""


def incident_document(visible: VisibleIncident) -> dict[str, Any]:
    """Return an incident with those of its lifts that are in the scope."""
    return incident_json(visible.incident, lambda lift: lift.lift_id in visible.lift_ids)


def incident_with_story(context: AppContext, history: IncidentHistory) -> dict[str, Any]:
    """Return an incident with its alerts, its public reports and its story."""
    incident, lift_ids = history.visible.incident, history.visible.lift_ids
    reports = context.records().public_reports_of(incident.id)
    return {
        **incident_document(history.visible),
        "alerts": [to_json(alert) for alert in history.alerts],
        "reports": [_report(context, each) for each in reports if each.lift_id in lift_ids],
        "story": [_entry(entry) for entry in history.story],
    }


def incident_history(context: AppContext, scope: Scope, incident_id: str) -> IncidentHistory:
    """Return an incident with its history; a problem (404) where the scope has no such incident."""
    history = context.records().incident(incident_id, scope.lifts)
    if history is None:
        raise not_found("incident", incident_id)
    return history


def changed_incident(
    context: AppContext,
    scope: Scope,
    by: Actor,
    action: str,
    incident_id: str,
    change: Callable[[], Incident | None],
    status: int = 200,
) -> OrjsonResponse:
    """Change an incident; return it as it is then, and a problem where the change is refused or finds no incident."""
    try:
        done = change()
    except Refused as refused:
        act = CountedAct(by, f"incident.{action}", incident_id, outcome=REFUSED)
        context.audit.count(act, refused.reason)
        if refused.reason in REASONS_OF_FIELDS:
            raise invalid_field(refused.reason, str(refused)) from None
        raise Problem(409, refused.reason, str(refused)) from None
    if done is None:
        raise not_found("incident", incident_id)
    context.poller.poll()
    visible = incident_history(context, scope, done.id).visible
    return OrjsonResponse(incident_document(visible), status, headers=etag(incident_version(visible.incident)))


def require_whole(context: AppContext, scope: Scope, *incident_ids: str) -> None:
    """Raise a problem where incidents are not in the scope (404), or have lifts that the request may not act on (403).

    These acts concern all lifts of an incident, also those of another firm in one building: assigning, a stage that
    names no lift, closing, reopening, merging and splitting.
    """
    records = context.records()
    for incident_id in incident_ids:
        if not records.has_incident(incident_id, scope.lifts):
            raise not_found("incident", incident_id)
        if not records.incident_is_within(incident_id, scope.acting or scope.lifts):
            raise shared_with_others()


def shared_with_others() -> Problem:
    """Return the problem of an act that concerns lifts which the request may not act on."""
    detail = "The incident has lifts of other organisations: they, or the operator, decide with you."
    return Problem(403, "not-allowed", detail)


def _report(context: AppContext, report: PublicReport) -> dict[str, Any]:
    named = ("number", "lift_id", "kind", "note", "answer")
    return {name: getattr(report, name) for name in named} | {
        "at": rfc3339(report.at_ns),
        "answered": text(report.answered_ns),
        "photo": context.photos.path(report.id) is not None,
    }


def _entry(entry: StoryEntry) -> dict[str, Any]:
    named = ("kind", "by", "about", "note", "to", "organisation", "shared")
    return {name: getattr(entry, name) for name in named} | {"at": rfc3339(entry.at_ns)}
