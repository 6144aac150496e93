"""Routes of the demonstration: list the simulator's faults and inject one into a simulated lift."""

from __future__ import annotations

import time

from fastapi import APIRouter, Depends, Request

from dashboards.api.access import needs, reader_of
from dashboards.api.context import AppContext, InjectFault
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import fleet_bodies, parameters, request_bodies
from dashboards.http.problem import invalid_field, not_found, unavailable
from registry.roles import Verb
from store.records.repository import AuditSubject


def simulator(context: AppContext, inject: InjectFault) -> APIRouter:
    """Return the routes of fault injection."""
    router = APIRouter(prefix="/api/v1/sim", tags=["demonstration"])
    causes = context.settings.causes

    @router.get(
        "/causes",
        response_model=fleet_bodies.CauseList,
        responses=problem_responses(403),
        dependencies=[needs(Verb.INJECT)],
    )
    async def list_causes() -> OrjsonResponse:
        """List the faults that can be injected into a lift."""
        return OrjsonResponse({"items": causes, "names": context.settings.cause_names})

    @router.post(
        "/{lift_id}/fault",
        status_code=202,
        response_model=fleet_bodies.FaultAccepted,
        responses=problem_responses(400, 403, 404, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON)), needs(Verb.INJECT)],
    )
    def post_fault(
        request: Request, lift_id: parameters.LiftIdInPath, body: request_bodies.FaultInjection
    ) -> OrjsonResponse:
        """Inject a fault into a simulated lift for `for_s` seconds."""
        if lift_id not in context.poller.current_view().lift_index.row_of:
            raise not_found("lift", lift_id)
        if body.cause not in causes:
            raise invalid_field("cause", f"not a fault of the simulator; take one of {', '.join(causes)}")
        try:
            inject(lift_id, body.cause, body.for_s)
        except ValueError as error:
            raise invalid_field("body", str(error)) from None
        except OSError as error:
            raise unavailable("broker", str(error)) from error
        subject = AuditSubject(lift_id, {"cause": body.cause, "for_s": body.for_s}, lift_id=lift_id)
        context.records().write_audit(time.time_ns(), reader_of(request), "lift.fault", [subject])
        return OrjsonResponse({"lift_id": lift_id, "cause": body.cause, "for_s": body.for_s}, status_code=202)

    return router
