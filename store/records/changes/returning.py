"""The thresholds that return at the end of a temporary change, and that end.

A threshold that is set for good meanwhile, to the same value too, does not return; a change of which nothing returns
any more, and one of a lift that is deleted, ends at once.

Each transaction locks the row of the temporary change before the registry, so that of the end and of a change of the
lift at the same time one waits for the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from registry.actor import Actor
from store.records.audit.writing import AuditSubject, write_audit
from store.records.changes.change_request import ENDED, read_request
from store.records.changes.tables import change_requests, is_temporary
from store.records.database import Database
from store.records.outbox.change_notices import notify_authorities

END = Actor.named("end of a temporary change")


def set_for_good(
    database: Database, connection: Connection, thresholds: Mapping[str, Collection[str]], now_ns: int
) -> None:
    """Exclude thresholds, by lift, from those that return; end each temporary change of which none is left."""
    for row in _open_changes(connection, [lift_id for lift_id, facts in thresholds.items() if facts]):
        former = orjson.loads(row.former)
        left = {fact: value for fact, value in former.items() if fact not in thresholds[row.lift_id]}
        if left != former:
            this = update(change_requests).where(change_requests.c.id == row.id)
            connection.execute(this.values(former=orjson.dumps(left).decode()))
            if not left:
                _end_now(database, connection, row, now_ns)


def end_changes_of(database: Database, connection: Connection, lift_id: str, now_ns: int) -> None:
    """End the temporary changes of a lift; no threshold returns."""
    for row in _open_changes(connection, [lift_id]):
        _end_now(database, connection, row, now_ns)


def report_end(
    database: Database, connection: Connection, row: Row[Any], returned: Collection[str], now_ns: int
) -> None:
    """Write the end of a temporary change to the audit log and notify the authority of the thresholds that returned."""
    asked = read_request(row, now_ns)
    subject = AuditSubject(str(row.id), {"returned": sorted(returned)}, lift_id=row.lift_id, district=row.district)
    write_audit(connection, now_ns, END, f"change.{ENDED}", [subject])
    notify_authorities(database, connection, asked, now_ns, returned)


def _open_changes(connection: Connection, lift_ids: Collection[str]) -> list[Row[Any]]:
    """Return the rows of the temporary changes of lifts that have not ended, locked until the commit."""
    if not lift_ids:
        return []
    query = select(change_requests).where(is_temporary, change_requests.c.lift_id.in_(lift_ids))
    return list(connection.execute(query.order_by(change_requests.c.id).with_for_update()))


def _end_now(database: Database, connection: Connection, row: Row[Any], now_ns: int) -> None:
    this = update(change_requests).where(change_requests.c.id == row.id)
    ended = connection.execute(this.values(state=ENDED).returning(*change_requests.c)).one()
    report_end(database, connection, ended, (), now_ns)
