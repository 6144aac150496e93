"""Accepted senders of a lift: itself and the gateway that its facts name, whatever the broker's access list allows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from sqlalchemy import select

from detectors.catalogue import RULES
from ingest.judging import Judging
from ingest.storing import Storing
from registry.actor import Actor
from registry.devices import GATEWAY, LIFT, PASSWORD, Credential, Device
from registry.partition import EVERY_LIFT, Partition
from store.journal import Journal
from store.records.repository import AlertFilter
from store.records.schema import dead_letters
from store.series.files import FileSeries
from telemetry.streams import topic
from tests.ingest.judged import listened
from tests.ingest.running import DISTRICT, T0_MS, bundle, facts
from tests.loopback import until
from tests.prepared_records import open_empty

SPAN_NS = (T0_MS * 1_000_000, (T0_MS + 60_000) * 1_000_000)
FACTS = (replace(facts("bound"), gateway_id="GW-7"), facts("free"), replace(facts("alone"), gateway_id="alone"))


class World:
    """Judging and storing on a journal, with three registered lifts."""

    def __init__(self, folder: Path, partition: Partition = EVERY_LIFT) -> None:
        self.records = open_empty(folder / "records.db")
        self.records.put_lifts(FACTS, Actor.named("test"), 0)
        self.journal = Journal.open(folder / "journal", 64 << 20)
        self.series = FileSeries.open(folder / "series", raw_days=100_000)
        self.store = Storing(
            self.journal,
            lambda: self.series,
            lambda: self.judging.listing(),
            lambda: self.judging.offered_to,
            100_000,
            every_s=0.01,
            partition=partition,
        )
        self.offers = True
        self.judging = Judging(
            self.journal,
            self.records,
            RULES,
            self._offer,
            lambda: None,
            lambda: listened(0, 0),
            partition=partition,
            batch_s=0.01,
        )

    def _offer(self, group: Any) -> None:
        if self.offers:
            self.store.offer(group)

    def judge(self) -> None:
        """Judge and store the journal to its end."""
        self.judging.start()
        self.store.start()
        until(lambda: self.store.position == self.journal.last, "the end of the journal")
        self.judging.stop()
        self.store.stop()

    def receive(self, sender: str, *lifts: str, stream: str = "gateway", binary: bool = False) -> None:
        """Publish four seconds of overspeed for these lifts, in messages of `sender`."""
        for second in range(4):
            inner = bundle(second, -2.3, 100.0 - 2.3 * second)
            body = {"lifts": dict.fromkeys(lifts, inner)} if stream == "gateway" else inner
            payload = cbor2.dumps(body) if binary else json.dumps(body).encode()
            self.journal.append([(time.time_ns(), topic(DISTRICT, sender, stream), payload, False)])

    def alerts(self) -> set[str]:
        """Return the lifts with an alert."""
        return {alert.lift_id for alert in self.records.alerts(AlertFilter()).items}

    def stored(self, lift_id: str) -> int:
        """Return how many speeds of a lift are stored."""
        return len(self.series.readings(lift_id, "speed", *SPAN_NS))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with closing(made.records), closing(made.journal), closing(made.series):
        yield made


def refusals(world: World) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return the reason, the topic and the payload of each dead letter, oldest first."""
    letters = world.records.dead_letters().items[::-1]
    return [(each.reason, each.topic, json.loads(each.payload)) for each in letters]


@pytest.mark.parametrize(("sender", "stream"), [("GW-7", "gateway"), ("bound", "bundle"), ("bound", "gateway")])
def test_a_lift_is_judged_by_messages_of_its_gateway_and_of_itself(world: World, sender: str, stream: str) -> None:
    world.receive(sender, "bound", stream=stream)
    world.judge()
    assert (world.alerts(), world.stored("bound"), refusals(world)) == ({"bound"}, 40, [])


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize("sender", ["GW-8", "free", "stranger"])
def test_messages_of_another_gateway_than_the_named_one_are_refused(world: World, sender: str, offers: bool) -> None:
    world.offers = offers  # False: storing decodes the journal for itself
    world.receive(sender, "bound")
    world.judge()
    assert (world.alerts(), world.stored("bound")) == (set(), 0)
    assert world.judging.counts["refused:not-its-lift"] == 4
    assert refusals(world) == [
        ("not-its-lift", topic(DISTRICT, sender, "gateway"), bundle(second, -2.3, 100.0 - 2.3 * second))
        for second in range(4)
    ]


def test_the_other_lifts_of_the_message_are_judged_and_the_refusal_names_its_remedy(world: World) -> None:
    world.receive("GW-8", "bound", "free", "alone", binary=True)
    world.judge()
    assert (world.alerts(), world.stored("free"), world.stored("alone")) == ({"free"}, 40, 0)
    details = {letter.detail for letter in world.records.dead_letters().items}
    assert len(details) == 2
    assert any("gateway_id of bound to GW-8" in detail for detail in details)


def test_a_lift_that_names_itself_is_judged_by_its_own_messages_alone(world: World) -> None:
    world.receive("alone", stream="bundle")
    world.receive("GW-7", "alone")
    world.judge()
    assert (world.alerts(), world.judging.counts["refused:not-its-lift"]) == ({"alone"}, 4)


@pytest.mark.parametrize("lift_id", ["free", "unregistered"])
def test_where_no_gateway_is_named_any_sender_is_taken_but_a_registered_lift(world: World, lift_id: str) -> None:
    world.receive("alone", lift_id)
    world.judge()
    assert (world.alerts(), world.stored(lift_id), world.records.lift("unregistered")) == (set(), 0, None)
    assert world.judging.counts["refused:not-its-lift"] == 4


@pytest.mark.parametrize("lift_id", ["free", "unregistered"])
def test_where_no_gateway_is_named_a_gateway_that_is_no_lift_is_taken(world: World, lift_id: str) -> None:
    world.receive("GW-8", lift_id)
    world.judge()
    assert (world.stored(lift_id), refusals(world)) == (40, [])


def test_a_registered_lift_of_another_partition_is_no_gateway_of_a_lift_of_this_one(tmp_path: Path) -> None:
    partition = next(each for each in (Partition(0, 2), Partition(1, 2)) if each.has("free"))
    other = next(name for name in map("other-{}".format, range(99)) if not partition.has(name))
    world = World(tmp_path, partition)
    with closing(world.records), closing(world.journal), closing(world.series):
        world.records.put_lifts([facts(other)], Actor.named("test"), 0)
        world.receive(other, "free")
        world.judge()
        assert (world.alerts(), world.stored("free")) == (set(), 0)
        assert world.judging.counts["refused:not-its-lift"] == 4


def test_what_is_refused_is_counted_for_its_lift_and_takes_the_share_of_who_sent_it(world: World) -> None:
    broken = json.dumps({"lifts": {"bound": {"t": "noon"}, "free": {"t": "noon"}}}).encode()
    for sender in ("GW-7", "GW-8"):
        world.journal.append([(time.time_ns(), topic(DISTRICT, sender, "gateway"), broken, False)])
    world.journal.append([(time.time_ns(), topic(DISTRICT, "GW-7", "gateway"), b"{", False)])
    world.journal.append([(time.time_ns(), f"lift/v1/{DISTRICT}/bound/Speed", b"{}", False)])
    world.judge()
    counted = {(count.lift_id, count.reason): count.count for count in world.records.refusals_since(-1)[1]}
    assert counted == {
        ("bound", "type"): 1,
        ("bound", "not-its-lift"): 1,
        ("bound", "stream"): 1,
        ("free", "type"): 2,
    }
    letters = select(dead_letters.c.share, dead_letters.c.known).order_by(dead_letters.c.id)
    with world.records._database.reading() as connection:
        shares = [tuple(row) for row in connection.execute(letters)]
    known = [("bound", True), ("free", True), ("GW-8", False), ("free", True), ("GW-7", True), ("bound", True)]
    assert sorted(shares) == sorted(known)


def test_a_gateway_that_is_named_later_is_taken_from_then_on(world: World) -> None:
    world.judging.start()
    world.receive("GW-8", "bound")
    until(lambda: world.judging.counts["refused:not-its-lift"] == 4, "four refusals")
    world.records.patch_lift("bound", {"gateway_id": "GW-8"}, Actor.named("test"), 0)
    world.receive("GW-8", "bound")
    until(lambda: world.alerts() == {"bound"}, "an alert")
    world.judging.stop()


def test_a_device_sends_for_its_own_lifts_alone_also_for_one_that_names_no_gateway(world: World) -> None:
    devices = [Device("GW-8", GATEWAY, ("unregistered",), Credential(PASSWORD)), lift_device("terminal")]
    world.records.add_devices(devices, Actor.named("test"), 0)
    for sender in ("GW-8", "terminal"):
        world.receive(sender, "free", "unregistered")
    world.judge()
    assert (world.stored("free"), world.stored("unregistered")) == (0, 40)
    refused = sorted((each.topic.split("/")[3], each.lift_id) for each in world.records.dead_letters().items)
    assert refused == 4 * [("GW-8", "free")] + 4 * [("terminal", "free")] + 4 * [("terminal", "unregistered")]


def test_the_fact_gateway_id_does_not_extend_the_lifts_of_a_device(world: World) -> None:
    world.records.add_devices([Device("GW-7", GATEWAY, ("alone",), Credential(PASSWORD))], Actor.named("test"), 0)
    world.receive("GW-7", "bound", "alone")  # the facts of the one name GW-7, those of the other do not
    world.judge()
    assert (world.alerts(), world.judging.counts["refused:not-its-lift"]) == (set(), 8)


def test_nobody_else_sends_for_a_lift_that_has_a_device(world: World) -> None:
    world.records.add_devices([lift_device("free")], Actor.named("test"), 0)
    world.receive("GW-9", "free")
    world.receive("free", stream="bundle")
    world.judge()
    assert (world.stored("free"), world.judging.counts["refused:not-its-lift"]) == (40, 4)


def test_a_device_that_is_revoked_while_judging_runs_sends_for_no_lift(world: World) -> None:
    world.records.add_devices([Device("GW-8", GATEWAY, ("free",), Credential(PASSWORD))], Actor.named("test"), 0)
    world.judging.start()
    world.receive("GW-8", "free")
    until(lambda: world.alerts() == {"free"}, "an alert")
    world.records.revoke_devices(["GW-8"], Actor.named("test"), 0)
    until(lambda: not world.judging.state.senders.accepts("free", "GW-8"), "the change")
    world.judging.stop()


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize("stream", ["bundle", "gateway"])
def test_a_lift_whose_device_is_revoked_is_not_judged_by_messages_on_its_own_topics(
    world: World, stream: str, offers: bool
) -> None:
    world.records.add_devices([lift_device("free"), lift_device("alone")], Actor.named("test"), 0)
    world.records.revoke_devices(["free"], Actor.named("test"), 1)
    world.offers = offers
    world.receive("free", "free", stream=stream)
    world.receive("alone", stream="bundle")
    world.judge()
    assert (world.alerts(), world.stored("free"), world.stored("alone")) == ({"alone"}, 0, 40)
    letters = world.records.dead_letters().items
    assert {(each.reason, each.lift_id) for each in letters} == {("not-its-lift", "free")}
    assert len(letters) == 4
    if stream == "bundle":
        assert "the device free is revoked" in letters[0].detail


def test_a_lift_with_a_revoked_device_sends_again_when_it_is_added_again_or_has_a_gateway(world: World) -> None:
    world.records.add_devices([lift_device("free"), lift_device("alone")], Actor.named("test"), 0)
    world.records.revoke_devices(["free", "alone"], Actor.named("test"), 1)
    gateway = Device("GW-8", GATEWAY, ("free",), Credential(PASSWORD))
    world.records.add_devices([lift_device("alone"), gateway], Actor.named("test"), 2)
    for lift_id in ("free", "alone"):
        world.receive(lift_id, stream="bundle")
    world.judge()
    assert (world.stored("free"), world.stored("alone"), refusals(world)) == (40, 40, [])


def lift_device(lift_id: str) -> Device:
    return Device(lift_id, LIFT, (lift_id,), Credential(PASSWORD))
