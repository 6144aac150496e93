"""Routes of the fleet as a whole: counts by state, severity and district, completeness of the data, dead letters."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.refused.texts import refusal_text
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import fleet_bodies, parameters
from dashboards.live.fleet_view import SEVERITIES, STATES, FleetView
from dashboards.live.partitions import PartitionStatus
from registry.roles import Verb
from registry.scope import ALL_LIFTS, LiftScope
from store.records.repository import RefusedMessage
from telemetry import instant
from telemetry.instant import rfc3339
from telemetry.streams import ONLINE


def fleet(context: AppContext) -> APIRouter:
    """Return the routes of the fleet as a whole."""
    router = APIRouter(prefix="/api/v1", tags=["fleet"])

    @router.get(
        "/fleet",
        response_model=fleet_bodies.FleetSummary,
        responses=problem_responses(403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    async def get_fleet(scope: RequestScope, district: parameters.District = None) -> OrjsonResponse:
        """Count lifts by state, open alerts by severity, both by district, and how complete the data is."""
        view, partitions = context.poller.current_view(), context.poller.partitions()
        imports = _imports(context) if scope.lifts.everything else []
        return OrjsonResponse({**fleet_summary(view, partitions, district, scope.lifts), "imports": imports})

    @router.get(
        "/dead-letters",
        response_model=fleet_bodies.DeadLetterList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.SEE_REFUSED)],
    )
    def list_dead_letters(
        scope: RequestScope,
        reason: Annotated[parameters.Slug | None, Query(description="Why it was refused")] = None,
        lift_id: Annotated[parameters.LiftId | None, Query(description="The lift that the message names")] = None,
        since: parameters.Since = None,
        until: parameters.Until = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List refused messages, newest first."""
        page = context.records().dead_letters(
            reason=reason,
            lift_id=lift_id,
            from_ns=since,
            to_ns=until,
            limit=limit,
            cursor=cursor,
            scope=scope.lifts,
        )
        index = context.poller.current_view().lift_index
        items = [_dead_letter(letter, index.zone_of(letter.lift_id)) for letter in page.items]
        return OrjsonResponse({"items": items, "next": page.next})

    return router


def _imports(context: AppContext) -> list[dict[str, Any]]:
    """Return how far the running imports of lifts are."""
    running = context.imports.now()
    return [{"taken": each.taken, "of": each.of, "since": instant.text(each.since_ns)} for each in running]


def fleet_summary(
    view: FleetView, partitions: Iterable[PartitionStatus], district: str | None, lifts: LiftScope = ALL_LIFTS
) -> dict[str, Any]:
    """Return the counts of the lifts in a scope, or of those in one district."""
    inside = view.lift_index.inside(lifts)
    if district is not None:
        inside = inside & (view.lift_index.district == district)
    return {
        **_numbers(view, inside),
        "registered": int((inside & view.lift_index.registered).sum()),
        "districts": _by_district(view, inside),
        "health": view.health.distribution(inside),
        "completeness": _completeness(view, inside),
        "partitions": [
            {"partition": each.partition, "running": each.is_running, "wrote": instant.text(each.wrote_ns)}
            for each in partitions
        ],
        "as_of": instant.text(view.as_of_ns or None),
    }


def _by_district(view: FleetView, inside: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
    rows = np.flatnonzero(inside)
    names, first = np.unique(view.lift_index.district[rows], return_inverse=True)
    return {str(name): _numbers(view, rows[first == place]) for place, name in enumerate(names)}


def _numbers(view: FleetView, rows: NDArray[Any]) -> dict[str, Any]:
    """Return the number of lifts in each state and of open alerts of each severity."""
    states = np.bincount(view.state[rows], minlength=len(STATES)).tolist()
    return {
        "lifts": sum(states),
        "states": dict(zip(STATES, states, strict=True)),
        "severities": dict(zip(SEVERITIES, view.counts[rows].sum(axis=0).tolist(), strict=True)),
    }


def _completeness(view: FleetView, inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many messages arrived of those that the sequence numbers imply, of the lifts that send these."""
    at = view.lift_index.live_row[inside & (view.lift_index.live_row >= 0)]
    counts = {name: int(getattr(view.live, name)[at].sum()) for name in ("received", "repeats", "late")}
    numbered = at[view.live.gaps[at] >= 0]
    gaps = int(view.live.gaps[numbered].sum())
    received = int((view.live.received[numbered] - view.live.repeats[numbered]).sum())
    return {
        **counts,
        "gaps": gaps if len(numbered) or not len(at) else None,
        "fraction": received / (received + gaps) if received + gaps else None,
        "reporting": int((view.live.link[at] == ONLINE).sum()),
    }


def _dead_letter(letter: RefusedMessage, timezone: str | None) -> dict[str, Any]:
    """Return a refused message as JSON: the beginning of its payload as text, and as hex where it is no text.

    `timezone` is that of the lift that the message names.
    """
    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "text": refusal_text(letter.detail),
        "topic": letter.topic,
        "payload": letter.payload.decode("utf-8", "backslashreplace"),
        "payload_hex": None if _is_text(letter.payload) else letter.payload.hex(" "),
        "payload_bytes": letter.size,
        "lift_id": letter.lift_id or None,
        "timezone": timezone,
        "arrived": rfc3339(letter.at_ns),
    }


def _is_text(payload: bytes) -> bool:
    """Return whether a payload, which may end within a character, is printable UTF-8."""
    try:
        text = getincrementaldecoder("utf-8")().decode(payload)
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\n\r\t" for char in text)
