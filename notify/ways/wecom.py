"""WeCom: a robot of a group. The key in its address is its only secret; 20 messages a minute.

https://developer.work.weixin.qq.com/document/path/91770
"""

from __future__ import annotations

from notify.texts.limits import cut_bytes
from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.robots import post_json
from notify.ways.sender import Address, Outcome

BUSY_CODES = (-1, 45009, 45033)
"""The system is busy, too many messages, and too many at the same time."""
BUSY_PAUSE_S = 60.0
TEXT_LIMIT_BYTES = 2048


class WeComWay:
    """Sends messages to robots of WeCom, as plain text."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once; links are kept whole where the text is cut."""
        links = "".join(f"\n{link.label}: {link.url}" for link in message.links)
        room = max(0, TEXT_LIMIT_BYTES - len(links.encode()))
        text = cut_bytes("\n".join([message.title, *message.body_lines]), room)
        body = {"msgtype": "text", "text": {"content": cut_bytes(text + links, TEXT_LIMIT_BYTES)}}
        return post_json(self._client, address.text, body, "errcode", "errmsg", BUSY_CODES, BUSY_PAUSE_S)
