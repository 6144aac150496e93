"""The demonstration's own door: put a fault into a simulated lift. It exists in a demonstration only."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from dashboards.api import schema
from dashboards.api.answer import JSON, Json, problems, takes
from dashboards.api.desk import Desk, Inject
from dashboards.http.problem import away, missing, unfit


def simulator(desk: Desk, inject: Inject) -> APIRouter:
    """Return the routes that speak to the simulator."""
    router = APIRouter(prefix="/api/v1/sim", tags=["demonstration"])
    causes = desk.settings.causes

    @router.get("/causes", response_model=schema.Causes, responses=problems())
    async def list_causes() -> Json:
        """List the faults that can be put into a lift."""
        return Json({"items": causes})

    @router.post(
        "/{lift_id}/fault",
        status_code=202,
        response_model=schema.Injected,
        responses=problems(400, 403, 404, 413, 415, 422, 503),
        dependencies=[Depends(takes(JSON))],
    )
    def post_fault(lift_id: schema.LiftIdInPath, body: schema.Injection) -> Json:
        """Put a fault into a simulated lift for a while."""
        if lift_id not in desk.watch.orders().picture.roster.row_of:
            raise missing("lift", lift_id)
        if body.cause not in causes:
            raise unfit("cause", f"not a fault of the simulator; take one of {', '.join(causes)}")
        try:
            inject(lift_id, body.cause, body.for_s)
        except ValueError as error:
            raise unfit("body", str(error)) from None
        except OSError as error:
            raise away("broker", str(error)) from error
        return Json({"lift_id": lift_id, "cause": body.cause, "for_s": body.for_s}, status_code=202)

    return router
