"""Routes of health: one lift with its parts, its trends and its days, and the whole fleet as a table."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response

from dashboards.api.access import RequestScope, needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.readings.streams import count_reading
from dashboards.api.responses import CSV, OrjsonResponse, problem_responses
from dashboards.api.schema import health_bodies, parameters
from dashboards.http.problem import not_found
from dashboards.live.fleet_view import STATES, FleetView
from dashboards.live.listing import LiftQuery
from registry.duty.civil_time import day_text, local_clock
from registry.roles import Verb
from registry.spreadsheet import written_cell
from store.records.audit.writing import CountedAct
from store.records.repository import HealthDay
from telemetry.instant import DAY_NS

DAYS_DEFAULT, DAYS_MOST = 90, 180
PARTS = ("door", "drive", "ride", "safety", "sensing")
FLEET_COLUMNS = ("lift_id", "name", "district", "maintenance_firm", "state", "health", "grade", "reason", "reason_zh")
DaysFormat = Annotated[Literal["json", "csv"], Query(description="`csv`: the days, for a spreadsheet")]
CSV_RESPONSE: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


def health(context: AppContext) -> APIRouter:
    """Return the routes of health."""
    router = APIRouter(prefix="/api/v1", tags=["readings"])

    @router.get(
        "/lifts/{lift_id}/health",
        response_model=health_bodies.LiftHealth,
        responses=problem_responses(403, 404, 422, 503) | CSV_RESPONSE,
        dependencies=[needs(Verb.SEE)],
    )
    def get_health(
        request: Request,
        lift_id: parameters.LiftIdInPath,
        days: Annotated[int, Query(ge=1, le=DAYS_MOST, description="How many days back")] = DAYS_DEFAULT,
        format: DaysFormat = "json",  # noqa: A002
    ) -> Response:
        """Return the health of a lift: its grade, its parts with their reasons, its trends, and its days."""
        view = context.poller.current_view()
        row = view.lift_index.row_of.get(lift_id)
        if row is None:
            raise not_found("lift", lift_id)
        now_ns = time.time_ns()
        count_reading(context, request, lift_id, "health", (now_ns - days * DAY_NS, now_ns))
        today = local_clock(now_ns, view.lift_index.zone_of(lift_id) or "UTC")[0]
        found = context.records().health_days(lift_id, today - days)
        if format == "csv":
            lines = ([day_text(one.day), one.score, one.grade, *map(one.parts.get, PARTS)] for one in found)
            return _table(f"{lift_id}-health.csv", ("day", "health", "grade", *PARTS), lines)
        return OrjsonResponse(_document(view, row, lift_id, found))

    @router.get(
        "/fleet/health.csv",
        response_class=Response,
        responses=problem_responses(403, 422, 503) | CSV_RESPONSE,
        dependencies=[needs(Verb.SEE)],
    )
    def get_fleet_health(
        request: Request,
        scope: RequestScope,
        district: parameters.District = None,
        grade: Annotated[parameters.HealthGrade | None, Query(description="The grade of the risk")] = None,
    ) -> Response:
        """Return the health of the lifts as CSV, the lowest first, those that are not judged last."""
        context.audit.count(CountedAct(reader_of(request), "health.export", "health"), district or "")
        listing = context.poller.listing()
        query = LiftQuery(district, grade=grade, sort="health", lifts=scope.lifts)
        rows, _ = listing.page(query, len(listing.view.lift_index), None)
        return _table("health.csv", FLEET_COLUMNS, (_line(listing.view.item(row, scope.lifts)) for row in rows))

    return router


def _document(view: FleetView, row: int, lift_id: str, days: Sequence[HealthDay]) -> dict[str, Any]:
    """Return the stored document; of a lift that is not judged now without its health."""
    stored = view.health.records.get(lift_id)
    document = orjson.loads(stored.document) if stored else {}
    now = view.health.item(row, lift_id)
    is_reckoned = now["health"] is not None
    unknown = None if is_reckoned else document.get("unknown") or STATES[view.state[row]]
    return {
        "lift_id": lift_id,
        "at": document.get("at"),
        "health": now["health"],
        "grade": now["grade"],
        "unknown": unknown,
        "reason": now["health_reason"],
        "parts": document.get("parts", []) if is_reckoned else [],
        "trends": document.get("trends", []),
        "days": [
            {"day": day_text(one.day), "health": one.score, "grade": one.grade, "parts": one.parts} for one in days
        ],
    }


def _line(item: dict[str, Any]) -> list[Any]:
    reason = item["health_reason"] or {}
    return [*(item[name] for name in FLEET_COLUMNS[:-2]), reason.get("en"), reason.get("zh")]


def _table(name: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> Response:
    document = io.StringIO(newline="")
    writer = csv.writer(document)
    writer.writerow(columns)
    writer.writerows([written_cell(value) for value in line] for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(document.getvalue(), media_type=CSV, headers=headers)
