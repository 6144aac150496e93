"""A scope that a test sets for every request of an application without accounts."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from registry.scope import OPEN_SCOPE


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
