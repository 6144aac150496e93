"""Web Push to installed pages: encrypted for the subscription (RFC 8291), signed by the server's key (VAPID, RFC 8292).

A subscription that the push service has ended (404 or 410) never comes back.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit

import orjson

from notify.texts.limits import cut_bytes
from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, Outcome, permanent

TTL_S = 1800
TOKEN_S = 12 * 3600
GONE = (404, 410)
TEXT_LIMIT_BYTES = 1500
TOPIC_BYTES = 20
POINT_BYTES, AUTH_BYTES = 65, 16


class BadSubscription(ValueError):
    """A text that is no subscription of Web Push."""


class WebPushWay:
    """Sends messages to push services."""

    def __init__(self, client: HttpClient, private_key_pem: bytes, contact: str) -> None:
        """Sign by a key; `contact` is a mailto: or https: address of the operator for the push services."""
        from py_vapid import Vapid02

        self._client, self._contact = client, contact
        self._vapid = Vapid02.from_pem(private_key_pem)

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to a subscription once."""
        from pywebpush import WebPusher

        try:
            subscription = checked_subscription(address.text)
            body: bytes = WebPusher(subscription).encode(_payload(message))["body"]
        except ValueError as error:
            return permanent(f"not a subscription: {error}")
        headers = self._headers(subscription["endpoint"], message)
        answer = self._client.post(subscription["endpoint"], body, headers)
        if not isinstance(answer, Outcome) and answer.status in GONE:
            return permanent(f"the browser has ended the subscription (HTTP {answer.status})")
        return self._client.outcome(answer)

    def _headers(self, endpoint: str, message: Message) -> dict[str, str]:
        where = urlsplit(endpoint)
        expires_s = self._client.now_ns() // 1_000_000_000 + TOKEN_S
        claims = {"aud": f"{where.scheme}://{where.netloc}", "exp": expires_s, "sub": self._contact}
        topic = hashlib.sha256(message.topic.encode()).digest()[:TOPIC_BYTES]
        return {
            **self._vapid.sign(claims),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(TTL_S),
            "urgency": "high" if message.severity == "critical" else "normal",
            "topic": urlsafe_b64encode(topic).decode().rstrip("="),
        }


def _payload(message: Message) -> bytes:
    return orjson.dumps(
        {
            "title": message.title,
            "body": cut_bytes("\n".join(message.body_lines), TEXT_LIMIT_BYTES),
            "tag": message.topic,
            "severity": message.severity,
            "language": message.language,
            "links": [{"label": link.label, "url": link.url} for link in message.links],
        }
    )


def checked_subscription(text: str) -> dict[str, Any]:
    """Return the subscription that a browser has made, as JSON; raise BadSubscription for any other text."""
    try:
        given = orjson.loads(text)
        endpoint, keys = given["endpoint"], given["keys"]
        sizes = [len(urlsafe_b64decode(keys[name] + "==")) for name in ("p256dh", "auth")]
    except (ValueError, KeyError, TypeError):
        raise BadSubscription("write the subscription's JSON with endpoint and keys") from None
    if not isinstance(endpoint, str) or not endpoint.startswith(("https://", "http://")):
        raise BadSubscription("its endpoint is no URL")
    if sizes != [POINT_BYTES, AUTH_BYTES]:
        raise BadSubscription("its keys have another length")
    return {"endpoint": endpoint, "keys": {name: keys[name] for name in ("p256dh", "auth")}}


def new_private_key() -> bytes:
    """Return a new key of VAPID, in PEM."""
    from py_vapid import Vapid02

    made = Vapid02()
    made.generate_keys()
    pem: bytes = made.private_pem()
    return pem


def public_key(private_key_pem: bytes) -> str:
    """Return the public key in the form that browsers take as `applicationServerKey`."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from py_vapid import Vapid02

    point = Vapid02.from_pem(private_key_pem).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")
