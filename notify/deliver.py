"""Tells webhooks what happened to alerts: signed, in order for each alert, at least once, across restarts.

    records: transitions ─► route ─► records: deliveries ─► one courier for each endpoint ─► taken, failed, or later

The deliveries are the memory: killed at any moment, what was not settled is sent again under the same `webhook-id`.
A slow endpoint holds up nobody but itself.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import orjson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from notify.webhook import GIVE_UP_S, PASSING, PERMANENT, TAKEN, Endpoint, body, message_id, pause_s, verdict, wants
from store.records.repository import DONE, FAILED, WAITING, Delivery, Records, RecordsUnavailable

log = logging.getLogger("liftwatch.deliver")

TIMEOUT_S = 10.0
POLL_S = 1.0
ROUTE_AT_ONCE = 1000
SEND_AT_ONCE = 50
RECORDS_PAUSE_S = 5.0


class BadSecret(ValueError):
    """A webhook's secret that cannot sign."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went, in words for the operator, and how long the endpoint asks to wait."""

    verdict: str
    error: str
    retry_after_s: float = 0.0


class Deliverer(threading.Thread):
    """Makes deliveries of transitions as they are committed; `wake` it to be quick."""

    def __init__(
        self, records: Records, endpoints: Sequence[Endpoint], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(name="deliver", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter()
        self._records, self._endpoints, self._now_ns = records, endpoints, now_ns
        self._couriers = [Courier(records, endpoint, self.counts, now_ns) for endpoint in endpoints]
        self._stopping = threading.Event()
        for endpoint in endpoints:  # before anything is judged: what happens from now on is told
            records.enrol(endpoint.name)

    def run(self) -> None:
        """Route until stopped."""
        for courier in self._couriers:
            courier.start()
        while self._endpoints and not self._stopping.is_set():
            try:
                for endpoint in self._endpoints:
                    while self.route(endpoint):
                        pass
                self.wake.wait(POLL_S)
                self.wake.clear()
            except RecordsUnavailable as error:
                log.warning("webhooks wait for the records: %s", error)
                self._stopping.wait(random.uniform(0, RECORDS_PAUSE_S))
            except Exception:  # one transition must not end all later deliveries
                log.exception("webhooks: a round failed and is tried again")
                self._stopping.wait(RECORDS_PAUSE_S)
        for courier in self._couriers:
            courier.stop()

    def stop(self) -> None:
        """End after the requests at hand."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def route(self, endpoint: Endpoint) -> bool:
        """Make deliveries of the next transitions for an endpoint; return whether there may be more."""
        waiting = self._records.transitions_since(self._records.enrol(endpoint.name), ROUTE_AT_ONCE)
        if not waiting:
            return False
        wanted = [told for told in waiting if wants(endpoint, orjson.loads(told.alert_json))]
        self._records.enqueue(endpoint.name, wanted, waiting[-1].id, self._now_ns())
        for courier in self._couriers:
            courier.wake.set()
        return len(waiting) == ROUTE_AT_ONCE


class Courier(threading.Thread):
    """Sends one endpoint what is due to it."""

    def __init__(
        self,
        records: Records,
        endpoint: Endpoint,
        counts: Counter[str],
        now_ns: Callable[[], int],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        super().__init__(name=f"courier {endpoint.name}", daemon=True)
        self.wake = threading.Event()
        self._records, self._endpoint, self._counts, self._now_ns = records, endpoint, counts, now_ns
        self._signer = signer(endpoint)
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send until stopped; whatever goes wrong with one round is tried again."""
        while not self._stopping.is_set():
            try:
                if not self.send_due():
                    self.wake.wait(POLL_S)
                    self.wake.clear()
            except RecordsUnavailable as error:
                log.warning("webhook %s waits for the records: %s", self._endpoint.name, error)
                self._stopping.wait(random.uniform(0, RECORDS_PAUSE_S))
            except Exception:  # one delivery must not end all later ones
                log.exception("webhook %s: a round failed and is tried again", self._endpoint.name)
                self._stopping.wait(RECORDS_PAUSE_S)
        self._client.close()

    def stop(self) -> None:
        """End after the request at hand."""
        self._stopping.set()
        self.wake.set()
        if self.ident is not None:
            self.join()

    def send_due(self) -> int:
        """Try what is due now, once each; return how many there were."""
        due = self._records.due([self._endpoint.name], self._now_ns(), SEND_AT_ONCE)
        for delivery in due:
            if self._stopping.is_set():
                break
            self._attempt(delivery)
        return len(due)

    def _attempt(self, delivery: Delivery) -> None:
        outcome = self._send(delivery)
        now_ns = self._now_ns()
        if outcome.verdict == TAKEN:
            self._records.settle(delivery.id, DONE)
        elif outcome.verdict == PASSING and now_ns - delivery.made_ns < GIVE_UP_S * 1e9:
            pause = pause_s(delivery.attempts + 1, random.random(), outcome.retry_after_s)
            self._records.settle(delivery.id, WAITING, due_ns=now_ns + round(pause * 1e9), error=outcome.error)
        else:
            self._records.settle(delivery.id, FAILED, error=outcome.error)
            log.error("webhook %s: %s, given up: %s", delivery.endpoint, delivery.announcement.id, outcome.error)
        self._counts[f"webhook_{outcome.verdict}"] += 1

    def _send(self, delivery: Delivery) -> Outcome:
        told = delivery.announcement
        content = body(told.id, told.kind, told.at_ns, told.by, told.note, told.alert_json, told.to)
        headers = signed(self._signer, message_id(told.alert_id, told.id), self._now_ns(), content)
        try:
            with self._client.stream("POST", self._endpoint.url, content=content, headers=headers) as answer:
                asked_s = wait_asked_s(answer.headers.get("retry-after"), self._now_ns())
                return Outcome(verdict(answer.status_code), f"HTTP {answer.status_code}", asked_s)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return Outcome(PERMANENT, f"no address to post to: {error}")
        except httpx.HTTPError as error:
            return Outcome(verdict(None), f"{type(error).__name__}: {error}")


def signer(endpoint: Endpoint) -> Webhook:
    """Return what signs for an endpoint. Raises `BadSecret`."""
    try:
        return Webhook(endpoint.secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise BadSecret(
            f"the secret of webhook {endpoint.name!r} cannot sign: write whsec_ and at least 24 random bytes in base64"
        ) from error


def signed(by: Webhook, name: str, now_ns: int, content: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a message sent now."""
    at = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    return {
        "content-type": "application/json",
        "user-agent": "liftwatch",
        "webhook-id": name,
        "webhook-timestamp": str(now_ns // 1_000_000_000),
        "webhook-signature": by.sign(name, at, content.decode()),
    }


def wait_asked_s(retry_after: str | None, now_ns: int) -> float:
    """Return the seconds of a Retry-After header (a number or an HTTP date), 0 where there is none that can be read."""
    if retry_after is None:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_ns / 1e9)
