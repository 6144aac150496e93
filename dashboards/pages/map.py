"""The page of the map. Its Content-Security-Policy also allows the address of the configured base tiles, if any."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.http.request_guard import CONTENT_SECURITY_POLICY, HEADERS
from dashboards.live.fleet_view import STATES
from dashboards.pages.routes import render
from registry.roles import Verb


def map_page(context: AppContext) -> APIRouter:
    """Return the router of the page."""
    router = APIRouter(include_in_schema=False)
    tiles = context.settings.map.tiles

    @router.get("/map", dependencies=[needs(Verb.SEE)])
    def show_map(request: Request) -> HTMLResponse:
        page = render(request, "map.html", page="map", demo=context.settings.demo, tiles=tiles, states=STATES)
        if tiles is not None and tiles.origin is not None:
            policy = f"{HEADERS[CONTENT_SECURITY_POLICY]}; connect-src 'self' {tiles.origin}"
            page.headers[CONTENT_SECURITY_POLICY] = policy
        return page

    return router
