"""Every form of the same messages gives the same alerts; the list of unregistered lifts is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import cbor2
import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, installed, wall_ms
from tests.whole.rule_stories import door_opened_running, overspeed_up
from tests.whole.story import BUNDLES, SINGLES, FeedMessage, Story

pytestmark = pytest.mark.broker

STORIES = {"door-opened-running": door_opened_running, "overspeed-up": overspeed_up}


def late_speed(messages: Iterator[FeedMessage]) -> list[FeedMessage]:
    """Move the speed of each second behind all other messages of that second."""
    seconds = groupby(messages, lambda message: message[1]["t"] // 1000)
    return [message for _, second in seconds for message in sorted(second, key=lambda message: message[0] == "speed")]


def renumbered(messages: list[FeedMessage]) -> list[FeedMessage]:
    return [(stream, payload | {"seq": seq}) for seq, (stream, payload) in enumerate(messages)]


def by_gateway(lift_id: str, messages: list[FeedMessage]) -> list[tuple[str, Any]]:
    topic = f"lift/v1/{DISTRICT}/gateway-1/gateway"
    return [(topic, {"lifts": {lift_id: payload}}) for _, payload in messages]


def straight(lift_id: str, messages: list[FeedMessage]) -> list[tuple[str, Any]]:
    return [(f"lift/v1/{DISTRICT}/{lift_id}/{stream}", payload) for stream, payload in messages]


def packed(lift_id: str, messages: list[FeedMessage]) -> list[tuple[str, Any]]:
    return [(topic, cbor2.dumps(payload)) for topic, payload in straight(lift_id, messages)]


def twice(lift_id: str, messages: list[FeedMessage]) -> list[tuple[str, Any]]:
    return [message for message in straight(lift_id, messages) for _ in range(2)]


Way = tuple[str, Callable[[str, list[FeedMessage]], list[tuple[str, Any]]], str | None]
WAYS: dict[str, Way] = {
    "plain": (BUNDLES, straight, "1"),
    "no-boot": (BUNDLES, straight, None),
    "cbor": (BUNDLES, packed, "1"),
    "gateway": (BUNDLES, by_gateway, "1"),
    "twice": (BUNDLES, twice, "1"),
    "singles": (SINGLES, straight, "1"),
    "late-speed": (SINGLES, straight, "1"),
}


@pytest.fixture(scope="session")
def played(system: System) -> None:
    lifts = {f"{way}-{rule}": (way, story()) for way in WAYS for rule, story in STORIES.items()}
    system.register(*lifts)
    for lift_id, (way, story) in lifts.items():
        publish_story(system, lift_id, way, story)
    system.voice.ended(*lifts)


def publish_story(system: System, lift_id: str, way: str, story: Story) -> None:
    feed, form, boot = WAYS[way]
    messages = list(story.messages(feed, boot=boot))
    if way == "late-speed":
        messages = renumbered(late_speed(iter(messages)))
    end = {"t": messages[-1][1]["t"] // 1000 * 1000 + 6000, "alarm": True}
    messages += renumbered([*messages, ("status", end), ("bundle", {"t": end["t"] + 2000})])[len(messages) :]
    if boot is not None:
        messages = [(stream, payload | {"boot": boot}) for stream, payload in messages]
    pressed = messages.index(next(message for message in messages if message[0] == "status"))
    for topic, payload in form(lift_id, messages[:pressed]) + straight(lift_id, messages[pressed:]):
        system.voice.publish(topic, payload)


@pytest.mark.parametrize("rule", STORIES)
@pytest.mark.parametrize(
    ("one", "other"),
    [("plain", "no-boot"), ("plain", "cbor"), ("plain", "gateway"), ("plain", "twice"), ("singles", "late-speed")],
)
def test_other_forms_of_the_same_messages_give_the_same_alerts(
    system: System, played: None, one: str, other: str, rule: str
) -> None:
    def life(way: str) -> list[dict[str, Any]]:
        alerts = system.voice.of(f"{way}-{rule}")
        return [{**alert, **dict.fromkeys(("id", "lift_id", "noticed"))} for alert in alerts]

    assert {alert["rule"] for alert in life(one)} >= {rule, "alarm-button"}
    assert life(one) == life(other)


def test_a_thousand_unregistered_lifts_are_listed_and_more_are_refused(tmp_path: Any) -> None:
    running = installed(tmp_path)
    try:
        t_ms = wall_ms() - 5000
        for first in range(0, 1002, 334):
            inner = {"seq": 1, "t": t_ms, "speed": {"v": 1.0}}
            lifts = {f"stranger-{k}": inner for k in range(first, first + 334)}
            running.voice.send("gate", "gateway", {"lifts": lifts})
        until(lambda: running.counter("liftwatch_monitor_refused_total", kind="unregistered") == 2, "two refusals")
        until(lambda: running.get("/api/v1/fleet")["lifts"] == 1000, "a thousand lifts")
        assert running.get("/api/v1/fleet")["registered"] == 0
        letters = running.get("/api/v1/dead-letters", reason="unregistered")["items"]
        assert len(letters) == 2
        known = {item["lift_id"] for item in running.get("/api/v1/lifts", limit=1000)["items"]}
        (out, _) = {f"stranger-{k}" for k in range(1002)} - known
        running.register(out)
        running.voice.send(out, "bundle", {"seq": 2, "t": t_ms + 1000, "speed": {"v": 1.0}})
        until(lambda: running.received(out) >= 1, "the lift that was registered")
    finally:
        running.stop()
