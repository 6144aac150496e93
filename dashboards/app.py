"""The application of the dashboards process: middleware, routes of the API and routes of the pages.

    request ─► HeadAsGet ─► RequestMetrics ─► RefusalReport
            ─► RequestGuard (host, origin, body size, headers) ─► SignInGate ─► gzip ─► route

Importing this module opens nothing: `create_app` builds the application, `run` serves it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute

from dashboards.api.alerts import alerts
from dashboards.api.audit.routes import audit
from dashboards.api.change_requests import change_requests
from dashboards.api.context import AppContext, Settings
from dashboards.api.devices import devices
from dashboards.api.duty.calendars import calendars
from dashboards.api.duty.calls import duty_calls
from dashboards.api.duty.policies import escalation_policies
from dashboards.api.duty.rosters import rosters
from dashboards.api.fleet import fleet
from dashboards.api.identity.account import account
from dashboards.api.identity.organisations import organisations
from dashboards.api.identity.people import people
from dashboards.api.identity.ways import account_ways
from dashboards.api.incidents.notifications import notifications
from dashboards.api.incidents.routes import incidents
from dashboards.api.lifts import lift_detail, lifts
from dashboards.api.live_stream import live
from dashboards.api.maintenance import maintenance
from dashboards.api.map.routes import map_routes
from dashboards.api.probes import FleetCollector, probes
from dashboards.api.readings.behaviour import behaviour
from dashboards.api.readings.health import health
from dashboards.api.readings.streams import readings
from dashboards.api.readings.trips import trips
from dashboards.api.refused.report import refusal_report
from dashboards.api.registry.routes import registry
from dashboards.api.responses import problem_responses
from dashboards.api.schema.response_body import ProblemDocument
from dashboards.api.simulator import simulator
from dashboards.http import problem
from dashboards.http.connections import check_connections, connection_class
from dashboards.http.head import HeadAsGet
from dashboards.http.metrics import RequestMetrics
from dashboards.http.refusals import RefusalReport
from dashboards.http.request_guard import RequestGuard
from dashboards.pages.account import account_pages
from dashboards.pages.answer import answer_pages
from dashboards.pages.code_sheets import code_sheet_pages
from dashboards.pages.devices import device_pages
from dashboards.pages.installed import installed_pages
from dashboards.pages.lift_facts import lift_facts_pages
from dashboards.pages.map import map_page
from dashboards.pages.oidc import oidc_pages
from dashboards.pages.organisations import organisation_pages
from dashboards.pages.people import people_pages
from dashboards.pages.problems.texts import in_language
from dashboards.pages.public import public_pages
from dashboards.pages.routes import error_page, language_of, pages, wants_page
from dashboards.pages.sign_in import sign_in_pages
from dashboards.pages.ways import way_pages
from dashboards.sign_in.gate import SignInGate, is_loopback
from telemetry.version import VERSION

log = logging.getLogger(__name__)

GZIP_LEVEL = 4
GZIP_FROM_BYTES = 1000
SHUTDOWN_S = 3
TICKS_A_SECOND = 10
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
OPENAPI_PATH = "/api/openapi.json"
NO_TELEMETRY: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its stores are opened after it starts and closed when it stops."""
    context = AppContext(settings)
    return application(context, routes(context))


def routes(context: AppContext) -> list[BaseRoute]:
    """Return the routes of the API and of the pages; those of devices and of the demonstration where they are on."""
    settings = context.settings
    routers = [
        router(context)
        for router in (
            lifts, registry, maintenance, readings, trips, behaviour, health, alerts, incidents, change_requests, fleet,
            live, audit, probes, account, people, organisations, sign_in_pages, oidc_pages, account_pages, people_pages,
            organisation_pages, code_sheet_pages, public_pages, answer_pages, account_ways, way_pages, map_routes,
            map_page, lift_facts_pages, notifications, rosters, calendars, escalation_policies, duty_calls,
        )
    ]  # fmt: skip
    if settings.demo and settings.inject:
        routers.append(simulator(context, settings.inject))
    if settings.devices:
        routers += [devices(context, settings.devices), device_pages(context, settings.devices)]
    routers += [pages(lambda lift_id: _find_lift(context, lift_id), demo=settings.demo), installed_pages()]
    return [route for router in routers for route in router.routes]


def application(context: AppContext, routes: Sequence[BaseRoute]) -> FastAPI:
    """Return the application of a context, with its routes, middleware and handlers of errors."""
    settings = context.settings
    may_be_open = is_loopback(settings.host) and not settings.sign_in.required

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context.start()
        watching = asyncio.create_task(context.broadcaster.watch_access())
        yield
        watching.cancel()
        context.broadcaster.close()
        context.close()

    app = FastAPI(
        title="Liftwatch", version=VERSION, openapi_url=OPENAPI_PATH, docs_url=None, redoc_url=None,
        lifespan=lifespan, telemetry=NO_TELEMETRY,
    )  # fmt: skip
    app.state.context = context
    context.server_metrics.registry.register(FleetCollector(context))
    app.router.routes.extend(routes)  # `include_router` would analyse the parameters of each route once more
    for kind, problem_of in problem.PROBLEM_OF.items():
        app.add_exception_handler(kind, _page_for_people(problem_of))
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(
        SignInGate, authenticator=context.authenticator, may_be_open=may_be_open, error_page=_error_page_for_people,
        respond=_translated_response,
    )  # fmt: skip
    app.add_middleware(RequestGuard, hosts=(settings.host, *settings.hosts), respond=_translated_response)
    app.add_middleware(RefusalReport, report=refusal_report(context))
    app.add_middleware(RequestMetrics, server_metrics=context.server_metrics)
    app.add_middleware(HeadAsGet)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, from the main thread; raise OSError where the address cannot be bound."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it on its own sockets only
        app = create_app(settings)
        scheme = "https" if settings.certificate_file else "http"
        log.info("listening on %s://%s:%d", scheme, settings.host, listening.getsockname()[1])
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            server(app).run(sockets=[listening])


def server(app: FastAPI) -> DashboardServer:
    """Return the server of an application, with its limits."""
    context: AppContext = app.state.context
    settings, proxies = context.settings, list(context.settings.proxies)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="none",
        proxy_headers=bool(proxies), forwarded_allow_ips=proxies, timeout_graceful_shutdown=SHUTDOWN_S,
        ssl_certfile=settings.certificate_file, ssl_keyfile=settings.key_file, ssl_ciphers=TLS_1_2_CIPHERS,
        http=connection_class(lambda reason: context.server_metrics.connections_dropped.labels(reason).inc()),
    )  # fmt: skip
    return DashboardServer(config)


class DashboardServer(uvicorn.Server):
    """A server that ends connections that are too slow, and, before it stops, the live streams: none ends by itself."""

    async def on_tick(self, counter: int) -> bool:
        """Check the connections once a second, besides what uvicorn does ten times a second."""
        if counter % TICKS_A_SECOND == 0:
            check_connections(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the live streams and stop serving."""
        self.config.app.state.context.broadcaster.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def _find_lift(context: AppContext, lift_id: str) -> Mapping[str, Any] | None:
    """Return one lift for a page; None where neither the registry nor the monitor has the lift."""
    try:
        return lift_detail(context, lift_id)
    except HTTPException as error:
        if error.status_code == 404:
            return None
        raise


def _translated_response(request: Request, refused: problem.Problem) -> Response:
    """Return a problem as a response in the language of the request."""
    return problem.response(in_language(refused, language_of(request)))


def _error_page_for_people(request: Request, status: int) -> Response | None:
    """Return the error page for a browser that asks for a page, None for every other client."""
    return error_page(request, status) if wants_page(request) else None


def _page_for_people(
    problem_of: Callable[[Request, Exception], problem.Problem],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return a handler that renders a page for browsers and a problem document for every other client."""

    async def handle(request: Request, error: Exception) -> Response:
        response = _translated_response(request, problem_of(request, error))
        if response.status_code == 405:
            response.headers["allow"] = _allowed_methods(request) or response.headers["allow"]
        return error_page(request, response.status_code) if wants_page(request) else response

    return handle


def _allowed_methods(request: Request) -> str:
    """Return all methods that the requested path allows; the framework names those of its first route only."""
    paths: dict[str, Any] = request.app.openapi()["paths"]
    requested = request.url.path.split("/")
    for path in sorted(paths, key=lambda path: path.count("{")):
        parts = path.split("/")
        if len(parts) == len(requested) and all(
            p == a or p.startswith("{") for p, a in zip(parts, requested, strict=True)
        ):
            return ", ".join(method.upper() for method in paths[path]).replace("GET", "GET, HEAD")
    return ""


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, including the schema of the problem document that every route refers to."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        problems = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**problems.pop("$defs"), ProblemDocument.__name__: problems}
        changing = [each for path in document["paths"].values() for method, each in path.items() if method != "get"]
        for operation in changing:  # the sign-in gate limits the changes of each account
            operation["responses"] |= {str(status): each for status, each in problem_responses(429).items()}
        app.openapi_schema = document
    return app.openapi_schema
