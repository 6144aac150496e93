"""The ways by which a person is notified: their kinds, checked addresses, and how much of one is shown. Pure."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field

from registry.fact_checks import InvalidFact, preview, text

MAIL, SMS, VOICE, WEBHOOK = "mail", "sms", "voice", "webhook"
DINGTALK, WECOM, FEISHU, APPRISE, PUSH = "dingtalk", "wecom", "feishu", "apprise", "push"
WAY_KINDS = (MAIL, SMS, VOICE, DINGTALK, WECOM, FEISHU, APPRISE, WEBHOOK, PUSH)
ADDRESS_LIMIT_CHARS, SECRET_LIMIT_CHARS = 2000, 200
WAYS_LIMIT = 10
"""Of one person."""
TELEPHONES = (SMS, VOICE)
URLS = (WEBHOOK, DINGTALK, WECOM, FEISHU)
SECRET_ADDRESSES = (*URLS, APPRISE, PUSH)
"""Ways by which whoever knows the address can send."""
SHOWN_END_CHARS = 4
WEBHOOK_SECRET_PREFIX, WEBHOOK_SECRET_LEAST_BYTES = "whsec_", 24
_MAIL = re.compile(r"[^\s@<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_SEPARATORS = re.compile(r"[ ()./-]")
_TELEPHONE = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.ASCII)
_APPRISE = re.compile(r"[a-z0-9]+://\S+", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NotificationWay:
    """One way of a person; `verified_ns` is None until the person has given back the code that was sent by this way.

    `fault` is why the last message could not be sent, since `fault_ns`; None after a message that was sent. Without
    `is_readable` the key of address and secret is missing, and both are empty.
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
    is_readable: bool = True

    @property
    def is_verified(self) -> bool:
        """Whether messages are sent by this way."""
        return self.verified_ns is not None


def shown_address(kind: str, address: str) -> str:
    """Return the part of an address that may be shown and logged: tokens and most of a telephone number are hidden."""
    if kind == MAIL or not address:
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


def checked_address(kind: str, value: str) -> str:
    """Return an address of a way as it is stored; raise InvalidFact for any other text."""
    address = value.strip()
    if kind in TELEPHONES:
        address = _SEPARATORS.sub("", address)
    if kind == PUSH:
        return _checked_subscription(address)
    form, wrong, remedy = _FORMS[kind]
    if not form.fullmatch(address) or not address.isascii() or len(address) > ADDRESS_LIMIT_CHARS:
        raise InvalidFact(f"{preview(value)} {wrong}", remedy)
    return address


def checked_way_secret(kind: str, value: str) -> str:
    """Return the secret that signs the messages of a way, empty where its kind has none; raise InvalidFact."""
    if kind == WEBHOOK:
        try:
            key = b64decode(value.removeprefix(WEBHOOK_SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        if len(key) < WEBHOOK_SECRET_LEAST_BYTES:
            raise InvalidFact("is not a signing secret", "write whsec_ and at least 24 random bytes in base64")
        return value
    return text(value) if kind in (DINGTALK, FEISHU) else ""


_FORMS = {
    MAIL: (_MAIL, "is not an e-mail address", "write name@host.example"),
    **dict.fromkeys(TELEPHONES, (_TELEPHONE, "is not a telephone number", "write it as in +8613800138000")),
    **dict.fromkeys(URLS, (_URL, "is not an address", "write https://host/path")),
    APPRISE: (_APPRISE, "is not an address of Apprise", "write it as in tgram://token/chat"),
}


def _checked_subscription(address: str) -> str:
    """Return the subscription of a browser, as JSON."""
    try:
        given = json.loads(address)
        is_right = given["endpoint"].startswith("https://") and {"p256dh", "auth"} <= given["keys"].keys()
    except (ValueError, KeyError, TypeError, AttributeError):
        is_right = False
    if not is_right or len(address) > ADDRESS_LIMIT_CHARS:
        raise InvalidFact("is not a subscription of a browser", "turn notifications on in the browser again")
    return address
