"""Routes of what became of notifications: those that have reached nobody, and the attempts about one incident.

An account reads about people of its own organisation, the operator about all.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request

from alerts.incidents.wire import incident_json
from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.incidents.failure_texts import failure_text
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import notification_bodies, parameters
from dashboards.sign_in.requests import identity_of
from registry.roles import Verb
from store.records.incidents.visible import VisibleIncident
from store.records.outbox.failing_endpoints import FailingEndpoint
from store.records.outbox.outcomes import FailedNotification, StoredAttempt
from telemetry.instant import DAY_NS, rfc3339, text

NOBODY_CALLED = "nobody-called"
UNREACHED_NS = DAY_NS
"""How long what has reached nobody is listed."""


def notifications(context: AppContext) -> APIRouter:
    """Return the routes of notifications."""
    router = APIRouter(prefix="/api/v1", tags=["notifications"])

    @router.get(
        "/notifications/unreached", response_model=notification_bodies.UnreachedList,
        responses=problem_responses(403, 503), dependencies=[needs(Verb.SEE)],
    )  # fmt: skip
    def list_unreached(request: Request, scope: RequestScope) -> OrjsonResponse:
        """List critical incidents about which nobody could be called, oldest first, then notifications of the last 24
        hours that have reached nobody yet, newest first; at most 100 of each."""
        records, since_ns = context.records(), time.time_ns() - UNREACHED_NS
        found = records.failed_notifications(
            since_ns, scope=scope.lifts, organisation_id=_organisation(request), is_final=False
        )
        names = _names(context, (each.notification.person_id for each in found))
        uncalled = [_uncalled(each) for each in records.uncalled_incidents(scope=scope.lifts)]
        return OrjsonResponse({"items": uncalled + [_unreached(each, names) for each in found], "next": None})

    @router.get(
        "/notifications/webhooks", response_model=notification_bodies.FailingWebhookList,
        responses=problem_responses(403, 503), dependencies=[needs(Verb.SEE)],
    )  # fmt: skip
    def list_failing_webhooks(scope: RequestScope) -> OrjsonResponse:
        """List the webhooks that fail, to those who see everything: messages that wait after an attempt for a minute
        and longer, and messages that were given up in the last 24 hours."""
        now_ns = time.time_ns()
        failing = context.records().failing_endpoints(now_ns, now_ns - UNREACHED_NS) if scope.lifts.everything else []
        return OrjsonResponse({"items": [_failing(each) for each in failing], "next": None})

    @router.get(
        "/incidents/{incident_id}/notifications", response_model=notification_bodies.AttemptList,
        responses=problem_responses(403, 404, 422, 503), dependencies=[needs(Verb.SEE)],
    )  # fmt: skip
    def list_attempts(incident_id: parameters.IncidentIdInPath, request: Request) -> OrjsonResponse:
        """List the newest 500 attempts to notify people of an incident, oldest first."""
        found = context.records().notification_attempts(incident_id, _organisation(request))
        names = _names(context, (each.person_id for each in found))
        return OrjsonResponse({"items": [_attempt(each, names) for each in found], "next": None})

    return router


def _organisation(request: Request) -> str | None:
    """Return the organisation whose people a request may read about; None for all people."""
    identity = identity_of(request)
    if identity.scope.lifts.everything:
        return None
    return "" if identity.membership is None else identity.membership.organisation.organisation_id


def _names(context: AppContext, person_ids: Iterable[str]) -> dict[str, str]:
    return {each.person_id: each.name for each in context.records().people_by_id(set(person_ids))}


def _unreached(failed: FailedNotification, names: dict[str, str]) -> dict[str, Any]:
    sent = failed.notification
    return {
        "incident_id": sent.incident_id,
        "kind": sent.kind,
        "severity": sent.severity,
        "lift_id": None if sent.lift is None else sent.lift.lift_id,
        "lift_name": None if sent.lift is None else sent.lift.name,
        "person": names.get(sent.person_id),
        "at": rfc3339(sent.at_ns),
        "given_up": text(failed.settled_ns),
        "reason": failed.error or "",
        "text": failure_text(failed.error or ""),
    }


def _failing(failing: FailingEndpoint) -> dict[str, Any]:
    return {
        "endpoint": failing.endpoint,
        "waiting": failing.waiting,
        "given_up": failing.given_up,
        "since": rfc3339(failing.since_ns),
        "reason": failing.error,
        "text": failure_text(failing.error),
    }


def _uncalled(visible: VisibleIncident) -> dict[str, Any]:
    incident = incident_json(visible.incident, lambda lift: lift.lift_id in visible.lift_ids)
    named = {name: incident[name] for name in ("kind", "severity", "lift_id")}
    reason = {"reason": NOBODY_CALLED, "text": failure_text(NOBODY_CALLED)}
    return {
        "incident_id": incident["id"], **named, "lift_name": None, "person": None, "at": incident["opened"],
        "given_up": None, **reason,
    }  # fmt: skip


def _attempt(stored: StoredAttempt, names: dict[str, str]) -> dict[str, Any]:
    attempt = stored.attempt
    return {
        "person": names.get(stored.person_id),
        "kind": attempt.kind,
        "address": attempt.address,
        "at": rfc3339(attempt.at_ns),
        "result": attempt.result,
        "reason": attempt.reason,
        "text": failure_text(attempt.reason),
    }
