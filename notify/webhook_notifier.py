"""Delivers alerts to webhooks: signed, in order for each alert, at least once, across restarts.

    records: transitions ─► route ─► records: deliveries ─► a sender for each endpoint ─► delivered, failed, or later

The deliveries are in the records: after a crash, one that was not settled is sent again under the same `webhook-id`.
A slow endpoint delays no other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import orjson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from mqtt.backoff import Backoff
from notify.rounds import repeat_rounds
from notify.webhook import (
    DELIVERED,
    GIVE_UP_S,
    REJECTED,
    TRANSIENT,
    Endpoint,
    classify,
    matches,
    message_body,
    message_id,
    pause_s,
    retry_after_s,
)  # fmt: skip
from store.outage import Outage
from store.records.repository import DONE, FAILED, WAITING, Delivery, Records, RecordsUnavailable

log = logging.getLogger("liftwatch.webhooks")

TIMEOUT_S = 10.0
SECRET_PREFIX, SECRET_LEAST_BYTES = "whsec_", 24
POLL_S = 1.0
ROUTE_AT_ONCE = 1000
SEND_AT_ONCE = 50
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 10.0


class BadSecret(ValueError):
    """A webhook's secret that is not a valid signing key."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of sending a delivery once, the reason for the operator, and the pause that the endpoint asks for."""

    result: str
    error: str
    retry_after_s: float = 0.0


class WebhookNotifier(threading.Thread):
    """Makes deliveries of transitions as they are committed, and runs the senders; `wake` routes at once."""

    def __init__(
        self, records: Records, endpoints: Sequence[Endpoint], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(name="webhooks", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter()
        self.outage = Outage("webhooks wait", log)
        self._records, self._endpoints, self._now_ns = records, endpoints, now_ns
        self._senders = [WebhookSender(records, endpoint, self.counts, now_ns) for endpoint in endpoints]
        self._stopping = threading.Event()

    def register(self) -> None:
        """Make every endpoint receive each transition from now on."""
        for endpoint in self._endpoints:
            self._records.register_endpoint(endpoint.name)

    def run(self) -> None:
        """Route until stopped."""
        for sender in self._senders:
            sender.start()
        if self._endpoints:
            _repeat(self.outage, self._route_all, self.wake, self._stopping)
        for sender in self._senders:
            sender.stop()

    def stop(self) -> None:
        """End the threads after the requests under way."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def route(self, endpoint: Endpoint) -> bool:
        """Make an endpoint's deliveries of the next transitions of own lifts; return whether there may be more."""
        waiting = self._records.transitions_since(self._records.register_endpoint(endpoint.name), ROUTE_AT_ONCE)
        if not waiting:
            return False
        own = [transition for transition in waiting if self._records.partition.has(transition.lift_id)]
        matching = [transition for transition in own if matches(endpoint, orjson.loads(transition.alert_json))]
        self._records.enqueue(endpoint.name, matching, waiting[-1].id, self._now_ns())
        for sender in self._senders:
            sender.wake.set()
        return len(waiting) == ROUTE_AT_ONCE

    def _route_all(self) -> bool:
        return any(self.route(endpoint) for endpoint in self._endpoints)


class WebhookSender(threading.Thread):
    """Sends the deliveries of one endpoint when they are due."""

    def __init__(
        self,
        records: Records,
        endpoint: Endpoint,
        counts: Counter[str],
        now_ns: Callable[[], int],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        super().__init__(name=f"webhook {endpoint.name}", daemon=True)
        self.wake = threading.Event()
        self._records, self._endpoint, self._counts, self._now_ns = records, endpoint, counts, now_ns
        self._signer = signer(endpoint)
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send until stopped."""
        outage = Outage(f"webhook {self._endpoint.name} waits", log)
        _repeat(outage, lambda: self.send_due() > 0, self.wake, self._stopping)
        self._client.close()

    def stop(self) -> None:
        """End the thread after the request under way."""
        self._stopping.set()
        self.wake.set()
        if self.ident is not None:
            self.join()

    def send_due(self) -> int:
        """Attempt the deliveries that are due, once each; return their number."""
        due = self._records.due([self._endpoint.name], self._now_ns(), SEND_AT_ONCE)
        for delivery in due:
            if self._stopping.is_set():
                break
            self._attempt(delivery)
        return len(due)

    def _attempt(self, delivery: Delivery) -> None:
        attempt = self._send(delivery)
        now_ns = self._now_ns()
        if attempt.result == DELIVERED:
            self._records.store_attempt(delivery.id, DONE)
        elif attempt.result == TRANSIENT and now_ns - delivery.made_ns < GIVE_UP_S * 1e9:
            pause = pause_s(delivery.attempts + 1, random.random(), attempt.retry_after_s)
            self._records.store_attempt(delivery.id, WAITING, due_ns=now_ns + round(pause * 1e9), error=attempt.error)
        else:
            self._records.store_attempt(delivery.id, FAILED, error=attempt.error)
            log.error("webhook %s: %s, given up: %s", delivery.endpoint, delivery.announcement.id, attempt.error)
        self._counts[f"deliveries_{attempt.result}:webhook {delivery.endpoint}"] += 1

    def _send(self, delivery: Delivery) -> Attempt:
        sent = delivery.announcement
        content = message_body(sent.id, sent.kind, sent.at_ns, sent.by, sent.note, sent.alert_json, sent.to)
        headers = signed_headers(self._signer, message_id(sent.alert_id, sent.id), self._now_ns(), content)
        try:
            with self._client.stream("POST", self._endpoint.url, content=content, headers=headers) as answer:
                asked_s = retry_after_s(answer.headers.get("retry-after"), self._now_ns())
                return Attempt(classify(answer.status_code), f"HTTP {answer.status_code}", asked_s)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return Attempt(REJECTED, f"not an address to post to: {error}")
        except httpx.HTTPError as error:
            return Attempt(classify(None), f"{type(error).__name__}: {error}")


def _repeat(outage: Outage, deliver: Callable[[], bool], wake: threading.Event, stopping: threading.Event) -> None:
    backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
    repeat_rounds(deliver, outage, wake, stopping, backoff=backoff, poll_s=POLL_S, expected=(RecordsUnavailable,))


def signer(endpoint: Endpoint) -> Webhook:
    """Return the signer of an endpoint's messages. Raises `BadSecret`, for a secret short enough to guess too."""
    try:
        if len(b64decode(endpoint.secret.removeprefix(SECRET_PREFIX), validate=True)) < SECRET_LEAST_BYTES:
            raise ValueError("a short secret")
        return Webhook(endpoint.secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise BadSecret(
            f"the secret of webhook {endpoint.name!r} cannot sign: write whsec_ and at least 24 random bytes in base64"
        ) from error


def signed_headers(by: Webhook, name: str, now_ns: int, content: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a message sent now."""
    at = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    return {
        "content-type": "application/json",
        "user-agent": "liftwatch",
        "webhook-id": name,
        "webhook-timestamp": str(now_ns // 1_000_000_000),
        "webhook-signature": by.sign(name, at, content.decode()),
    }
