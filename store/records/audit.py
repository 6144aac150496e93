"""Who did what to what, for the record: written in the transaction that does it."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection

from store.records.schema import audit


def note(connection: Connection, now_ns: int, by: str, action: str, subjects: Iterable[tuple[str, object]]) -> None:
    """Write into the audit what somebody did to each subject, with the details as JSON."""
    rows = [
        {"at_ns": now_ns, "by": by, "action": action, "subject": subject, "detail": orjson.dumps(detail).decode()}
        for subject, detail in subjects
    ]
    connection.execute(audit.insert(), rows)
