"""Applications for tests: routes are analysed once for all tests whose settings differ in their stores alone.

A request of their client is one call into the loop of the application; Starlette's own client makes seven, each between
two threads, which take longer than most answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from dashboards.api.context import AppContext, Settings
from dashboards.app import application, routes


@dataclass(eq=False)
class AnalysedRoutes:
    """The routes over a context, and whether an application of a test uses the context."""

    shape: Settings
    context: AppContext
    routes: list[BaseRoute]
    is_used: bool = True


_analysed: list[AnalysedRoutes] = []


def create_app(settings: Settings) -> FastAPI:
    """Return a new application over a new state; its routes may be those of an application that was closed."""
    used = _routes(settings)
    app = application(used.context, used.routes)
    app.router.lifespan_context = _released(used, app.router.lifespan_context)
    return app


def _routes(settings: Settings) -> AnalysedRoutes:
    """Return unused routes for the settings, their context as new; analyse routes where none are unused."""
    shape = replace(settings, open_records=_closed, open_series=_closed, photos_dir=None)
    for each in _analysed:
        if not each.is_used and each.shape == shape:
            each.context.__init__(settings)  # type: ignore[misc]
            each.is_used = True
            return each
    context = AppContext(settings)
    made = AnalysedRoutes(shape, context, routes(context))
    _analysed.append(made)
    return made


def _released(used: AnalysedRoutes, lifespan: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a lifespan after which the routes are free for another application."""

    @contextlib.asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        used.is_used = True
        async with lifespan(app):
            yield
        used.is_used = False

    return run


class Client(TestClient):
    """A client of an application that runs as long as the client is entered; it takes whole answers, no streams."""

    def __init__(self, app: FastAPI, client: tuple[str, int] = ("testclient", 50000), **how: Any) -> None:
        super().__init__(app, client=client, **how)
        self._transport = _OneCall(self, httpx.ASGITransport(app, client=client), self._transport)


class _OneCall(httpx.BaseTransport):
    """Requests in the loop of a client that is entered; those before, after or with a body in parts by `tasks`."""

    def __init__(self, client: TestClient, within: httpx.ASGITransport, tasks: httpx.BaseTransport) -> None:
        self._client, self._within, self._tasks = client, within, tasks

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._client.portal is None or not isinstance(request.stream, httpx.AsyncByteStream):
            return self._tasks.handle_request(request)
        return self._client.portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._within.handle_async_request(request)
        content = b"".join([part async for part in answer.stream])  # type: ignore[union-attr]
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content))


def accept_fault(lift_id: str, cause: str, for_s: float) -> None:
    """Accept a fault for a simulator that does not run."""


def _closed() -> Any:
    raise AssertionError("a shape of settings has no store")
