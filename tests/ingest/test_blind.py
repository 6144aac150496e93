"""A lift that is received is not judged yet: while none of its messages can be judged it is blind, with the reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detectors.catalogue import RULES
from ingest.judging import Judging
from registry.actor import Actor
from store.journal import Journal
from telemetry.streams import topic
from tests.ingest.judged import listened
from tests.ingest.running import DISTRICT, facts
from tests.loopback import until
from tests.prepared_records import open_empty

S_NS = 1_000_000_000
NOT_SEEN = "not seen"
"""A lift of which nothing was received is not in the monitor's picture."""


class World:
    """A judge whose lifts send messages at times that the test chooses, in seconds before now."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = time.time_ns()
        self.journal = Journal.open(folder / "journal", 64 << 20)
        self.records = open_empty(folder / "records.db")
        self.records.put_lifts([facts("L1"), facts("L2")], Actor.named("test"), 0)
        self.judging = self._started()

    def _started(self) -> Judging:
        def offer(_: Any) -> None:
            pass

        made = Judging(
            self.journal,
            self.records,
            RULES,
            offer,
            lambda: None,
            lambda: listened(0, self.now_ns),
            keep_days=30,
            batch_s=0.01,
        )
        made.start()
        return made

    def receive(self, ago_s: float, body: Any, *, lift: str = "L1", stream: str = "bundle") -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        arrived_ns = self.now_ns - round(ago_s * S_NS)
        self.journal.append([(arrived_ns, topic(DISTRICT, lift, stream), payload, False)])

    def t(self, ago_s: float) -> int:
        return self.now_ns // 1_000_000 - round(ago_s * 1000)

    def good(self, ago_s: float, lift: str = "L1") -> None:
        self.receive(ago_s, {"t": self.t(ago_s), "speed": {"v": 0.0}, "displacement": {"z": 3.0}}, lift=lift)

    def blind(self, lift: str = "L1") -> str:
        picture = self.judging.picture
        if picture is None or lift not in picture.lift_id:
            return NOT_SEEN
        return str(picture.blind[picture.lift_id.tolist().index(lift)])

    def until_blind(self, reason: str, lift: str = "L1") -> None:
        until(lambda: self.blind(lift) == reason, f"{lift} blind for {reason!r}, not {self.blind(lift)!r}")

    def restart(self) -> None:
        self.judging.stop()
        self.judging = self._started()

    def close(self) -> None:
        self.judging.stop()
        self.records.close()
        self.journal.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


SECONDS = {"t": 1_764_362_400, "speed": {"v": 0.0}}
REASONS = {
    "clock-behind": ("bundle", SECONDS),
    "syntax": ("bundle", b"hello"),
    "missing-field": ("speed", {"seq": 1}),
    "units": ("bundle", {"speed": {"dt": 500, "v": [1750, 1750]}, "displacement": {"dt": 500, "z": [12000, 12875]}}),
    "expired": ("bundle", {"t": 1_514_764_800_000, "speed": {"v": 0.0}}),
}


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("lift", ["L1", "stranger"])
def test_a_lift_of_which_nothing_was_ever_judged_is_blind_at_once(world: World, lift: str, reason: str) -> None:
    stream, body = REASONS[reason]
    world.receive(30, {"t": world.t(30), "online": True}, lift=lift, stream="status")  # listed, and not judged by it
    world.receive(20, body, lift=lift, stream=stream)
    world.until_blind(reason, lift)


def test_a_registered_lift_is_blind_whose_every_message_is_refused(world: World) -> None:
    world.receive(20, SECONDS)
    world.until_blind("clock-behind")
    assert world.blind("L2") == NOT_SEEN
    world.restart()
    world.until_blind("clock-behind")
    world.good(5)
    world.until_blind("")


def test_a_lift_that_was_judged_is_blind_after_a_minute_without_and_never_for_a_glitch(world: World) -> None:
    world.good(500)
    world.receive(400, SECONDS)
    world.good(399)
    for ago_s in range(300, 240, -10):
        world.receive(ago_s, SECONDS)
    world.good(200, "L2")
    until(lambda: world.judging.counts["messages"] == 10, "all of it")
    world.judging.pace.urgent.set()
    world.until_blind("", "L2")
    assert world.blind() == ""
    world.receive(239, SECONDS)
    world.until_blind("clock-behind")
    world.good(1)
    world.until_blind("")


def test_good_doors_do_not_make_up_for_an_impossible_speed(world: World) -> None:
    world.receive(20, {"v": 1750}, stream="speed")
    for ago_s in (19, 18, 17):
        world.receive(ago_s, {"state": "closed"}, stream="door")
        world.receive(ago_s, {"alarm": False}, stream="status")
    world.until_blind("units")
    world.receive(16, {"v": 1.75}, stream="speed")
    world.until_blind("")


@pytest.mark.parametrize(("stream", "body"), [("machine", {"a": 0.1}), ("vibration", {"x": 0.1, "y": 0.1, "z": 0.1})])
def test_a_lift_that_sends_only_vibration_is_blind_after_a_minute_until_it_sends_readings(
    world: World, stream: str, body: dict[str, float]
) -> None:
    world.good(300, "L2")
    for ago_s in (200, 170, 139):
        for lift in ("L1", "L2"):
            world.receive(ago_s, body, stream=stream, lift=lift)
    world.until_blind("no-rule")
    assert world.blind("L2") == "", "it is parked, and was judged before"
    world.good(1)
    world.until_blind("")


def test_a_button_box_that_sends_statuses_alone_is_judged(world: World) -> None:
    world.receive(300, {"alarm": "yes"}, stream="status")
    world.until_blind("type")
    world.receive(200, {"alarm": False}, stream="status")
    world.until_blind("")


def test_a_device_that_sends_one_message_again_and_again_is_blind(world: World) -> None:
    for ago_s in range(200, 100, -10):
        world.receive(ago_s, {"seq": 1, "t": world.t(201), "speed": {"v": 0.0}})
    world.until_blind("repeated")


def test_refused_messages_are_signs_of_life_of_a_lift_but_not_from_a_foreign_gateway(world: World) -> None:
    world.receive(20, {"lifts": {"L2": {"t": 5}}}, lift="L1", stream="gateway")
    world.receive(10, SECONDS)
    world.until_blind("clock-behind")
    assert world.blind("L2") == NOT_SEEN


def test_a_lift_that_sends_history_alone_is_blind(world: World) -> None:
    world.receive(300, {"seq": 100, "boot": "b", "t": world.t(300), "speed": {"v": 0.0}})
    for k, ago_s in enumerate(range(200, 100, -10)):
        world.receive(ago_s, {"seq": k, "boot": "b", "t": world.t(5000 - k), "speed": {"v": 0.0}})
    world.until_blind("late")
    world.receive(5, {"seq": 101, "boot": "b", "t": world.t(5), "speed": {"v": 0.0}})
    world.until_blind("")
