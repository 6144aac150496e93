"""Routes of the steps of a rescue: a call-out, its answer, an arrival; and what the pages show of a rescue."""

from __future__ import annotations

import math
import time
from typing import Any

from fastapi import APIRouter

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from alerts.incidents.rescue import FIRM, S_NS, nearest
from alerts.incidents.rescuing import RescueStep
from dashboards.api.access import RequestScope, actor_of
from dashboards.api.context import AppContext
from dashboards.api.incidents.actions import action_route
from dashboards.api.incidents.answers import changed_incident, shared_with_others
from dashboards.api.responses import OrjsonResponse
from dashboards.api.schema import incident_bodies, parameters
from dashboards.http.preconditions import IfMatch, expected_versions
from registry.actor import Actor
from registry.roles import Verb
from registry.scope import Scope
from store.records.repository import VisibleIncident
from telemetry.instant import text


def add_rescues(router: APIRouter, context: AppContext) -> None:
    """Add the routes."""

    @action_route(router, "call-out", Verb.ACKNOWLEDGE)
    def call_out(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.CallOutStart,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Enter that a firm, a rescue point or a person was called out; no answer in time is entered too."""
        _require_own_rescue(context, scope, incident_id)
        step = RescueStep("call-out", who=context.records().present_name(body.who), level=body.level)
        return _apply(context, scope, incident_id, step, actor_of(scope, body.by), body, if_match)

    @action_route(router, "accept", Verb.ACKNOWLEDGE)
    def accept_call_out(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.CallOutAcceptance,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Accept a call-out, or come without one: from where, and expected when. Reaches the stage `dispatched`."""
        _require_own_call_out(context, scope, incident_id, body.number, body.who)
        step = RescueStep("accept", body.number, body.who, body.level, body.place, body.expected)
        return _apply(context, scope, incident_id, step, actor_of(scope, body.by), body, if_match)

    @action_route(router, "decline", Verb.ACKNOWLEDGE)
    def decline_call_out(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.CallOutRefusal,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Decline a call-out with a reason; where nobody else comes, the rescue rises to the next level."""
        _require_own_call_out(context, scope, incident_id, body.number)
        step = RescueStep("decline", body.number, reason=body.reason)
        return _apply(context, scope, incident_id, step, actor_of(scope, body.by), body, if_match)

    @action_route(router, "no-answer", Verb.ACKNOWLEDGE)
    def miss_call_out(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.CallOutMiss,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Enter that nobody answers a call-out, without waiting for its time; the rescue goes on as after a refusal."""
        _require_own_call_out(context, scope, incident_id, body.number)
        step = RescueStep("no-answer", body.number)
        return _apply(context, scope, incident_id, step, actor_of(scope, body.by), body, if_match)

    @action_route(router, "arrive", Verb.ACKNOWLEDGE)
    def arrive(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.ArrivalEntry,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Enter an arrival without proof; the page behind the code on the wall enters one that is proven."""
        _require_own_call_out(context, scope, incident_id, body.number)
        step = RescueStep("arrive", body.number)
        return _apply(context, scope, incident_id, step, actor_of(scope, body.by), body, if_match)


def rescue_view(context: AppContext, visible: VisibleIncident) -> dict[str, Any]:
    """Return when the timers of a rescue pass, and who can be called out on each level, the nearest first.

    They are the firm and the distances of the first lift that is visible.
    """
    incident, times = visible.incident, context.settings.rescue_times
    rescue = incident.rescue
    if rescue is None:
        return {"timers": None, "helpers": []}
    view = context.poller.current_view()
    lift = next((each for each in incident.lifts if each.lift_id in visible.lift_ids), incident.lifts[0])
    row = view.lift_index.row_of.get(lift.lift_id)
    facts = None if row is None else view.lift_index.facts[row]
    helpers = [{"level": FIRM, "who": facts.maintenance_firm}] if facts and facts.maintenance_firm else []
    place = (facts.lat, facts.lon) if facts else (None, None)
    for point, distance in nearest(context.settings.rescue_points, lift.district, *place):
        km = None if math.isnan(distance) else round(distance, 1)
        helpers.append({"level": point.level, "who": point.name, "phone": point.phone, "distance_km": km})
    limits_s = {"answer_due": times.answer_s, "arrive_due": times.arrive_in(incident.district)}
    return {
        "timers": {name: text(rescue.since_ns + round(limit_s * S_NS)) for name, limit_s in limits_s.items()},
        "helpers": [{"phone": None, "distance_km": None} | each for each in helpers],
    }


def rights_view(context: AppContext, scope: Scope, incident: Incident) -> dict[str, Any]:
    """Return whether the request may act on all lifts of an incident, and the call-outs that it may answer."""
    whole = context.records().incident_is_within(incident.id, scope.acting or scope.lifts)
    call_outs = incident.rescue.call_outs if incident.rescue else ()
    return {"whole": whole, "answerable": [each.number for each in call_outs if whole or _is_own(scope, each.who)]}


def _require_own_call_out(
    context: AppContext, scope: Scope, incident_id: str, number: int | None, who: str | None = None
) -> None:
    """Raise a problem (403) where the request answers for others on an incident of which it may not act on all lifts.

    Without a number, and where the number is of no call-out, `who` or the own organisation comes unasked.
    """
    visible = _shared(context, scope, incident_id)
    if visible is None:
        return
    rescue = visible.incident.rescue
    asked = rescue.call_out(number) if rescue is not None and number is not None else None
    named = who if asked is None else asked.who
    if named is not None and not _is_own(scope, named):
        raise shared_with_others()
    if asked is None:
        _require_people(visible)


def _require_own_rescue(context: AppContext, scope: Scope, incident_id: str) -> None:
    """Raise a problem (403) where the request calls somebody out for lifts of others alone."""
    visible = _shared(context, scope, incident_id)
    if visible is not None:
        _require_people(visible)


def _require_people(visible: VisibleIncident) -> None:
    if not any(lift.holds_people for lift in visible.incident.lifts if lift.lift_id in visible.lift_ids):
        raise shared_with_others()


def _shared(context: AppContext, scope: Scope, incident_id: str) -> VisibleIncident | None:
    """Return an incident with the lifts that the request may act on; None where these are all, or none."""
    acting, records = scope.acting or scope.lifts, context.records()
    if records.incident_is_within(incident_id, acting):
        return None
    history = records.incident(incident_id, acting)
    return None if history is None else history.visible


def _is_own(scope: Scope, who: str) -> bool:
    return who in scope.lifts.names or (scope.actor is not None and who == scope.actor.organisation)


def _apply(
    context: AppContext,
    scope: Scope,
    incident_id: str,
    step: RescueStep,
    by: Actor,
    body: incident_bodies.RescueEntry,
    if_match: str | None,
) -> OrjsonResponse:
    expected, acting = expected_versions(if_match), scope.acting or scope.lifts
    action = IncidentAction(step.kind, by, body.note, shared=body.shared, rescue=step)
    return changed_incident(
        context, scope, by, step.kind, incident_id,
        lambda: context.records().act_on_incident(incident_id, action, time.time_ns(), expected, acting),
    )  # fmt: skip
