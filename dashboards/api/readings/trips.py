"""Route of a lift's trips: cut from its stored speed and position, with what judging measured of each.

A trip is listed as soon as it is over; its doors, its stop and its ride quality follow once the door has opened.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.readings.ride_limits import ride_limits
from dashboards.api.readings.streams import count_reading, time_window
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import parameters, reading_bodies
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.live.fleet_view import number
from detectors.observe.series import cut_trips
from detectors.observe.trips import TripTable
from registry.facts import LiftFacts
from registry.roles import Verb
from store.series.timeseries import Readings, TimeSeries
from telemetry import instant
from telemetry.ride_fields import AXIS, BAND, MOTION, ORDERS, PEAKS, SHOCKS

TRIPS_AT_ONCE_NS = 24 * 3600 * 1_000_000_000
TRIP_LIMIT_NS = 900 * 1_000_000_000
SAME_TRIP_NS = 1_000_000_000
"""A trip cut from what is stored begins no further than that from the same one as it was judged."""
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
        found = read_trips(store, lift_id, facts, after_ns - TRIP_LIMIT_NS, min(before_ns + TRIP_LIMIT_NS, end_ns))
        rows = np.flatnonzero((found.start_ns >= after_ns) & (found.start_ns < before_ns))[::-1].tolist()
        seen_to_ns = int(found.start_ns[rows[limit - 1]]) if len(rows) > limit else after_ns
        following = encode_cursor([seen_to_ns], lift_id) if seen_to_ns > begin_ns else None
        measured = [_measured(store, lift_id, name, after_ns, before_ns) for name in ("trip", "feature")]
        limits = {name: one._asdict() for name, one in ride_limits(facts).items()}
        items = [_trip(found, row, facts, *measured) for row in rows[:limit]]
        return OrjsonResponse({"items": items, "next": following, "limits": limits})

    return router


def facts_of(context: AppContext, lift_id: str) -> LiftFacts | None:
    """Return the facts of a lift, None where the registry has none."""
    index = context.poller.current_view().lift_index
    return index.facts[index.row_of[lift_id]] if lift_id in index.row_of else None


def read_trips(store: TimeSeries, lift_id: str, facts: LiftFacts | None, begin_ns: int, end_ns: int) -> TripTable:
    """Return the trips of a lift, cut from its stored speed and position."""
    speed = store.readings(lift_id, "speed", begin_ns, end_ns)
    displacement = store.readings(lift_id, "displacement", begin_ns, end_ns)
    t_ns = np.union1d(speed.t_ns, displacement.t_ns)
    heights = np.array([floor.height_m for floor in facts.floors] if facts else [], dtype=np.float64)
    return cut_trips(t_ns, _at(t_ns, speed, "v"), _at(t_ns, displacement, "z"), heights)


def _measured(store: TimeSeries, lift_id: str, name: str, after_ns: int, before_ns: int) -> Readings:
    """Return what was measured of the trips that began in a time window."""
    return store.readings(lift_id, name, after_ns - SAME_TRIP_NS, before_ns + SAME_TRIP_NS)


def _at(t_ns: NDArray[np.int64], read: Readings, channel: str) -> NDArray[np.float64]:
    """Return a channel at these instants, NaN where the channel has no reading."""
    column = np.full(len(t_ns), np.nan)
    if len(read):
        column[np.searchsorted(t_ns, read.t_ns)] = read.channels[channel]
    return column


def _trip(found: TripTable, row: int, facts: LiftFacts | None, judged: Readings, features: Readings) -> dict[str, Any]:
    floors = facts.floors if facts else ()

    def label(landing: int) -> str | None:
        return floors[landing].label if 0 <= landing < len(floors) else None

    start_ns = int(found.start_ns[row])
    return {
        "start": instant.text(start_ns),
        "stop": instant.text(int(found.stop_ns[row])),
        "from_floor": label(int(found.from_landing[row])),
        "to_floor": label(int(found.to_landing[row])),
        "distance_m": number(found.distance_m[row]),
        "peak_speed_mps": number(found.peak_mps[row]),
        **_values(judged, start_ns, STOP_FIELDS),
        "ride_quality": _quality(features, start_ns),
    }


def _values(read: Readings, start_ns: int, names: tuple[str, ...]) -> dict[str, float | None]:
    """Return the values of the trip that began at `start_ns`; None where they are not measured."""
    place = int(np.searchsorted(read.t_ns, start_ns - SAME_TRIP_NS))
    is_found = place < len(read) and int(read.t_ns[place]) - start_ns <= SAME_TRIP_NS
    return {name: number(read.channels[name][place], 4) if is_found else None for name in names}


def _quality(read: Readings, start_ns: int) -> dict[str, Any] | None:
    """Return the ride quality of the trip that began at `start_ns`; None where it is not measured."""
    value = _values(read, start_ns, tuple(read.channels))
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
