"""Notifications to the owner of an account of a change of its credentials, in the transaction of the change.

They go by the owner's verified ways, so that whoever has stolen a password or a session does not stay unnoticed.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from alerts.notification import ACCOUNT, Notification
from registry.actor import Actor
from store.records.database import Database
from store.records.outbox.stored_notifications import insert_notifications
from store.records.outbox.tables import ways

FACTOR_ON, FACTOR_OFF, PASSWORD, RECOVERED = "factor-on", "factor-off", "password", "recovered"
SUBJECT, SUBJECT_OFF = "subject", "subject-off"
_SENTENCES = {
    FACTOR_ON: ("A second factor was set up for your account", "您的账号已启用两步验证"),
    FACTOR_OFF: ("The second factor of your account was removed", "您的账号已关闭两步验证"),
    PASSWORD: ("The password of your account was changed", "您的账号密码已更改"),
    RECOVERED: ("A recovery code was used for your account", "您的账号使用了一个恢复码"),
    SUBJECT: (
        "The identity provider now signs in to your account",
        "您的账号现在可通过身份提供方登录",
    ),
    SUBJECT_OFF: (
        "The identity provider does not sign in to your account any more",
        "您的账号不再能通过身份提供方登录",
    ),
}


def notify_owner(
    database: Database, connection: Connection, person_id: str, event: str, by: Actor, now_ns: int
) -> None:  # fmt: skip
    """Add a notification for a person who has a verified way."""
    verified = select(ways.c.id).where(ways.c.person_id == person_id, ways.c.verified_ns.is_not(None))
    if connection.execute(verified.limit(1)).first() is None:
        return
    english, chinese = _SENTENCES[event]
    if by.address:
        english, chinese = f"{english}, from {by.address}", f"{chinese}（来自 {by.address}）"
    key = f"{ACCOUNT}:{person_id}:{event}:{now_ns}"
    notice = Notification(key, person_id, "", ACCOUNT, "major", now_ns, sentence={"en": english, "zh": chinese})
    insert_notifications(database, connection, [notice], now_ns)
