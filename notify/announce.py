"""Tells the world on MQTT what happened to alerts: every committed transition, in order, at least once.

The records are the outbox: what is told is behind the cursor, what is not is read again after any crash.
"""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import replace
from typing import Any

from paho.mqtt.client import Client, MQTTProtocolVersion

from mqtt.client import RETRY_LIMIT_S, BrokerAddress, mqtt_client
from store.records.repository import Announcement, Records, RecordsUnavailable
from telemetry.streams import topic

log = logging.getLogger("liftwatch.announce")

CURSOR = "mqtt"
AT_ONCE = 200
POLL_S = 0.25
CONFIRM_S = 10.0


class Announcer(threading.Thread):
    """Publishes transitions as they are committed; `wake` it to be quick, it looks by itself four times a second."""

    def __init__(self, records: Records, address: BrokerAddress) -> None:
        super().__init__(name="announce", daemon=True)
        self.wake = threading.Event()
        self.published = 0
        self._records = records
        self._address = address
        self._stopping = threading.Event()

    def run(self) -> None:
        """Publish until stopped; a broker or database that is away is waited for."""
        client = self._client()
        failures = 0
        while not self._stopping.is_set():
            try:
                told = self._tell(client)
                failures = 0
                if told < AT_ONCE:
                    self.wake.wait(POLL_S)
                    self.wake.clear()
            except Exception as error:  # one transition that cannot be told must not end all telling
                failures += 1
                expected = isinstance(error, (RecordsUnavailable, OSError, RuntimeError))
                log.warning("alerts wait to be announced: %s", error, exc_info=not expected)
                self._stopping.wait(random.uniform(0, min(RETRY_LIMIT_S, 0.5 * 2 ** min(failures, 8))))
        client.disconnect()
        client.loop_stop()

    def stop(self) -> None:
        """End after the message at hand."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def _client(self) -> Client:
        # A plain session: what matters is in the records, and the oldest protocol is the one that every broker takes.
        address = replace(self._address, session_kept_s=0)
        client = mqtt_client(address, "announcer", version=MQTTProtocolVersion.MQTTv311)
        client.reconnect_delay_set(1, int(RETRY_LIMIT_S))
        client.connect_async(self._address.host, self._address.port)
        client.loop_start()
        return client

    def _tell(self, client: Client) -> int:
        waiting = self._records.transitions_since(self._records.cursor(CURSOR), AT_ONCE)
        if not waiting:
            return 0
        if not client.is_connected():
            raise OSError(f"no connection to the broker {self._address.host}:{self._address.port}")
        sent = [publish(client, announcement) for announcement in waiting]
        for message in sent:
            message.wait_for_publish(CONFIRM_S)
            if not message.is_published():
                raise OSError("the broker does not confirm")
        self._records.told(CURSOR, waiting[-1].id)
        self.published += len(waiting)
        return len(waiting)


def publish(client: Client, announcement: Announcement) -> Any:
    """Send one transition on its lift's alert topic."""
    where = topic(announcement.district, announcement.lift_id, "alert")
    return client.publish(where, announcement.alert_json.encode(), qos=1)
