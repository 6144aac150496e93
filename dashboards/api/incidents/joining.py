"""Routes that merge, split and link incidents."""

from __future__ import annotations

import time

from fastapi import APIRouter

from dashboards.api.access import RequestScope, actor_of
from dashboards.api.context import AppContext
from dashboards.api.incidents.actions import action_route
from dashboards.api.incidents.answers import changed_incident, require_whole
from dashboards.api.responses import OrjsonResponse
from dashboards.api.schema import incident_bodies, parameters
from dashboards.http.preconditions import IfMatch, expected_versions
from dashboards.http.problem import Problem, invalid_field, not_found
from registry.roles import Verb


def add_joins(router: APIRouter, context: AppContext) -> None:
    """Add the routes that merge, split and link."""

    @action_route(router, "merge", Verb.RESOLVE)
    def merge_incidents(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.OtherIncident,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Merge another open incident into this one: its alerts join this one, and it is closed as a duplicate."""
        require_whole(context, scope, incident_id, body.other)
        by, version = actor_of(scope, body.by), expected_versions(if_match)
        return changed_incident(
            context, scope, by, "merge", incident_id,
            lambda: context.records().merge_incidents(
                incident_id, body.other, by, time.time_ns(), body.note, version, scope.lifts
            ),
        )  # fmt: skip

    @action_route(router, "split", Verb.RESOLVE)
    def split_incident(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.AlertsToSplit,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Make alerts of the incident, and lifts with all that is about them, an incident of their own: the answer."""
        require_whole(context, scope, incident_id)
        by, version, taken = actor_of(scope, body.by), expected_versions(if_match), set(body.alerts)
        if not (taken or body.lifts):
            raise invalid_field("alerts", "name an alert or a lift that is split off")
        return changed_incident(
            context, scope, by, "split", incident_id,
            lambda: context.records().split_incident(
                incident_id, taken, by, time.time_ns(), body.note, version, scope.lifts, lift_ids=set(body.lifts)
            ),
        )  # fmt: skip

    @action_route(router, "link", Verb.ACKNOWLEDGE)
    def link_incidents(
        incident_id: parameters.IncidentIdInPath,
        body: incident_bodies.OtherIncident,
        scope: RequestScope,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Link this incident and another one, open or closed: each then names the other."""
        acting = scope.acting or scope.lifts
        if not context.records().has_incident(body.other, scope.lifts):
            raise not_found("incident", body.other)
        if not context.records().has_incident(body.other, acting):
            raise Problem(403, "not-allowed", "No lift of the other incident names your organisation as what it is.")
        by, version = actor_of(scope, body.by), expected_versions(if_match)
        return changed_incident(
            context, scope, by, "link", incident_id,
            lambda: context.records().link_incidents(
                incident_id, body.other, by, time.time_ns(), body.note, version, acting
            ),
        )  # fmt: skip
