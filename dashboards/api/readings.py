"""Routes of a lift's readings: a stream reduced to the points that a chart shows, and the trips cut from readings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from numpy.typing import NDArray

from dashboards.api.access import needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import parameters, reading_bodies
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.http.problem import invalid_field, not_found
from dashboards.live.fleet_view import number
from detectors.observe.series import cut_trips
from detectors.observe.trips import TripTable
from registry.facts import Floor
from registry.roles import Verb
from store.records.audit.writing import CountedAct
from store.series.timeseries import EVENT_STREAMS, EVENTS_LIMIT, Readings, Reduced, Series, TimeSeries
from telemetry import instant
from telemetry.streams import DOOR_STATES, MODES, POWERS

WINDOW_DEFAULT_NS = 3600 * 1_000_000_000
TRIPS_AT_ONCE_NS = 24 * 3600 * 1_000_000_000
TRIP_LIMIT_NS = 900 * 1_000_000_000
SIGNIFICANT_DECIMALS = 4


def readings(context: AppContext) -> APIRouter:
    """Return the routes of readings."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["readings"])

    @router.get(
        "/{lift_id}/series",
        response_model=reading_bodies.SampledSeries | reading_bodies.EventSeries,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_series(
        request: Request,
        lift_id: parameters.LiftIdInPath,
        stream: parameters.StreamName,
        since: parameters.Since = None,
        until: parameters.Until = None,
        points: Annotated[int, Query(ge=1, le=parameters.POINTS_MOST)] = parameters.POINTS_DEFAULT,
    ) -> OrjsonResponse:
        """Return a stream: a sampled stream in at most `points` buckets, an event stream unreduced."""
        begin_ns, end_ns = time_window(context, lift_id, since, until)
        count_reading(context, request, lift_id, stream, (begin_ns, end_ns))
        if stream in EVENT_STREAMS:
            found = context.series().events(lift_id, stream, begin_ns, end_ns)
            return OrjsonResponse(_events(stream, begin_ns, end_ns, found))
        return OrjsonResponse(_sampled(context.series().series(lift_id, stream, begin_ns, end_ns, points)))

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
        floors = floors_of(context, lift_id)
        read_from_ns, read_to_ns = after_ns - TRIP_LIMIT_NS, min(before_ns + TRIP_LIMIT_NS, end_ns)
        found = read_trips(context.series(), lift_id, floors, read_from_ns, read_to_ns)
        rows = np.flatnonzero((found.start_ns >= after_ns) & (found.start_ns < before_ns))[::-1].tolist()
        seen_to_ns = int(found.start_ns[rows[limit - 1]]) if len(rows) > limit else after_ns
        following = encode_cursor([seen_to_ns], lift_id) if seen_to_ns > begin_ns else None
        return OrjsonResponse({"items": [_trip(found, row, floors) for row in rows[:limit]], "next": following})

    return router


def count_reading(context: AppContext, request: Request, lift_id: str, what: str, span_ns: tuple[int, int]) -> None:
    """Count a reading of a lift's past for the audit log."""
    context.audit.count(CountedAct(reader_of(request), "readings.read", lift_id, lift_id), what, span_ns)


def floors_of(context: AppContext, lift_id: str) -> tuple[Floor, ...]:
    """Return the registered landings of a lift, from the lowest up."""
    index = context.poller.current_view().lift_index
    known = index.facts[index.row_of[lift_id]] if lift_id in index.row_of else None
    return known.floors if known else ()


def read_trips(store: TimeSeries, lift_id: str, floors: tuple[Floor, ...], begin_ns: int, end_ns: int) -> TripTable:
    """Return the trips of a lift, cut from its stored speed and position."""
    speed = store.readings(lift_id, "speed", begin_ns, end_ns)
    displacement = store.readings(lift_id, "displacement", begin_ns, end_ns)
    t_ns = np.union1d(speed.t_ns, displacement.t_ns)
    heights = np.array([floor.height_m for floor in floors], dtype=np.float64)
    return cut_trips(t_ns, _at(t_ns, speed, "v"), _at(t_ns, displacement, "z"), heights)


def _at(t_ns: NDArray[np.int64], read: Readings, channel: str) -> NDArray[np.float64]:
    """Return a channel at these instants, NaN where the channel has no reading."""
    column = np.full(len(t_ns), np.nan)
    if len(read):
        column[np.searchsorted(t_ns, read.t_ns)] = read.channels[channel]
    return column


def _trip(found: TripTable, row: int, floors: tuple[Floor, ...]) -> dict[str, Any]:
    def label(landing: int) -> str | None:
        return floors[landing].label if 0 <= landing < len(floors) else None

    return {
        "start": instant.text(int(found.start_ns[row])),
        "stop": instant.text(int(found.stop_ns[row])),
        "from_floor": label(int(found.from_landing[row])),
        "to_floor": label(int(found.to_landing[row])),
        "distance_m": number(found.distance_m[row]),
        "peak_speed_mps": number(found.peak_mps[row]),
        "ride_quality": None,
    }


def time_window(context: AppContext, lift_id: str, since: int | None, until: int | None) -> tuple[int, int]:
    """Return the requested time window, by default the last hour; a problem where window or lift is not valid."""
    if lift_id not in context.poller.current_view().lift_index.row_of:
        raise not_found("lift", lift_id)
    end_ns = time.time_ns() if until is None else until
    begin_ns = max(end_ns - WINDOW_DEFAULT_NS, instant.EARLIEST_NS) if since is None else since
    if begin_ns >= end_ns:
        raise invalid_field("from", "does not lie before `to`; give a window that begins before it ends")
    return begin_ns, end_ns


def _sampled(found: Series) -> dict[str, Any]:
    return {
        "stream": found.stream,
        "from": instant.text(found.from_ns),
        "to": instant.text(found.to_ns),
        "bucket_s": found.bucket_ns / 1e9,
        "t": instant.texts(found.t_ns),
        **{name: _reduced(channel) for name, channel in found.channels.items()},
    }


def _reduced(channel: Reduced) -> dict[str, list[float | None]]:
    return {name: _numbers(getattr(channel, name)) for name in ("min", "max", "mean")}


def _numbers(column: NDArray[np.float64]) -> list[float | None]:
    """Return a column with null for unknown values; JSON has no infinities, so they are unknown too."""
    rounded = np.round(column, SIGNIFICANT_DECIMALS)
    return np.where(np.isfinite(column), rounded, None).tolist()  # type: ignore[call-overload]


def _events(stream: str, begin_ns: int, end_ns: int, found: Readings) -> dict[str, Any]:
    columns = {name: [event_value(name, code) for code in column.tolist()] for name, column in found.channels.items()}
    return {
        "stream": stream,
        "from": instant.text(begin_ns),
        "to": instant.text(end_ns),
        "at": instant.texts(found.t_ns),
        **columns,
        "truncated": len(found) >= EVENTS_LIMIT,
    }


def _boolean(code: float) -> bool:
    return code > 0


CODE_NAMES: dict[str, Callable[[float], Any]] = {
    "state": lambda code: DOOR_STATES[int(code)],
    "mode": lambda code: MODES[int(code)],
    "power": lambda code: POWERS[int(code)],
}


def event_value(channel: str, code: float) -> Any:
    """Return a value of an event stream as the contract names the value; None where the value is unknown."""
    return None if code != code else CODE_NAMES.get(channel, _boolean)(code)
