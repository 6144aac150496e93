"""Routes of the ways by which the own account is notified: added, verified by a code, ordered, tested and removed."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from dashboards.api.context import AppContext
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import way_bodies
from dashboards.sign_in.own_ways import OwnWays
from dashboards.sign_in.requests import account_of, session_of
from registry.ways import NotificationWay, shown_address
from telemetry import instant

WayId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
ROOT = "/api/v1/account/ways"


def account_ways(context: AppContext) -> APIRouter:
    """Return the routes of the own ways."""
    router = APIRouter(prefix=ROOT, tags=["account"])
    json_body = [Depends(require_media_type(JSON))]

    @router.get("", response_model=way_bodies.WayList, responses=problem_responses(503))
    def list_ways(request: Request) -> OrjsonResponse:
        """List the ways of the account in their order, and the kinds of ways that this server offers."""
        _, person = account_of(request)
        return _listed(context, context.records().ways(person.person_id))

    @router.post(
        "", status_code=201, response_model=way_bodies.NewWayBody, dependencies=json_body,
        responses=problem_responses(400, 403, 413, 415, 422, 429, 503),
    )  # fmt: skip
    def post_way(request: Request, body: way_bodies.NewWay) -> OrjsonResponse:
        """Add a way behind the others and send a code by it; a webhook's signing secret is in this answer alone."""
        way = own_ways(context, request).add(body.kind, body.address, body.secret)
        return OrjsonResponse(way_body(way) | {"secret": way.secret}, 201)

    @router.put(
        "", response_model=way_bodies.WayList, dependencies=json_body,
        responses=problem_responses(400, 403, 413, 415, 422, 503),
    )  # fmt: skip
    def put_order(request: Request, body: way_bodies.WayOrder) -> OrjsonResponse:
        """Set the order in which the ways are used."""
        return _listed(context, own_ways(context, request).order(body.way_ids))

    _add_one(router, context)
    return router


def _add_one(router: APIRouter, context: AppContext) -> None:
    """Add the routes of one way."""

    @router.delete("/{way_id}", status_code=204, responses=problem_responses(403, 404, 422, 503))
    def delete_way(request: Request, way_id: WayId) -> Response:
        """Remove a way."""
        own_ways(context, request).remove(way_id)
        return Response(status_code=204)

    @router.post(
        "/{way_id}/code", response_model=way_bodies.WayBody, responses=problem_responses(403, 404, 422, 429, 503)
    )
    def post_code(request: Request, way_id: WayId) -> OrjsonResponse:
        """Send another code by a way that is not verified."""
        return OrjsonResponse(way_body(own_ways(context, request).send_code(way_id)))

    @router.post(
        "/{way_id}/verify", response_model=way_bodies.WayBody, dependencies=[Depends(require_media_type(JSON))],
        responses=problem_responses(400, 403, 404, 413, 415, 422, 503),
    )  # fmt: skip
    def post_verify(request: Request, way_id: WayId, body: way_bodies.WayCode) -> OrjsonResponse:
        """Verify a way by the code that was sent by it."""
        return OrjsonResponse(way_body(own_ways(context, request).verify(way_id, body.code)))

    @router.post(
        "/{way_id}/test", status_code=202, response_model=way_bodies.WayBody,
        responses=problem_responses(403, 404, 409, 422, 429, 503),
    )  # fmt: skip
    def post_test(request: Request, way_id: WayId) -> OrjsonResponse:
        """Send a test message by a verified way; its failure is the `fault` of the way."""
        return OrjsonResponse(way_body(own_ways(context, request).send_test(way_id)), 202)


def own_ways(context: AppContext, request: Request) -> OwnWays:
    """Return the ways of the session that asks."""
    identity, person, _ = session_of(request)
    assert identity.scope.actor is not None, "a session has an account"
    kinds = context.settings.way_kinds
    return OwnWays(context.records(), person.person_id, kinds, identity.scope.actor, time.time_ns())


def way_body(way: NotificationWay) -> dict[str, Any]:
    """Return a way; tokens and most of a telephone number are left out of its address."""
    return {
        "way_id": way.way_id,
        "kind": way.kind,
        "address": shown_address(way.kind, way.address),
        "verified_at": instant.text(way.verified_ns),
        "fault": way.fault,
        "fault_at": instant.text(way.fault_ns),
    }


def _listed(context: AppContext, ways: list[NotificationWay]) -> OrjsonResponse:
    settings = context.settings
    items = [way_body(each) for each in ways]
    return OrjsonResponse({"items": items, "next": None, "kinds": settings.way_kinds, "push_key": settings.push_key})
