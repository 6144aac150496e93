"""Queries of the audit log: a filtered list, all rows of a filter for an export, and the check of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select, text, tuple_, type_coerce
from sqlalchemy.types import NullType

from registry.scope import ALL_LIFTS, LiftScope
from store.records.audit.acts import AuditActs
from store.records.audit.chain import ANCHOR, HEAD, Link
from store.records.audit.entry import AuditEntry, read_entry
from store.records.audit.foreign_lifts import INCIDENT_ACTS, without_foreign_lifts
from store.records.audit.verification import ChainCheck
from store.records.audit.writing import read_end
from store.records.page import Page, clamped, decode_cursor, encode_cursor, parse_number
from store.records.schema import audit
from store.records.scoping import rows_in

READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Conditions on the audit log; None is no condition. The time lies in [from, to).

    `who` is a name or an account; an `action` that ends with a full stop stands for all that begin with this text.
    """

    who: str | None = None
    action: str | None = None
    subject: str | None = None
    lift_id: str | None = None
    outcome: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None


class AuditStore(AuditActs):
    """The part of the records that queries the audit log, and writes what changes nothing else."""

    def audit(
        self,
        wanted: AuditFilter = AuditFilter(),
        *,
        limit: int = 100,
        cursor: str | None = None,
        scope: LiftScope = ALL_LIFTS,
        organisation: str | None = None,
    ) -> Page[AuditEntry]:
        """Return the rows that concern a lift in the scope or were done for the organisation, newest first.

        Raises `BadCursor`.
        """
        query = _newest_first(wanted, scope, organisation)
        if cursor is not None:
            at_ns, row_id = map(parse_number, decode_cursor(cursor, 2))
            query = query.where(tuple_(audit.c.at_ns, audit.c.id) < tuple_(at_ns, row_id))
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit + 1)).mappings().all()
            entries = without_foreign_lifts(connection, [read_entry(row) for row in rows[:limit]], scope)
        more = len(rows) > limit and bool(entries)
        return Page(entries, encode_cursor(entries[-1].at_ns, entries[-1].id) if more else None)

    def every_audit(
        self, wanted: AuditFilter, scope: LiftScope = ALL_LIFTS, organisation: str | None = None
    ) -> Iterator[AuditEntry]:
        """Yield all rows of a filter, newest first, a page at a time: other writers do not wait for a slow reader."""
        cursor = None
        while True:
            page = self.audit(wanted, limit=READ_AT_ONCE, cursor=cursor, scope=scope, organisation=organisation)
            yield from page.items
            if page.next is None:
                return
            cursor = page.next

    def audit_head(self) -> Link:
        """Return the head of the chain."""
        with self._database.reading() as connection:
            return read_end(connection, HEAD)

    @contextmanager
    def chain_check(self, kept_heads: Sequence[Link] = ()) -> Iterator[tuple[ChainCheck, Iterator[str]]]:
        """Open a check of the whole chain as it is now, and its complaints, which are found while they are read."""
        with self._database.reading() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            check = ChainCheck(read_end(connection, ANCHOR), read_end(connection, HEAD), kept_heads)
            yield check, check.complaints(_all_rows(connection))


def _all_rows(connection: Connection) -> Iterator[Any]:
    """Yield every row in the order of the chain, without holding all of them; hashes as the database has them."""
    streaming = connection.execution_options(yield_per=READ_AT_ONCE)
    columns = [type_coerce(column, NullType()) if column.name in ("previous", "hash") else column for column in audit.c]
    yield from streaming.execute(select(*columns).order_by(audit.c.id)).mappings()


def _newest_first(wanted: AuditFilter, scope: LiftScope, organisation: str | None) -> Select[Any]:
    names = sorted({*scope.names, *([organisation] if organisation else ())})
    own = or_(rows_in(scope, audit.c.lift_id, audit.c.district), audit.c.organisation.in_(names))
    if wanted.lift_id is not None:  # no question for a foreign lift of an incident of several organisations
        own = own & or_(~audit.c.action.startswith(INCIDENT_ACTS), rows_in(scope, audit.c.lift_id, audit.c.district))
    return select(audit).where(own, *_conditions(wanted)).order_by(audit.c.at_ns.desc(), audit.c.id.desc())


def _conditions(wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.who is not None:
        yield or_(audit.c.by == wanted.who, audit.c.account == wanted.who)
    if wanted.action is not None:
        is_group = wanted.action.endswith(".")
        yield audit.c.action.startswith(wanted.action, autoescape=True) if is_group else audit.c.action == wanted.action
    for name in ("subject", "lift_id", "outcome"):
        if getattr(wanted, name) is not None:
            yield audit.c[name] == getattr(wanted, name)
    if wanted.from_ns is not None:
        yield audit.c.at_ns >= clamped(wanted.from_ns)
    if wanted.to_ns is not None:
        yield audit.c.at_ns < clamped(wanted.to_ns)
