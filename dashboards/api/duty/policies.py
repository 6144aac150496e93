"""Routes of escalation policies: the list in its order, one policy, changes, and the test of its first step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from alerts.escalation.facts import DutyBook
from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import Nameable, read_policy
from dashboards.api.access import QueryActor, needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.duty.documents import policy_json
from dashboards.api.duty.owners import DutyOwners, RequestOwners
from dashboards.api.duty.rosters import OfOrganisation, organisation_named
from dashboards.api.duty.trial_calls import send_test
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import duty_bodies
from dashboards.http.preconditions import IfMatch, etag, expected_versions
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_request, not_found
from registry.fact_checks import FieldError
from registry.roles import Verb
from store.records.repository import InvalidPolicy, PolicyInUse

POSITIONS = 100
PolicyId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]


def escalation_policies(context: AppContext) -> APIRouter:
    """Return the routes of escalation policies."""
    router = APIRouter(prefix="/api/v1/escalation-policies", tags=["duty"])
    _add_reading(router)
    _add_changes(router)
    return router


def _add_reading(router: APIRouter) -> None:
    @router.get(
        "",
        response_model=duty_bodies.PolicyList,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_policies(owners: RequestOwners, organisation_id: OfOrganisation = None) -> OrjsonResponse:
        """List the policies of each organisation in the order in which they are tried."""
        ids = [each.organisation_id for each in owners.organisations()]
        ids = ids if organisation_id is None else [owners.book(organisation_id).organisation_id]
        books = sorted(owners.records.duty_books(ids).values(), key=lambda one: one.name)
        items = [policy_json(each, book, at) for book in books for at, each in enumerate(book.policies, start=1)]
        return OrjsonResponse({"items": items, "next": None})

    @router.get(
        "/{policy_id}",
        response_model=duty_bodies.PolicyBody,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_policy(owners: RequestOwners, policy_id: PolicyId) -> OrjsonResponse:
        """Return one policy."""
        return _answer(owners, _stored(owners, policy_id))

    @router.post(
        "/{policy_id}/test",
        response_model=duty_bodies.TestedCalls,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.MANAGE_DUTY)],
    )
    def test_policy(request: Request, owners: RequestOwners, policy_id: PolicyId) -> OrjsonResponse:
        """Send a test message to everybody whom the steps of a policy would call now."""
        policy = _stored(owners, policy_id)
        targets = dict.fromkeys(target for step in policy.steps for target in step.targets)
        return send_test(owners, policy.organisation_id, targets, "policy.test", policy_id, reader_of(request))


def _add_changes(router: APIRouter) -> None:
    json_body, manages = Depends(require_media_type(JSON)), needs(Verb.MANAGE_DUTY)

    @router.post(
        "",
        status_code=201,
        response_model=duty_bodies.PolicyBody,
        responses=versioned_responses(400, 403, 413, 415, 422, 503, success=201),
        dependencies=[json_body, manages],
    )
    def post_policy(owners: RequestOwners, body: duty_bodies.NewPolicy, by: QueryActor) -> OrjsonResponse:
        """Create a policy of an organisation, as the last of its policies or at a `position`."""
        organisation_id, position = organisation_named(body, owners), _position(body)
        book = owners.book(organisation_id)
        try:
            made = owners.records.add_policy(_reading(book, body), organisation_id, position, by, time.time_ns())
        except InvalidPolicy as error:
            raise invalid_request(fact_errors(error.errors)) from None
        return _answer(owners, made, 201)

    @router.put(
        "/{policy_id}",
        response_model=duty_bodies.PolicyBody,
        responses=versioned_responses(400, 403, 404, 412, 413, 415, 422, 503),
        dependencies=[json_body, manages],
    )
    def put_policy(
        owners: RequestOwners, policy_id: PolicyId, body: duty_bodies.PolicyFields, by: QueryActor,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:  # fmt: skip
        """Replace a policy, at its present position or another."""
        before, position = _stored(owners, policy_id), _position(body)
        read = _reading(owners.book(before.organisation_id), body, policy_id)
        try:
            made = owners.records.put_policy(
                policy_id, read, position, by, time.time_ns(), expected_versions(if_match), owners.ids
            )
        except InvalidPolicy as error:
            raise invalid_request(fact_errors(error.errors)) from None
        if made is None:
            raise not_found("policy", policy_id)
        return _answer(owners, made)

    @router.delete(
        "/{policy_id}",
        status_code=204,
        responses=problem_responses(400, 403, 404, 409, 412, 422, 503),
        dependencies=[manages],
    )
    def delete_policy(owners: RequestOwners, policy_id: PolicyId, by: QueryActor, if_match: IfMatch = None) -> Response:
        """Delete a policy; refused while another policy goes on with it."""
        expected = expected_versions(if_match)
        try:
            is_gone = owners.records.delete_policy(policy_id, by, time.time_ns(), owners.ids, expected)
        except PolicyInUse as error:
            raise Problem(409, "policy-in-use", f"{str(error).capitalize()}.") from None
        if not is_gone:
            raise not_found("policy", policy_id)
        return Response(status_code=204)


def _stored(owners: DutyOwners, policy_id: str) -> EscalationPolicy:
    found = owners.records.policy(policy_id, owners.ids)
    if found is None:
        raise not_found("policy", policy_id)
    return found


def _position(body: dict[str, Any]) -> int | None:
    """Take `position` out of a body; a problem (422) where it is no place."""
    position = body.pop("position", None)
    if position is None or (type(position) is int and 1 <= position <= POSITIONS):
        return position
    raise invalid_request([field_error("position", f"is no place in the order; write a number from 1 to {POSITIONS}")])


def _reading(book: DutyBook, body: dict[str, Any], policy_id: str = "") -> Any:
    """Return the function that reads a policy which may name what its organisation has."""
    rosters = [each.roster_id for each in book.rosters]

    def read(others: Sequence[EscalationPolicy]) -> tuple[EscalationPolicy, list[FieldError]]:
        return read_policy(body, policy_id, book.organisation_id, Nameable(rosters, book.callees, others))

    return read


def _answer(owners: DutyOwners, policy: EscalationPolicy, status: int = 200) -> OrjsonResponse:
    book = owners.book(policy.organisation_id)
    position = next((at for at, each in enumerate(book.policies, 1) if each.policy_id == policy.policy_id), 1)
    return OrjsonResponse(policy_json(policy, book, position), status, headers=etag(str(policy.revision)))
