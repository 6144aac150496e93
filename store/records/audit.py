"""The audit log: the actions of people, written in the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection

from registry.actor import Actor
from store.records.schema import audit


def write_audit(
    connection: Connection, now_ns: int, by: Actor, action: str, subjects: Iterable[tuple[str, object]]
) -> None:
    """Write one audit entry for each subject, with its details as JSON."""
    rows = [
        {"at_ns": now_ns, "by": by.name, "action": action, "subject": subject, "detail": orjson.dumps(detail).decode()}
        for subject, detail in subjects
    ]
    connection.execute(audit.insert(), rows)
