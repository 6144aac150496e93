"""Routes that read lifts: the list and one lift in detail, answered from the fleet view without a database query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from alerts.wire import to_json
from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses, versioned_responses
from dashboards.api.schema import lift_bodies, parameters
from dashboards.http.preconditions import etag
from dashboards.http.problem import not_found
from dashboards.live.fleet_view import FleetView
from dashboards.live.listing import LiftQuery
from detectors.catalogue import RULES
from detectors.rule import Rule
from registry.facts import LiftFacts
from registry.roles import Verb
from registry.scope import NO_LIFTS, LiftScope, Scope
from store.records.repository import RefusalCount, Registered, lift_version
from telemetry.instant import rfc3339

LIFTS_AT_ONCE = 100
NO_FACTS = LiftFacts("", "")
"""The facts of a lift that is not registered."""
SET_ASIDE = "the rule broke in the monitor and is set aside for every lift; its log has the error; please report it"


def lifts(context: AppContext) -> APIRouter:
    """Return the routes that read lifts."""
    router = APIRouter(prefix="/api/v1/lifts", tags=["lifts"])

    @router.get(
        "",
        response_model=lift_bodies.LiftList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    async def list_lifts(
        scope: RequestScope,
        district: parameters.District = None,
        firm: Annotated[str | None, Query(max_length=200, description="The maintenance firm, in full")] = None,
        state: parameters.LiftState | None = None,
        grade: Annotated[parameters.HealthGrade | None, Query(description="The grade of the risk")] = None,
        q: Annotated[str | None, Query(max_length=200, description="A part of id, name, address or firm")] = None,
        lift_id: Annotated[
            list[parameters.LiftId] | None, Query(max_length=LIFTS_AT_ONCE, description="These lifts alone")
        ] = None,
        sort: Annotated[
            parameters.LiftSort, Query(description="`state`: most urgent first, then longest since")
        ] = "state",
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List lifts with their latest state."""
        listing = context.poller.listing()
        wanted = LiftQuery(district, firm, state, q, grade, sort, tuple(lift_id or ()), scope.lifts)
        rows, following = listing.page(wanted, limit, cursor)
        return OrjsonResponse({"items": [listing.view.item(row, scope.lifts) for row in rows], "next": following})

    @router.get(
        "/{lift_id}",
        response_model=lift_bodies.LiftDetail,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    async def get_lift(lift_id: parameters.LiftIdInPath, scope: RequestScope) -> OrjsonResponse:
        """Return one lift: facts, latest state, open alerts, rules that are not judged and why, health."""
        return lift_response(context, lift_id, scope)

    return router


def lift_response(context: AppContext, lift_id: str, scope: Scope, status: int = 200, **headers: str) -> OrjsonResponse:
    """Return one lift in detail, as the scope reads it, as a response whose ETag is the version of its facts."""
    view, row = _find(context, lift_id)
    version = lift_version(view.lift_index.facts[row])
    return OrjsonResponse(_document(context, view, row, scope.lifts), status, {**headers, **etag(version)})


def stored_lift(context: AppContext, lift_id: str, scope: Scope) -> Registered:
    """Return a lift as the records have it; a problem (404) where the scope has no such lift."""
    known = context.records().lift(lift_id, scope.lifts)
    if known is None:
        raise not_found("lift", lift_id)
    return known


def lift_detail(context: AppContext, lift_id: str) -> dict[str, Any]:
    """Return one lift in detail, without unshared notes; a problem (404) where the fleet does not have the lift."""
    view, row = _find(context, lift_id)
    return _document(context, view, row, NO_LIFTS)


def _document(context: AppContext, view: FleetView, row: int, reader: LiftScope) -> dict[str, Any]:
    refused = context.poller.refused(view.lift_index.lift_id[row])
    return lift_document(view, row, reader, context.poller.rules_set_aside(), refused, context.settings.rules)


def _find(context: AppContext, lift_id: str) -> tuple[FleetView, int]:
    """Return the current view and the row of a lift; a problem (404) where the fleet does not contain the lift."""
    view = context.poller.current_view()
    row = view.lift_index.row_of.get(lift_id)
    if row is None:
        raise not_found("lift", lift_id)
    return view, row


def lift_document(
    view: FleetView,
    row: int,
    reader: LiftScope,
    set_aside: Sequence[str] = (),
    refused: Sequence[RefusalCount] = (),
    rules: Sequence[Rule] = RULES,
) -> dict[str, Any]:
    """Return the lift in `row` of the view in detail, as a scope reads it."""
    item, known = view.item(row, reader), view.lift_index.facts[row]
    return {
        **{name: item[name] for name in ("lift_id", "district", "name", "registered", "state", "since")},
        "facts": asdict(known) if known else None,
        "latest": item,
        "open_alerts": [to_json(alert) for alert in view.alerts.get(item["lift_id"], ())],
        "not_judged": not_judged(known, set_aside, rules),
        "maintenance": item["maintenance"],
        "messages": _messages(view, row),
        "refused": [{"reason": r.reason, "count": r.count, "last": rfc3339(r.last_ns)} for r in refused],
        **{name: item[name] for name in ("health", "grade", "health_reason")},
    }


def not_judged(
    known: LiftFacts | None, set_aside: Sequence[str] = (), rules: Sequence[Rule] = RULES
) -> list[dict[str, Any]]:
    """Return the rules that are not judged for this lift, each with the missing facts and the remedy."""
    lacking = [(rule, [need for need in rule.needs if not (known or NO_FACTS).satisfies(need)]) for rule in rules]
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
    """Return the reason why a rule with these needs is not judged, with the remedy."""
    if known is None:
        return f"the lift is not registered; add it with its {' and '.join(needs)}"
    absent = [need for need in needs if need != "position_source"]
    if absent:
        return f"{' and '.join(absent)} not in the registry; PATCH the lift with it"
    return "a barometer distinguishes floors, not levels; the rule needs an absolute position"


def _messages(view: FleetView, row: int) -> dict[str, int | None] | None:
    at = int(view.lift_index.live_row[row])
    if at < 0:
        return None
    counts = {name: int(getattr(view.live, name)[at]) for name in ("received", "gaps", "repeats", "late", "steps")}
    return {**counts, "gaps": None if counts["gaps"] < 0 else counts["gaps"]}
