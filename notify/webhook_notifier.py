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
from collections import Counter
from collections.abc import Callable, Sequence

import orjson

from mqtt.backoff import Backoff
from notify.rounds import repeat_rounds
from notify.texts.limits import one_line
from notify.ways.http_post import TIMEOUT_S, HttpClient
from notify.ways.sender import Outcome, SendResult
from notify.ways.signed_webhook import post_signed, signer
from notify.webhook import COUNTED_AS, Endpoint, is_given_up, matches, message_body, message_id, pause_s
from store.outage import Outage
from store.records.repository import DONE, FAILED, WAITING, Delivery, Records, RecordsUnavailable

log = logging.getLogger("liftwatch.webhooks")

S_NS = 1_000_000_000
POLL_S = 1.0
ROUTE_AT_ONCE = 1000
SEND_AT_ONCE = 50
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 10.0


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
        if endpoint.organisations:
            named = self._records.lifts_naming({each.lift_id for each in own}, endpoint.organisations)
            own = [transition for transition in own if transition.lift_id in named]
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
        self._signer = signer(endpoint.secret, endpoint.name)
        self._client = HttpClient(allow_private=True, timeout_s=timeout_s, now_ns=now_ns)
        self._is_faulty = False
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
        outcome = self._send(delivery)
        now_ns = self._now_ns()
        if outcome.result is SendResult.DELIVERED:
            self._records.store_attempt(delivery.id, DONE)
        elif is_given_up(outcome, (now_ns - delivery.made_ns) / S_NS):
            self._records.store_attempt(delivery.id, FAILED, error=outcome.reason)
            log.error("webhook %s: %s, given up: %s", delivery.endpoint, delivery.announcement.id, outcome.reason)
        else:
            pause = pause_s(delivery.attempts + 1, random.random(), outcome.retry_after_s)
            self._records.store_attempt(delivery.id, WAITING, due_ns=now_ns + round(pause * S_NS), error=outcome.reason)
        self._report_fault(outcome)
        self._counts[f"deliveries_{COUNTED_AS[outcome.result]}:webhook {delivery.endpoint}"] += 1

    def _report_fault(self, outcome: Outcome) -> None:
        """Log that somebody must repair the endpoint, once, and that it works again."""
        if outcome.is_fault and not self._is_faulty:
            log.error("webhook %s must be repaired: %s", self._endpoint.name, one_line(outcome.reason))
        if outcome.result is SendResult.DELIVERED and self._is_faulty:
            log.warning("webhook %s works again", self._endpoint.name)
        self._is_faulty = outcome.is_fault or (self._is_faulty and outcome.result is not SendResult.DELIVERED)

    def _send(self, delivery: Delivery) -> Outcome:
        sent = delivery.announcement
        content = message_body(sent.id, sent.kind, sent.at_ns, sent.by, sent.note, sent.alert_json, sent.to)
        name = message_id(sent.alert_id, sent.id)
        return post_signed(self._client, self._endpoint.url, self._signer, name, content)


def _repeat(outage: Outage, deliver: Callable[[], bool], wake: threading.Event, stopping: threading.Event) -> None:
    backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
    repeat_rounds(deliver, outage, wake, stopping, backoff=backoff, poll_s=POLL_S, expected=(RecordsUnavailable,))
