"""The fleet in numbers, and what was refused."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from dashboards.api import schema
from dashboards.api.answer import Json, problems
from dashboards.api.desk import Desk
from dashboards.live.picture import SEVERITIES, STATES, Picture
from store.records.repository import RefusedMessage
from telemetry import instant
from telemetry.instant import rfc3339
from telemetry.streams import HEARD


def fleet(desk: Desk) -> APIRouter:
    """Return the routes about the fleet as a whole."""
    router = APIRouter(prefix="/api/v1", tags=["fleet"])

    @router.get("/fleet", response_model=schema.Fleet, responses=problems(422, 503))
    async def get_fleet(district: schema.District = None) -> Json:
        """Count lifts by state, open alerts by severity, both by district, and how complete the data is."""
        return Json(counted(desk.watch.orders().picture, district))

    @router.get("/dead-letters", response_model=schema.DeadLetters, responses=problems(400, 422, 503))
    def list_dead_letters(
        reason: Annotated[schema.Slug | None, Query(description="Why it was refused")] = None,
        since: schema.Since = None,
        until: schema.Until = None,
        limit: schema.Limit = schema.LIMIT_DEFAULT,
        cursor: schema.Cursor = None,
    ) -> Json:
        """List what was refused, newest first."""
        page = desk.records().dead_letters(reason=reason, from_ns=since, to_ns=until, limit=limit, cursor=cursor)
        return Json({"items": [_letter(letter) for letter in page.items], "next": page.next})

    return router


def counted(shown: Picture, district: str | None) -> dict[str, Any]:
    """Return the numbers of the fleet, or of one district."""
    inside = np.ones(len(shown.roster), dtype=np.bool_) if district is None else shown.roster.district == district
    return {
        **_numbers(shown, inside),
        "registered": int((inside & shown.roster.registered).sum()),
        "districts": _by_district(shown, inside),
        "health": None,
        "completeness": _completeness(shown, inside),
        "as_of": instant.text(shown.as_of_ns or None),
    }


def _by_district(shown: Picture, inside: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
    rows = np.flatnonzero(inside)
    names, first = np.unique(shown.roster.district[rows], return_inverse=True)
    return {str(name): _numbers(shown, rows[first == place]) for place, name in enumerate(names)}


def _numbers(shown: Picture, rows: NDArray[Any]) -> dict[str, Any]:
    """Return how many lifts there are in each state, and how many open alerts of each severity."""
    states = np.bincount(shown.state[rows], minlength=len(STATES)).tolist()
    return {
        "lifts": sum(states),
        "states": dict(zip(STATES, states, strict=True)),
        "severities": dict(zip(SEVERITIES, shown.counts[rows].sum(axis=0).tolist(), strict=True)),
    }


def _completeness(shown: Picture, inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how much arrived of what the sequence numbers say was sent."""
    at = shown.roster.live_row[inside & (shown.roster.live_row >= 0)]
    counts = {name: int(getattr(shown.live, name)[at].sum()) for name in ("received", "gaps", "repeats", "late")}
    heard = counts["received"] - counts["repeats"]
    sent = heard + counts["gaps"]
    reporting = int((shown.live.link[at] == HEARD).sum())
    return {**counts, "fraction": heard / sent if sent else None, "reporting": reporting}


def _letter(letter: RefusedMessage) -> dict[str, Any]:
    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.topic,
        "payload": letter.payload.decode("utf-8", "backslashreplace"),
        "arrived": rfc3339(letter.at_ns),
    }
