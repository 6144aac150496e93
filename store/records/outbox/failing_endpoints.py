"""The endpoints of webhooks that fail: what waits after an attempt, and what was given up, for people to see."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from store.records.database import Database
from store.records.schema import deliveries, is_failed, is_waiting

SHOWN_AFTER_NS = 60 * 1_000_000_000
"""A delivery that is tried again for less is no failure to be shown."""
ENDPOINTS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class FailingEndpoint:
    """An endpoint with the number of messages that wait, and of those given up, since the oldest of them was made.

    `error` is what the newest of them ended with.
    """

    endpoint: str
    waiting: int
    given_up: int
    since_ns: int
    error: str


class FailingEndpoints:
    """The part of the records that queries what became of deliveries to webhooks."""

    _database: Database

    def failing_endpoints(self, now_ns: int, since_ns: int) -> list[FailingEndpoint]:
        """Return the endpoints that have failed for a minute, or gave messages up since an instant, by name."""
        own = deliveries.c
        has_failed = own.error.is_not(None) & (own.made_ns <= now_ns - SHOWN_AFTER_NS)
        counted = select(own.endpoint, func.count(), func.min(own.made_ns)).group_by(own.endpoint)
        given_up = is_failed & (own.made_ns >= since_ns)
        with self._database.reading() as connection:
            late = set(connection.scalars(select(own.endpoint).where(is_waiting, has_failed).distinct()))
            lost = {row[0]: row for row in connection.execute(counted.where(given_up).limit(ENDPOINTS_LIMIT))}
            waiting = {
                row[0]: row for row in connection.execute(counted.where(is_waiting, own.endpoint.in_(late | set(lost))))
            }
            found = []
            for name in sorted(waiting | lost):
                bad = (own.endpoint == name) & own.error.is_not(None)
                newest = select(own.error).where(bad, is_waiting | given_up).order_by(own.id.desc()).limit(1)
                error = connection.execute(newest).scalar() or ""
                _, waits, waits_since_ns = waiting.get(name, (name, 0, now_ns))
                _, lost_count, lost_since_ns = lost.get(name, (name, 0, now_ns))
                found.append(FailingEndpoint(name, waits, lost_count, min(waits_since_ns, lost_since_ns), error))
        return found
