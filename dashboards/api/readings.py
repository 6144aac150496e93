"""What a lift measured: a stream reduced to what a screen shows, and the trips cut from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from dashboards.api import schema
from dashboards.api.answer import Json, problems
from dashboards.api.desk import Desk
from dashboards.http.cursor import seal, unseal
from dashboards.http.problem import missing, unfit
from dashboards.live.picture import number
from detectors.observe.series import cut_trips
from detectors.observe.trips import TripTable
from registry.facts import Floor
from store.series.timeseries import EVENT_STREAMS, EVENTS_LIMIT, Readings, Reduced, Series, TimeSeries
from telemetry import instant
from telemetry.streams import DOOR_STATES, MODES, POWERS

WINDOW_DEFAULT_NS = 3600 * 1_000_000_000
TRIPS_AT_ONCE_NS = 24 * 3600 * 1_000_000_000
TRIP_LIMIT_NS = 900 * 1_000_000_000
SIGNIFICANT_DECIMALS = 4


def readings(desk: Desk) -> APIRouter:
    """Return the routes of what was measured."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["readings"])

    @router.get(
        "/{lift_id}/series",
        response_model=schema.SampledSeries | schema.EventSeries,
        responses=problems(404, 422, 503),
    )
    def get_series(
        lift_id: schema.LiftIdInPath,
        stream: schema.StreamName,
        since: schema.Since = None,
        until: schema.Until = None,
        points: Annotated[int, Query(ge=1, le=schema.POINTS_MOST)] = schema.POINTS_DEFAULT,
    ) -> Json:
        """Return a stream: sampled ones in at most `points` buckets, event streams as they came."""
        begin_ns, end_ns = window(desk, lift_id, since, until)
        if stream in EVENT_STREAMS:
            found = desk.series().events(lift_id, stream, begin_ns, end_ns)
            return Json(_events(stream, begin_ns, end_ns, found))
        return Json(_sampled(desk.series().series(lift_id, stream, begin_ns, end_ns, points)))

    @router.get("/{lift_id}/trips", response_model=schema.Trips, responses=problems(400, 404, 422, 503))
    def list_trips(
        lift_id: schema.LiftIdInPath,
        since: schema.Since = None,
        until: schema.Until = None,
        limit: schema.Limit = schema.LIMIT_DEFAULT,
        cursor: schema.Cursor = None,
    ) -> Json:
        """List the trips of a window, newest first; a page looks through a day at most, and may be short."""
        begin_ns, end_ns = window(desk, lift_id, since, until)
        before_ns = unseal(cursor, lift_id, (int,))[0] if cursor is not None else end_ns
        after_ns = max(begin_ns, before_ns - TRIPS_AT_ONCE_NS)
        floors = floors_of(desk, lift_id)
        read_from_ns, read_to_ns = after_ns - TRIP_LIMIT_NS, min(before_ns + TRIP_LIMIT_NS, end_ns)
        found = trips_in(desk.series(), lift_id, floors, read_from_ns, read_to_ns)
        rows = np.flatnonzero((found.start_ns >= after_ns) & (found.start_ns < before_ns))[::-1].tolist()
        seen_to_ns = int(found.start_ns[rows[limit - 1]]) if len(rows) > limit else after_ns
        following = seal([seen_to_ns], lift_id) if seen_to_ns > begin_ns else None
        return Json({"items": [_trip(found, row, floors) for row in rows[:limit]], "next": following})

    return router


def floors_of(desk: Desk, lift_id: str) -> tuple[Floor, ...]:
    """Return the landings that the registry knows, from the lowest up."""
    who = desk.watch.orders().picture.roster
    known = who.facts[who.row_of[lift_id]] if lift_id in who.row_of else None
    return known.floors if known else ()


def trips_in(store: TimeSeries, lift_id: str, floors: tuple[Floor, ...], begin_ns: int, end_ns: int) -> TripTable:
    """Cut the trips out of what is stored of a lift."""
    speed = store.readings(lift_id, "speed", begin_ns, end_ns)
    displacement = store.readings(lift_id, "displacement", begin_ns, end_ns)
    t_ns = np.union1d(speed.t_ns, displacement.t_ns)
    heights = np.array([floor.height_m for floor in floors], dtype=np.float64)
    return cut_trips(t_ns, _at(t_ns, speed, "v"), _at(t_ns, displacement, "z"), heights)


def _at(t_ns: NDArray[np.int64], read: Readings, channel: str) -> NDArray[np.float64]:
    """Return a channel at these instants, NaN where it was not read."""
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


def window(desk: Desk, lift_id: str, since: int | None, until: int | None) -> tuple[int, int]:
    """Return the window that is asked for, the last hour by default; a problem where it or the lift is none."""
    if lift_id not in desk.watch.orders().picture.roster.row_of:
        raise missing("lift", lift_id)
    end_ns = time.time_ns() if until is None else until
    begin_ns = max(end_ns - WINDOW_DEFAULT_NS, instant.EARLIEST_NS) if since is None else since
    if begin_ns >= end_ns:
        raise unfit("from", "does not lie before `to`; give a window that begins before it ends")
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
    """Return a column with null where it is unknown; infinities cannot be written as JSON and are unknown too."""
    rounded = np.round(column, SIGNIFICANT_DECIMALS)
    return np.where(np.isfinite(column), rounded, None).tolist()  # type: ignore[call-overload]


def _events(stream: str, begin_ns: int, end_ns: int, found: Readings) -> dict[str, Any]:
    columns = {name: [said(name, code) for code in column.tolist()] for name, column in found.channels.items()}
    return {
        "stream": stream,
        "from": instant.text(begin_ns),
        "to": instant.text(end_ns),
        "at": instant.texts(found.t_ns),
        **columns,
        "truncated": len(found) >= EVENTS_LIMIT,
    }


def _flag(code: float) -> bool:
    return code > 0


NAMES: dict[str, Callable[[float], Any]] = {
    "state": lambda code: DOOR_STATES[int(code)],
    "mode": lambda code: MODES[int(code)],
    "power": lambda code: POWERS[int(code)],
}


def said(channel: str, code: float) -> Any:
    """Return what an event stream said, in the words of the contract; None where it did not speak of that."""
    return None if code != code else NAMES.get(channel, _flag)(code)
