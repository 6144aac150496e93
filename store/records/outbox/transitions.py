"""The outbox of alerts: committed transitions in the order of their commits.

Each partition's monitor delivers the transitions of its lifts. Delivery is at least once: a reader's cursor moves after
the delivery. A transition keeps its number, so a receiver can recognise a repeat.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BigInteger, func, literal, select

from registry.partition import Partition
from registry.scope import LiftScope
from store.records.database import Database, read_counter
from store.records.incidents.rows import in_parts
from store.records.judging.deleted_lifts import naming_when_deleted
from store.records.monitors.partitions import cursor_name
from store.records.page import clamped
from store.records.schema import deleted_lifts, lifts, transitions
from store.records.scoping import lifts_in

NAMED_NOW = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Announcement:
    """A transition and the alert's JSON (contract, section 3) at that moment."""

    id: int
    alert_id: str
    lift_id: str
    district: str
    kind: str
    at_ns: int
    by: str | None
    note: str | None
    to: str | None
    alert_json: str


class Outbox:
    """The part of the records that notifiers read."""

    _database: Database
    partition: Partition

    def transitions_since(
        self, transition_id: int, limit: int = 1000, *, district: str | None = None, lift_id: str | None = None
    ) -> list[Announcement]:
        """Return the transitions after `transition_id`, oldest first."""
        query = (
            select(*ANNOUNCED).where(transitions.c.id > clamped(transition_id)).order_by(transitions.c.id).limit(limit)
        )
        if district is not None:
            query = query.where(transitions.c.district == district)
        if lift_id is not None:
            query = query.where(transitions.c.lift_id == lift_id)
        with self._database.reading() as connection:
            return [Announcement(*tuple(row)) for row in connection.execute(query)]

    def named_until(self, lift_ids: Collection[str], organisations: Collection[str]) -> dict[str, int]:
        """Return up to which instant, in ns, a fact of each lift names one of the organisations.

        That is the deletion of a lift that was deleted, and `NAMED_NOW` of a registered one; other lifts are left out.
        """
        scope = LiftScope(names=frozenset(organisations))
        registered = select(lifts.c.lift_id, literal(NAMED_NOW, BigInteger)).where(lifts_in(scope))
        deleted = select(deleted_lifts.c.lift_id, deleted_lifts.c.deleted_ns).where(naming_when_deleted(scope))
        found: dict[str, int] = {}
        with self._database.reading() as connection:
            for some in in_parts(lift_ids):
                for query, column in ((deleted, deleted_lifts.c.lift_id), (registered, lifts.c.lift_id)):
                    found |= {row[0]: row[1] for row in connection.execute(query.where(column.in_(some)))}
        return found

    def last_transition(self) -> int:
        """Return the number of the newest transition, 0 before the first."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(transitions.c.id))).scalar() or 0

    def cursor(self, name: str) -> int:
        """Return the last transition that the reader `name` has delivered, 0 before the first."""
        with self._database.reading() as connection:
            return read_counter(connection, cursor_name(self.partition, name))

    def move_cursor(self, name: str, transition_id: int) -> None:
        """Move the cursor of the reader `name` to `transition_id`."""
        with self._database.writing(durable=False, ordered=True) as connection:
            self._database.set_counter(connection, cursor_name(self.partition, name), transition_id)


ANNOUNCED = (
    transitions.c.id,
    transitions.c.alert_id,
    transitions.c.lift_id,
    transitions.c.district,
    transitions.c.kind,
    transitions.c.at_ns,
    transitions.c.by,
    transitions.c.note,
    transitions.c.to,
    transitions.c.alert,
)
