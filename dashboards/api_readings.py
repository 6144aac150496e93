"""What a lift measured: a stream reduced to what a screen shows, and the trips cut from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from dashboards import instant, schema
from dashboards.answer import Json, problems
from dashboards.desk import Desk
from dashboards.problem import missing, unfit
from store.timeseries import EVENT_STREAMS, EVENTS_LIMIT, Readings, Reduced, Series
from telemetry.streams import DOOR_STATES, MODES, POWERS

WINDOW_DEFAULT_NS = 3600 * 1_000_000_000
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

    return router


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
        "v": {name: _reduced(channel) for name, channel in found.channels.items()},
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
