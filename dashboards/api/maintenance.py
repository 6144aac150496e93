"""Maintenance windows: a person says until when somebody works on a lift, and may end it before its time."""

from __future__ import annotations

import time

from fastapi import APIRouter, Depends

from dashboards.api import schema
from dashboards.api.answer import JSON, Json, problems, takes
from dashboards.api.desk import Desk
from dashboards.api.lifts import found
from dashboards.api.registry import By
from dashboards.http.problem import missing, unfit

LIMIT_H = 24


def maintenance(desk: Desk) -> APIRouter:
    """Return the routes of maintenance windows."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["maintenance"])

    @router.post(
        "/{lift_id}/maintenance",
        response_model=schema.LiftDetail,
        responses=problems(400, 403, 404, 413, 415, 422, 503),
        dependencies=[Depends(takes(JSON))],
    )
    def post_maintenance(lift_id: schema.LiftIdInPath, body: schema.Maintenance) -> Json:
        """Judge a lift by the starred rules alone from now until then, at most 24 hours; again: change it."""
        now_ns = time.time_ns()
        if not now_ns < body.until <= now_ns + LIMIT_H * 3600 * 1_000_000_000:
            raise unfit("until", f"lies in the past or more than {LIMIT_H} hours ahead; say when the work will be done")
        if not desk.records().set_maintenance(lift_id, body.until, body.by, now_ns, body.note):
            raise missing("lift", lift_id)
        desk.watch.look()
        return Json(found(desk, lift_id))

    @router.delete("/{lift_id}/maintenance", response_model=schema.LiftDetail, responses=problems(403, 404, 422, 503))
    def delete_maintenance(lift_id: schema.LiftIdInPath, by: By) -> Json:
        """End a lift's maintenance now; where there is none nothing changes."""
        desk.records().end_maintenance(lift_id, by, time.time_ns())
        desk.watch.look()
        return Json(found(desk, lift_id))

    return router
