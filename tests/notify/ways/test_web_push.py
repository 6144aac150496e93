"""Web Push at a push service that decrypts with the browser's private key and verifies the signature of VAPID."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, SendResult
from notify.ways.web_push import BadSubscription, WebPushWay, checked_subscription, new_private_key, public_key
from tests.alerts.rules import T0
from tests.notify.messages import MESSAGE, message
from tests.notify.receivers import HttpReceiver, Received

CONTACT = "mailto:desk@example.org"
KEY = new_private_key()


def base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Browser:
    """A subscription with the private key that the browser keeps."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def address(self) -> Address:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": base64(point), "auth": base64(self.auth)}
        return Address(json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys}))

    def shown(self, request: Received) -> dict[str, object]:
        content = http_ece.decrypt(request.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        shown: dict[str, object] = json.loads(content)
        return shown


@pytest.fixture(name="way")
def sender(client: HttpClient) -> WebPushWay:
    return WebPushWay(client, KEY, CONTACT)


def test_only_the_browser_can_read_the_message(receiver: HttpReceiver, way: WebPushWay) -> None:
    browser = Browser(f"{receiver.url}/push/1")
    assert way.send(MESSAGE, browser.address).result is SendResult.DELIVERED
    request = receiver.received()
    assert "南京路".encode() not in request.body
    assert browser.shown(request) == {
        "title": MESSAGE.subject,
        "body": "停在3层和4层之间\n南京路 1 号",
        "tag": "incident-3",
        "severity": "critical",
        "language": "zh",
        "links": [{"label": "接警", "url": "https://lifts.example/answer/abc"}],
    }
    with pytest.raises(Exception, match=r"."):
        Browser(receiver.url, auth=browser.auth).shown(request)


def test_the_push_service_verifies_who_sends(receiver: HttpReceiver, way: WebPushWay) -> None:
    way.send(MESSAGE, Browser(f"{receiver.url}/push/1").address)
    headers = receiver.received().headers
    scheme, _, parameters = headers["authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in parameters.split(","))
    assert (scheme, given["k"]) == ("vapid", public_key(KEY))
    point = urlsafe_b64decode(given["k"] + "==")
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": base64(point[1:33]), "y": base64(point[33:])})
    claims = jwt.decode(given["t"], key, algorithms=["ES256"]).claims
    assert claims == {"aud": receiver.url, "sub": CONTACT, "exp": T0 // 10**9 + 12 * 3600}
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "1800")
    assert len(headers["topic"]) <= 32


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (201, SendResult.DELIVERED),
        (404, SendResult.PERMANENT),
        (410, SendResult.PERMANENT),
        (429, SendResult.TRY_AGAIN),
        (500, SendResult.TRY_AGAIN),
        (403, SendResult.TRY_AGAIN),
    ],
)
def test_a_subscription_that_has_ended_never_comes_back(
    receiver: HttpReceiver, way: WebPushWay, status: int, result: SendResult
) -> None:
    receiver.answer(status)
    assert way.send(MESSAGE, Browser(receiver.url).address).result is result


def test_a_long_message_stays_below_the_limit_of_push_services(receiver: HttpReceiver, way: WebPushWay) -> None:
    browser = Browser(receiver.url)
    way.send(message(subject="题" * 10_000, lines=("长" * 10_000,) * 50), browser.address)
    request = receiver.received()
    assert len(request.body) <= 4096
    assert str(browser.shown(request)["body"]).endswith("…")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"endpoint": "x", "keys": {}}',
     '{"endpoint": "https://x", "keys": {"p256dh": "AA", "auth": "AA"}}',
     '{"endpoint": "file:///etc/passwd", "keys": {"p256dh": "AA", "auth": "AA"}}', '{"endpoint": 1, "keys": 2}'],
)  # fmt: skip
def test_what_is_no_subscription_is_a_permanent_failure(way: WebPushWay, text: str) -> None:
    with pytest.raises(BadSubscription):
        checked_subscription(text)
    assert way.send(MESSAGE, Address(text)).result is SendResult.PERMANENT
