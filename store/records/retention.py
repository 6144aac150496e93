"""What the records forget, and when: the past of alerts and the audit after some years, deliveries after days.

The law asks for four years of alerts and of who did what; what is not closed is never forgotten. A call forgets
a bounded number of rows in transactions of its own, the oldest first, so that nobody waits for it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, delete, exists, select

from alerts.alert import CLOSED
from store.records.database import Database
from store.records.schema import alerts, audit, deliveries, maintenance, transitions

DAY_NS = 24 * 3600 * 1_000_000_000
YEAR_NS = 366 * DAY_NS
KEEP_LEAST_YEARS = 4
KEEP_DEFAULT_YEARS = 5
DELIVERIES_KEPT_NS = 30 * DAY_NS
FORGET_AT_ONCE = 500
ROUNDS_LIMIT = 20


class Retention:
    """The forgetting part of the records."""

    _database: Database

    def forget(self, now_ns: int, keep_years: int = KEEP_DEFAULT_YEARS) -> int:
        """Forget what is older than it is kept; return how many rows. At most so many at a call: call again later."""
        before_ns = now_ns - max(keep_years, KEEP_LEAST_YEARS) * YEAR_NS
        forgotten = 0
        for _ in range(ROUNDS_LIMIT):
            with self._database.writing() as connection:
                rows = _forget_alerts(connection, before_ns)
                rows += _forget_front(connection, audit.c.id, audit.c.at_ns, before_ns)
                rows += _forget_front(connection, maintenance.c.id, maintenance.c.until_ns, before_ns)
                rows += _forget_front(connection, deliveries.c.id, deliveries.c.made_ns, now_ns - DELIVERIES_KEPT_NS)
            forgotten += rows
            if rows == 0:
                break
        return forgotten


def _forget_alerts(connection: Connection, before_ns: int) -> int:
    """Forget closed alerts of which nothing was told since, with all their transitions."""
    later = exists().where(transitions.c.alert_id == alerts.c.id, transitions.c.at_ns >= before_ns)
    old = select(alerts.c.id).where(alerts.c.onset_ns < before_ns, alerts.c.state == CLOSED, ~later)
    ids = list(connection.scalars(old.order_by(alerts.c.onset_ns).limit(FORGET_AT_ONCE)))
    if not ids:
        return 0
    told = connection.execute(delete(transitions).where(transitions.c.alert_id.in_(ids))).rowcount
    return told + connection.execute(delete(alerts).where(alerts.c.id.in_(ids))).rowcount


def _forget_front(connection: Connection, number: Column[Any], at_ns: Column[Any], before_ns: int) -> int:
    """Forget the first rows of a table whose numbers follow its times, as far as they are older than that."""
    front = connection.execute(select(number, at_ns).order_by(number).limit(FORGET_AT_ONCE))
    ids = [row_id for row_id, then_ns in front if then_ns < before_ns]
    return connection.execute(delete(number.table).where(number.in_(ids))).rowcount if ids else 0
