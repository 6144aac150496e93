"""Routes of accounts: an administrator lists them, invites people, gives roles, disables accounts and makes links."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.identity.bodies import paged, person_body, token_body
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import identity_bodies, parameters
from dashboards.http.preconditions import IfMatch, etag, expected_versions
from dashboards.http.problem import not_found
from dashboards.sign_in.administration import Administration
from dashboards.sign_in.requests import identity_of
from registry.people import Person
from registry.roles import Verb

PersonId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
OrganisationId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
WELCOME_PATH = "/welcome"


def people(context: AppContext) -> APIRouter:
    """Return the routes of accounts."""
    router = APIRouter(prefix="/api/v1/people", tags=["people"], dependencies=[needs(Verb.MANAGE_PEOPLE)])
    json_body = [Depends(require_media_type(JSON))]

    def administration(request: Request) -> Administration:
        return Administration(context.records(), identity_of(request))

    @router.get("", response_model=identity_bodies.PersonList, responses=problem_responses(400, 403, 404, 422, 503))
    def list_people(
        request: Request,
        organisation_id: Annotated[identity_bodies.Identifier | None, Query(description="Of one organisation")] = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List accounts by name."""
        found = administration(request).people(organisation_id)
        scope = f"people {organisation_id}"
        return OrjsonResponse(paged(found, lambda each: [each.name, each.person_id], limit, cursor, scope, person_body))

    @router.post(
        "",
        status_code=201,
        response_model=identity_bodies.PersonBody,
        responses=versioned_responses(400, 403, 404, 409, 413, 415, 422, 503, success=201),
        dependencies=json_body,
    )
    def post_person(request: Request, body: identity_bodies.NewPerson) -> OrjsonResponse:
        """Create an account with its first role; a one-time link lets the person set a password."""
        added = administration(request).invite(
            body.name, body.login, body.organisation_id, body.role, body.language, body.is_machine
        )
        return _answer(added, 201)

    @router.get(
        "/{person_id}", response_model=identity_bodies.PersonBody, responses=versioned_responses(403, 404, 422, 503)
    )
    def get_person(request: Request, person_id: PersonId) -> OrjsonResponse:
        """Return one account."""
        return _answer(administration(request).person(person_id))

    @router.patch(
        "/{person_id}",
        response_model=identity_bodies.PersonBody,
        responses=versioned_responses(400, 403, 404, 409, 412, 413, 415, 422, 503),
        dependencies=json_body,
    )
    def patch_person(
        request: Request, person_id: PersonId, body: identity_bodies.PersonChange, if_match: IfMatch = None
    ) -> OrjsonResponse:
        """Change the name or the language of an account, or disable it, which ends its sessions."""
        given = body.model_dump(exclude_unset=True)
        return _answer(administration(request).change_person(person_id, given, expected_versions(if_match)))

    @router.put(
        "/{person_id}/roles/{organisation_id}",
        response_model=identity_bodies.PersonBody,
        responses=versioned_responses(400, 403, 404, 409, 412, 413, 415, 422, 503),
        dependencies=json_body,
    )
    def put_role(
        request: Request,
        person_id: PersonId,
        organisation_id: OrganisationId,
        body: identity_bodies.RoleChoice,
        if_match: IfMatch = None,
    ) -> OrjsonResponse:
        """Give an account a role in an organisation."""
        expected = expected_versions(if_match)
        return _answer(administration(request).set_role(person_id, organisation_id, body.role, expected))

    @router.delete(
        "/{person_id}/roles/{organisation_id}",
        response_model=identity_bodies.PersonBody,
        responses=versioned_responses(400, 403, 404, 409, 412, 422, 503),
    )
    def delete_role(
        request: Request, person_id: PersonId, organisation_id: OrganisationId, if_match: IfMatch = None
    ) -> OrjsonResponse:
        """Take an account out of an organisation; its requests and live streams there end within seconds."""
        expected = expected_versions(if_match)
        return _answer(administration(request).set_role(person_id, organisation_id, None, expected))

    @router.post(
        "/{person_id}/link",
        status_code=201,
        response_model=identity_bodies.LinkBody,
        responses=problem_responses(403, 404, 409, 422, 503),
    )
    def post_link(request: Request, person_id: PersonId) -> OrjsonResponse:
        """Make a one-time link, valid for 72 hours, with which the person sets a password."""
        secret = administration(request).link(person_id)
        return OrjsonResponse({"path": f"{WELCOME_PATH}?code={secret}"}, 201)

    @router.delete(
        "/{person_id}/subject",
        response_model=identity_bodies.PersonBody,
        responses=versioned_responses(403, 404, 409, 422, 503),
    )
    def delete_subject(request: Request, person_id: PersonId) -> OrjsonResponse:
        """End the sign-in of an account by the provider of OpenID Connect, and all its sessions."""
        return _answer(administration(request).remove_subject(person_id))

    _add_tokens(router, context)
    return router


def _add_tokens(router: APIRouter, context: AppContext) -> None:
    """Add the routes of the tokens of machine accounts."""

    @router.get(
        "/{person_id}/tokens",
        response_model=identity_bodies.TokenList,
        responses=problem_responses(403, 404, 409, 422, 503),
    )
    def list_machine_tokens(request: Request, person_id: PersonId) -> OrjsonResponse:
        """List the tokens of an account, the newest first."""
        managed = Administration(context.records(), identity_of(request)).managed(person_id)
        found = context.records().tokens(managed.person_id)
        return OrjsonResponse({"items": [token_body(each) for each in found], "next": None})

    @router.post(
        "/{person_id}/tokens",
        status_code=201,
        response_model=identity_bodies.SecretBody,
        responses=problem_responses(400, 403, 404, 409, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON))],
    )
    def post_machine_token(
        request: Request, person_id: PersonId, body: identity_bodies.NewMachineToken
    ) -> OrjsonResponse:
        """Make a token of a machine account; the secret is shown this once."""
        administration = Administration(context.records(), identity_of(request))
        secret = administration.add_token(person_id, body.organisation_id, body.name, body.expires)
        return OrjsonResponse({"secret": secret}, 201)

    @router.delete(
        "/{person_id}/tokens/{token_id}", status_code=204, responses=problem_responses(403, 404, 409, 422, 503)
    )
    def delete_machine_token(request: Request, person_id: PersonId, token_id: TokenId) -> Response:
        """Revoke a token of an account."""
        administration = Administration(context.records(), identity_of(request))
        managed = administration.managed(person_id)
        if not context.records().revoke_token(managed.person_id, token_id, administration.by, administration.now_ns):
            raise not_found("token", token_id)
        return Response(status_code=204)


def _answer(person: Person, status: int = 200) -> OrjsonResponse:
    return OrjsonResponse(person_body(person), status, headers=etag(str(person.revision)))
