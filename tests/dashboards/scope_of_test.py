"""A scope that a test sets for every request of an application without accounts."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from registry.actor import Actor
from registry.roles import OrganisationKind, Role, verbs_of
from registry.scope import OPEN_SCOPE, Scope, lifts_of


class ScopeOfTest:
    """Middleware behind the sign-in gate that gives every request the scope that the test has set."""

    scope = OPEN_SCOPE

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    @classmethod
    def add_to(cls, app: FastAPI) -> None:
        """Add the middleware to an application, behind all others."""
        app.user_middleware.append(Middleware(cls))

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["scope"] = ScopeOfTest.scope
        await self.app(scope, receive, send)


FIRM, AUTHORITY = OrganisationKind.MAINTENANCE_FIRM, OrganisationKind.AUTHORITY


def sign_in(name: str, kind: OrganisationKind = FIRM, *, second_person: bool = False) -> None:
    """Make every later request one of this manager of "Firm 1", or inspector of the district d1."""
    role, organisation = (Role.INSPECTOR, "District") if kind is AUTHORITY else (Role.MANAGER, "Firm 1")
    actor = Actor(name, f"person:{name}", organisation, role, "127.0.0.1")
    ScopeOfTest.scope = Scope(lifts_of(kind, {"Firm 1"}, {"d1"}), verbs_of(kind, role), actor, second_person)
