"""The page that changes facts of a lift: the thresholds of its rules, for good or for a time, and how it is called.

The form holds the version of the facts that it showed, so that of two changes made from one version the second is
refused; facts that are as they were shown are not part of the change.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.access import needs, reader_of, scope_of
from dashboards.api.change_requests import TEMPORARY_DAYS
from dashboards.api.context import AppContext
from dashboards.api.lifts import stored_lift
from dashboards.api.registry.fact_changes import change_facts
from dashboards.http.problem import Problem, invalid_field
from dashboards.pages.private import render_administration
from dashboards.sign_in.requests import form_of
from registry.fact_checks import POSITION_SOURCES
from registry.facts import LiftFacts
from registry.roles import Verb
from store.records.changes.change_request import WAITING
from store.records.repository import VersionConflict
from telemetry.instant import DAY_NS
from telemetry.streams import LIFT_ID_PATTERN

PATH = "/lifts/{lift_id}/facts"
SEE_OTHER = 303
FORM_FACTS = (
    "rated_speed_mps", "floors", "door_zone_m", "parks_door_open", "position_source", "name", "address",
    "emergency_phone",
)  # fmt: skip
HOURS = (1, 8, 24, 7 * 24, 30 * 24, TEMPORARY_DAYS * 24)
"""The lengths of a temporary change."""


def lift_facts_pages(context: AppContext) -> APIRouter:
    """Return the routes of this page."""
    router = APIRouter(include_in_schema=False, dependencies=[needs(Verb.EDIT_LIFTS)])

    @router.get(PATH)
    def show_facts(request: Request, lift_id: str) -> Response:
        return _page(context, request, lift_id)

    @router.post(PATH)
    def change(request: Request, lift_id: str) -> Response:
        try:
            waits = _change(context, request, lift_id)
        except Problem as problem:
            if problem.status_code in (403, 404):
                raise
            return _page(context, request, lift_id, problem)
        except VersionConflict:
            return _page(context, request, lift_id, Problem(412, "changed-meanwhile", ""))
        return RedirectResponse(f"/lifts/{lift_id}/facts?did={'waits' if waits else 'saved'}", SEE_OTHER)

    return router


def shown_facts(facts: LiftFacts) -> dict[str, str]:
    """Return the facts of the form as the texts of its fields, landings as one line each, from the highest down."""
    texts = {name: getattr(facts, name) for name in FORM_FACTS}
    landings = "\n".join(f"{floor.label}: {floor.height_m:.10g}" for floor in reversed(facts.floors))
    return {name: _text(value) for name, value in (texts | {"floors": landings}).items()}


def changed_facts(shown: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts whose texts in a form differ from those that were shown, as the API takes them."""
    given = {name: fields[name].replace("\r\n", "\n").strip() for name in FORM_FACTS if name in fields}
    changed: dict[str, Any] = {name: text for name, text in given.items() if text != shown[name]}
    if "floors" in changed:
        lines = changed["floors"].replace("：", ":").replace(";", "\n").splitlines()
        changed["floors"] = ";".join(reversed(lines))
    return changed


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _change(context: AppContext, request: Request, lift_id: str) -> bool:
    """Apply the form; return whether the change waits for a second person."""
    fields, scope = form_of(request), scope_of(request)
    known = stored_lift(context, lift_id, scope)
    version = fields.get("revision", "")
    if version != known.version:
        raise VersionConflict(version)
    hours = fields.get("hours") or "0"
    if hours not in ("0", *map(str, HOURS)):
        raise invalid_field("until", "is not a length of a temporary change")
    ends_ns = time.time_ns() + int(hours) * (DAY_NS // 24) if hours != "0" else None
    facts, reason = changed_facts(shown_facts(known.facts), fields), fields.get("reason", "").strip() or None
    by = reader_of(request)
    return change_facts(context, scope, by, lift_id, facts, {version}, reason, ends_ns) is not None


def _page(context: AppContext, request: Request, lift_id: str, problem: Problem | None = None) -> Response:
    """Return the form with the present facts; after a refusal with what was entered, but for a lost update."""
    if not LIFT_ID_PATTERN.fullmatch(lift_id):
        raise Problem(404, "not-found", "")
    scope, records = scope_of(request), context.records()
    known = stored_lift(context, lift_id, scope)
    given = {} if problem is None else form_of(request)
    entered = {} if problem is None or problem.status_code == 412 else given
    waiting = records.change_requests(time.time_ns(), state=WAITING, lift_id=lift_id, limit=1, scope=scope.lifts).items
    return render_administration(
        request, "lift_facts.html", problem, page="lift-facts", page_path=f"/lifts/{lift_id}/facts",
        lift_id=lift_id, name=known.facts.name or lift_id, values={**shown_facts(known.facts), **entered},
        revision=known.version, sources=[(each, each) for each in POSITION_SOURCES], hours=HOURS,
        returning=sorted(records.returning_thresholds(lift_id)), is_waiting=bool(waiting), given=given,
        did=request.query_params.get("did", ""), tall=min(max(len(known.facts.floors), 3), 14),
    )  # fmt: skip
