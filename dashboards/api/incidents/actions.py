"""Routes of the actions of people on one incident; every action but `comment` is idempotent.

An action that the state of the incident forbids is answered with a problem document (409).
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Depends

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from dashboards.api.access import RequestScope, actor_of, needs
from dashboards.api.context import AppContext
from dashboards.api.incidents.answers import changed_incident, require_whole
from dashboards.api.incidents.assignees import assignee
from dashboards.api.responses import JSON, OrjsonResponse, require_media_type, versioned_responses
from dashboards.api.schema import incident_bodies, parameters, request_bodies
from dashboards.http.preconditions import IfMatch, expected_versions
from dashboards.http.problem import invalid_field
from registry.roles import Verb
from registry.scope import Scope
from telemetry.instant import NS_PER_S


def action_route(router: APIRouter, path: str, verb: Verb) -> Any:
    """Return the decorator of a route that acts on one incident."""
    return router.post(
        f"/{{incident_id}}/{path}",
        response_model=incident_bodies.IncidentBody,
        responses=versioned_responses(400, 403, 404, 409, 412, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON)), needs(verb)],
    )


def add_actions(router: APIRouter, context: AppContext) -> None:
    """Add the routes of actions."""
    _add_taking_up(router, context)
    _add_closing(router, context)


def _add_taking_up(router: APIRouter, context: AppContext) -> None:
    @action_route(router, "ack", Verb.ACKNOWLEDGE)
    def ack_incident(
        incident_id: parameters.IncidentIdInPath,
        body: request_bodies.AlertAction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Acknowledge the incident and its alerts: somebody looks after them."""
        action = IncidentAction("ack", actor_of(scope, body.by), body.note, shared=body.shared)
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "assign", Verb.ASSIGN)
    def assign_incident(
        incident_id: parameters.IncidentIdInPath,
        body: request_bodies.Assignment,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Assign the incident to a person, by the login of the account, or (`to` null) to nobody."""
        require_whole(context, scope, incident_id)
        action = IncidentAction("assign", actor_of(scope, body.by), to=assignee(context, scope, body.to))
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "comment", Verb.COMMENT)
    def comment_incident(
        incident_id: parameters.IncidentIdInPath,
        body: request_bodies.Comment,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Add a comment to the incident."""
        action = IncidentAction("comment", actor_of(scope, body.by), body.note, shared=body.shared)
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "answer", Verb.ACKNOWLEDGE)
    def answer_reports(
        incident_id: parameters.IncidentIdInPath,
        body: request_bodies.Comment,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Answer the open reports of the public page; their reporters, whom nobody knows, read the note.

        Who may act on some lifts of the incident alone answers the reports of these.
        """
        is_whole = context.records().incident_is_within(incident_id, scope.acting or scope.lifts)
        action = IncidentAction("answer", actor_of(scope, body.by), body.note, shared=is_whole)
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "stage", Verb.ACKNOWLEDGE)
    def enter_stage(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.StageEntry,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Enter a stage; those of the rescue only where somebody may be inside.

        With `lift_id` of one lift: the way of an organisation that may not act on all lifts of the incident.
        """
        by = actor_of(scope, body.by)
        _require_lift(context, scope, incident_id, body.lift_id)
        action = IncidentAction("stage", by, body.note, stage=body.stage, shared=body.shared, lift_id=body.lift_id)
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "retract", Verb.ACKNOWLEDGE)
    def retract_stage(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.Retraction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Take back a stage of the rescue that was entered by mistake: the rescue goes on as if it had not been.

        With `lift_id` that of one lift, as for `stage`. The note tells why.
        """
        by = actor_of(scope, body.by)
        _require_lift(context, scope, incident_id, body.lift_id)
        action = IncidentAction("retract", by, body.note, stage=body.stage, shared=body.shared, lift_id=body.lift_id)
        return _apply(context, scope, incident_id, action, if_match)


def _require_lift(context: AppContext, scope: Scope, incident_id: str, lift_id: str | None) -> None:
    """Raise a problem where the request may not act on a lift, or (None) on all lifts of an incident."""
    acting = scope.acting or scope.lifts
    if lift_id is None:
        require_whole(context, scope, incident_id)
    elif not acting.everything and context.records().lift(lift_id, acting) is None:
        raise invalid_field("lift_id", "is no lift that you may act on; name one of this incident")


def _add_closing(router: APIRouter, context: AppContext) -> None:
    @action_route(router, "close", Verb.RESOLVE)
    def close_incident(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.Closing,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Close the incident; its alerts are resolved 10 seconds later, and until then `reopen` undoes the closing.

        Refused while a person may be inside, unless the reason says that nobody is, while a condition holds, and
        without an `answer` to open reports of the public page.
        """
        require_whole(context, scope, incident_id)
        by = actor_of(scope, body.by)
        action = IncidentAction("close", by, body.note, reason=body.reason, shared=body.shared, answer=body.answer)
        return _apply(context, scope, incident_id, action, if_match)

    @action_route(router, "reopen", Verb.RESOLVE)
    def reopen_incident(
        incident_id: parameters.IncidentIdInPath,
        body: request_bodies.AlertAction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Undo a closing within 10 seconds as if it had not been; reopen the incident within 24 hours."""
        require_whole(context, scope, incident_id)
        action = IncidentAction("reopen", actor_of(scope, body.by), body.note, shared=body.shared)
        return _apply(context, scope, incident_id, action, if_match)


def _apply(
    context: AppContext, scope: Scope, incident_id: str, action: IncidentAction, if_match: str | None
) -> OrjsonResponse:
    """Apply an action to an incident; return the incident after the action."""
    expected = expected_versions(if_match)
    acting, now_ns = scope.lifts if action.kind == "comment" else scope.acting or scope.lifts, time.time_ns()

    def change() -> Incident | None:
        done = context.records().act_on_incident(incident_id, action, now_ns, expected, acting)
        if done is not None and done.acknowledged_ns == now_ns:
            waited_s = (now_ns - (done.risen_ns or done.opened_ns)) / NS_PER_S
            context.server_metrics.acknowledged_s.labels(done.severity).observe(waited_s)
        return done

    return changed_incident(context, scope, action.by, action.kind, incident_id, change)
