"""Route of a lift's readings: a stream reduced to the points that a chart shows."""

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
from dashboards.http.problem import invalid_field, not_found
from registry.roles import Verb
from store.records.audit.writing import CountedAct
from store.series.timeseries import EVENT_STREAMS, EVENTS_LIMIT, Readings, Reduced, Series
from telemetry import instant
from telemetry.streams import DOOR_STATES, MODES, POWERS

WINDOW_DEFAULT_NS = 3600 * 1_000_000_000
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

    return router


def count_reading(context: AppContext, request: Request, lift_id: str, what: str, span_ns: tuple[int, int]) -> None:
    """Count a reading of a lift's past for the audit log."""
    context.audit.count(CountedAct(reader_of(request), "readings.read", lift_id, lift_id), what, span_ns)


def time_window(
    context: AppContext, lift_id: str, since: int | None, until: int | None, default_ns: int = WINDOW_DEFAULT_NS
) -> tuple[int, int]:
    """Return the requested time window, by default the last hour; a problem where window or lift is not valid."""
    if lift_id not in context.poller.current_view().lift_index.row_of:
        raise not_found("lift", lift_id)
    end_ns = time.time_ns() if until is None else until
    begin_ns = max(end_ns - default_ns, instant.EARLIEST_NS) if since is None else since
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
