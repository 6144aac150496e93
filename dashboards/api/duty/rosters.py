"""Routes of rosters: who is on duty now and next, shifts, and changes of rosters and overrides."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from alerts.escalation.policy import ROSTER
from dashboards.api.access import QueryActor, needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.duty.documents import callee_json, names_of, roster_json, shift_json
from dashboards.api.duty.owners import DutyOwners, RequestOwners
from dashboards.api.duty.trial_calls import send_test
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import duty_bodies, parameters
from dashboards.api.schema.identity_bodies import Identifier
from dashboards.http.preconditions import IfMatch, etag, expected_versions
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_field, invalid_request, not_found
from registry.duty.roster import Roster
from registry.duty.roster_checks import read_override, read_roster
from registry.duty.shifts import shifts
from registry.roles import Verb
from store.records.repository import OverridesFull
from telemetry.instant import DAY_NS

SHIFTS_DEFAULT_DAYS, SHIFTS_MOST_DAYS = 7, 92
RosterId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
OverrideId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
OfOrganisation = Annotated[Identifier | None, Query(description="Of one organisation")]


def rosters(context: AppContext) -> APIRouter:
    """Return the routes of rosters."""
    router = APIRouter(prefix="/api/v1", tags=["duty"])
    _add_reading(router)
    _add_changes(router)
    _add_overrides(router)
    return router


def stored_roster(owners: DutyOwners, roster_id: str) -> Roster:
    """Return a roster of the request's organisations; a problem (404) where they have none of this id."""
    found = owners.records.roster(roster_id, owners.ids)
    if found is None:
        raise not_found("roster", roster_id)
    return found


def organisation_named(given: dict[str, Any], owners: DutyOwners) -> str:
    """Take `organisation_id` out of a body; a problem (422) where the request has no such organisation."""
    named = given.pop("organisation_id", None)
    if named not in [each.organisation_id for each in owners.organisations()]:  # of any type: not hashed
        errors = [field_error("organisation_id", "is no organisation of yours; choose one of GET /api/v1/duty")]
        raise invalid_request(errors)
    return str(named)


def _add_reading(router: APIRouter) -> None:
    @router.get(
        "/duty",
        response_model=duty_bodies.DutyOverview,
        responses=problem_responses(403, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_duty(owners: RequestOwners) -> OrjsonResponse:
        """List the organisations whose duty the account sees, with the people who can be on duty."""
        books = owners.records.duty_books([each.organisation_id for each in owners.organisations()])
        items = [
            {"organisation_id": each.organisation_id, "name": each.name, "people": list(map(callee_json, people))}
            for each in sorted(books.values(), key=lambda one: one.name)
            for people in [each.callees.values()]
        ]
        return OrjsonResponse({"items": items, "next": None})

    @router.get(
        "/rosters",
        response_model=duty_bodies.RosterList,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_rosters(owners: RequestOwners, organisation_id: OfOrganisation = None) -> OrjsonResponse:
        """List rosters by name, with who is on duty now and next."""
        now_ns = time.time_ns()
        ids = [each.organisation_id for each in owners.organisations()]
        ids = ids if organisation_id is None else [owners.book(organisation_id).organisation_id]
        books = owners.records.duty_books(ids)
        found = sorted((each for book in books.values() for each in book.rosters), key=lambda one: one.name)
        items = [roster_json(each, books[each.organisation_id], now_ns) for each in found]
        return OrjsonResponse({"items": items, "next": None})

    @router.get(
        "/rosters/{roster_id}",
        response_model=duty_bodies.RosterBody,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_roster(owners: RequestOwners, roster_id: RosterId) -> OrjsonResponse:
        """Return one roster with its overrides."""
        return _answer(owners, stored_roster(owners, roster_id))

    @router.get(
        "/rosters/{roster_id}/shifts",
        response_model=duty_bodies.ShiftList,
        responses=problem_responses(400, 403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_shifts(
        owners: RequestOwners,
        roster_id: RosterId,
        since: parameters.Since = None,
        until: parameters.Until = None,
    ) -> OrjsonResponse:
        """List the shifts of a roster, the next seven days by default, at most 92 days; gaps are shifts of nobody."""
        roster = stored_roster(owners, roster_id)
        from_ns = time.time_ns() if since is None else since
        until_ns = from_ns + SHIFTS_DEFAULT_DAYS * DAY_NS if until is None else until
        if not 0 < until_ns - from_ns <= SHIFTS_MOST_DAYS * DAY_NS:
            raise invalid_field("to", f"is not after from, or more than {SHIFTS_MOST_DAYS} days later")
        names = names_of(owners.book(roster.organisation_id))
        items = [shift_json(each, names) for each in shifts(roster, from_ns, until_ns)]
        return OrjsonResponse({"items": items, "next": None})


def _add_changes(router: APIRouter) -> None:
    json_body, manages = Depends(require_media_type(JSON)), needs(Verb.MANAGE_DUTY)

    @router.post(
        "/rosters",
        status_code=201,
        response_model=duty_bodies.RosterBody,
        responses=versioned_responses(400, 403, 413, 415, 422, 503, success=201),
        dependencies=[json_body, manages],
    )
    def post_roster(owners: RequestOwners, body: duty_bodies.NewRoster, by: QueryActor) -> OrjsonResponse:
        """Create a roster of an organisation."""
        organisation_id = organisation_named(body, owners)
        made = owners.records.add_roster(_checked(owners, body, "", organisation_id), by, time.time_ns())
        return _answer(owners, made, 201)

    @router.put(
        "/rosters/{roster_id}",
        response_model=duty_bodies.RosterBody,
        responses=versioned_responses(400, 403, 404, 412, 413, 415, 422, 503),
        dependencies=[json_body, manages],
    )
    def put_roster(
        owners: RequestOwners, roster_id: RosterId, body: duty_bodies.RosterFields, by: QueryActor,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:  # fmt: skip
        """Replace the fields of a roster; its overrides stay."""
        before = stored_roster(owners, roster_id)
        wanted = _checked(owners, body, roster_id, before.organisation_id)
        expected = expected_versions(if_match)
        made = owners.records.put_roster(wanted, by, time.time_ns(), expected, owners.ids)
        if made is None:
            raise not_found("roster", roster_id)
        return _answer(owners, made)

    @router.delete(
        "/rosters/{roster_id}",
        status_code=204,
        responses=problem_responses(400, 403, 404, 412, 422, 503),
        dependencies=[manages],
    )
    def delete_roster(owners: RequestOwners, roster_id: RosterId, by: QueryActor, if_match: IfMatch = None) -> Response:
        """Delete a roster with its overrides and the links to its calendar."""
        expected = expected_versions(if_match)
        if not owners.records.delete_roster(roster_id, by, time.time_ns(), owners.ids, expected):
            raise not_found("roster", roster_id)
        return Response(status_code=204)

    @router.post(
        "/rosters/{roster_id}/test",
        response_model=duty_bodies.TestedCalls,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[manages],
    )
    def test_roster(request: Request, owners: RequestOwners, roster_id: RosterId) -> OrjsonResponse:
        """Send a test message to whoever is on duty now."""
        roster = stored_roster(owners, roster_id)
        targets = (f"{ROSTER}:{roster_id}",)
        return send_test(owners, roster.organisation_id, targets, "roster.test", roster_id, reader_of(request))


def _add_overrides(router: APIRouter) -> None:
    manages = needs(Verb.MANAGE_DUTY)

    @router.post(
        "/rosters/{roster_id}/overrides",
        status_code=201,
        response_model=duty_bodies.RosterBody,
        responses=versioned_responses(400, 403, 404, 409, 413, 415, 422, 503, success=201),
        dependencies=[Depends(require_media_type(JSON)), manages],
    )
    def post_override(
        owners: RequestOwners, roster_id: RosterId, body: duty_bodies.NewOverride, by: QueryActor
    ) -> OrjsonResponse:
        """Put people on duty for a time instead of everybody else, or instead of one (`replaces`)."""
        roster = stored_roster(owners, roster_id)
        override, errors = read_override(body, "", owners.book(roster.organisation_id).callees)
        if errors:
            raise invalid_request(fact_errors(errors))
        try:
            made = owners.records.add_override(roster_id, override, by, time.time_ns(), owners.ids)
        except OverridesFull as error:
            raise Problem(409, "overrides-full", f"{str(error).capitalize()}.") from None
        if made is None:
            raise not_found("roster", roster_id)
        return _answer(owners, made, 201)

    @router.delete(
        "/rosters/{roster_id}/overrides/{override_id}",
        response_model=duty_bodies.RosterBody,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[manages],
    )
    def delete_override(
        owners: RequestOwners, roster_id: RosterId, override_id: OverrideId, by: QueryActor
    ) -> OrjsonResponse:
        """Remove an override."""
        made = owners.records.remove_override(roster_id, override_id, by, time.time_ns(), owners.ids)
        if made is None:
            raise not_found("override", override_id)
        return _answer(owners, made)


def _checked(owners: DutyOwners, body: dict[str, Any], roster_id: str, organisation_id: str) -> Roster:
    """Return the roster that a body describes; a problem (422) with all its errors."""
    roster, errors = read_roster(body, roster_id, organisation_id, owners.book(organisation_id).callees)
    if errors:
        raise invalid_request(fact_errors(errors))
    return roster


def _answer(owners: DutyOwners, roster: Roster, status: int = 200) -> OrjsonResponse:
    document = roster_json(roster, owners.book(roster.organisation_id), time.time_ns())
    return OrjsonResponse(document, status, headers=etag(str(roster.revision)))
