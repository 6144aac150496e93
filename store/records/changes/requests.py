"""Requests of changes that can hide a danger: thresholds, maintenance windows, deletions, shelving.

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
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.scope import ALL_LIFTS, LiftScope
from registry.thresholds import THRESHOLD_FACTS
from store.records.audit.writing import AuditSubject, write_audit
from store.records.changes.tables import change_requests
from store.records.database import Database
from store.records.identity.organisations import OrganisationStore
from store.records.identity.tables import people
from store.records.lifts import LiftRecords
from store.records.outbox.change_notices import notify_authorities
from store.records.page import Page, cursor_after_row, row_of_cursor
from store.records.scoping import rows_in

DECIDE_WITHIN_NS = 24 * 3600 * 1_000_000_000
WAITING, APPLIED, DECLINED, EXPIRED, ENDED = "waiting", "applied", "declined", "expired", "ended"
FACTS = "facts"
STATES = (WAITING, APPLIED, DECLINED, EXPIRED, ENDED)
ENDS = "until_ns"
"""The end of a temporary change in its detail."""


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change of a lift: the action, its detail as JSON has it, and the version of what it changes."""

    lift_id: str
    district: str
    action: str
    detail: Mapping[str, Any]
    version: tuple[str, ...] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A stored request; `decided_by` is the name of the account that approved or declined it."""

    id: int
    wanted: WantedChange
    state: str
    made_ns: int
    by: Actor
    decided_ns: int | None
    decided_by: str | None


def threshold_change(lift: LiftFacts, reason: str) -> WantedChange:
    """Return the change of a lift to the thresholds of these facts, as JSON has them."""
    values: dict[str, Any] = orjson.loads(orjson.dumps(lift))
    detail = {fact: values[fact] for fact in THRESHOLD_FACTS}
    return WantedChange(lift.lift_id, lift.district, FACTS, detail, None, reason or None)


class NotDecidable(Exception):
    """A decision that the request does not allow: `slug` names the reason, the text has the remedy."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


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
                apply(made)
            asked = {name: value for name, value in values.items() if name != "by"}  # the row names the actor itself
            subject = AuditSubject(str(made.id), asked, lift_id=wanted.lift_id, district=wanted.district)
            write_audit(connection, now_ns, by, f"change.{values['state']}", [subject])
            self.tell_authority(connection, made, now_ns)
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

        Raises NotDecidable where it is decided or expired, was made by the same account, or would be applied as an
        account that is disabled.
        """
        with self._database.writing() as connection:
            row = connection.execute(select(change_requests).where(_is(request_id), _inside(scope))).first()
            if row is None:
                return None
            asked = read_request(row, now_ns)
            _require_decidable(asked, by)
            if apply is not None:
                _require_active_maker(connection, asked.by)
            values = {"state": DECLINED if apply is None else APPLIED, "decided_ns": now_ns, "decided_by": by.name}
            connection.execute(update(change_requests).where(_is(request_id)).values(**values))
            if apply is not None:
                apply(asked)
            subject = AuditSubject(str(request_id), values, None, None, asked.wanted.lift_id, asked.wanted.district)
            write_audit(connection, now_ns, by, f"change.{values['state']}", [subject])
            decided = read_request(connection.execute(select(change_requests).where(_is(request_id))).one(), now_ns)
            self.tell_authority(connection, decided, now_ns)
            return decided

    def tell_authority(self, connection: Connection, asked: ChangeRequest, now_ns: int) -> None:
        """Notify the authority of the state of a request."""
        wanted = asked.wanted
        request = (asked.id, asked.state, wanted.action, wanted.lift_id, wanted.district)
        notify_authorities(self._database, connection, request, asked.by, wanted.reason, now_ns)


def _require_decidable(asked: ChangeRequest, by: Actor) -> None:
    """Raise NotDecidable where this account does not decide this request."""
    if asked.state != WAITING:
        raise NotDecidable("decided", f"The request is {asked.state}: there is nothing left to decide.")
    if by.account is None or by.account == asked.by.account:
        raise NotDecidable("second-person", "Another account must decide: this one made the request.")


def _require_active_maker(connection: Connection, maker: Actor) -> None:
    """Raise NotDecidable where the account that made a request is disabled."""
    person_id = (maker.account or "").partition(":")[2]
    query = select(people.c.id).where(people.c.id == person_id, people.c.is_disabled.is_(True))
    if connection.execute(query).first() is not None:
        raise NotDecidable(
            "maker-disabled",
            f"The account of {maker.name}, who made the request, is disabled: decline it and make the change anew.",
        )


def _is(request_id: int) -> ColumnElement[bool]:
    return change_requests.c.id == request_id


def _inside(scope: LiftScope) -> ColumnElement[bool]:
    return rows_in(scope, change_requests.c.lift_id, change_requests.c.district)


def _has_state(state: str, now_ns: int) -> ColumnElement[bool]:
    """Return the condition of a state; a waiting request expires without a write."""
    if state not in (WAITING, EXPIRED):
        return change_requests.c.state == state
    is_expired = change_requests.c.made_ns <= now_ns - DECIDE_WITHIN_NS
    return (change_requests.c.state == WAITING) & (is_expired if state == EXPIRED else ~is_expired)


def read_request(row: Row[Any], now_ns: int) -> ChangeRequest:
    """Return the request of a row; a waiting one may have expired."""
    version = None if row.version is None else tuple(orjson.loads(row.version))
    wanted = WantedChange(row.lift_id, row.district, row.action, orjson.loads(row.detail), version, row.reason)
    is_expired = row.state == WAITING and row.made_ns <= now_ns - DECIDE_WITHIN_NS
    state, by = EXPIRED if is_expired else row.state, Actor(**orjson.loads(row.by))
    return ChangeRequest(row.id, wanted, state, row.made_ns, by, row.decided_ns, row.decided_by)


class RegistryChangeRecords(LiftRecords, OrganisationStore, ChangeRequestStore):
    """The registry with its change requests, for commands that import lifts."""
