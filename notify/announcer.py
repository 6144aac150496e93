"""Publishes alerts on MQTT: every committed transition of a lift of the own partition, in order, at least once.

The records are the outbox: a cursor stands behind the last transition that the broker has acknowledged, and after a
crash everything past it is published again.
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
from store.records.repository import Announcement, Records, RecordsUnavailable
from telemetry.streams import topic

log = logging.getLogger("liftwatch.announce")

CURSOR = "mqtt"
DELIVERED = "deliveries_taken:mqtt"
AT_ONCE = 200
POLL_S = 1.0
CONNECT_LIMIT_S, ANSWER_LIMIT_S = 2.0, 10.0
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 30.0


class Announcer(threading.Thread):
    """Publishes committed transitions: at once after `wake` is set, else within a second."""

    def __init__(self, records: Records, address: BrokerAddress, client_id: str) -> None:
        super().__init__(name="announce", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({DELIVERED: 0})
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
        """Publish the next transitions of own lifts, and move the cursor; return whether there may be more.

        Raises NotPublished.
        """
        self._publisher.serve(0.0)
        waiting = self._records.transitions_since(self._records.cursor(CURSOR), AT_ONCE)
        if not waiting:
            return False
        own = [transition for transition in waiting if self._records.partition.has(transition.lift_id)]
        if own:
            self._publish(own)
        self._records.move_cursor(CURSOR, waiting[-1].id)
        self.counts[DELIVERED] += len(own)
        return len(waiting) == AT_ONCE

    def _publish(self, transitions: Sequence[Announcement]) -> None:
        """Publish transitions and wait until the broker has acknowledged them; raise NotPublished otherwise."""
        if self._publisher.connect(CONNECT_LIMIT_S, self._stopping) is not None:
            raise NotPublished(self._publisher.error_line())
        refused = self._publisher.refused
        for transition in transitions:
            where = topic(transition.district, transition.lift_id, "alert")
            self._publisher.publish(where, transition.alert_json.encode())
        if not self._publisher.flush(ANSWER_LIMIT_S) or self._publisher.refused > refused:
            self._publisher.discard()  # the records hold them
            raise NotPublished(self._publisher.error_line())
