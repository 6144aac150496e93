"""Publishes alerts, incidents and health on MQTT: every committed transition of an alert and every entry of an
incident, of lifts of the own partition, in order, at least once; and the newest health of each lift, retained.

The records are the outbox: a cursor stands behind the last transition, the last entry and the last version of a health
that the broker has acknowledged; after a crash everything past it is published again.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence

from mqtt.backoff import Backoff
from mqtt.client import BrokerAddress
from mqtt.publisher import NotPublished, Publisher
from notify.rounds import repeat_rounds
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable
from telemetry.streams import topic

log = logging.getLogger("liftwatch.announce")

CURSOR, INCIDENTS_CURSOR, HEALTH_CURSOR = "mqtt", "mqtt:incidents", "mqtt:health"
DELIVERED, INCIDENTS_DELIVERED, HEALTH_DELIVERED = (
    "deliveries_taken:mqtt",
    "deliveries_taken:mqtt incidents",
    "deliveries_taken:mqtt health",
)
AT_ONCE = 200
POLL_S = 1.0
CONNECT_LIMIT_S, ANSWER_LIMIT_S = 2.0, 10.0
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 30.0


class Announcer(threading.Thread):
    """Publishes committed transitions and entries: at once after `wake` is set, else within a second."""

    def __init__(self, records: Records, address: BrokerAddress, client_id: str) -> None:
        super().__init__(name="announce", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({DELIVERED: 0, INCIDENTS_DELIVERED: 0, HEALTH_DELIVERED: 0})
        self._records = records
        self._publisher = Publisher(address, client_id)
        self.outage = Outage("alerts wait to be announced", log)
        self._stopping = threading.Event()

    def register(self) -> None:
        """Do nothing: the cursor begins before the first transition."""

    def run(self) -> None:
        """Publish until stopped, retrying while the broker or the records are away."""
        repeat_rounds(
            self._publish_next,
            self.outage,
            self.wake,
            self._stopping,
            backoff=Backoff(RETRY_FIRST_S, RETRY_LIMIT_S),
            poll_s=POLL_S,
            expected=(NotPublished, RecordsUnavailable),
            pause=lambda pause_s: self._publisher.wait(pause_s, self._stopping),
        )
        self._publisher.close()

    def stop(self) -> None:
        """End the thread after the transitions in flight."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def _publish_next(self) -> bool:
        """Publish the next transitions, entries and healths of own lifts; return whether there may be more.

        Raises NotPublished.
        """
        self._publisher.serve(0.0)
        alerts = self._records.transitions_since(self._records.cursor(CURSOR), AT_ONCE)
        own = [one for one in alerts if self._records.partition.has(one.lift_id)]
        self._publish([(topic(one.district, one.lift_id, "alert"), one.alert_json) for one in own])
        self._move(CURSOR, [one.id for one in alerts], DELIVERED, len(own))
        entries = self._records.incident_entries_since(self._records.cursor(INCIDENTS_CURSOR), AT_ONCE)
        ours = [one for one in entries if self._records.partition.has(one.lift_id)]
        self._publish([(topic(one.district, one.lift_id, "incident"), one.incident_json) for one in ours])
        self._move(INCIDENTS_CURSOR, [one.id for one in entries], INCIDENTS_DELIVERED, len(ours))
        return AT_ONCE in (len(alerts), len(entries), self._publish_health())

    def _publish_health(self) -> int:
        """Publish the next healths of own lifts; return how many were read."""
        found = self._records.healths_since(self._records.cursor(HEALTH_CURSOR), AT_ONCE)
        own = [one for one in found if self._records.partition.has(one.lift_id)]
        self._publish([(topic(one.district, one.lift_id, "health"), one.document) for one in own], retain=True)
        self._move(HEALTH_CURSOR, [one.version for one in found], HEALTH_DELIVERED, len(own))
        return len(found)

    def _move(self, cursor: str, passed: Sequence[int], counter: str, published: int) -> None:
        """Move a cursor behind what was passed, and count what was published."""
        if passed:
            self._records.move_cursor(cursor, passed[-1])
            self.counts[counter] += published

    def _publish(self, messages: Sequence[tuple[str, str]], *, retain: bool = False) -> None:
        """Publish messages, each with its topic, and wait until the broker has acknowledged them.

        Raises NotPublished otherwise.
        """
        if not messages:
            return
        if self._publisher.connect(CONNECT_LIMIT_S, self._stopping) is not None:
            raise NotPublished(self._publisher.error_line())
        refused = self._publisher.refused
        for where, text in messages:
            self._publisher.publish(where, text.encode(), retain)
        if not self._publisher.flush(ANSWER_LIMIT_S) or self._publisher.refused > refused:
            self._publisher.discard()  # the records hold them
            raise NotPublished(self._publisher.error_line())
