"""The route of the audit log: a filtered list as JSON, or all rows of a filter as CSV. An export is itself a row."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from dashboards.api.access import RequestScope, needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.responses import CSV, OrjsonResponse, problem_responses
from dashboards.api.schema import audit_bodies, parameters
from registry.roles import Verb
from registry.scope import Scope
from store.records.audit.export import csv_parts, without_acknowledgements, without_address, without_notes
from store.records.repository import AuditEntry, AuditFilter, AuditSubject, Records
from telemetry.instant import rfc3339

Format = Annotated[Literal["json", "csv"] | None, Query(description="`csv`: all rows, for a spreadsheet")]
IDENTITY_ID = re.compile(r"\b[0-9a-f]{16}\b")
AuditText = Annotated[str | None, Query(max_length=400)]


def _filter(
    who: Annotated[str | None, Query(max_length=400, description="A name, or an account as `person:…`")] = None,
    action: Annotated[str | None, Query(max_length=100, description="`lift.patch`, or a group as `lift.`")] = None,
    subject: AuditText = None,
    lift_id: Annotated[parameters.LiftId | None, Query()] = None,
    outcome: Annotated[Literal["done", "refused"] | None, Query()] = None,
    since: parameters.Since = None,
    until: parameters.Until = None,
) -> AuditFilter:
    return AuditFilter(who, action, subject, lift_id, outcome, since, until)


def audit(context: AppContext) -> APIRouter:
    """Return the route of the audit log."""
    router = APIRouter(prefix="/api/v1", tags=["audit"])

    @router.get(
        "/audit",
        response_model=audit_bodies.AuditList,
        responses={**problem_responses(400, 403, 422, 503), 200: {"content": {CSV: {"schema": {"type": "string"}}}}},
        dependencies=[needs(Verb.SEE_AUDIT)],
    )
    def list_audit(
        request: Request,
        scope: RequestScope,
        wanted: Annotated[AuditFilter, Depends(_filter)],
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
        format: Format = None,  # noqa: A002
    ) -> Response:
        """List the actions of people and machine accounts, newest first; CSV by `format` or by `Accept: text/csv`."""
        if (format or _accepted(request)) == "csv":
            return _export(context, request, scope, wanted)
        page = context.records().audit(
            wanted, limit=limit, cursor=cursor, scope=scope.lifts, organisation=_organisation(scope)
        )
        shown = [_shown(each, scope) for each in page.items]
        names = _names(context.records(), scope, shown)
        return OrjsonResponse({"items": [_row(each, names) for each in shown], "next": page.next})

    return router


def _export(context: AppContext, request: Request, scope: Scope, wanted: AuditFilter) -> Response:
    """Return every row of a filter as CSV, sent while the rows are read."""
    records = context.records()
    asked = {name: value for name, value in asdict(wanted).items() if value is not None}
    records.write_audit(time.time_ns(), reader_of(request), "audit.export", [AuditSubject("audit", asked or None)])

    def rows() -> Iterator[AuditEntry]:
        for entry in records.every_audit(wanted, scope.lifts, _organisation(scope)):
            yield _shown(entry, scope)

    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(csv_parts(rows()), media_type=CSV, headers=headers)


def _accepted(request: Request) -> str:
    accept = request.headers.get("accept", "")
    return "csv" if CSV in accept and "json" not in accept else "json"


def _organisation(scope: Scope) -> str | None:
    return scope.actor.organisation if scope.actor is not None else None


def _shown(entry: AuditEntry, scope: Scope) -> AuditEntry:
    """Return a row as the scope may see it."""
    if scope.lifts.everything:
        return entry
    if entry.by.organisation == _organisation(scope):
        return entry if scope.lifts.districts else without_acknowledgements(entry)
    shown = without_address(entry)
    return shown if scope.lifts.reads_notes_of(entry.by.organisation) else without_notes(shown)


def _ids(entry: AuditEntry) -> set[str]:
    """Return what may be ids of accounts or organisations in a row."""
    return set(IDENTITY_ID.findall(f"{entry.subject} {entry.detail or ''}"))


def _names(records: Records, scope: Scope, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """Return the names of organisations and accounts that the scope sees by the ids in some rows.

    An id may be one that was only asked for: an organisation is named where it is the own one or acts in these rows.
    """
    ids = {each for entry in entries for each in _ids(entry)}
    if not ids:
        return {}
    own = _organisation(scope)
    people = [
        each
        for each in records.people_by_id(ids)
        if scope.lifts.everything or any(own in one.organisation.names for one in each.memberships)
    ]
    acting = {own, *(entry.by.organisation for entry in entries)}
    organisations = {
        each.organisation_id: each.name
        for each in records.organisations()
        if each.organisation_id in ids and (scope.lifts.everything or acting & each.names)
    }
    return organisations | {each.person_id: each.name for each in people}


def _row(entry: AuditEntry, names: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: getattr(entry, name) for name in ("detail", "before", "after")}
    return {
        "id": entry.id,
        "time": rfc3339(entry.at_ns),
        "by": asdict(entry.by),
        **{name: getattr(entry, name) for name in ("outcome", "action", "subject", "lift_id")},
        **{name: None if text is None else orjson.Fragment(text) for name, text in texts.items()},
        "names": {each: names[each] for each in sorted(_ids(entry) & names.keys())},
        "hash": entry.hash.hex(),
    }
