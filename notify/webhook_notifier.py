"""Delivers alerts and incidents to webhooks: signed, in order for each of them, at least once, across restarts.

    records: transitions and entries ─► route ─► records: deliveries ─► a sender for each endpoint ─► delivered,
                                                                                              failed, or later

The deliveries are in the records: after a crash, one that was not settled is sent again under the same `webhook-id`.
A slow endpoint delays no other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from mqtt.backoff import Backoff
from notify.rounds import repeat_rounds
from notify.texts.limits import one_line
from notify.ways.http_post import TIMEOUT_S, HttpClient
from notify.ways.sender import Outcome, SendResult
from notify.ways.signed_webhook import post_signed, signer
from notify.webhook import (
    ALERT,
    COUNTED_AS,
    INCIDENT,
    Endpoint,
    incident_message,
    is_given_up,
    matches,
    matches_incident,
    message_body,
    message_id,
    pause_s,
)
from store.outage import Outage
from store.records.repository import (
    DONE,
    FAILED,
    WAITING,
    Announcement,
    Delivery,
    IncidentAnnouncement,
    Records,
    RecordsUnavailable,
    subject_id,
)
from telemetry.instant import parse

log = logging.getLogger("liftwatch.webhooks")

S_NS = 1_000_000_000
POLL_S = 1.0
ROUTE_AT_ONCE = 1000
SEND_AT_ONCE = 50
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 10.0


class WebhookNotifier(threading.Thread):
    """Makes deliveries of what is committed, and runs the senders; `wake` routes at once."""

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
        """Make every endpoint receive each transition and entry from now on."""
        for endpoint in self._endpoints:
            for subject in endpoint.subjects:
                self._records.register_endpoint(endpoint.name, subject)

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
        """Make an endpoint's deliveries of what is new about own lifts; return whether there may be more."""
        more = [_ROUTES[subject](self, endpoint) for subject in endpoint.subjects]
        for sender in self._senders:
            sender.wake.set()
        return any(more)

    def _route_alerts(self, endpoint: Endpoint) -> bool:
        waiting = self._records.transitions_since(self._records.register_endpoint(endpoint.name), ROUTE_AT_ONCE)
        own = [(each, orjson.loads(each.alert_json)) for each in waiting if self._records.partition.has(each.lift_id)]
        found = [(each, alert) for each, alert in own if matches(endpoint, alert)]
        if endpoint.organisations:
            until_ns = self._records.named_until({each.lift_id for each, _ in found}, endpoint.organisations)
            found = [(each, alert) for each, alert in found if until_ns.get(each.lift_id, 0) >= parse(alert["noticed"])]
        if waiting:
            self._records.enqueue(endpoint.name, [each for each, _ in found], waiting[-1].id, self._now_ns())
        return len(waiting) == ROUTE_AT_ONCE

    def _route_incidents(self, endpoint: Endpoint) -> bool:
        cursor = self._records.register_endpoint(endpoint.name, INCIDENT)
        waiting = self._records.incident_entries_since(cursor, ROUTE_AT_ONCE)
        own = [each for each in waiting if self._records.partition.has(each.lift_id)]
        found = [(each, orjson.loads(each.incident_json)) for each in own]
        found = [(each, incident) for each, incident in found if matches_incident(endpoint, incident)]
        if endpoint.organisations:
            lift_ids = {lift_id for _, incident in found for lift_id in _lift_ids(incident)}
            until_ns = self._records.named_until(lift_ids, endpoint.organisations)
            found = [(each, incident) for each, incident in found if _naming(incident, until_ns)]
        if waiting:
            matching = [each for each, _ in found]
            self._records.enqueue(endpoint.name, matching, waiting[-1].id, self._now_ns(), INCIDENT)
        return len(waiting) == ROUTE_AT_ONCE

    def _route_all(self) -> bool:
        more = [self.route(endpoint) for endpoint in self._endpoints]
        return any(more)


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
        name = message_id(subject_id(delivery.announcement), delivery.announcement.id)
        return post_signed(self._client, self._endpoint.url, self._signer, name, self._content(delivery.announcement))

    def _content(self, sent: Announcement | IncidentAnnouncement) -> bytes:
        if isinstance(sent, Announcement):
            return message_body(sent.id, sent.kind, sent.at_ns, sent.by, sent.note, sent.alert_json, sent.to)
        scope = self._endpoint.scope
        if scope.everything:
            return incident_message(sent, scope)
        incident = orjson.loads(sent.incident_json)
        until_ns = self._records.named_until(_lift_ids(incident), self._endpoint.organisations)
        return incident_message(sent, scope, _naming(incident, until_ns).__contains__)


_ROUTES = {ALERT: WebhookNotifier._route_alerts, INCIDENT: WebhookNotifier._route_incidents}


def _lift_ids(incident: Mapping[str, Any]) -> set[str]:
    return {lift["lift_id"] for lift in incident["lifts"]}


def _naming(incident: Mapping[str, Any], until_ns: Mapping[str, int]) -> set[str]:
    """Return the lifts of an incident that name an organisation, or did when they were deleted from the incident."""
    opened_ns = parse(incident["opened"])
    return {lift_id for lift_id in _lift_ids(incident) if until_ns.get(lift_id, 0) >= opened_ns}


def _repeat(outage: Outage, deliver: Callable[[], bool], wake: threading.Event, stopping: threading.Event) -> None:
    backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
    repeat_rounds(deliver, outage, wake, stopping, backoff=backoff, poll_s=POLL_S, expected=(RecordsUnavailable,))
