"""Webhooks of Standard Webhooks: the secret, the signature, and the request."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime

import orjson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, Outcome, permanent
from telemetry.instant import rfc3339

SECRET_PREFIX, SECRET_LEAST_BYTES = "whsec_", 24
TYPE = "notification"
S_NS = 1_000_000_000


class BadSecret(ValueError):
    """A webhook's secret that is not a valid signing key."""


class WebhookWay:
    """Sends the data of a message to a URL, signed with the secret of the address."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        try:
            by = signer(address.secret, "of the address")
        except BadSecret as error:
            return permanent(str(error))
        body = {"type": TYPE, "timestamp": rfc3339(self._client.now_ns()), "data": message.data}
        return post_signed(self._client, address.text, by, message.message_id, orjson.dumps(body))


def post_signed(client: HttpClient, url: str, by: Webhook, name: str, content: bytes) -> Outcome:
    """Send a content to a URL under a name that is the same in every attempt; return the outcome."""
    headers = signed_headers(by, name, client.now_ns(), content)
    return client.outcome(client.post(url, content, headers))


def signer(secret: str, name: str) -> Webhook:
    """Return the signer of the messages of a webhook. Raises `BadSecret`, for a secret short enough to guess too."""
    try:
        if len(b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)) < SECRET_LEAST_BYTES:
            raise ValueError("a short secret")
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise BadSecret(
            f"the secret of webhook {name!r} cannot sign: write whsec_ and at least 24 random bytes in base64"
        ) from error


def signed_headers(by: Webhook, name: str, now_ns: int, content: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a message sent now."""
    at = datetime.fromtimestamp(now_ns // S_NS, UTC)
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(now_ns // S_NS),
        "webhook-signature": by.sign(name, at, content.decode()),
    }
