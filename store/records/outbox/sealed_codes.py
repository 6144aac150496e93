"""Notifications as JSON, with the code that verifies a way sealed until it is sent."""

from __future__ import annotations

import logging
from dataclasses import replace

import orjson

from alerts.notification import Notification
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
