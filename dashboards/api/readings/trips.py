"""Route of a lift's trips, as judging cut and measured them: the stored measurements `trip` and `feature`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.readings.ride_limits import ride_limits
from dashboards.api.readings.streams import count_reading, time_window
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import parameters, reading_bodies
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.live.fleet_view import number
from registry.facts import LiftFacts
from registry.roles import Verb
from store.series.timeseries import Readings
from telemetry import instant
from telemetry.ride_fields import AXIS, BAND, BOUNDARIES, LOADS, MOTION, ORDERS, PEAKS, SHOCKS

TRIPS_AT_ONCE_NS = 24 * 3600 * 1_000_000_000
STOP_FIELDS = ("stop_error_m", "back_m", "door_open_s", "dwell_s", "door_close_s", "reversals")
ORDER_STEP_PER_M = 0.2


def trips(context: AppContext) -> APIRouter:
    """Return the route of trips."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["readings"])

    @router.get(
        "/{lift_id}/trips",
        response_model=reading_bodies.TripList,
        responses=problem_responses(400, 403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_trips(
        request: Request,
        lift_id: parameters.LiftIdInPath,
        since: parameters.Since = None,
        until: parameters.Until = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List the trips of a time window, newest first; a page covers at most one day, and may hold few trips."""
        begin_ns, end_ns = time_window(context, lift_id, since, until)
        count_reading(context, request, lift_id, "trips", (begin_ns, end_ns))
        before_ns = decode_cursor(cursor, lift_id, (int,))[0] if cursor is not None else end_ns
        after_ns = max(begin_ns, before_ns - TRIPS_AT_ONCE_NS)
        facts, store = facts_of(context, lift_id), context.series()
        found, features = (store.readings(lift_id, name, after_ns, before_ns) for name in ("trip", "feature"))
        rows = list(range(len(found)))[::-1]
        seen_to_ns = int(found.t_ns[rows[limit - 1]]) if len(rows) > limit else after_ns
        following = encode_cursor([seen_to_ns], lift_id) if seen_to_ns > begin_ns else None
        limits = {name: one._asdict() for name, one in ride_limits(facts).items()}
        items = [_trip(found, row, facts, features) for row in rows[:limit]]
        return OrjsonResponse({"items": items, "next": following, "limits": limits})

    return router


def facts_of(context: AppContext, lift_id: str) -> LiftFacts | None:
    """Return the facts of a lift, None where the registry has none."""
    index = context.poller.current_view().lift_index
    return index.facts[index.row_of[lift_id]] if lift_id in index.row_of else None


def _trip(found: Readings, row: int, facts: LiftFacts | None, features: Readings) -> dict[str, Any]:
    floors, start_ns = facts.floors if facts else (), int(found.t_ns[row])
    value = {name: float(column[row]) for name, column in found.channels.items()}

    def label(landing: float) -> str | None:
        return floors[int(landing)].label if 0 <= landing < len(floors) else None

    lasted_ns = round((0.0 if math.isnan(value["duration_s"]) else value["duration_s"]) * 1e9)
    return {
        "start": instant.text(start_ns),
        "stop": instant.text(start_ns + lasted_ns),
        "from_floor": label(value["from_landing"]),
        "to_floor": label(value["to_landing"]),
        "distance_m": number(value["distance_m"]),
        "direction": "up" if value["distance_m"] > 0 else "down" if value["distance_m"] < 0 else None,
        "duration_s": number(value["duration_s"]),
        "load_class": None if math.isnan(value["load_class"]) else LOADS[int(value["load_class"])],
        "peak_speed_mps": number(value["peak_mps"]),
        **{name: number(value[name], 4) for name in STOP_FIELDS},
        "boundaries_s": [number(value[name]) for name in BOUNDARIES],
        "ride_quality": _quality(features, start_ns),
    }


def _quality(read: Readings, start_ns: int) -> dict[str, Any] | None:
    """Return the ride quality of the trip that began at `start_ns`; None where it is not measured."""
    place = int(np.searchsorted(read.t_ns, start_ns))
    if place == len(read) or int(read.t_ns[place]) != start_ns:
        return None
    value = {name: number(column[place], 4) for name, column in read.channels.items()}
    if all(each is None for each in value.values()):
        return None
    shocks = [
        {"position_m": value[f"shock_m_{i}"], "ratio": value[f"shock_ratio_{i}"]}
        for i in range(1, SHOCKS + 1)
        if value[f"shock_ratio_{i}"] is not None
    ]
    peaks = (f"{what}_{name}_mps2" for what in ("pp", "a95") for name in PEAKS)
    shapes = (f"{what}_{axis}" for what in ("kurtosis", "crest") for axis in AXIS)
    return {
        **{name: value[name] for name in (*MOTION, *peaks, *shapes)},
        "bands_mps2": {axis: {band: value[f"rms_{axis}_{band}_mps2"] for band in BAND} for axis in AXIS},
        "order_step_per_m": ORDER_STEP_PER_M,
        "orders_mps2": {axis: [value[f"order_{axis}_{k:02d}_mps2"] for k in range(1, ORDERS + 1)] for axis in AXIS},
        "shocks": shocks,
    }
