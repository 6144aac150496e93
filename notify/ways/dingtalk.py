"""DingTalk: a custom robot of a group, signed by its secret.

The signature is base64(HMAC-SHA256(secret, "timestamp\\nsecret")) with the timestamp in milliseconds; both are
parameters of the URL. https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from urllib.parse import urlencode

from notify.texts.limits import cut_bytes, escape_markdown
from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.robots import post_json
from notify.ways.sender import Address, Outcome

BUSY_CODES = (-1, 130101, 410100, 660026)
"""The system is busy, and more than 20 messages a minute."""
BUSY_PAUSE_S = 60.0
TEXT_LIMIT_BYTES = 18_000


class DingTalkWay:
    """Sends messages to robots of DingTalk, as Markdown."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        lines = [f"**{escape_markdown(message.title)}**", *(escape_markdown(line) for line in message.body_lines)]
        links = [f"[{escape_markdown(link.label)}]({link.url})" for link in message.links]
        text = "\n\n".join([cut_bytes("\n\n".join(lines), TEXT_LIMIT_BYTES), *links])
        body = {"msgtype": "markdown", "markdown": {"title": message.title, "text": text}}
        url = signed_url(address.text, address.secret, self._client.now_ns() // 1_000_000)
        return post_json(self._client, url, body, "errcode", "errmsg", BUSY_CODES, BUSY_PAUSE_S)


def signed_url(url: str, secret: str, now_ms: int) -> str:
    """Return the URL with timestamp and signature; unchanged for a robot without a secret."""
    if not secret:
        return url
    digest = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    query = urlencode({"timestamp": now_ms, "sign": b64encode(digest).decode()})
    return f"{url}{'&' if '?' in url else '?'}{query}"
