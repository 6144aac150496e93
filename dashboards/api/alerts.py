"""Routes of alerts: the list, one alert with its history, and the actions of people on an alert.

An action that the state of the alert forbids is answered with a problem document (409).
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from alerts.alert import Alert, Transition
from alerts.answers import COMMENTED, Answer, Refused
from alerts.wire import to_json
from dashboards.api.access import RequestScope, actor_of, needs
from dashboards.api.change_requests import WAITING_RESPONSE, make_change, versions
from dashboards.api.context import AppContext
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import alert_bodies, parameters, request_bodies
from dashboards.http.preconditions import IfMatch, etag, expected_versions
from dashboards.http.problem import Problem, invalid_field, not_found
from registry.roles import Verb
from registry.scope import Scope
from store.records.audit.writing import REFUSED, CountedAct
from store.records.changes.change_request import SHELVE
from store.records.repository import AlertFilter, History, WantedChange, alert_version
from telemetry.instant import rfc3339

REPEATABLE = Query(max_length=50, description="May be given more than once: any of the values")


def alerts(context: AppContext) -> APIRouter:
    """Return the routes of alerts."""
    router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

    @router.get(
        "",
        response_model=alert_bodies.AlertList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_alerts(
        scope: RequestScope,
        state: Annotated[list[parameters.AlertState], REPEATABLE] = [],  # noqa: B006
        lift_id: Annotated[list[parameters.LiftId], REPEATABLE] = [],  # noqa: B006
        rule: Annotated[list[parameters.Slug], REPEATABLE] = [],  # noqa: B006
        severity: Annotated[list[parameters.SeverityName], REPEATABLE] = [],  # noqa: B006
        district: Annotated[list[parameters.DistrictName], REPEATABLE] = [],  # noqa: B006
        since: parameters.Since = None,
        until: parameters.Until = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List alerts, newest onset first."""
        wanted = AlertFilter(
            tuple(state), tuple(lift_id), tuple(rule), tuple(severity), tuple(district), from_ns=since, to_ns=until
        )
        page = context.records().alerts(wanted, limit=limit, cursor=cursor, scope=scope.lifts)
        return OrjsonResponse({"items": [to_json(alert) for alert in page.items], "next": page.next})

    @router.get(
        "/{alert_id}",
        response_model=alert_bodies.AlertWithStory,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_alert(alert_id: parameters.AlertIdInPath, scope: RequestScope) -> OrjsonResponse:
        """Return one alert with all its transitions and comments."""
        history = _history(context, scope, alert_id)
        return OrjsonResponse(_alert_with_story(history), headers=etag(alert_version(history.alert)))

    _add_actions(router, context)
    return router


def _add_actions(router: APIRouter, context: AppContext) -> None:
    """Add the routes of actions; every action but `comment` is idempotent."""

    def action(path: str, verb: Verb, refusable: bool = True) -> Any:
        statuses = (400, 403, 404, *([409] if refusable else []), 412, 413, 415, 422, 503)
        return router.post(
            f"/{{alert_id}}/{path}",
            response_model=alert_bodies.AlertBody,
            responses=versioned_responses(*statuses) | (WAITING_RESPONSE if verb is Verb.SHELVE else {}),
            dependencies=[Depends(require_media_type(JSON)), needs(verb)],
        )

    @action("ack", Verb.ACKNOWLEDGE)
    def ack(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.AlertAction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Acknowledge the alert: somebody looks after it."""
        return _apply(context, scope, alert_id, _answer("ack", scope, body), if_match)

    @action("assign", Verb.ASSIGN)
    def assign(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.Assignment,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Assign the alert to somebody, or (`to` null) to nobody."""
        return _apply(context, scope, alert_id, Answer("assign", actor_of(scope, body.by), to=body.to), if_match)

    @action("comment", Verb.COMMENT, refusable=False)
    def comment(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.Comment,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Add a comment to the alert."""
        return _apply(context, scope, alert_id, _answer("comment", scope, body), if_match)

    @action("resolve", Verb.RESOLVE)
    def resolve(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.AlertAction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Close the alert; refused while the condition of a rule that clears by itself still holds."""
        return _apply(context, scope, alert_id, _answer("resolve", scope, body), if_match)

    @action("shelve", Verb.SHELVE)
    def shelve(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.Shelving,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Deliver the alert to nobody until `until`, at most 8 hours ahead; a critical alert is never shelved.

        A signed-in account gives the reason as the note; the change may wait for a second person (202).
        """
        by, alert = actor_of(scope, body.by), _history(context, scope, alert_id).alert
        detail = {"alert_id": alert_id, "until_ns": body.until, "shared": body.shared}
        version = versions(expected_versions(if_match))
        wanted = WantedChange(alert.lift_id, alert.district, SHELVE, detail, version, body.note)
        waits = make_change(context, scope, by, wanted)
        return waits or _alert_response(_history(context, scope, alert_id).alert)

    @action("unshelve", Verb.SHELVE)
    def unshelve(
        alert_id: parameters.AlertIdInPath,
        body: request_bodies.AlertAction,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """End the shelving of the alert early: the alert is delivered again unless another alert inhibits it."""
        return _apply(context, scope, alert_id, _answer("unshelve", scope, body), if_match)


def _apply(context: AppContext, scope: Scope, alert_id: str, answer: Answer, if_match: str | None) -> OrjsonResponse:
    """Apply an action to an alert; return the alert after the action."""
    try:
        judged = {rule.slug for rule in context.settings.rules} - set(context.poller.rules_set_aside())
        versions = expected_versions(if_match)
        done = context.records().answer(alert_id, answer, time.time_ns(), versions, scope.lifts, judged)
    except Refused as refused:
        act = CountedAct(answer.by, f"alert.{answer.kind}", alert_id, outcome=REFUSED)
        context.audit.count(act, refused.reason)
        if refused.reason == "until":
            raise invalid_field("until", str(refused)) from None
        raise Problem(409, refused.reason, str(refused)) from None
    if done is None:
        raise not_found("alert", alert_id)
    context.poller.poll()
    return _alert_response(done)


def _answer(kind: str, scope: Scope, body: request_bodies.AlertAction | request_bodies.Comment) -> Answer:
    """Return an action that is no more than its author and note."""
    return Answer(kind, actor_of(scope, body.by), body.note, shared=body.shared)


def _history(context: AppContext, scope: Scope, alert_id: str) -> History:
    """Return an alert with its history; a problem (404) where the scope has no such alert."""
    history = context.records().alert(alert_id, scope.lifts)
    if history is None:
        raise not_found("alert", alert_id)
    return history


def _alert_response(alert: Alert) -> OrjsonResponse:
    """Return an alert as a response whose ETag is the version of the alert."""
    return OrjsonResponse(to_json(alert), headers=etag(alert_version(alert)))


def _alert_with_story(history: History) -> dict[str, Any]:
    transitions = [_transition(transition) for transition in history.transitions]
    return {
        **to_json(history.alert),
        "transitions": transitions,
        "comments": [each for each in transitions if each["kind"] == COMMENTED],
    }


def _transition(transition: Transition) -> dict[str, Any]:
    named = ("kind", "by", "note", "to", "organisation", "shared")
    return {name: getattr(transition, name) for name in named} | {"at": rfc3339(transition.at_ns)}
