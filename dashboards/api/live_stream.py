"""Route of the live stream; `dashboards.live.event_stream` implements the stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.responses import problem_responses
from dashboards.api.schema import parameters
from dashboards.live.event_stream import EventFilter, EventStreamResponse, parse_position
from dashboards.sign_in.requests import address_of, identity_of
from registry.roles import Verb

LIFTS_LIMIT = 500


def live(context: AppContext) -> APIRouter:
    """Return the route of server-sent events."""
    router = APIRouter(prefix="/api/v1", tags=["live"])

    @router.get(
        "/live",
        response_class=Response,
        responses={
            200: {"description": STREAM, "content": {"text/event-stream": {}}},
            **problem_responses(403, 422, 429, 503),
        },
        dependencies=[needs(Verb.SEE)],
    )
    async def get_live(
        request: Request,
        scope: RequestScope,
        district: parameters.District = None,
        lift_id: Annotated[
            list[parameters.LiftId], Query(max_length=LIFTS_LIMIT, description="May be given more than once")
        ] = [],  # noqa: B006
        last_event_id: Annotated[str | None, Header(description="Where to resume")] = None,
    ) -> Response:
        """Send alerts, incidents and lifts as they change, as server-sent events."""
        context.poller.listing()
        event_filter = EventFilter(district, frozenset(lift_id), scope.lifts)
        last = parse_position(last_event_id)
        if last is None and lift_id:
            last = context.poller.position._replace(version=0)
        identity = identity_of(request)
        account = "" if identity.person is None else identity.person.person_id
        is_allowed = context.authenticator.watch(identity)
        subscriber = context.broadcaster.subscribe(event_filter, address_of(request), account, is_allowed)
        return EventStreamResponse(
            context.broadcaster, subscriber, lambda: () if last is None else context.poller.since(last, event_filter)
        )

    return router


STREAM = """Server-sent events: `alert` (an alert), `incident` (an incident as it is for one of its
lifts) and `lift` (a lift as in the list), each with an id; a comment
keeps the line open. With `lift_id` the stream begins with these lifts as they are."""
