"""Calendars of rosters: secret links for calendar programs, and the calendar itself, which needs no account."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from dashboards.api.access import QueryActor, needs, unnamed_reader
from dashboards.api.context import AppContext
from dashboards.api.duty.documents import names_of
from dashboards.api.duty.owners import RequestOwners
from dashboards.api.duty.rosters import RosterId, stored_roster
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import duty_bodies
from dashboards.http.problem import invalid_field, not_found
from dashboards.sign_in.requests import address_of
from registry.duty.calendar_feed import calendar_feed
from registry.duty.shifts import shifts
from registry.roles import Verb
from store.records.audit.writing import CountedAct
from telemetry.instant import DAY_NS, rfc3339

BACK_NS, AHEAD_NS = 14 * DAY_NS, 92 * DAY_NS
MEDIA_TYPE = "text/calendar"
SHOWN_OF_LINK = 8
"""Characters of the id of a link in the audit log."""
LinkId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
LinkSecret = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{20,200}$")]


def calendars(context: AppContext) -> APIRouter:
    """Return the routes of calendars."""
    router = APIRouter(tags=["duty"])
    _add_links(router, context)

    @router.get(
        "/calendars/{secret}.ics",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}}}, **problem_responses(404, 422, 503)},
    )
    def get_calendar(request: Request, secret: LinkSecret) -> Response:
        """Return the calendar of a roster: shifts of the last two weeks and the next three months.

        Reading is counted in the audit log, for the organisation of the roster.
        """
        now_ns = time.time_ns()
        found = context.records().roster_of_link(secret)
        book = None if found is None else context.records().duty_book(found[0].organisation_id)
        if found is None or book is None:
            raise not_found("calendar", "…")
        roster, link = found
        owner = context.records().organisation(roster.organisation_id)
        reader = replace(unnamed_reader(address_of(request) or None), organisation=owner.name if owner else None)
        context.audit.count(CountedAct(reader, "roster.calendar-read", roster.roster_id), link.link_id[:SHOWN_OF_LINK])
        some = shifts(roster, now_ns - BACK_NS, now_ns + AHEAD_NS)
        content = calendar_feed(roster, some, names_of(book), now_ns, link.person_id)
        return Response(content, media_type=MEDIA_TYPE, headers={"Cache-Control": "private, max-age=300"})

    return router


def _add_links(router: APIRouter, context: AppContext) -> None:
    path, manages = "/api/v1/rosters/{roster_id}/calendar-links", needs(Verb.MANAGE_DUTY)

    @router.get(
        path,
        response_model=duty_bodies.CalendarLinkList,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[manages],
    )
    def list_calendar_links(owners: RequestOwners, roster_id: RosterId) -> OrjsonResponse:
        """List the links to the calendar of a roster, without their secrets, the newest first."""
        stored_roster(owners, roster_id)
        items = [
            {
                "link_id": each.link_id,
                "person_id": each.person_id,
                "created_at": rfc3339(each.created_ns),
                "created_by": each.created_by,
            }
            for each in owners.records.calendar_links(roster_id, owners.ids)
        ]
        return OrjsonResponse({"items": items, "next": None})

    @router.post(
        path,
        status_code=201,
        response_model=duty_bodies.CalendarPath,
        responses=problem_responses(400, 403, 404, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON)), manages],
    )
    def post_calendar_link(
        request: Request, owners: RequestOwners, roster_id: RosterId, body: duty_bodies.NewCalendarLink, by: QueryActor
    ) -> OrjsonResponse:
        """Make a link to the calendar of a roster, or to the shifts of one person in it; it is shown this once."""
        roster = stored_roster(owners, roster_id)
        if body.person_id is not None and body.person_id not in owners.book(roster.organisation_id).callees:
            raise invalid_field("person_id", "is nobody of the organisation; choose one of its people")
        secret = owners.records.add_calendar_link(roster_id, body.person_id, by, time.time_ns(), owners.ids)
        where = f"/calendars/{secret}.ics"
        base = context.settings.public_url or str(request.base_url).rstrip("/")
        return OrjsonResponse({"path": where, "url": base + where}, 201)

    @router.delete(
        path + "/{link_id}",
        status_code=204,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[manages],
    )
    def delete_calendar_link(owners: RequestOwners, roster_id: RosterId, link_id: LinkId, by: QueryActor) -> Response:
        """End a link to a calendar."""
        if not owners.records.revoke_calendar_link(roster_id, link_id, by, time.time_ns(), owners.ids):
            raise not_found("calendar link", link_id)
        return Response(status_code=204)
