"""Publishes alerts, incidents and health on MQTT: every committed transition of an alert and every entry of an
incident, of lifts of the own partition, in order, at least once; and the newest health of each lift, retained. An
empty message clears the health of a lift that was deleted, or is in another district now.

    ALERTS    ─► announcer ─► connection      each feed has a thread, a connection and an outage of its own: a broker
    INCIDENTS ─► announcer ─► connection      that refuses the topic of one, and closes that connection, delays none of
    HEALTH    ─► announcer ─► connection      the others

The records are the outbox: the cursor of a feed stands behind the last message that the broker has acknowledged; after
a crash everything past it is published again.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mqtt.backoff import Backoff
from mqtt.client import BrokerAddress
from mqtt.publisher import NotPublished, Publisher
from notify.rounds import repeat_rounds
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable
from telemetry.streams import topic

log = logging.getLogger("liftwatch.announce")

AT_ONCE = 200
POLL_S = 1.0
CONNECT_LIMIT_S, ANSWER_LIMIT_S = 2.0, 10.0
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 30.0
REMEDY = "where `liftwatch devices` writes the broker's files, run `liftwatch devices write`"


class FeedMessage(NamedTuple):
    """A message of a lift, behind which the cursor of its feed stands at `place`."""

    place: int
    lift_id: str
    topic: str
    text: str


class Feed(NamedTuple):
    """A kind of messages: `read` returns those past a place, `role` ends the client id of the connection.

    Nobody acts on the messages of a feed that does not `block`: while they wait, the monitor is ready.
    """

    role: str
    effect: str
    cursor: str
    counter: str
    read: Callable[[Records, int], Sequence[FeedMessage]]
    retain: bool = False
    blocks: bool = True


def _transitions(records: Records, place: int) -> list[FeedMessage]:
    found = records.transitions_since(place, AT_ONCE)
    return [
        FeedMessage(one.id, one.lift_id, topic(one.district, one.lift_id, "alert"), one.alert_json) for one in found
    ]


def _entries(records: Records, place: int) -> list[FeedMessage]:
    found = records.incident_entries_since(place, AT_ONCE)
    return [
        FeedMessage(one.id, one.lift_id, topic(one.district, one.lift_id, "incident"), one.incident_json)
        for one in found
    ]


def _healths(records: Records, place: int) -> list[FeedMessage]:
    found = records.health_announcements_since(place, AT_ONCE)
    return [
        FeedMessage(one.version, one.lift_id, topic(one.district, one.lift_id, "health"), one.document) for one in found
    ]


ALERTS = Feed("announcer", "alerts wait to be announced", "mqtt", "deliveries_taken:mqtt", _transitions)
INCIDENTS = Feed(
    "announcer-incidents",
    "incidents wait to be announced",
    "mqtt:incidents",
    "deliveries_taken:mqtt incidents",
    _entries,
)
HEALTH = Feed(
    "announcer-health",
    "health waits to be announced",
    "mqtt:health",
    "deliveries_taken:mqtt health",
    _healths,
    retain=True,
    blocks=False,
)
FEEDS = (ALERTS, INCIDENTS, HEALTH)


class Announcer(threading.Thread):
    """Publishes the messages of a feed: at once after `wake` is set, else within a second."""

    def __init__(self, records: Records, address: BrokerAddress, client_id: str, feed: Feed) -> None:
        super().__init__(name=feed.role, daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({feed.counter: 0})
        self._records, self._feed = records, feed
        self._publisher = Publisher(address, client_id)
        self.outage = Outage(feed.effect, log, blocks=feed.blocks)
        self._stopping = threading.Event()

    def register(self) -> None:
        """Do nothing: the cursor begins before the first message."""

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
        """End the thread after the messages in flight."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def _publish_next(self) -> bool:
        """Publish the next messages about own lifts; return whether there may be more.

        Raises NotPublished.
        """
        self._publisher.serve(0.0)
        found = self._feed.read(self._records, self._records.cursor(self._feed.cursor))
        own = [one for one in found if self._records.partition.has(one.lift_id)]
        self._publish(own)
        if found:
            self._records.move_cursor(self._feed.cursor, found[-1].place)
            self.counts[self._feed.counter] += len(own)
        return len(found) == AT_ONCE

    def _publish(self, messages: Sequence[FeedMessage]) -> None:
        """Publish messages, and wait until the broker has acknowledged them.

        Raises NotPublished otherwise.
        """
        if not messages:
            return
        if self._publisher.connect(CONNECT_LIMIT_S, self._stopping) is not None:
            raise NotPublished(self._publisher.error_line())
        refused = self._publisher.refused
        for one in messages:
            self._publisher.publish(one.topic, one.text.encode(), self._feed.retain)
        is_answered = self._publisher.flush(ANSWER_LIMIT_S)
        is_refused = self._publisher.refused > refused
        if not is_answered or is_refused:
            self._publisher.discard()  # the records hold them
            raise NotPublished(self._publisher.error_line() + (f"; {REMEDY}" if is_refused else ""))
