"""Routes of the map: lifts as GeoJSON points with their open incidents, outlines of districts, and the tile archive."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from alerts.incidents.incident import Incident
from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import map_bodies, parameters
from dashboards.live.fleet_view import STATES, FleetView
from dashboards.live.listing import LiftQuery
from registry.facts import LiftFacts
from registry.roles import Verb
from registry.scope import LiftScope
from store.records.repository import IncidentFilter
from telemetry import instant

LIFTS_MOST = 50_000
INCIDENTS_MOST = 2_000
"""Lifts are the most urgent ones, incidents the newest ones."""
DECIMALS = 5
"""Of degrees: about a metre."""


def map_routes(context: AppContext) -> APIRouter:
    """Return the routes of the map; that of the tile archive exists only where one is configured."""
    router = APIRouter(prefix="/api/v1/map", tags=["map"])

    @router.get(
        "",
        response_model=map_bodies.LiftPoints,
        responses=problem_responses(403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_points(
        scope: RequestScope,
        district: parameters.District = None,
        firm: Annotated[str | None, Query(max_length=200, description="The maintenance firm, in full")] = None,
        state: parameters.LiftState | None = None,
        q: Annotated[str | None, Query(max_length=200, description="A part of id, name, address or firm")] = None,
    ) -> OrjsonResponse:
        """Return the lifts as points, most urgent first; lifts without coordinates are counted."""
        listing = context.poller.listing()
        rows = listing.rows(LiftQuery(district, firm, state, q, lifts=scope.lifts))
        return OrjsonResponse(lift_points(listing.view, rows, _open_incidents(context, scope.lifts)))

    @router.get(
        "/districts",
        response_model=map_bodies.DistrictOutlines,
        responses=problem_responses(403, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_districts(scope: RequestScope) -> OrjsonResponse:
        """Return the outlines of the districts in which the request has lifts."""
        index = context.poller.current_view().lift_index
        districts = set(index.district[index.inside(scope.lifts)].tolist())
        shown = [each for each in context.settings.map.outlines if each["properties"]["district"] in districts]
        return OrjsonResponse({"type": "FeatureCollection", "features": shown})

    tiles = context.settings.map.tiles
    if tiles is not None and (archive := tiles.file) is not None:

        @router.get("/tiles", include_in_schema=False, dependencies=[needs(Verb.SEE)])
        def get_tiles() -> FileResponse:
            return FileResponse(archive, media_type="application/vnd.pmtiles", headers={"Cache-Control": "no-cache"})

    return router


def _open_incidents(context: AppContext, scope: LiftScope) -> dict[str, Incident]:
    """Return the open incident of each lift in the scope."""
    found = context.records().incidents(IncidentFilter(state=("open",)), limit=INCIDENTS_MOST, scope=scope).items
    return {lift_id: each.incident for each in found for lift_id in each.lift_ids}


def lift_points(view: FleetView, rows: list[int], incidents: dict[str, Incident]) -> dict[str, Any]:
    """Return lifts as a GeoJSON feature collection, and how many have no coordinates or are left out."""
    index = view.lift_index
    located = [(row, at) for row in rows if (at := _coordinates(index.facts[row])) is not None]
    features = []
    for row, at in located[:LIFTS_MOST]:
        properties = {"lift_id": index.lift_id[row], "state": STATES[view.state[row]]}
        if (incident := incidents.get(index.lift_id[row])) is not None:
            properties |= {"incident": incident.id, "kind": incident.kind, "severity": incident.severity}
        point = {"type": "Point", "coordinates": at}
        features.append({"type": "Feature", "geometry": point, "properties": properties})
    return {
        "type": "FeatureCollection",
        "features": features,
        "lifts": len(rows),
        "without_coordinates": len(rows) - len(located),
        "left_out": len(located) - len(features),
        "as_of": instant.text(view.as_of_ns or None),
    }


def _coordinates(facts: LiftFacts | None) -> tuple[float, float] | None:
    """Return longitude and latitude of a lift; None where either is unknown."""
    if facts is None or facts.lat is None or facts.lon is None:
        return None
    return round(facts.lon, DECIMALS), round(facts.lat, DECIMALS)
