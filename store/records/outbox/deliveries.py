"""The deliveries to webhooks: each of a transition of an alert, or of an entry of an incident, to one endpoint.

Each partition's monitor delivers what is about its lifts, at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select, update

from registry.partition import Partition
from store.records.database import Database, read_counter
from store.records.incidents.outbox import ANNOUNCED as ANNOUNCED_ENTRY
from store.records.incidents.outbox import IncidentAnnouncement
from store.records.incidents.tables import incident_entries
from store.records.monitors.partitions import cursor_name
from store.records.outbox.tables import is_ahead
from store.records.outbox.transitions import ANNOUNCED, Announcement
from store.records.schema import ALERT, INCIDENT, counters, deliveries, is_waiting, transitions

WAITING, DONE, FAILED = "waiting", "done", "failed"
MADE_AHEAD_NS = 60 * 1_000_000_000
"""The clocks of two hosts differ by less."""
AHEAD_NS = 3_600_000_000_000 + MADE_AHEAD_NS
"""Further ahead than any pause between two attempts."""
_NEWS: dict[str, Table] = {ALERT: transitions, INCIDENT: incident_entries}
_READERS = {ALERT: "webhook", INCIDENT: "webhook incidents"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A transition or an entry that is to be delivered to an endpoint, after `attempts` attempts."""

    id: int
    endpoint: str
    attempts: int
    made_ns: int
    due_ns: int
    announcement: Announcement | IncidentAnnouncement


class DeliveryStore:
    """The part of the records that holds deliveries to webhooks."""

    _database: Database
    partition: Partition

    def register_endpoint(self, endpoint: str, subject: str = ALERT) -> int:
        """Return the cursor of an endpoint for a subject; that of a new endpoint is at the newest."""
        name = self._cursor(endpoint, subject)
        with self._database.writing() as connection:
            if connection.execute(select(counters.c.value).where(counters.c.name == name)).first() is None:
                newest = connection.execute(select(func.max(_NEWS[subject].c.id))).scalar() or 0
                self._database.set_counter(connection, name, newest)
            return read_counter(connection, name)

    def enqueue(
        self,
        endpoint: str,
        wanted: Sequence[Announcement] | Sequence[IncidentAnnouncement],
        served_to: int,
        now_ns: int,
        subject: str = ALERT,
    ) -> None:
        """Create deliveries of a subject to an endpoint and move its cursor, in one commit."""
        shared = {"partition": self.partition.name, "endpoint": endpoint, "subject": subject, "state": WAITING}
        times = {"attempts": 0, "made_ns": now_ns, "due_ns": now_ns}
        rows = [{**shared, **times, "number": each.id, "subject_id": subject_id(each)} for each in wanted]
        with self._database.writing(durable=False, ordered=True) as connection:
            if rows:
                connection.execute(self._database.insert(deliveries).on_conflict_do_nothing(), rows)
            self._database.set_counter(connection, self._cursor(endpoint, subject), served_to)

    def due(self, endpoints: Sequence[str], now_ns: int, limit: int = 100) -> list[Delivery]:
        """Return the own deliveries that are due, oldest first: the first waiting one of each alert or incident.

        Those whose times are further ahead than any pause waited when the clock was set back: they are due now.
        """
        first = (
            select(func.min(deliveries.c.id))
            .where(is_waiting, deliveries.c.partition == self.partition.name, deliveries.c.endpoint.in_(endpoints))
            .group_by(deliveries.c.endpoint, deliveries.c.subject_id)
        )
        of_a_clock_ahead = is_ahead(deliveries, now_ns, AHEAD_NS, MADE_AHEAD_NS)
        due = deliveries.c.id.in_(first) & ((deliveries.c.due_ns <= now_ns) | of_a_clock_ahead)
        found: list[Delivery] = []
        with self._database.reading() as connection:
            for subject, columns, announcement in _ANNOUNCEMENTS:
                news = _NEWS[subject]
                own = select(*_DELIVERY, *columns).join(news, news.c.id == deliveries.c.number)
                own = own.where(deliveries.c.subject == subject, due)
                for row in connection.execute(own.order_by(deliveries.c.due_ns, deliveries.c.id).limit(limit)):
                    delivery_id, name, attempts, made_ns, due_ns, *announced = row
                    found.append(Delivery(delivery_id, name, attempts, made_ns, due_ns, announcement(*announced)))
        if any(max(each.made_ns, each.due_ns) > now_ns + MADE_AHEAD_NS for each in found):
            ours = (deliveries.c.partition == self.partition.name) & deliveries.c.endpoint.in_(endpoints)
            with self._database.writing(durable=False, ordered=True) as connection:
                ahead = update(deliveries).where(is_waiting, ours, of_a_clock_ahead)
                connection.execute(ahead.values(made_ns=now_ns, due_ns=now_ns))
        return sorted(found, key=lambda each: (each.due_ns, each.id))[:limit]

    def store_attempt(self, delivery_id: int, state: str, *, due_ns: int = 0, error: str | None = None) -> None:
        """Store the result of an attempt: `DONE`, `FAILED` for good, or `WAITING` again until `due_ns`."""
        values = {"state": state, "attempts": deliveries.c.attempts + 1, "due_ns": due_ns, "error": error}
        with self._database.writing(durable=False, ordered=True) as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(values))

    def _cursor(self, endpoint: str, subject: str) -> str:
        return cursor_name(self.partition, f"{_READERS[subject]}:{endpoint}")


def subject_id(announced: Announcement | IncidentAnnouncement) -> str:
    """Return the id of the alert or of the incident."""
    return announced.alert_id if isinstance(announced, Announcement) else announced.incident_id


_DELIVERY: tuple[Any, ...] = tuple(deliveries.c[name] for name in ("id", "endpoint", "attempts", "made_ns", "due_ns"))
_ANNOUNCEMENTS: tuple[tuple[str, tuple[Any, ...], Callable[..., Announcement | IncidentAnnouncement]], ...] = (
    (ALERT, ANNOUNCED, Announcement),
    (INCIDENT, ANNOUNCED_ENTRY, IncidentAnnouncement),
)
