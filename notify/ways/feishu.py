"""Feishu and Lark: a custom robot of a group, signed by its secret.

The signature is base64(HMAC-SHA256("timestamp\\nsecret", "")) with the timestamp in seconds; both stand in the body.
https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any

from notify.texts.limits import cut_bytes
from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.robots import post_json
from notify.ways.sender import Address, Outcome

BUSY_CODES = (11232, 11233, 11247, 99991400)
"""More than 100 messages a minute or 5 a second, or a system under load."""
BUSY_PAUSE_S = 15.0
TEXT_LIMIT_BYTES = 16_000


class FeishuWay:
    """Sends messages to robots of Feishu, as a post: a title, and paragraphs of texts and links."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        text = cut_bytes("\n".join(message.body_lines), TEXT_LIMIT_BYTES)
        paragraphs: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in text.split("\n")]
        paragraphs += [[{"tag": "a", "text": link.label, "href": link.url}] for link in message.links]
        locale = "zh_cn" if message.language == "zh" else "en_us"
        content = {"post": {locale: {"title": message.title, "content": paragraphs}}}
        body = {"msg_type": "post", "content": content, **signature(address.secret, self._client.now_ns())}
        return post_json(self._client, address.text, body, "code", "msg", BUSY_CODES, BUSY_PAUSE_S)


def signature(secret: str, now_ns: int) -> dict[str, Any]:
    """Return timestamp and signature of a body; nothing for a robot without a secret."""
    if not secret:
        return {}
    timestamp = str(now_ns // 1_000_000_000)
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": b64encode(digest).decode()}
