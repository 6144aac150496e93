"""The outbox: committed transitions in the order of their commits, and the webhook deliveries made of them.

Each partition's monitor delivers the transitions of its lifts. Delivery is at least once: a reader's cursor moves after
the delivery. A transition keeps its number, and a delivery its id, so a receiver can recognise a repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from registry.partition import Partition
from registry.scope import LiftScope
from store.records.database import Database, read_counter
from store.records.monitors.partitions import cursor_name
from store.records.page import clamped
from store.records.schema import counters, deliveries, is_waiting, lifts, transitions
from store.records.scoping import lifts_in

WAITING, DONE, FAILED = "waiting", "done", "failed"


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """A transition that is to be delivered to an endpoint, after `attempts` attempts."""

    id: int
    endpoint: str
    attempts: int
    made_ns: int
    announcement: Announcement


class Outbox:
    """The part of the records that notifiers read."""

    _database: Database
    partition: Partition

    def transitions_since(
        self, transition_id: int, limit: int = 1000, *, district: str | None = None, lift_id: str | None = None
    ) -> list[Announcement]:
        """Return the transitions after `transition_id`, oldest first."""
        query = (
            select(*_ANNOUNCED).where(transitions.c.id > clamped(transition_id)).order_by(transitions.c.id).limit(limit)
        )
        if district is not None:
            query = query.where(transitions.c.district == district)
        if lift_id is not None:
            query = query.where(transitions.c.lift_id == lift_id)
        with self._database.reading() as connection:
            return [Announcement(*tuple(row)) for row in connection.execute(query)]

    def lifts_naming(self, lift_ids: Collection[str], organisations: Collection[str]) -> set[str]:
        """Return those lifts of which a fact names one of the organisations."""
        naming = lifts_in(LiftScope(names=frozenset(organisations)))
        query = select(lifts.c.lift_id).where(lifts.c.lift_id.in_(lift_ids), naming)
        with self._database.reading() as connection:
            return set(connection.scalars(query))

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
        with self._database.writing() as connection:
            self._database.set_counter(connection, cursor_name(self.partition, name), transition_id)

    def register_endpoint(self, endpoint: str) -> int:
        """Return the cursor of an endpoint; a new endpoint starts at the newest transition."""
        name = cursor_name(self.partition, f"webhook:{endpoint}")
        with self._database.writing() as connection:
            if connection.execute(select(counters.c.value).where(counters.c.name == name)).first() is None:
                newest = connection.execute(select(func.max(transitions.c.id))).scalar() or 0
                self._database.set_counter(connection, name, newest)
            return read_counter(connection, name)

    def enqueue(self, endpoint: str, wanted: Iterable[Announcement], served_to: int, now_ns: int) -> None:
        """Create deliveries of these transitions to an endpoint and move its cursor, in one commit."""
        rows = [
            {
                "partition": self.partition.name,
                "endpoint": endpoint,
                "transition_id": announcement.id,
                "alert_id": announcement.alert_id,
                "state": WAITING,
                "attempts": 0,
                "made_ns": now_ns,
                "due_ns": now_ns,
            }
            for announcement in wanted
        ]
        with self._database.writing() as connection:
            if rows:
                insert = self._database.insert(deliveries).on_conflict_do_nothing()
                connection.execute(insert, rows)
            self._database.set_counter(connection, cursor_name(self.partition, f"webhook:{endpoint}"), served_to)

    def due(self, endpoints: Sequence[str], now_ns: int, limit: int = 100) -> list[Delivery]:
        """Return the own deliveries that are due, oldest first: only the first waiting one of each alert."""
        first = (
            select(func.min(deliveries.c.id))
            .where(is_waiting, deliveries.c.partition == self.partition.name, deliveries.c.endpoint.in_(endpoints))
            .group_by(deliveries.c.endpoint, deliveries.c.alert_id)
        )
        query = (
            select(deliveries.c.id, deliveries.c.endpoint, deliveries.c.attempts, deliveries.c.made_ns, *_ANNOUNCED)
            .join(transitions, transitions.c.id == deliveries.c.transition_id)
            .where(deliveries.c.id.in_(first), deliveries.c.due_ns <= now_ns)
            .order_by(deliveries.c.due_ns, deliveries.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_delivery(tuple(row)) for row in connection.execute(query)]

    def store_attempt(self, delivery_id: int, state: str, *, due_ns: int = 0, error: str | None = None) -> None:
        """Store the result of an attempt: `DONE`, `FAILED` for good, or `WAITING` again until `due_ns`."""
        values = {"state": state, "attempts": deliveries.c.attempts + 1, "due_ns": due_ns, "error": error}
        with self._database.writing() as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(values))


_ANNOUNCED = (
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


def _delivery(row: tuple[Any, ...]) -> Delivery:
    delivery_id, endpoint, attempts, made_ns, *announced = row
    return Delivery(delivery_id, endpoint, attempts, made_ns, Announcement(*announced))
