"""Retention: closed alerts, closed incidents and the audit log are deleted after some years, deliveries after days,
and the progress of calls, and the facts of deleted lifts, a day after the closing of the incident.

The law requires four years of alerts and audit; an alert that is not closed is never deleted. A call deletes a bounded
number of rows in short transactions, the oldest first, so that other writers do not wait.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from sqlalchemy import Column, Connection, delete, exists, select

from alerts.alert import CLOSED
from registry.actor import Actor
from store.records.audit.chain import ANCHOR, Link
from store.records.audit.verification import TRIMMED
from store.records.audit.writing import AuditSubject, lock_head, move_end, read_end, write_audit
from store.records.database import Database
from store.records.duty.calls import delete_call_progress
from store.records.incidents.rows import delete_incidents
from store.records.judging.deleted_lifts import forget_deleted_lifts
from store.records.outbox.notifications import delete_settled
from store.records.schema import alerts, audit, deliveries, maintenance, transitions
from telemetry.instant import DAY_NS

YEAR_NS = 366 * DAY_NS
KEEP_LEAST_YEARS = 4
KEEP_DEFAULT_YEARS = 5
DELIVERIES_KEPT_NS = 30 * DAY_NS
"""Of deliveries to webhooks, and of notifications that were sent or have reached nobody."""
DELETE_AT_ONCE = 500
ROUNDS_LIMIT = 20
RETENTION = Actor.named("retention")


class Retention:
    """The part of the records that deletes old rows."""

    _database: Database

    def delete_expired(self, now_ns: int, keep_years: int = KEEP_DEFAULT_YEARS) -> int:
        """Delete rows beyond the retention and return how many, at most a bounded number in each call."""
        before_ns = now_ns - max(keep_years, KEEP_LEAST_YEARS) * YEAR_NS
        deleted_rows = 0
        for _ in range(ROUNDS_LIMIT):
            with self._database.writing() as connection:
                rows = _delete_alerts(connection, before_ns)
                rows += delete_incidents(connection, before_ns, DELETE_AT_ONCE)
                rows += delete_call_progress(connection, now_ns)
                rows += forget_deleted_lifts(connection, now_ns)
                rows += _trim_audit(connection, before_ns, now_ns)
                rows += _delete_oldest(connection, maintenance.c.id, maintenance.c.until_ns, before_ns)
                rows += _delete_oldest(connection, deliveries.c.id, deliveries.c.made_ns, now_ns - DELIVERIES_KEPT_NS)
                rows += delete_settled(connection, now_ns - DELIVERIES_KEPT_NS, DELETE_AT_ONCE)
            deleted_rows += rows
            if rows == 0:
                break
        return deleted_rows


def _delete_alerts(connection: Connection, before_ns: int) -> int:
    """Delete closed alerts without a later transition, with all their transitions."""
    later = exists().where(transitions.c.alert_id == alerts.c.id, transitions.c.at_ns >= before_ns)
    old = select(alerts.c.id).where(alerts.c.onset_ns < before_ns, alerts.c.state == CLOSED, ~later)
    ids = list(connection.scalars(old.order_by(alerts.c.onset_ns).limit(DELETE_AT_ONCE)))
    if not ids:
        return 0
    deleted = connection.execute(delete(transitions).where(transitions.c.alert_id.in_(ids))).rowcount
    return deleted + connection.execute(delete(alerts).where(alerts.c.id.in_(ids))).rowcount


def _trim_audit(connection: Connection, before_ns: int, now_ns: int) -> int:
    """Delete the oldest rows of the audit log, and write a row that names the last of them, the new anchor."""
    lock_head(connection)
    oldest = select(audit.c.id, audit.c.hash, audit.c.at_ns).order_by(audit.c.id).limit(DELETE_AT_ONCE)
    old = list(takewhile(lambda row: row.at_ns < before_ns, connection.execute(oldest)))
    if not old:
        return 0
    deleted = connection.execute(delete(audit).where(audit.c.id <= old[-1].id)).rowcount
    anchor = Link(old[-1].id, bytes(old[-1].hash))
    before, after = read_end(connection, ANCHOR), {"id": anchor.id, "hash": anchor.hash.hex()}
    move_end(connection, ANCHOR, anchor)
    subject = AuditSubject("audit", {"rows": deleted}, {"id": before.id, "hash": before.hash.hex()}, after)
    write_audit(connection, now_ns, RETENTION, TRIMMED, [subject])
    return deleted


def _delete_oldest(connection: Connection, number: Column[Any], at_ns: Column[Any], before_ns: int) -> int:
    """Delete the oldest rows of a table whose ids follow its times, as far as they are before `before_ns`."""
    front = connection.execute(select(number, at_ns).order_by(number).limit(DELETE_AT_ONCE))
    ids = [row_id for row_id, then_ns in front if then_ns < before_ns]
    return connection.execute(delete(number.table).where(number.in_(ids))).rowcount if ids else 0
