"""Routes that change the registry: one lift at a time, or many lifts from a file.

An import takes the rows that are valid, and reports every error of every other row.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboards.api.access import QueryActor, RequestScope, needs
from dashboards.api.change_requests import (
    WAITING_RESPONSE,
    ChangeEnd,
    Reason,
    make_change,
    versions,
)
from dashboards.api.context import AppContext
from dashboards.api.lifts import lift_response, stored_lift
from dashboards.api.registry.fact_changes import change_facts
from dashboards.api.registry.lift_import import LiftImport
from dashboards.api.responses import (
    CSV,
    JSON,
    OrjsonResponse,
    problem_responses,
    require_media_type,
    versioned_responses,
)
from dashboards.api.schema import lift_bodies, parameters
from dashboards.http.preconditions import IfMatch, expected_versions
from dashboards.http.problem import (
    Problem,
    fact_errors,
    invalid_request,
)
from registry.facts import (
    LiftFacts,
    read_row,
)
from registry.roles import Verb
from store.records.changes.change_request import DELETE
from store.records.repository import WantedChange


def _openapi(required: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of a body that holds facts of a lift."""
    described = TypeAdapter(LiftFacts).json_schema()
    floor = described.pop("$defs")["Floor"]
    properties = described["properties"] | {"floors": {"type": "array", "items": floor}}
    properties["lift_id"]["pattern"], properties["district"]["pattern"] = parameters.LIFT_ID, parameters.DISTRICT
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


LiftFactsBody = Annotated[dict[str, Any], WithJsonSchema(_openapi(("lift_id", "district")))]
LiftFactsPatch = Annotated[dict[str, Any], WithJsonSchema(_openapi(()))]


def registry(context: AppContext) -> APIRouter:
    """Return the routes that change the registry."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["registry"])
    json_body = Depends(require_media_type(JSON))

    @router.post(
        "",
        status_code=201,
        response_model=lift_bodies.LiftDetail,
        responses=versioned_responses(400, 403, 409, 413, 415, 422, 503, success=201),
        dependencies=[json_body, needs(Verb.REGISTER_LIFTS)],
    )
    def post_lift(body: LiftFactsBody, by: QueryActor, scope: RequestScope) -> OrjsonResponse:
        """Register a lift."""
        lift, faults = read_row(body)
        if lift is None:
            raise invalid_request(fact_errors(faults))
        if not context.records().put_lift(lift, by, time.time_ns(), create_only=True):
            raise Problem(409, "already-registered", f"{lift.lift_id} is registered already; PATCH it to change it.")
        context.poller.poll()
        return lift_response(context, lift.lift_id, scope, 201, Location=f"/api/v1/lifts/{lift.lift_id}")

    @router.patch(
        "/{lift_id}",
        response_model=lift_bodies.LiftDetail,
        responses=versioned_responses(400, 403, 404, 409, 412, 413, 415, 422, 503) | WAITING_RESPONSE,
        dependencies=[json_body, needs(Verb.EDIT_LIFTS)],
    )
    def patch_lift(
        lift_id: parameters.LiftIdInPath,
        body: LiftFactsPatch,
        scope: RequestScope,
        by: QueryActor,
        if_match: IfMatch = None,
        reason: Reason = None,
        ends_ns: ChangeEnd = None,
    ) -> OrjsonResponse:
        """Change some facts of a lift; null makes a fact unknown, and an unregistered lift becomes registered.

        A signed-in account gives a reason where a threshold or the district changes; the change may wait (202), and
        with `until` the former thresholds return. A reason with a threshold that would return keeps it for good.
        """
        expected = expected_versions(if_match)
        waiting = change_facts(context, scope, by, lift_id, body, expected, reason, ends_ns)
        return waiting or lift_response(context, lift_id, scope)

    @router.delete(
        "/{lift_id}",
        status_code=204,
        responses=problem_responses(400, 403, 404, 409, 412, 422, 503) | WAITING_RESPONSE,
        dependencies=[needs(Verb.REGISTER_LIFTS)],
    )
    def delete_lift(
        lift_id: parameters.LiftIdInPath,
        scope: RequestScope,
        by: QueryActor,
        if_match: IfMatch = None,
        reason: Reason = None,
    ) -> Response:
        """Remove a lift from the registry; its alerts and readings stay. A signed-in account gives a reason."""
        known = stored_lift(context, lift_id, scope)
        version = versions(expected_versions(if_match))
        wanted = WantedChange(lift_id, known.facts.district, DELETE, {}, version, reason)
        return make_change(context, scope, by, wanted) or Response(status_code=204)

    @router.post(
        "/import",
        response_model=lift_bodies.ImportResult,
        responses=problem_responses(400, 403, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON, CSV)), needs(Verb.REGISTER_LIFTS)],
        openapi_extra={"requestBody": {"required": True, "content": IMPORT_CONTENT}},
    )
    async def import_lifts(
        request: Request, scope: RequestScope, by: QueryActor, reason: Reason = None
    ) -> OrjsonResponse:
        """Register many lifts or replace their facts, from a JSON list or from CSV with a header line.

        A signed-in account gives a reason where thresholds or districts of registered lifts change. These wait for
        another account where the organisation asks for a second person; all other facts are taken.
        """
        is_csv = request.headers["content-type"].lower().startswith(CSV)
        importing = LiftImport(context, scope, by, reason)
        return OrjsonResponse(await run_in_threadpool(importing.run, await request.body(), is_csv))

    return router


IMPORT_CONTENT = {
    JSON: {"schema": {"type": "array", "items": {}, "description": "Each as in POST /api/v1/lifts, judged by itself"}},
    CSV: {"schema": {"type": "string", "description": "The first line names the fields; floors as `label:height;…`"}},
}
