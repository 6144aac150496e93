"""Notifications as they are stored in the outbox: JSON, with the code that verifies a way sealed until it is sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import orjson
from sqlalchemy import Connection

from alerts.notification import Notification
from store.records.database import Database
from store.records.outbox.tables import WAITING, notifications
from store.records.sealing.keys import SealingKeys, SecretsUnreadable

log = logging.getLogger(__name__)


def about_code(key: str) -> str:
    """Return the name of the place of a code, which is sealed with it."""
    return f"notifications.code of {key}"


def sealed(notification: Notification, keys: SealingKeys) -> str:
    """Return a notification as it is stored: its code sealed."""
    values = notification.to_json()
    if notification.code is not None:
        values["code"] = keys.seal(notification.code, about_code(notification.key))
    return orjson.dumps(values).decode()


def opened(stored: Notification, keys: SealingKeys) -> Notification:
    """Return a stored notification with its code, without one where the key is missing."""
    if stored.code is None:
        return stored
    try:
        return replace(stored, code=keys.unseal(stored.code, about_code(stored.key)))
    except SecretsUnreadable as error:
        log.error("the code of %s cannot be sent: %s", stored.key, error)
        return replace(stored, code=None)


def insert_notifications(
    database: Database, connection: Connection, added: Sequence[Notification], now_ns: int, *, way_id: str | None = None
) -> int:
    """Add notifications that are not there by their keys; return how many were added."""
    rows = [
        {
            "key": each.key, "incident_id": each.incident_id, "person_id": each.person_id, "way_id": way_id,
            "severity": each.severity, "content": sealed(each, database.keys), "state": WAITING,
            "failed_ways": "{}", "attempts": 0, "made_ns": now_ns, "way_since_ns": now_ns, "due_ns": now_ns,
        }
        for each in added
    ]  # fmt: skip
    if not rows:
        return 0
    insert = database.insert(notifications).on_conflict_do_nothing(index_elements=["key"])
    return len(connection.execute(insert.values(rows).returning(notifications.c.id)).all())
