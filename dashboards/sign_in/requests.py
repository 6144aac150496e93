"""The identity and the form of a request, as the sign-in gate left them, and what a route asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Depends, Request

from dashboards.http.problem import Problem
from dashboards.sign_in.identity import NOBODY, Identity
from registry.people import Person
from store.records.repository import AccountSession

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="liftwatch"'}


def address_of(request: Request) -> str:
    """Return the address of the client, empty where it has none."""
    return request.client.host if request.client else ""


def identity_of(request: Request) -> Identity:
    """Return who asks; nobody where the gate did not see the request."""
    identity: Identity = getattr(request.state, "identity", NOBODY)
    return identity


def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of the form of a request, none where it has no form."""
    fields: Mapping[str, str] = getattr(request.state, "form", {})
    return fields


def sign_in_required() -> Problem:
    """Return the problem (401) of a request that needs an account and has none."""
    detail = "Sign in, or send a token: Authorization: Bearer lw_…."
    return Problem(401, "sign-in-required", detail, headers=CHALLENGE)


def account_of(request: Request) -> tuple[Identity, Person]:
    """Return the account that asks; a problem (401) where the request has none."""
    identity = identity_of(request)
    if identity.person is None:
        raise sign_in_required()
    return identity, identity.person


def session_of(request: Request) -> tuple[Identity, Person, AccountSession]:
    """Return the session that asks; a problem (403) for a token: a token does not change its account."""
    identity, person = account_of(request)
    if identity.session is None:
        raise Problem(403, "session-required", "A token cannot do this: sign in with a browser.")
    return identity, person, identity.session


RequestIdentity: Any = Depends(identity_of)
RequestSession: Any = Depends(session_of)
