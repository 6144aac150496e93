"""The live stream's door (`dashboards.live.stream` is the stream itself)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from dashboards.api import schema
from dashboards.api.answer import problems
from dashboards.api.desk import Desk
from dashboards.live.stream import Interest, Mark, Stream, mark

LIFTS_LIMIT = 500


def live(desk: Desk) -> APIRouter:
    """Return the route of server-sent events."""
    router = APIRouter(prefix="/api/v1", tags=["live"])

    @router.get(
        "/live",
        response_class=Response,
        responses={200: {"description": STREAM, "content": {"text/event-stream": {}}}, **problems(422, 503)},
    )
    async def get_live(
        district: schema.District = None,
        lift_id: Annotated[
            list[schema.LiftId], Query(max_length=LIFTS_LIMIT, description="May be given more than once")
        ] = [],  # noqa: B006
        last_event_id: Annotated[str | None, Header(description="Where to resume")] = None,
    ) -> Response:
        """Tell alerts and lifts as they change."""
        desk.watch.orders()
        interest = Interest(district, frozenset(lift_id))
        last = mark(last_event_id)
        if last is None and lift_id:
            last = Mark(0, desk.watch.mark.transition)
        listener = desk.hub.join(interest)
        return Stream(desk.hub, listener, lambda: () if last is None else desk.watch.since(last, interest))

    return router


STREAM = """Server-sent events: `alert` (an alert) and `lift` (a lift as in the list), each with an id; a comment
keeps the line open. With `lift_id` the stream begins with these lifts as they are."""
