"""Requests of changes that can hide a danger: thresholds, maintenance windows, deletions, shelving, and of what an
organisation sees.

    made ──► applied                            the organisation asks for no second person
    made ──► waiting ──► applied, or declined   another account decides, within `DECIDE_WITHIN_NS`
                     └─► expired

    applied ──► ended                           a temporary change of thresholds: `store.records.changes.temporary`

A request is stored in every case, with its reason: the authority of the lift's district reads them all and is notified
of each. It is applied
in the transaction that approves it, as the account that made it, so that of two approvals one applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, select, update

from registry.actor import Actor
from registry.scope import ALL_LIFTS, LiftScope
from registry.thresholds import THRESHOLD_FACTS
from store.records.audit.writing import AuditSubject, write_audit
from store.records.changes.change_request import (
    APPLIED,
    DECIDE_WITHIN_NS,
    DECLINED,
    ENDS,
    EXPIRED,
    FACTS,
    WAITING,
    ChangeRequest,
    WantedChange,
    read_request,
)
from store.records.changes.returning import set_for_good
from store.records.changes.second_person import require_decidable, require_entitled_maker
from store.records.changes.tables import change_requests
from store.records.database import Database
from store.records.identity.organisations import OrganisationStore
from store.records.lifts import LiftRecords
from store.records.outbox.change_notices import notify_authorities
from store.records.page import Page, cursor_after_row, row_of_cursor
from store.records.schema import lifts
from store.records.scoping import rows_in

Apply = Callable[[ChangeRequest], object]
"""Applies a request; what it raises undoes the decision."""


class ChangeRequestStore:
    """The part of the records that holds requests of changes."""

    _database: Database

    def request_change(self, wanted: WantedChange, by: Actor, now_ns: int, apply: Apply | None) -> ChangeRequest:
        """Store a request and apply it; without `apply` it waits for the decision of another account."""
        with self._database.writing() as connection:
            values = {
                **asdict(wanted),
                "detail": orjson.dumps(dict(wanted.detail)).decode(),
                "version": None if wanted.version is None else orjson.dumps(wanted.version).decode(),
                "state": WAITING if apply is None else APPLIED,
                "made_ns": now_ns,
                "by": orjson.dumps(by).decode(),
            }
            row = connection.execute(change_requests.insert().values(**values).returning(*change_requests.c)).one()
            made = read_request(row, now_ns)
            if apply is not None:
                self._apply(connection, made, apply, now_ns)
            asked = {name: value for name, value in values.items() if name != "by"}  # the row names the actor itself
            write_audit(connection, now_ns, by, f"change.{values['state']}", [_subject(made, asked, wanted.district)])
            notify_authorities(self._database, connection, made, now_ns)
            return made

    def record_changes(self, many: Sequence[WantedChange], by: Actor, now_ns: int, is_applied: bool) -> list[int]:
        """Store requests that were applied already, or that wait; return their numbers."""
        apply: Apply | None = (lambda asked: None) if is_applied else None
        with self._database.writing():
            return [self.request_change(wanted, by, now_ns, apply).id for wanted in many]

    def count_changes(self, since_ns: int, scope: LiftScope) -> int:
        """Return how many requests about lifts in the scope were made since an instant."""
        query = select(func.count()).select_from(change_requests)
        with self._database.reading() as connection:
            return connection.execute(query.where(_inside(scope), change_requests.c.made_ns >= since_ns)).scalar_one()

    def change_request(self, request_id: int, now_ns: int, scope: LiftScope = ALL_LIFTS) -> ChangeRequest | None:
        """Return a request about a lift in the scope, None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(change_requests).where(_is(request_id), _inside(scope))).first()
        return None if row is None else read_request(row, now_ns)

    def change_requests(
        self,
        now_ns: int,
        *,
        state: str | None = None,
        lift_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
        scope: LiftScope = ALL_LIFTS,
    ) -> Page[ChangeRequest]:
        """Return the requests about lifts in the scope, newest first. Raises `BadCursor`."""
        query = select(change_requests).where(_inside(scope)).order_by(change_requests.c.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(_has_state(state, now_ns))
        if lift_id is not None:
            query = query.where(change_requests.c.lift_id == lift_id)
        if cursor is not None:
            query = query.where(change_requests.c.id < row_of_cursor(cursor))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found = [read_request(row, now_ns) for row in rows[:limit]]
        return Page(found, cursor_after_row(found[-1].id) if len(rows) > limit else None)

    def decide_change(
        self, request_id: int, by: Actor, now_ns: int, apply: Apply | None, scope: LiftScope = ALL_LIFTS
    ) -> ChangeRequest | None:
        """Apply a waiting request, or decline it without `apply`; None where the scope has no such request.

        Raises NotDecidable where it is decided or expired, where this account is no second person, and where it would
        be applied as an account that could not make it any more.
        """
        with self._database.writing() as connection:
            row = connection.execute(select(change_requests).where(_is(request_id), _inside(scope))).first()
            if row is None:
                return None
            asked = read_request(row, now_ns)
            require_decidable(connection, asked, by)
            if apply is not None:
                require_entitled_maker(connection, asked)
            present = _district(connection, asked)
            values = {"state": DECLINED if apply is None else APPLIED, "decided_ns": now_ns, "decided_by": by.name}
            connection.execute(update(change_requests).where(_is(request_id)).values(**values, district=present))
            if apply is not None:
                self._apply(connection, asked, apply, now_ns)
            write_audit(connection, now_ns, by, f"change.{values['state']}", [_subject(asked, values, present)])
            decided = read_request(connection.execute(select(change_requests).where(_is(request_id))).one(), now_ns)
            as_asked = replace(decided, wanted=asked.wanted)  # the authority of the former district was informed before
            notify_authorities(self._database, connection, as_asked, now_ns, districts=(present,))
            return decided

    def _apply(self, connection: Connection, asked: ChangeRequest, apply: Apply, now_ns: int) -> None:
        """Apply a request; the thresholds that it sets for good do not return at the end of a temporary change."""
        wanted = asked.wanted
        if wanted.action == FACTS and ENDS not in wanted.detail:
            named = [fact for fact in THRESHOLD_FACTS if fact in wanted.detail]
            set_for_good(self._database, connection, {wanted.lift_id: named}, now_ns)
        apply(asked)


def _district(connection: Connection, asked: ChangeRequest) -> str:
    """Return the present district of the lift of a request."""
    query = select(lifts.c.district).where(lifts.c.lift_id == asked.wanted.lift_id)
    return connection.execute(query).scalar() or asked.wanted.district


def _is(request_id: int) -> ColumnElement[bool]:
    return change_requests.c.id == request_id


def _inside(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition that a request is about a lift of the scope, or about the organisation that sees it."""
    of_lifts = rows_in(scope, change_requests.c.lift_id, change_requests.c.district)
    if scope.organisation_id is None:
        return of_lifts
    return of_lifts | (change_requests.c.organisation_id == scope.organisation_id)


def _subject(asked: ChangeRequest, detail: Mapping[str, Any], district: str) -> AuditSubject:
    """Return a request as the audit log names it."""
    return AuditSubject(str(asked.id), detail, lift_id=asked.wanted.lift_id or None, district=district or None)


def _has_state(state: str, now_ns: int) -> ColumnElement[bool]:
    """Return the condition of a state; a waiting request expires without a write."""
    if state not in (WAITING, EXPIRED):
        return change_requests.c.state == state
    is_expired = change_requests.c.made_ns <= now_ns - DECIDE_WITHIN_NS
    return (change_requests.c.state == WAITING) & (is_expired if state == EXPIRED else ~is_expired)


class RegistryChangeRecords(LiftRecords, OrganisationStore, ChangeRequestStore):
    """The registry with its change requests, for commands that import lifts."""
