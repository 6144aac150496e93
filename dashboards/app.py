"""The dashboards process: the HTTP API, the live stream and the pages, put together. Nothing happens at import.

request ─► metered ─► door (host, origin, size, headers) ─► gzip ─► route
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from dashboards.api.alerts import alerts
from dashboards.api.desk import Desk, Settings
from dashboards.api.fleet import fleet
from dashboards.api.lifts import found, lifts
from dashboards.api.live import live
from dashboards.api.maintenance import maintenance
from dashboards.api.probes import probes
from dashboards.api.readings import readings
from dashboards.api.registry import registry
from dashboards.api.schema import ProblemDocument
from dashboards.api.simulator import simulator
from dashboards.http import problem
from dashboards.http.metrics import Metered
from dashboards.http.security import Door
from dashboards.pages.routes import error_page, pages, wants_page
from telemetry.version import VERSION

log = logging.getLogger(__name__)

GZIP_LEVEL = 4
GZIP_FROM_BYTES = 1000
SHUTDOWN_S = 3
OPENAPI_PATH = "/api/openapi.json"
QUIET: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}


def create_app(settings: Settings) -> FastAPI:
    """Return the application; it opens its stores when it starts, and closes them when it ends."""
    desk = Desk(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk.watch.start()
        yield
        desk.hub.close()
        desk.close()

    app = FastAPI(
        title="Liftwatch", version=VERSION, openapi_url=OPENAPI_PATH, docs_url=None, redoc_url=None,
        lifespan=lifespan, telemetry=QUIET,
    )  # fmt: skip
    app.state.desk = desk
    for router in (lifts, registry, maintenance, readings, alerts, fleet, live, probes):
        app.include_router(router(desk))
    if settings.demo and settings.inject:
        app.include_router(simulator(desk, settings.inject))
    app.include_router(pages(lambda lift_id: _found(desk, lift_id), demo=settings.demo))
    for kind, handler in problem.HANDLERS.items():
        app.add_exception_handler(kind, _paged(handler))
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(Door, hosts=(settings.host, *settings.hosts))
    app.add_middleware(Metered, meters=desk.meters)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; OSError where the address cannot be listened on. For the main thread."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it on its own sockets only
        app = create_app(settings)
        log.info("listening on http://%s:%d", settings.host, listening.getsockname()[1])
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )  # fmt: skip
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            Server(config).run(sockets=[listening])


class Server(uvicorn.Server):
    """Ends the live streams before it waits for open answers: they would never end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self.config.app.state.desk.hub.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def _found(desk: Desk, lift_id: str) -> Mapping[str, Any] | None:
    """Return one lift for a page, None where nobody knows it."""
    try:
        return found(desk, lift_id)
    except HTTPException as missing:
        if missing.status_code == 404:
            return None
        raise


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _paged(handler: Handler) -> Handler:
    """Return `handler` for programs, and a page with the same status for people."""

    async def answer(request: Request, error: Exception) -> Response:
        told = await handler(request, error)
        if told.status_code == 405:
            told.headers["allow"] = _allowed(request) or told.headers["allow"]
        return error_page(request, told.status_code) if wants_page(request) else told

    return answer


def _allowed(request: Request) -> str:
    """Return all that the path asked for takes; the framework names the methods of its first route only."""
    paths: dict[str, Any] = request.app.openapi()["paths"]
    asked = request.url.path.split("/")
    for path in sorted(paths, key=lambda path: path.count("{")):
        parts = path.split("/")
        if len(parts) == len(asked) and all(p == a or p.startswith("{") for p, a in zip(parts, asked, strict=True)):
            return ", ".join(method.upper() for method in paths[path])
    return ""


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the problem document that every route points at."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        problems = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**problems.pop("$defs"), ProblemDocument.__name__: problems}
        app.openapi_schema = document
    return app.openapi_schema
