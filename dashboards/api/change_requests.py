"""Changes that can hide a danger: how routes make them, and the routes by which another account decides them.

Thresholds, districts, an owner or firm that asks for a second person, maintenance windows, deletions, shelving, and the
kind and districts of an organisation. A signed-in account gives a reason; where its organisation, an operator, the firm
or the owner of the lift, or the organisation that is changed asks for a second person, the change waits (202) until
another account approves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Path, Query

from alerts.answers import Answer, Refused
from dashboards.api.access import RequestScope, actor_of, needs
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import change_bodies, parameters
from dashboards.http.problem import Problem, invalid_field, not_found
from dashboards.sign_in.account_fields import checked_organisation, refuse_taken
from registry.actor import Actor
from registry.facts import LiftFacts, read_changes
from registry.organisations import needs_second_person
from registry.roles import Verb
from registry.scope import Scope
from registry.thresholds import asks_second_person
from store.records.changes.change_request import DELETE, ENDS, FACTS, FORMER, MAINTENANCE, ORGANISATION, SHELVE
from store.records.repository import ChangeRequest, NotDecidable, Records, TemporaryChangeOpen, WantedChange
from telemetry.instant import DAY_NS, rfc3339, text

RequestId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number of the request")]
Reason = Annotated[
    parameters.Note | None,
    Query(description="Why; required of signed-in accounts for a change that can hide a danger"),
]


TEMPORARY_DAYS = 90
ChangeEnd = Annotated[
    parameters.Instant | None,
    Query(alias="until", description=f"When the former thresholds return, at most {TEMPORARY_DAYS} days ahead"),
]
WAITING_RESPONSE: dict[int | str, dict[str, Any]] = {
    202: {"model": change_bodies.ChangeRequestBody, "description": "The change waits for another account's approval"}
}


def change_requests(context: AppContext) -> APIRouter:
    """Return the routes of change requests."""
    router = APIRouter(prefix="/api/v1/change-requests", tags=["change requests"])

    @router.get(
        "",
        response_model=change_bodies.ChangeRequestList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_change_requests(
        scope: RequestScope,
        state: change_bodies.ChangeState | None = None,
        lift_id: parameters.LiftId | None = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List requests of changes that can hide a danger, newest first."""
        page = context.records().change_requests(
            time.time_ns(), state=state, lift_id=lift_id, limit=limit, cursor=cursor, scope=scope.lifts
        )
        return OrjsonResponse({"items": [change_document(each, scope) for each in page.items], "next": page.next})

    def decision(path: str, approve: bool) -> Any:
        def decide(request_id: RequestId, scope: RequestScope, later: BackgroundTasks) -> OrjsonResponse:
            apply = (lambda asked: apply_change(context.records(), asked)) if approve else None
            by = actor_of(scope, "somebody" if scope.actor is None else None)
            try:
                decided = context.records().decide_change(request_id, by, time.time_ns(), apply, scope.lifts)
            except NotDecidable as error:
                raise Problem(409, error.slug, str(error)) from None
            if decided is None:
                raise not_found("change request", str(request_id))
            context.poller.poll()
            if decided.wanted.organisation_id is not None:
                later.add_task(context.records().rewrite_names, by, time.time_ns())
            return OrjsonResponse(change_document(decided, scope))

        decide.__name__ = f"{path}_change_request"
        decide.__doc__ = f"{path.capitalize()} a request that another account made."
        return router.post(
            f"/{{request_id}}/{path}",
            response_model=change_bodies.ChangeRequestBody,
            responses=problem_responses(403, 404, 409, 412, 422, 503),
            dependencies=[needs(Verb.APPROVE)],
        )(decide)

    decision("approve", True)
    decision("decline", False)
    return router


def versions(expected: Collection[str] | None) -> tuple[str, ...] | None:
    """Return the versions that a change expects, in a fixed order; None expects nothing."""
    return None if expected is None else tuple(sorted(expected))


def with_end(detail: Mapping[str, Any], ends_ns: int | None, changes_a_threshold: bool) -> Mapping[str, Any]:
    """Return the detail of a change of facts with its end; a problem (422) where the end is none."""
    if ends_ns is None:
        return detail
    if not changes_a_threshold:
        raise invalid_field("until", "is the end of a change of thresholds, and none changes; leave it out")
    now_ns = time.time_ns()
    if not now_ns < ends_ns <= now_ns + TEMPORARY_DAYS * DAY_NS:
        raise invalid_field("until", f"lies in the past or more than {TEMPORARY_DAYS} days ahead; write an earlier end")
    return {**detail, ENDS: ends_ns}


def waiting_lifts(records: Records, scope: Scope, lifts: Iterable[LiftFacts]) -> set[str]:
    """Return those of these lifts of which a change waits for a second person."""
    if scope.actor is None:
        return set()
    organisations = records.organisations()
    return {each.lift_id for each in lifts if scope.second_person or asks_second_person(each, organisations)}


def make_change(context: AppContext, scope: Scope, by: Actor, wanted: WantedChange) -> OrjsonResponse | None:
    """Make a change that can hide a danger: None where it was applied, a response (202) where it waits.

    A problem (422) where a signed-in account gives no reason.
    """
    require_reason(scope, wanted.action, wanted.reason)
    records = context.records()
    waits = scope.actor is not None and (scope.second_person or _waits(records, wanted))
    apply = None if waits else (lambda asked: apply_change(records, asked))
    made = records.request_change(wanted, by, time.time_ns(), apply)
    context.poller.poll()
    return OrjsonResponse(change_document(made, scope), 202) if waits else None


def require_reason(scope: Scope, action: str, reason: str | None) -> None:
    """Raise a problem (422) where a signed-in account gives no reason for a change that can hide a danger."""
    if scope.actor is not None and not (reason or "").strip():
        field = "note" if action in (MAINTENANCE, SHELVE) else "reason"
        raise invalid_field(field, "is missing; this change can hide a danger: write why it is made")


def _waits(records: Records, wanted: WantedChange) -> bool:
    """Return whether an organisation of the lift, or the one that is changed, asks for a second person."""
    if wanted.organisation_id is not None:
        return needs_second_person(wanted.organisation_id, records.organisations())
    known = records.lift(wanted.lift_id)
    lift = LiftFacts(wanted.lift_id, wanted.district) if known is None else known.facts
    return asks_second_person(lift, records.organisations())


def apply_change(records: Records, asked: ChangeRequest) -> None:
    """Apply a change as the account that asked for it; a problem (404 or 409) where it cannot be applied any more."""
    done = _APPLY[asked.wanted.action](records, asked, time.time_ns())
    if done is None or done is False:
        raise not_found(*_named(asked.wanted))


def _facts(records: Records, asked: ChangeRequest, now_ns: int) -> object:
    wanted, ends_ns = asked.wanted, asked.wanted.detail.get(ENDS)
    known = records.lift(wanted.lift_id)
    if known is None or not known.registered:
        return None
    changes = read_changes({name: value for name, value in wanted.detail.items() if name != ENDS})[0]
    if ends_ns is None:
        return records.patch_lift(wanted.lift_id, changes, asked.by, now_ns, wanted.version)
    if ends_ns <= now_ns:
        raise Problem(409, "until", "The end of the change has passed: ask for another one.")
    by, version = asked.by, wanted.version
    try:
        return records.patch_lift_until(asked.id, wanted.lift_id, changes, by, now_ns, ends_ns, version)
    except TemporaryChangeOpen:
        detail = "Another temporary change of the lift has not ended: wait for its end."
        raise Problem(409, "temporary-change", detail) from None


def _named(wanted: WantedChange) -> tuple[str, str]:
    """Return the kind and the id of what a change is about."""
    return ("lift", wanted.lift_id) if wanted.organisation_id is None else ("organisation", wanted.organisation_id)


def _organisation(records: Records, asked: ChangeRequest, now_ns: int) -> object:
    wanted = asked.wanted
    changes = checked_organisation({name: value for name, value in wanted.detail.items() if name != FORMER})
    with refuse_taken("name"):
        return records.change_organisation(wanted.organisation_id or "", changes, asked.by, now_ns, wanted.version)


def _delete(records: Records, asked: ChangeRequest, now_ns: int) -> object:
    return records.delete_lift(asked.wanted.lift_id, asked.by, now_ns, asked.wanted.version)


def _maintenance(records: Records, asked: ChangeRequest, now_ns: int) -> object:
    until_ns = asked.wanted.detail["until_ns"]
    if until_ns <= now_ns:
        raise Problem(409, "until", "The end of the maintenance window has passed: ask for another one.")
    shared = asked.wanted.detail.get("shared", False)
    return records.set_maintenance(asked.wanted.lift_id, until_ns, asked.by, now_ns, asked.wanted.reason, shared=shared)


def _shelve(records: Records, asked: ChangeRequest, now_ns: int) -> object:
    detail = asked.wanted.detail
    answer = Answer(SHELVE, asked.by, asked.wanted.reason, until_ns=detail["until_ns"], shared=detail["shared"])
    try:
        return records.answer(detail["alert_id"], answer, now_ns, asked.wanted.version)
    except Refused as refused:
        if refused.reason == "until":
            raise invalid_field("until", str(refused)) from None
        raise Problem(409, refused.reason, str(refused)) from None


_APPLY: Mapping[str, Callable[[Records, ChangeRequest, int], object]] = {
    FACTS: _facts,
    DELETE: _delete,
    MAINTENANCE: _maintenance,
    SHELVE: _shelve,
    ORGANISATION: _organisation,
}


def change_document(asked: ChangeRequest, scope: Scope) -> dict[str, Any]:
    """Return a request as the scope reads it: of an unshared note of others only the organisation that wrote it.

    The reasons of changes of thresholds and of deletions are read by everybody who sees the lift.
    """
    wanted, detail = asked.wanted, dict(asked.wanted.detail)
    is_shared = wanted.action not in (MAINTENANCE, SHELVE) or detail.get("shared", False)
    is_read = is_shared or scope.lifts.reads_notes_of(asked.by.organisation)
    if "until_ns" in detail:
        detail["until"] = rfc3339(detail.pop("until_ns"))
    former = detail.pop(FORMER, None)
    return {
        "id": asked.id,
        "lift_id": wanted.lift_id or None,
        "organisation_id": wanted.organisation_id,
        "action": wanted.action,
        "detail": detail,
        "former": former,
        "reason": wanted.reason if is_read else None,
        "state": asked.state,
        "made": rfc3339(asked.made_ns),
        "by": asked.by.name if is_read else asked.by.organisation,
        "organisation": asked.by.organisation,
        "decided": text(asked.decided_ns),
        "decided_by": asked.decided_by,
    }
