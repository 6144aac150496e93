"""Routes of the own account: sign-in and sign-out, sessions and tokens."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from dashboards.api.access import reader_of
from dashboards.api.context import AppContext
from dashboards.api.identity.bodies import me_body, session_body, token_body
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import identity_bodies
from dashboards.http.problem import Problem, not_found
from dashboards.sign_in.account_fields import add_token
from dashboards.sign_in.cookies import clear_session, set_session
from dashboards.sign_in.requests import CHALLENGE, account_of, address_of, identity_of, session_of

SECRET_ID = Path(pattern=r"^[0-9a-f]{64}$")
SecretId = Annotated[str, SECRET_ID]


def account(context: AppContext) -> APIRouter:
    """Return the routes of the own account."""
    router = APIRouter(prefix="/api/v1", tags=["account"])
    json_body = [Depends(require_media_type(JSON))]

    @router.get("/me", response_model=identity_bodies.Me, responses=problem_responses())
    def get_me(request: Request) -> OrjsonResponse:
        """Return the account that asks, its organisation and role, and what it may do."""
        return OrjsonResponse(me_body(identity_of(request)))

    @router.post(
        "/session",
        response_model=identity_bodies.Me,
        responses=problem_responses(400, 403, 413, 415, 422, 429, 503),
        dependencies=json_body,
    )
    def post_session(request: Request, body: identity_bodies.SignInBody) -> OrjsonResponse:
        """Sign in: the answer sets the cookie of a new session."""
        address, agent, now_ns = address_of(request), request.headers.get("user-agent", ""), time.time_ns()
        secret = context.passwords.sign_in(body.login, body.password, body.code, address, agent, now_ns)
        identity = secret and context.authenticator.of_session(secret, address, agent, now_ns)
        if not secret or not identity:
            detail = "Login, password and code do not fit together, or the account is disabled."
            raise Problem(401, "sign-in-refused", detail, headers=CHALLENGE)
        answer = OrjsonResponse(me_body(identity))
        set_session(request, answer, secret)
        return answer

    @router.patch(
        "/session",
        response_model=identity_bodies.Me,
        responses=problem_responses(400, 403, 404, 413, 415, 422, 503),
        dependencies=json_body,
    )
    def patch_session(request: Request, body: identity_bodies.SessionChoice) -> OrjsonResponse:
        """Act for another organisation of the account from now on."""
        identity, person, session = session_of(request)
        chosen = person.membership(body.organisation_id)
        if chosen is None or chosen.organisation.organisation_id != body.organisation_id:
            raise not_found("organisation", body.organisation_id)
        by, wanted = reader_of(request), body.organisation_id
        context.records().choose_organisation(session.session_id, person.person_id, wanted, by, time.time_ns())
        now = context.authenticator.is_acting(identity, chosen)
        return OrjsonResponse(me_body(now))

    @router.delete("/session", status_code=204, responses=problem_responses(403, 422, 503))
    def delete_session(
        request: Request,
        everywhere: Annotated[bool, Query(description="End all sessions of the account, on every device")] = False,
    ) -> Response:
        """Sign out."""
        identity, person, session = session_of(request)
        by = identity.scope.actor
        assert by is not None, "a session has an account"
        only = None if everywhere else session.session_id
        context.records().end_sessions(person.person_id, by, time.time_ns(), only=only)
        answer = Response(status_code=204)
        clear_session(request, answer)
        return answer

    _add_lists(router, context)
    return router


def _add_lists(router: APIRouter, context: AppContext) -> None:
    """Add the routes of sessions and tokens."""

    @router.get("/me/sessions", response_model=identity_bodies.SessionList, responses=problem_responses(403, 503))
    def list_sessions(request: Request) -> OrjsonResponse:
        """List the sessions of the account, the last used first."""
        _, person, session = session_of(request)
        found = context.records().sessions(person.person_id)
        return OrjsonResponse({"items": [session_body(each, session.session_id) for each in found], "next": None})

    @router.delete("/me/sessions/{session_id}", status_code=204, responses=problem_responses(403, 404, 422, 503))
    def delete_one_session(request: Request, session_id: SecretId) -> Response:
        """End one session of the account."""
        identity, person, _ = session_of(request)
        assert identity.scope.actor is not None, "a session has an account"
        if not context.records().end_sessions(person.person_id, identity.scope.actor, time.time_ns(), only=session_id):
            raise not_found("session", session_id)
        return Response(status_code=204)

    @router.get("/me/tokens", response_model=identity_bodies.TokenList, responses=problem_responses(503))
    def list_tokens(request: Request) -> OrjsonResponse:
        """List the tokens of the account, the newest first."""
        _, person = account_of(request)
        found = context.records().tokens(person.person_id)
        return OrjsonResponse({"items": [token_body(each) for each in found], "next": None})

    @router.post(
        "/me/tokens",
        status_code=201,
        response_model=identity_bodies.SecretBody,
        responses=problem_responses(400, 403, 409, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON))],
    )
    def post_token(request: Request, body: identity_bodies.NewToken) -> OrjsonResponse:
        """Make a token that acts as the account does now; the secret is shown this once."""
        identity, person, _ = session_of(request)
        if identity.membership is None or identity.scope.actor is None:
            raise Problem(403, "not-allowed", "The account belongs to no organisation.")
        organisation_id = identity.membership.organisation.organisation_id
        by, now_ns = identity.scope.actor, time.time_ns()
        secret = add_token(context.records(), person.person_id, organisation_id, body.name, body.expires, by, now_ns)
        return OrjsonResponse({"secret": secret}, 201)

    @router.delete("/me/tokens/{token_id}", status_code=204, responses=problem_responses(403, 404, 422, 503))
    def delete_token(request: Request, token_id: SecretId) -> Response:
        """Revoke a token of the account."""
        identity, person, _ = session_of(request)
        assert identity.scope.actor is not None, "a session has an account"
        if not context.records().revoke_token(person.person_id, token_id, identity.scope.actor, time.time_ns()):
            raise not_found("token", token_id)
        return Response(status_code=204)
