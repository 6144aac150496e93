"""A fleet of scripted lifts that publishes, and the ledger of what the installation must have made of it.

    stories ─► Publisher ─► broker ─► monitor ─► readings in the store, alerts and incidents in the records
                  └────────► Ledger ── compared ───────┘

Each lift plays one story. The alerts and incidents of a story are taken from a calm run of the same story in the same
installation: a disturbance may delay them, and changes nothing in them.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher as MqttPublisher
from store.series.timeseries import TimeSeries
from tests.loopback import until
from tests.whole.installation import DISTRICT, END_S, System
from tests.whole.rule_stories import STORIES, door_held_open, idle
from tests.whole.story import T0_MS, Story

ABREAST = 40
"""How many lifts play at a time."""
BY_THE_CLOCK = {"offline", "clock-skew"}
"""Rules that depend on the monitor's clock stand outside the comparison, as in the contract."""
CONNECT_LIMIT_S = 10.0
STEPS_AT = 4
"""The message from which on a lift's clock differs."""

T = TypeVar("T")
Message = tuple[str, dict[str, Any]]
Life = tuple[str, str, str, int, int | None, int]
"""Of an alert: rule, severity, state, onset and clearing in ms of the story, count."""
Case = tuple[str, str, str, int]
"""Of an incident: kind, severity, state, and how many of its alerts are compared."""


def healthy() -> Story:
    story = idle()
    for landing in (12.0, 3.0, 27.0, 0.0):
        story = story.stand(8).opens(6).person(True).closes().ride(landing).stand(0.5).opens().person(False).closes()
    return story


PLAYS: Mapping[str, Callable[[], Story]] = {
    **{each.story.__name__: each.story for each in STORIES if each.story is not door_held_open},
    "healthy": healthy,
    "healthy_again": healthy,
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one lift plays: its story, moved by `shift_ms`, and by `step_ms` more from the message `STEPS_AT` on.

    A `glitch` is a step of that message alone.
    """

    lift_id: str
    story: str
    shift_ms: int
    step_ms: int = 0
    glitch: bool = False
    only_end: bool = False

    def messages(self) -> Iterator[Message]:
        """Yield stream and payload of each message; the last are a press of the alarm button and a bundle after it."""
        story = PLAYS[self.story]()
        messages = list(story.messages("bundles"))
        end = T0_MS + round(1000 * (story.now_s + END_S))
        head = {"boot": "1", "seq": len(messages)}
        messages += [
            ("status", head | {"t": end, "alarm": True}),
            ("bundle", head | {"seq": len(messages) + 1, "t": end + 2000, "speed": {"dt": 100, "v": [0.0] * 10}}),
        ]
        for k, (stream, payload) in enumerate(messages):
            if self.only_end and k < len(messages) - 2:
                continue
            step_ms = self.step_ms if k == STEPS_AT or (k > STEPS_AT and not self.glitch) else 0
            yield stream, payload | {"t": payload["t"] + self.shift_ms + step_ms}


@dataclass
class Ledger:
    """What was published and when it was acknowledged, by lift."""

    parts: dict[str, Part] = field(default_factory=dict)
    published: int = 0
    acknowledged: int = 0
    speeds: dict[str, dict[int, set[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """The speeds that were sent for each instant (ms) of a lift."""
    sent_s: dict[tuple[str, int], float] = field(default_factory=dict)
    """When the speed of a lift at an instant (ms) was sent, by the clock of `time.monotonic`."""

    def note(self, part: Part, payload: Mapping[str, Any]) -> None:
        """Take a message into the ledger."""
        self.parts.setdefault(part.lift_id, part)
        self.published += 1
        for k, v in enumerate(payload.get("speed", {}).get("v", ())):
            if v is not None:
                t_ms = payload["t"] + 100 * k
                self.speeds[part.lift_id][t_ms].add(v)
                self.sent_s[part.lift_id, t_ms] = time.monotonic()


class Publisher(threading.Thread):
    """Publishes the messages of `parts` at `rate_hz`, some lifts at a time, until `finish`.

    A lift publishes through one of `devices` connections, and a connection has one message under way at a time: so the
    messages of a lift stay in order across a reconnection.
    """

    def __init__(
        self, port: int, parts: Sequence[Part], ledger: Ledger, rate_hz: float, devices: int = ABREAST
    ) -> None:
        super().__init__(name="publisher", daemon=True)
        self._parts, self._ledger, self._rate_hz = deque(parts), ledger, rate_hz
        self._finishing = threading.Event()
        self._devices = deque(Device(port) for _ in range(devices))

    def finish(self, *, end_again: bool = False) -> None:
        """Begin no further story, end those that are being played, and wait until every message is acknowledged."""
        self._finishing.set()
        self.join()
        if end_again:
            self.end_again()
        for device in self._devices:
            until(device.is_free, "every acknowledgement", 120.0)
            device.close()
        self._ledger.acknowledged = sum(device.acknowledged for device in self._devices)

    def end_again(self) -> None:
        """Repeat the last messages of every lift, which changes nothing where the first ones arrived."""
        self._parts = deque(replace(part, only_end=True) for part in self._ledger.parts.values())
        self._finishing.clear()
        self.run()

    def run(self) -> None:
        begun, sent = time.monotonic(), 0
        playing: deque[tuple[Part, Device, Iterator[Message]]] = deque()
        while playing or (self._parts and not self._finishing.is_set()):
            while self._parts and len(playing) < len(self._devices) and not self._finishing.is_set():
                self._devices.rotate()
                part = self._parts.popleft()
                playing.append((part, self._devices[0], part.messages()))
            part, device, messages = playing.popleft()
            if not device.is_free():
                playing.append((part, device, messages))
                time.sleep(0.001)
                continue
            for stream, payload in itertools.islice(messages, 1):
                self._ledger.note(part, payload)
                device.publish(f"lift/v1/{DISTRICT}/{part.lift_id}/{stream}", json.dumps(payload))
                playing.append((part, device, messages))
                sent += 1
            time.sleep(max(0.0, begun + sent / self._rate_hz - time.monotonic()))


class Device:
    """One connection to the broker, which publishes its message again after a reconnection until it is acknowledged.

    The publisher's thread drives all connections: a thread of paho's own may end where its connection breaks while
    another thread publishes, and the message is never sent again.
    """

    def __init__(self, port: int) -> None:
        self._publisher = MqttPublisher(BrokerAddress(port=port))
        assert self._publisher.connect(CONNECT_LIMIT_S) is None

    @property
    def acknowledged(self) -> int:
        """How many messages the broker has acknowledged."""
        return self._publisher.acknowledged

    def is_free(self) -> bool:
        """Serve the connection, and return whether the last message is acknowledged."""
        self._publisher.serve(0.0)
        return not self._publisher.unacknowledged

    def publish(self, topic: str, payload: str) -> None:
        self._publisher.publish(topic, payload.encode())

    def close(self) -> None:
        self._publisher.close()


@dataclass(frozen=True, slots=True)
class Result:
    """The comparison, in counts; the lists name the first of each kind."""

    published: int
    acknowledged: int
    readings: int
    lost_readings: Sequence[tuple[str, int]]
    alerts: int
    lost_alerts: Sequence[str]
    doubled_alerts: Sequence[str]
    false_alerts: Sequence[str]
    incidents: int
    lost_incidents: Sequence[str]
    doubled_incidents: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{self.published} messages published, {self.acknowledged} acknowledged; "
            f"{self.readings} readings, {len(self.lost_readings)} lost; {self.alerts} alerts expected, "
            f"{len(self.lost_alerts)} lost, {len(self.doubled_alerts)} doubled, {len(self.false_alerts)} false; "
            f"{self.incidents} incidents expected, {len(self.lost_incidents)} lost, "
            f"{len(self.doubled_incidents)} doubled"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The alerts and the incidents of each lift, as the API lists them, in the time of the story."""

    alerts: Mapping[str, list[Life]]
    incidents: Mapping[str, list[Case]]


def outcome(system: System, lift_ids: Mapping[str, Part]) -> Outcome:
    """Return the outcome of these lifts."""
    alerts: dict[str, list[Life]] = {lift_id: [] for lift_id in lift_ids}
    incidents: dict[str, list[Case]] = {lift_id: [] for lift_id in lift_ids}
    by_the_clock = Counter[str]()
    for alert in _listed(system, "/api/v1/alerts"):
        if (part := lift_ids.get(alert["lift_id"])) is None:
            continue
        if alert["rule"] in BY_THE_CLOCK:
            by_the_clock[part.lift_id] += alert["state"] != "closed"
            continue
        onset, cleared = (_story_ms(alert[name], part) for name in ("onset", "cleared"))
        life = (alert["rule"], alert["severity"], alert["state"], onset or 0, cleared, alert["count"])
        alerts[part.lift_id].append(life)
    for incident in _listed(system, "/api/v1/incidents"):
        for lift in incident["lifts"]:
            if lift["lift_id"] in incidents:
                compared = lift["open_alerts"] - by_the_clock[lift["lift_id"]]
                case = (incident["kind"], incident["severity"], incident["state"], compared)
                incidents[lift["lift_id"]].append(case)
    return Outcome({lift_id: sorted(each, key=repr) for lift_id, each in alerts.items()}, incidents)


def _listed(system: System, path: str, **query: str) -> Iterator[dict[str, Any]]:
    """Yield the items of all pages of a list."""
    cursor: dict[str, str] = {}
    while True:
        answer = system.get(path, limit=500, **query, **cursor)
        yield from answer["items"]
        if answer["next"] is None:
            return
        cursor = {"cursor": answer["next"]}


def _story_ms(instant: str | None, part: Part) -> int | None:
    if instant is None:
        return None
    return (
        round(datetime.fromisoformat(instant).timestamp() * 1000)
        - part.shift_ms
        - (0 if part.glitch else part.step_ms)
        - T0_MS
    )


def until_ended(system: System, parts: Mapping[str, Part], within_s: float = 240.0) -> None:
    """Wait until the last message of every lift is judged, in which the alarm button is pressed, and all are stored."""

    def pressed() -> int:
        time.sleep(0.5)  # a page of alerts costs the server more than the check is worth twenty times a second
        return sum(alert["lift_id"] in parts for alert in _listed(system, "/api/v1/alerts", rule="alarm-button"))

    until(lambda: pressed() >= len(parts), f"the end of {len(parts)} stories", within_s)
    until(system.is_all_stored, "every reading in the store", within_s)


def compare(ledger: Ledger, found: Outcome, calm: Outcome, store: TimeSeries) -> Result:
    """Hold the readings in the store, and what was found of each lift, against the ledger and the calm run by story."""
    lost_readings, lost, doubled, false, readings, expected = [], [], [], [], 0, 0
    incidents, lost_incidents, doubled_incidents = 0, [], []
    for lift_id, part in ledger.parts.items():
        sent = ledger.speeds[lift_id]
        rows = store.readings(lift_id, "speed", (min(sent) - 1) * 1_000_000, (max(sent) + 1) * 1_000_000)
        stored = (
            dict(zip((rows.t_ns // 1_000_000).tolist(), rows.channels["v"].tolist(), strict=True)) if len(rows) else {}
        )
        readings += len(sent)
        missing = [(lift_id, t) for t, speeds in sent.items() if not _stored(stored.get(t), speeds)]
        lost_readings += missing
        if missing:
            continue  # the alerts of a lift whose readings are lost may differ, and the loss is reported
        name = f"{lift_id} {part.story}"
        absent, unexpected = _differences(calm.alerts[part.story], found.alerts[lift_id])
        expected += len(calm.alerts[part.story])
        lost += [f"{name} {one}" for one in absent]
        rules = {one[0] for one in calm.alerts[part.story]}
        doubled += [f"{name} {one}" for one in unexpected if one[0] in rules]
        false += [f"{name} {one}" for one in unexpected if one[0] not in rules]
        without, more = _differences(calm.incidents[part.story], found.incidents[lift_id])
        incidents += len(calm.incidents[part.story])
        lost_incidents += [f"{name} {one}" for one in without]
        doubled_incidents += [f"{name} {one}" for one in more]
    return Result(
        ledger.published, ledger.acknowledged, readings, lost_readings, expected, lost, doubled, false, incidents,
        lost_incidents, doubled_incidents,
    )  # fmt: skip


def _differences(wanted: Sequence[T], got: Sequence[T]) -> tuple[list[T], list[T]]:
    """Return what is missing, and what there is beyond what was wanted."""
    return list((Counter(wanted) - Counter(got)).elements()), list((Counter(got) - Counter(wanted)).elements())


def _stored(value: float | None, sent: set[float]) -> bool:
    return value is not None and any(abs(value - v) < 1e-6 for v in sent)


def recent_shift_ms(minutes_ago: float = 20.0) -> int:
    """Return how far a story is moved so that it began some minutes ago, on a whole second."""
    return int(datetime.now(UTC).timestamp() - 60 * minutes_ago) * 1000 - T0_MS
