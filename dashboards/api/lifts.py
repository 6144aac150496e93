"""The fleet as a list, and one lift with all that is known of it: answered from the picture, without a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from alerts.wire import to_json
from dashboards.api import schema
from dashboards.api.answer import Json, problems
from dashboards.api.desk import Desk
from dashboards.http.problem import missing
from dashboards.live.listing import Question
from dashboards.live.picture import Picture
from detectors.catalogue import RULES
from registry.facts import LiftFacts

NOBODY = LiftFacts("", "")
SET_ASIDE = "the rule broke in the monitor and is set aside for every lift; its log has the error; please report it"
"""What the registry knows of a lift that it does not know."""


def lifts(desk: Desk) -> APIRouter:
    """Return the routes that read lifts."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["lifts"])

    @router.get("", response_model=schema.Lifts, responses=problems(400, 422, 503))
    async def list_lifts(
        district: schema.District = None,
        firm: Annotated[str | None, Query(max_length=200, description="The maintenance firm, in full")] = None,
        state: schema.LiftState | None = None,
        q: Annotated[str | None, Query(max_length=200, description="A part of id, name, address or firm")] = None,
        sort: Annotated[schema.LiftSort, Query(description="`state`: most urgent first, then longest since")] = "state",
        limit: schema.Limit = schema.LIMIT_DEFAULT,
        cursor: schema.Cursor = None,
    ) -> Json:
        """List lifts with their latest state."""
        orders = desk.watch.orders()
        rows, following = orders.page(Question(district, firm, state, q, sort), limit, cursor)
        return Json({"items": [orders.picture.item(row) for row in rows], "next": following})

    @router.get("/{lift_id}", response_model=schema.LiftDetail, responses=problems(404, 422, 503))
    async def get_lift(lift_id: schema.LiftIdInPath) -> Json:
        """Return one lift: facts, latest state, open alerts, rules not judged and why, health."""
        return Json(found(desk, lift_id))

    return router


def found(desk: Desk, lift_id: str) -> dict[str, Any]:
    """Return one lift in full; a problem (404) where nobody knows it."""
    shown = desk.watch.orders().picture
    row = shown.roster.row_of.get(lift_id)
    if row is None:
        raise missing("lift", lift_id)
    return detail(shown, row, desk.watch.rules_set_aside())


def detail(shown: Picture, row: int, set_aside: Sequence[str] = ()) -> dict[str, Any]:
    """Return the lift in `row` in full."""
    item, known = shown.item(row), shown.roster.facts[row]
    return {
        **{name: item[name] for name in ("lift_id", "district", "name", "registered", "state", "since")},
        "facts": asdict(known) if known else None,
        "latest": item,
        "open_alerts": [to_json(alert) for alert in shown.alerts.get(item["lift_id"], ())],
        "not_judged": not_judged(known, set_aside),
        "maintenance": item["maintenance"],
        "messages": _messages(shown, row),
        "health": None,
    }


def not_judged(known: LiftFacts | None, set_aside: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the rules that are not judged for this lift, each with the facts that are missing and what to do."""
    lacking = [(rule, [need for need in rule.needs if not (known or NOBODY).satisfies(need)]) for rule in RULES]
    return [
        {
            "rule": rule.slug,
            "code": rule.code,
            "missing": needs,
            "reason": SET_ASIDE if rule.slug in set_aside else _reason(known, needs),
        }
        for rule, needs in lacking
        if needs or rule.slug in set_aside
    ]


def _reason(known: LiftFacts | None, needs: Sequence[str]) -> str:
    """Say why rules with these needs are not judged, and what to do."""
    if known is None:
        return f"the lift is not registered; add it with its {' and '.join(needs)}"
    absent = [need for need in needs if need != "position_source"]
    if absent:
        return f"{' and '.join(absent)} not in the registry; PATCH the lift with it"
    return "a barometer tells floors, not levels; the rule needs an absolute position"


def _messages(shown: Picture, row: int) -> dict[str, int] | None:
    at = int(shown.roster.live_row[row])
    if at < 0:
        return None
    return {name: int(getattr(shown.live, name)[at]) for name in ("received", "gaps", "repeats", "late")}
