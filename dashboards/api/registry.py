"""The registry: one lift at a time, or many from a file. Every fault of every row is told; good rows are taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import TypeAdapter, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboards.api import schema
from dashboards.api.answer import JSON, Json, problems, takes
from dashboards.api.desk import Desk
from dashboards.api.lifts import found
from dashboards.http.problem import Fault, Problem, fault, invalid, missing, unfit
from registry import fact_checks
from registry.facts import FactsError, LiftFacts, ReadResult, patch, read_changes, read_csv, read_json, read_row

CSV = "text/csv"
UNNAMED = "api"

By = Annotated[schema.Word, Query(description="Who does it; kept in the audit")]


def _described(required: Sequence[str]) -> dict[str, Any]:
    """Return the description of a body that names facts of a lift."""
    described = TypeAdapter(LiftFacts).json_schema()
    floor = described.pop("$defs")["Floor"]
    properties = described["properties"] | {"floors": {"type": "array", "items": floor}}
    properties["lift_id"]["pattern"], properties["district"]["pattern"] = schema.LIFT_ID, schema.DISTRICT
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


Whole = Annotated[dict[str, Any], WithJsonSchema(_described(("lift_id", "district")))]
Some = Annotated[dict[str, Any], WithJsonSchema(_described(()))]


def registry(desk: Desk) -> APIRouter:
    """Return the routes that change the registry."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["registry"])
    json_body = [Depends(takes(JSON))]

    @router.post(
        "",
        status_code=201,
        response_model=schema.LiftDetail,
        responses=problems(400, 403, 409, 413, 415, 422, 503),
        dependencies=json_body,
    )
    def post_lift(body: Whole, by: By = UNNAMED) -> Json:
        """Register a lift."""
        lift, faults = read_row(body)
        if lift is None:
            raise invalid(_told(faults))
        if not desk.records().put_lift(lift, by, time.time_ns(), create_only=True):
            raise Problem(409, "already-registered", f"{lift.lift_id} is registered already; PATCH it to change it.")
        desk.watch.look()
        return Json(found(desk, lift.lift_id), 201, {"Location": f"/api/v1/lifts/{lift.lift_id}"})

    @router.patch(
        "/{lift_id}",
        response_model=schema.LiftDetail,
        responses=problems(400, 403, 404, 413, 415, 422, 503),
        dependencies=json_body,
    )
    def patch_lift(lift_id: schema.LiftIdInPath, body: Some, by: By = UNNAMED) -> Json:
        """Change some facts of a lift; null makes a fact unknown. An unregistered lift is registered by it."""
        known = desk.records().lift(lift_id)
        if known is None:
            raise missing("lift", lift_id)
        changed, faults = patch(known.facts, body)
        if changed is None:
            raise invalid(_told(faults))
        if desk.records().patch_lift(lift_id, read_changes(body)[0], by, time.time_ns()) is None:
            raise missing("lift", lift_id)
        desk.watch.look()
        return Json(found(desk, lift_id))

    @router.delete("/{lift_id}", status_code=204, responses=problems(403, 404, 422, 503))
    def delete_lift(lift_id: schema.LiftIdInPath, by: By = UNNAMED) -> Response:
        """Strike a lift off the registry; its alerts and readings stay."""
        if not desk.records().delete_lift(lift_id, by, time.time_ns()):
            raise missing("lift", lift_id)
        desk.watch.look()
        return Response(status_code=204)

    @router.post(
        "/import",
        response_model=schema.Imported,
        responses=problems(400, 403, 413, 415, 422, 503),
        dependencies=[Depends(takes(JSON, CSV))],
        openapi_extra={"requestBody": {"required": True, "content": IMPORT_CONTENT}},
    )
    async def import_lifts(request: Request, by: By = UNNAMED) -> Json:
        """Register many lifts, or replace their facts: a JSON list, or CSV whose first line names the fields."""
        is_csv = request.headers["content-type"].lower().startswith(CSV)
        return Json(await run_in_threadpool(_import, desk, await request.body(), is_csv, by))

    return router


IMPORT_CONTENT = {
    JSON: {"schema": {"type": "array", "items": {}, "description": "Each as in POST /api/v1/lifts, judged by itself"}},
    CSV: {"schema": {"type": "string", "description": "The first line names the fields; floors as `label:height;…`"}},
}


def _import(desk: Desk, body: bytes, is_csv: bool, by: str) -> dict[str, Any]:
    """Take every good row; return what was taken, and row by row what was not and why."""
    lifts, refused = _read(body, is_csv)
    if lifts:
        desk.records().put_lifts(lifts, by, time.time_ns())
        desk.watch.look()
    return {
        "taken": [lift.lift_id for lift in lifts],
        "refused": [{"row": row.number, "lift_id": row.lift_id, "errors": _told(row.errors)} for row in refused],
    }


def _read(body: bytes, is_csv: bool) -> ReadResult:
    """Return the lifts of a file and the rows that were not taken; a problem where it cannot be read at all."""
    try:
        return read_csv(body.decode("utf-8-sig")) if is_csv else read_json(body)
    except UnicodeDecodeError as error:
        raise unfit("body", f"not UTF-8 at byte {error.start}; save the file as UTF-8", 400) from None
    except FactsError as error:
        raise unfit("body", str(error)) from None


def _told(faults: Sequence[fact_checks.FieldError]) -> list[Fault]:
    return [fault(each.field, f"{each.wrong}; {each.remedy}") for each in faults]
