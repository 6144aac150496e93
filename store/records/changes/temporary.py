"""Temporary changes of thresholds: at their end the former values return.

    applied ──► ended     at `ends_ns`: each threshold that still has the value of the request gets its former one

A lift has one temporary change at a time. A threshold that was set again meanwhile stays as it is:
`store.records.changes.returning`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, select, update

from registry.actor import Actor
from registry.lift_facts import LiftFacts, read_changes
from registry.thresholds import different_thresholds
from store.records.changes.change_request import ENDED, ENDS, read_request
from store.records.changes.requests import ChangeRequestStore
from store.records.changes.returning import END, report_end
from store.records.changes.tables import change_requests, is_temporary
from store.records.lifts import REVISION, LiftStore, find_lift


class TemporaryChangeOpen(Exception):
    """An earlier temporary change of a lift has not ended."""


class TemporaryChangeStore(ChangeRequestStore, LiftStore):
    """The part of the records that ends temporary changes."""

    def patch_lift_until(
        self, request_id: int, lift_id: str, changes: Mapping[str, Any], by: Actor, now_ns: int, ends_ns: int,
        expected: Collection[str] | None = None,
    ) -> LiftFacts | None:  # fmt: skip
        """Change facts of a lift as a request asks, thresholds until `ends_ns`; return and raise as `patch_lift`.

        Raises TemporaryChangeOpen where an earlier temporary change of the lift has not ended.
        """
        with self._database.writing() as connection:
            self._database.count_up(connection, REVISION)  # locks the registry until the commit
            if connection.execute(_open_of(lift_id)).first() is not None:
                raise TemporaryChangeOpen(lift_id)
            before = find_lift(connection, lift_id)
            after = self.patch_lift(lift_id, changes, by, now_ns, expected)
            if before is not None and after is not None:
                former = {fact: getattr(before.facts, fact) for fact in different_thresholds(before.facts, after)}
                values = {"ends_ns": ends_ns, "former": orjson.dumps(former).decode()}
                connection.execute(update(change_requests).where(change_requests.c.id == request_id).values(**values))
            return after

    def returning_thresholds(self, lift_id: str) -> frozenset[str]:
        """Return the thresholds of a lift that return at the end of its temporary change."""
        query = select(change_requests.c.former).where(is_temporary, change_requests.c.lift_id == lift_id)
        with self._database.reading() as connection:
            return frozenset(fact for former in connection.scalars(query) for fact in orjson.loads(former or "{}"))

    def end_temporary_changes(self, now_ns: int) -> int:
        """End the changes that are due, tell the authority, and return their number."""
        due = select(change_requests.c.id).where(is_temporary, change_requests.c.ends_ns <= now_ns)
        with self._database.reading() as connection:
            ids = list(connection.scalars(due))
        return sum(self._end(request_id, now_ns) for request_id in ids)

    def _end(self, request_id: int, now_ns: int) -> bool:
        """End one change in a transaction; return False where another process has ended it."""
        with self._database.writing() as connection:
            this = (change_requests.c.id == request_id) & is_temporary
            if connection.execute(update(change_requests).where(this).values(state=ENDED)).rowcount == 0:
                return False
            row = connection.execute(select(change_requests).where(change_requests.c.id == request_id)).one()
            returned = _returning(connection, row, now_ns)
            if returned:
                self.patch_lift(row.lift_id, returned, END, now_ns)
            report_end(self._database, connection, row, returned, now_ns)
            return True


def _returning(connection: Connection, row: Row[Any], now_ns: int) -> Mapping[str, Any]:
    """Return the former values of the thresholds that a registered lift still has from a temporary change."""
    present = find_lift(connection, row.lift_id)
    if present is None or not present.registered:
        return {}
    detail = read_request(row, now_ns).wanted.detail
    wanted = read_changes({name: value for name, value in detail.items() if name != ENDS})[0]
    former = read_changes(orjson.loads(row.former))[0]
    return {fact: value for fact, value in former.items() if getattr(present.facts, fact) == wanted.get(fact)}


def _open_of(lift_id: str) -> Select[tuple[int]]:
    return select(change_requests.c.id).where(is_temporary, change_requests.c.lift_id == lift_id)
