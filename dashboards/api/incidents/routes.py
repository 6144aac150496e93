"""Routes of incidents: the list, one incident with its alerts and its story, and the report of a telephone call."""

from __future__ import annotations

import time

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse

from dashboards.api.access import RequestScope, actor_of, needs
from dashboards.api.context import AppContext
from dashboards.api.incidents.actions import add_actions
from dashboards.api.incidents.answers import changed_incident, incident_history, incident_with_story
from dashboards.api.incidents.assignees import add_assignees
from dashboards.api.incidents.joining import add_joins
from dashboards.api.incidents.lists import add_lists
from dashboards.api.incidents.rescues import add_rescues, rescue_view, rights_view
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import incident_bodies, parameters
from dashboards.http.preconditions import etag
from dashboards.http.problem import Problem, not_found
from registry.roles import Verb
from store.records.repository import incident_version


def incidents(context: AppContext) -> APIRouter:
    """Return the routes of incidents."""
    router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
    add_lists(router, context)

    @router.get(
        "/{incident_id}",
        response_model=incident_bodies.IncidentWithStory,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_incident(incident_id: parameters.IncidentIdInPath, scope: RequestScope) -> OrjsonResponse:
        """Return one incident with its alerts and its story."""
        history = incident_history(context, scope, incident_id)
        incident = history.visible.incident
        document = incident_with_story(context, history) | rescue_view(context, history.visible)
        document |= rights_view(context, scope, incident)
        return OrjsonResponse(document, headers=etag(incident_version(incident)))

    @router.post(
        "",
        status_code=201,
        response_model=incident_bodies.IncidentBody,
        responses=versioned_responses(400, 403, 404, 413, 415, 422, 503, success=201),
        dependencies=[Depends(require_media_type(JSON)), needs(Verb.ACKNOWLEDGE)],
    )
    def report_call(body: incident_bodies.CallReport, scope: RequestScope) -> OrjsonResponse:
        """Open an incident for a telephone call, or enter the call into the open incident of its lift."""
        by, now_ns, acting = actor_of(scope, body.by), time.time_ns(), scope.acting or scope.lifts
        records = context.records()
        done = records.report_by_call(body.lift_id, body.what, body.callback, by, now_ns, acting)
        if done is None and records.lift(body.lift_id, scope.lifts) is not None:
            raise Problem(403, "not-allowed", "The lift does not name your organisation as what it is.")
        if done is None:
            raise not_found("lift", body.lift_id)
        return changed_incident(context, scope, by, "call", done.id, lambda: done, 201)

    @router.get(
        "/{incident_id}/reports/{number}/photo",
        response_class=FileResponse,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_report_photo(
        incident_id: parameters.IncidentIdInPath, number: incident_bodies.ReportNumber, scope: RequestScope
    ) -> FileResponse:
        """Return the photo of a public report, as JPEG without metadata; it is deleted after some days."""
        lift_ids = incident_history(context, scope, incident_id).visible.lift_ids
        reports = context.records().public_reports_of(incident_id)
        found = next((each for each in reports if each.number == number and each.lift_id in lift_ids), None)
        path = found and context.photos.path(found.id)
        if not path:
            raise not_found("photo", f"of report {number}")
        return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})

    add_actions(router, context)
    add_joins(router, context)
    add_rescues(router, context)
    add_assignees(router, context)
    return router
