"""Routes of maintenance windows: a person opens a window with its end, changes the end, or ends the window early."""

from __future__ import annotations

import time

from fastapi import APIRouter, Depends

from dashboards.api.access import NamedQueryActor, RequestScope, actor_of, needs
from dashboards.api.change_requests import WAITING_RESPONSE, make_change
from dashboards.api.context import AppContext
from dashboards.api.lifts import lift_response, stored_lift
from dashboards.api.responses import JSON, OrjsonResponse, require_media_type, versioned_responses
from dashboards.api.schema import lift_bodies, parameters, request_bodies
from dashboards.http.problem import invalid_field
from registry.roles import Verb
from store.records.changes.change_request import MAINTENANCE
from store.records.repository import WantedChange

LIMIT_H = 24


def maintenance(context: AppContext) -> APIRouter:
    """Return the routes of maintenance windows."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["maintenance"])

    @router.post(
        "/{lift_id}/maintenance",
        response_model=lift_bodies.LiftDetail,
        responses=versioned_responses(400, 403, 404, 409, 413, 415, 422, 503) | WAITING_RESPONSE,
        dependencies=[Depends(require_media_type(JSON)), needs(Verb.MAINTAIN)],
    )
    def post_maintenance(
        lift_id: parameters.LiftIdInPath, body: request_bodies.Maintenance, scope: RequestScope
    ) -> OrjsonResponse:
        """Open a maintenance window, which ends at `until`, at most 24 hours ahead; repeat to change the end."""
        now_ns = time.time_ns()
        if not now_ns < body.until <= now_ns + LIMIT_H * 3600 * 1_000_000_000:
            raise invalid_field(
                "until", f"lies in the past or more than {LIMIT_H} hours ahead; write when the work will be done"
            )
        by, known = actor_of(scope, body.by), stored_lift(context, lift_id, scope)
        detail = {"until_ns": body.until, "shared": body.shared}
        wanted = WantedChange(lift_id, known.facts.district, MAINTENANCE, detail, reason=body.note)
        return make_change(context, scope, by, wanted) or lift_response(context, lift_id, scope)

    @router.delete(
        "/{lift_id}/maintenance",
        response_model=lift_bodies.LiftDetail,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.MAINTAIN)],
    )
    def delete_maintenance(
        lift_id: parameters.LiftIdInPath, by: NamedQueryActor, scope: RequestScope
    ) -> OrjsonResponse:
        """End a lift's maintenance window now; without a window nothing changes."""
        context.records().end_maintenance(lift_id, by, time.time_ns())
        context.poller.poll()
        return lift_response(context, lift_id, scope)

    return router
