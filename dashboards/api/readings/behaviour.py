"""Route of a lift's behaviour: what judging observed, with its evidence (docs/behaviour.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.readings.streams import count_reading, time_window
from dashboards.api.readings.trips import facts_of
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import parameters, reading_bodies
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.live.fleet_view import number
from registry.facts import Floor
from registry.roles import Verb
from store.series.timeseries import Readings
from telemetry import instant
from telemetry.behaviour_fields import EVIDENCE, FIELDS_OF, LANDINGS_A_FIELD
from telemetry.instant import DAY_NS

WINDOW_DEFAULT_NS = 7 * DAY_NS
PLACES = ("landing", "lower_landings", "upper_landings")
Kinds = Annotated[list[reading_bodies.BehaviourKind] | None, Query(alias="kind", description="These kinds alone")]


def behaviour(context: AppContext) -> APIRouter:
    """Return the route of behaviour."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["readings"])

    @router.get(
        "/{lift_id}/behaviour",
        response_model=reading_bodies.BehaviourList,
        responses=problem_responses(400, 403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_behaviour(
        request: Request,
        lift_id: parameters.LiftIdInPath,
        since: parameters.Since = None,
        until: parameters.Until = None,
        kinds: Kinds = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List what was observed to begin in a time window, by default of seven days, newest first."""
        begin_ns, end_ns = time_window(context, lift_id, since, until, WINDOW_DEFAULT_NS)
        count_reading(context, request, lift_id, "behaviour", (begin_ns, end_ns))
        scope = f"{lift_id} {sorted(kinds or EVIDENCE)}"
        before = decode_cursor(cursor, scope, (int, int)) if cursor is not None else [end_ns, -1]
        found = context.series().readings(lift_id, "behaviour", begin_ns, min(end_ns, before[0] + 1))
        facts = facts_of(context, lift_id)
        floors = facts.floors if facts else ()
        listed = sorted(_observed(found, kinds or EVIDENCE), reverse=True)
        listed = [each for each in listed if [each[0], each[1]] < before]
        items = [_item(found, row, kind, floors) for _, _, row, kind in listed[:limit]]
        following = encode_cursor(list(listed[limit - 1][:2]), scope) if len(listed) > limit else None
        return OrjsonResponse({"items": items, "next": following})

    return router


def _observed(found: Readings, kinds: Collection[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield begin, number of the kind, row and kind of each observation."""
    for number_, kind in enumerate(EVIDENCE):
        if kind in kinds:
            rows = np.flatnonzero(~np.isnan(found.channels[FIELDS_OF[kind][0]]))
            yield from ((int(found.t_ns[row]), number_, int(row), kind) for row in rows)


def _item(found: Readings, row: int, kind: str, floors: tuple[Floor, ...]) -> dict[str, Any]:
    values = {
        name: float(found.channels[field][row]) for name, field in zip(EVIDENCE[kind], FIELDS_OF[kind], strict=True)
    }
    start_ns = int(found.t_ns[row])
    return {
        "kind": kind,
        "start": instant.text(start_ns),
        "stop": instant.text(start_ns + round(values["duration_s"] * 1e9)),
        "floors": [floors[landing].label for landing in _landings(values) if landing < len(floors)],
        "evidence": {name: number(value, 3) for name, value in values.items() if name not in PLACES},
    }


def _landings(values: dict[str, float]) -> list[int]:
    """Return the landings of an observation, from the lowest up."""
    if (landing := values.get("landing", np.nan)) >= 0:
        return [int(landing)]
    fields = (int(np.nan_to_num(values.get(name, 0.0))) for name in PLACES[1:])
    visited = sum(bits << LANDINGS_A_FIELD * place for place, bits in enumerate(fields))
    return [landing for landing in range(2 * LANDINGS_A_FIELD) if visited >> landing & 1]
