"""The names on the wire: streams, states and topics of the contract, section 1.

Texts become small whole numbers here and nowhere else; the number of a state is its place in its tuple.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

DOOR_STATES = ("closed", "opening", "open", "closing")
CLOSED, OPENING, OPEN, CLOSING = range(4)
POWERS = ("mains", "battery")
MAINS, BATTERY = range(2)
MODES = (
    *("normal", "inspection", "fire", "firefighter", "emergency-power", "earthquake", "out-of-service"),
    "overload",
)
NORMAL, INSPECTION, FIRE, FIREFIGHTER, EMERGENCY_POWER, EARTHQUAKE, OUT_OF_SERVICE, OVERLOAD = range(8)
ONLINE, SUSPECT, OFFLINE, NEVER_SEEN = range(4)
RESTRICTED_MODES = (INSPECTION, FIRE, FIREFIGHTER, OUT_OF_SERVICE)

EVENTS = ("door", "infrared")
MEASURED = ("door", "infrared", "speed", "displacement", "vibration")
MACHINE = "machine"
"""An accelerometer on the machine, which few lifts have: recorded and reduced to features, not stored."""
STREAMS = (*MEASURED, MACHINE, "status", "bundle", "gateway")

ANNOUNCEMENTS = ("alert", "incident", "health")
"""The last levels of the topics to which the monitor publishes."""

FIELDS: Mapping[str, str] = {"v_mps": "v", "z_m": "z", "door": "state"}
"""The contract's names of channels, in messages and in the store, where they differ from the columns'."""

PAYLOAD_LIMIT_BYTES = 256 * 1024
CLOCK_AHEAD_LIMIT_S = 300.0
HEARTBEAT_DEFAULT_S = 60.0

DISTRICT_PATTERN = re.compile(r"[a-z0-9-]{1,32}")
LIFT_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

UNJUDGEABLE = "unjudgeable"
"""The reason of the refusal of a message at which the monitor itself failed."""


class Entry(NamedTuple):
    """A message as received and journalled. `position` counts from 1, `arrived_ns` is the monitor's."""

    position: int
    arrived_ns: int
    topic: str
    payload: bytes
    retained: bool = False


class Topic(NamedTuple):
    """The parts of a topic: the origin of a message."""

    district: str
    lift_id: str
    stream: str


def parse_topic(topic: str) -> Topic | None:
    """Return the parts of `lift/v1/{district}/{lift_id}/{stream}`, or None where it is not of that form."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "lift" or parts[1] != "v1" or parts[4] not in STREAMS:
        return None
    if not DISTRICT_PATTERN.fullmatch(parts[2]) or not LIFT_ID_PATTERN.fullmatch(parts[3]):
        return None
    return Topic(parts[2], parts[3], parts[4])


def claimed_lift_id(topic: str) -> str:
    """Return the lift (or gateway) in a topic, even one with other errors; "" where there is none."""
    levels = topic.split("/", 4)
    is_named = len(levels) == 5 and levels[:2] == ["lift", "v1"] and LIFT_ID_PATTERN.fullmatch(levels[3])
    return levels[3] if is_named else ""


def is_announcement(topic: str) -> bool:
    """Return whether the monitor publishes to this topic."""
    return topic.count("/") == 4 and topic.rpartition("/")[2] in ANNOUNCEMENTS


def topic(district: str, lift_id: str, stream: str) -> str:
    """Return the topic of a lift's `stream` (or of the monitor's `alert`)."""
    return f"lift/v1/{district}/{lift_id}/{stream}"
