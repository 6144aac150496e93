"""Temporary changes of thresholds: at their end the former values return.

    applied ──► ended     at `ends_ns`: each threshold that still has the value of the request gets its former one

A lift has one temporary change at a time. A threshold that was changed again meanwhile stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Select, select, update

from registry.actor import Actor
from registry.lift_facts import LiftFacts, read_changes
from registry.thresholds import THRESHOLD_FACTS
from store.records.audit.writing import AuditSubject, write_audit
from store.records.changes.requests import ENDED, ENDS, ChangeRequestStore, read_request
from store.records.changes.tables import change_requests, is_temporary
from store.records.lifts import LiftStore, find_lift

END = Actor.named("end of a temporary change")


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
            before = find_lift(connection, lift_id)
            after = self.patch_lift(lift_id, changes, by, now_ns, expected)  # locks the registry until the commit
            if connection.execute(_open_of(lift_id)).first() is not None:
                raise TemporaryChangeOpen(lift_id)
            if before is not None and after is not None:
                former = _different_thresholds(before.facts, after)
                values = {"ends_ns": ends_ns, "former": orjson.dumps(former).decode()}
                connection.execute(update(change_requests).where(change_requests.c.id == request_id).values(**values))
            return after

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
            asked, returned = read_request(row, now_ns), {}
            present = find_lift(connection, asked.wanted.lift_id)
            if present is not None:
                wanted = read_changes({name: value for name, value in asked.wanted.detail.items() if name != ENDS})[0]
                former = read_changes(orjson.loads(row.former))[0]
                returned = {
                    fact: value for fact, value in former.items() if getattr(present.facts, fact) == wanted.get(fact)
                }
                self.patch_lift(asked.wanted.lift_id, returned, END, now_ns)
            subject = AuditSubject(
                str(request_id), {"returned": sorted(returned)}, lift_id=asked.wanted.lift_id,
                district=asked.wanted.district,
            )  # fmt: skip
            write_audit(connection, now_ns, END, f"change.{ENDED}", [subject])
            self.tell_authority(connection, asked, now_ns)
            return True


def _open_of(lift_id: str) -> Select[tuple[int]]:
    return select(change_requests.c.id).where(is_temporary, change_requests.c.lift_id == lift_id)


def _different_thresholds(before: LiftFacts, after: LiftFacts) -> dict[str, Any]:
    """Return the former values of the thresholds that differ, as JSON has them."""
    return {fact: getattr(before, fact) for fact in THRESHOLD_FACTS if getattr(before, fact) != getattr(after, fact)}
