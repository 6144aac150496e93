"""The places for unregistered lifts: no crowd keeps another out, and the silent give way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from detectors.catalogue import RULES
from ingest.judging import Judging
from ingest.places import GIVE_WAY_AFTER_S, Places, UnregisteredLift
from registry.actor import Actor
from store.journal import Journal
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import AlertFilter
from telemetry.streams import topic
from tests.ingest.judged import listened
from tests.ingest.running import T0_MS, bundle, facts
from tests.loopback import until
from tests.prepared_records import open_empty

S_NS = 1_000_000_000
T0_NS = T0_MS * 1_000_000


def crowd(name: str, count: int, seen_s: float = 0.0) -> list[UnregisteredLift]:
    return [UnregisteredLift(int(seen_s * S_NS) + n, f"{name}-{n}", name) for n in range(count)]


def test_the_oldest_of_the_largest_crowd_gives_way_until_the_crowds_are_even() -> None:
    places = Places(crowd("flood", 6), (), 0)
    assert [places.give_way("ours") for _ in range(4)] == ["flood-0", "flood-1", "flood-2", None]
    assert places.give_way("theirs") == "flood-3"


def test_a_crowd_without_a_place_takes_the_oldest_of_crowds_of_one_lift_each() -> None:
    made_up = [*crowd("b", 1, 2.0), *crowd("a", 1, 1.0), *crowd("c", 1, 3.0)]
    places = Places(made_up, (), 0)
    assert [places.give_way(name) for name in ("ours", "ours", "theirs")] == ["a-0", None, "b-0"]


def test_within_a_crowd_only_who_is_silent_for_long_gives_way() -> None:
    now_s = 2 * GIVE_WAY_AFTER_S
    unregistered = [*crowd("flood", 3, now_s - 1.0), UnregisteredLift(5, "silent", "flood")]
    places = Places(unregistered, (), int(now_s * S_NS))
    assert [places.give_way("flood") for _ in range(2)] == ["silent", None]


def test_a_lift_of_the_same_batch_keeps_its_place() -> None:
    places = Places(crowd("flood", 3), ["flood-0", "flood-2"], 0)
    assert [places.give_way("ours") for _ in range(2)] == ["flood-1", None]


class World:
    """A journal, and records with one registered lift, judged at the times of arrival."""

    def __init__(self, folder: Path) -> None:
        self.records = open_empty(folder / "records.db")
        self.records.put_lifts([facts("ours")], Actor.named("test"), 0)
        self.journal = Journal.open(folder / "journal", 256 << 20)
        self.now_ns = T0_NS

    def receive(self, sender: str, stream: str, body: Any, district: str = "x", after_s: float = 1.0) -> None:
        self.now_ns += int(after_s * S_NS)
        self.journal.append([(self.now_ns, topic(district, sender, stream), json.dumps(body).encode(), False)])

    def flood(self, first: int, count: int, gateway: str = "gw") -> None:
        """A gateway sends for lifts that nobody has registered."""
        lifts = {f"S{n:05}": bundle(0, 0.0, 3.0) for n in range(first, first + count)}
        for begin in range(0, count, 100):
            self.receive(gateway, "gateway", {"lifts": dict(list(lifts.items())[begin : begin + 100])}, after_s=0.01)

    @contextmanager
    def judged(self) -> Iterator[Judging]:
        """Judge the journal to its end."""
        judging = Judging(
            self.journal,
            self.records,
            RULES,
            lambda _: None,
            lambda: None,
            lambda: listened(0, self.now_ns),
            batch_s=0.01,
        )
        judging.start()
        try:
            until(lambda: judging.offered_to == self.journal.last, "the end of the journal")
            yield judging
        finally:
            judging.stop()

    def listed(self) -> set[str]:
        """Return the lifts of the registry that nobody has registered."""
        return {each.facts.lift_id for each in self.records.registry()[1] if not each.registered}

    def alerts(self, lift_id: str) -> Sequence[tuple[str, str]]:
        found = self.records.alerts(AlertFilter(lift_id=(lift_id,))).items
        return sorted((alert.rule, alert.state) for alert in found)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()
    made.records.close()


def test_a_flood_of_one_gateway_keeps_no_lift_of_another_sender_out(world: World) -> None:
    world.flood(0, UNREGISTERED_LIMIT + 200)
    with world.judged() as judging:
        for second in range(4):
            world.receive("newcomer", "bundle", bundle(second, -2.3, 60.0 - 2.3 * second), "anji")
            world.receive("ours", "bundle", bundle(second, -2.3, 60.0 - 2.3 * second), "anji")
        until(lambda: {"newcomer"} <= world.listed(), "a place for the newcomer")
        until(lambda: ("overspeed", "firing") in world.alerts("ours"), "an alert of the registered lift")
        until(lambda: judging.counts["refused:unregistered"] == 200, "the refusals of the flood")
        assert judging.counts["unregistered_gave_way"] == 1
    assert len(world.listed()) == UNREGISTERED_LIMIT
    assert "S00000" not in world.listed()


def test_an_alarm_of_a_new_district_is_raised_after_a_flood_of_made_up_districts(world: World) -> None:
    with world.judged():
        for n in range(UNREGISTERED_LIMIT + 200):
            world.receive(f"S{n:05}", "status", {"online": True}, f"x{n}", after_s=0.01)
        until(lambda: len(world.listed()) == UNREGISTERED_LIMIT, "a full list")
        world.receive("newcomer", "status", {"seq": 1, "t": T0_MS, "alarm": True}, "huzhou")
        until(lambda: ("alarm-button", "firing") in world.alerts("newcomer"), "the newcomer's alarm")
    assert len(world.listed()) == UNREGISTERED_LIMIT


def test_a_silent_stranger_gives_way_and_leaves_nothing_to_who_takes_its_place(world: World) -> None:
    alarm = {"seq": 1, "t": T0_MS, "alarm": True}
    world.receive("S00000", "status", {**alarm, "alarm": False, "seq": 0})
    world.receive("S00000", "status", {**alarm, "t": T0_MS + 1000})
    world.flood(1, UNREGISTERED_LIMIT - 1, "x")
    with world.judged():
        until(lambda: ("alarm-button", "firing") in world.alerts("S00000"), "an alarm of the lift")
        world.receive("S00001", "bundle", bundle(1, 0.0, 3.0), after_s=2 * GIVE_WAY_AFTER_S)
        world.receive("late", "bundle", bundle(0, 0.0, 3.0))
        until(lambda: "late" in world.listed(), "a place for the newcomer")
    gone = {"S00000", *(f"S{n:05}" for n in range(1, UNREGISTERED_LIMIT))} - world.listed()
    assert len(gone) == 1
    assert world.alerts("late") == []


def test_indices_do_not_grow_with_strangers_that_come_and_go(world: World) -> None:
    with world.judged() as judging:
        for turn in range(4):
            world.receive("tick", "bundle", bundle(turn, 0.0, 3.0), after_s=2 * GIVE_WAY_AFTER_S)
            world.flood(turn * UNREGISTERED_LIMIT, UNREGISTERED_LIMIT)
            until(lambda: judging.offered_to == world.journal.last, "the end of a round")
        until(lambda: judging.counts["unregistered_gave_way"] > 2 * UNREGISTERED_LIMIT, "unregistered that gave way")
        assert len(judging.state.fleet) <= UNREGISTERED_LIMIT + 110  # a gateway's message of them may still be held
    assert len(world.listed()) == UNREGISTERED_LIMIT
