"""Telegram, Slack, Teams and other messengers by Apprise, a library with a URL for each of them.

Apprise connects by itself, so the guard of addresses cannot stand in between. Without the operator's permission only
messengers are used whose hosts the library fixes, and Teams where the host is Microsoft's.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from notify.texts.limits import one_line
from notify.texts.message import Message
from notify.ways.http_post import TRANSIENT_STATUSES
from notify.ways.sender import Address, Outcome, delivered, permanent, try_again

FIXED_HOSTS = frozenset({"discord", "line", "pover", "pbul", "slack", "tgram", "twilio", "webexteams", "wxteams"})
MICROSOFT = (".logic.azure.com", ".powerplatform.com", ".powerautomate.com")
TEAMS = frozenset({"workflow", "workflows"})
STATUS = re.compile(r"error[= ]+(\d{3})")
TIMEOUT_S = 15


class AppriseWay:
    """Sends messages by Apprise; `schemes` are further schemes of URLs that the operator allows."""

    def __init__(self, schemes: frozenset[str] = frozenset()) -> None:
        self._schemes = schemes

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        import apprise

        if fault := self.fault(address.text):
            return permanent(fault)
        asset = apprise.AppriseAsset(
            async_mode=False, secure_logging=True, app_id="Liftwatch", storage_mode="memory", default_service_retry=0
        )  # fmt: skip
        plugin = apprise.Apprise.instantiate(address.text, asset=asset)
        if plugin is None:
            return permanent("Apprise cannot read the address: see its list of URLs")
        plugin.redirects = False  # whatever the address says: a redirect could lead to a private network
        way = apprise.Apprise(asset=asset)
        way.add(plugin)
        body = "\n".join([*message.body_lines, *(f"{link.label}: {link.url}" for link in message.links)])
        return _notify(way, body, message)

    def fault(self, url: str) -> str | None:
        """Return why an address is not used, None where it is."""
        parts = urlsplit(url.strip())
        scheme = parts.scheme.lower()
        if scheme in FIXED_HOSTS | self._schemes:
            return None
        if scheme in TEAMS and (parts.hostname or "").endswith(MICROSOFT):
            return None
        known = ", ".join(sorted(FIXED_HOSTS | TEAMS | self._schemes))
        return f"the operator does not allow addresses that begin with {one_line(scheme)[:20]!r}, but {known}"


def _notify(way: Any, body: str, message: Message) -> Outcome:
    """Send by Apprise, which reports no more than success; the status is read from its log."""
    import apprise

    kind = apprise.NotifyType.FAILURE if message.severity == "critical" else apprise.NotifyType.WARNING
    said: list[str] = []
    try:
        is_sent = way.notify(
            body=body, title=message.title, notify_type=kind, body_format="text", timeout=TIMEOUT_S,
            log_callback=lambda entry, _: said.append(entry.message),
        )  # fmt: skip
    except Exception as error:  # a plug-in's own fault must not end the sender
        return try_again(f"{type(error).__name__}: {error}")
    if is_sent:
        return delivered()
    status = STATUS.search("\n".join(said))
    is_fault = status is not None and 400 <= int(status[1]) < 500 and int(status[1]) not in TRANSIENT_STATUSES
    return try_again(f"HTTP {status[1]}" if status else "the messenger does not answer", is_fault=is_fault)
