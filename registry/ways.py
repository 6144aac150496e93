"""The ways by which a person is notified: their kinds, and how much of an address is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MAIL, SMS, VOICE, WEBHOOK = "mail", "sms", "voice", "webhook"
DINGTALK, WECOM, FEISHU, APPRISE, PUSH = "dingtalk", "wecom", "feishu", "apprise", "push"
WAY_KINDS = (MAIL, SMS, VOICE, DINGTALK, WECOM, FEISHU, APPRISE, WEBHOOK, PUSH)
ADDRESS_LIMIT_CHARS, SECRET_LIMIT_CHARS = 2000, 200
WAYS_LIMIT = 10
"""Of one person."""
TELEPHONES = (SMS, VOICE)
URLS = (WEBHOOK, DINGTALK, WECOM, FEISHU)
SHOWN_END_CHARS = 4


@dataclass(frozen=True, slots=True)
class NotificationWay:
    """One way of a person; `verified_ns` is None until the person has given back the code that was sent by this way.

    `fault` is why the last message could not be sent, since `fault_ns`; None after a message that was sent.
    """

    way_id: str
    person_id: str
    kind: str
    address: str = field(repr=False)
    secret: str | None = field(repr=False)
    position: int
    created_ns: int
    verified_ns: int | None = None
    fault: str | None = None
    fault_ns: int | None = None

    @property
    def is_verified(self) -> bool:
        """Whether messages are sent by this way."""
        return self.verified_ns is not None


def shown_address(kind: str, address: str) -> str:
    """Return the part of an address that may be shown and logged: tokens and most of a telephone number are hidden."""
    if kind == MAIL:
        return address
    if kind in TELEPHONES:
        return f"…{address[-SHOWN_END_CHARS:]}"
    if kind == PUSH:
        return ""
    scheme, _, rest = address.partition("://")
    if kind == APPRISE:
        return f"{scheme}://…"
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}/…{address[-SHOWN_END_CHARS:]}"
