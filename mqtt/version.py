"""The MQTT version of a connection: MQTT 5, and 3.1.1 where the broker does not accept MQTT 5.

MQTT 5 ─► refused for its version ─► 3.1.1, from then on
       ─► closed without a CONNACK, by a broker that has never accepted MQTT 5 ─► 3.1.1, once
       ─► `SILENT_ATTEMPTS` without an answer, likewise ─► 3.1.1, once: some old brokers ignore MQTT 5
"""

from __future__ import annotations

from paho.mqtt.client import MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from mqtt.client import MQTT5, MQTT311
from mqtt.failures import UNSUPPORTED_VERSION

SILENT_ATTEMPTS = 3


class VersionChoice:
    """The version of the next attempt; `protocol` is the one of `BrokerAddress`, and "auto" leaves the choice open."""

    def __init__(self, protocol: str) -> None:
        self.version = MQTT311 if protocol == "3.1.1" else MQTT5
        self._is_fixed = protocol != "auto"
        self._refuses_mqtt5 = self._accepts_mqtt5 = False
        self._silent_attempts = 0

    def after(self, connack: ReasonCode | None, *, is_silent: bool) -> MQTTProtocolVersion:
        """Choose and return the version after a lost connection, whose broker answered `connack` or (None) nothing."""
        if self._is_fixed:
            return self.version
        was_mqtt5 = self.version == MQTT5
        self._accepts_mqtt5 |= was_mqtt5 and connack is not None and not connack.is_failure
        self._refuses_mqtt5 |= was_mqtt5 and connack == UNSUPPORTED_VERSION
        is_unanswered = was_mqtt5 and connack is None
        self._silent_attempts = self._silent_attempts + 1 if is_silent and is_unanswered else 0
        is_busy = is_silent and self._silent_attempts < SILENT_ATTEMPTS
        may_be_older = is_unanswered and not (is_busy or self._accepts_mqtt5)
        self.version = MQTT311 if self._refuses_mqtt5 or may_be_older else MQTT5
        return self.version
