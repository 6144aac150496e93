"""Several monitors on one database, each keeps its own place, and another number of them is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from registry.partition import Partition
from store.records.database import MIGRATIONS, Database
from store.records.repository import PartitionMismatch, Records, Snapshot
from tests.alerts.rules import STOP, T0, occurrence

LIFTS = ("sim-00001", "A17")
"""A lift of 1/2 and a lift of 0/2."""


def claimed(url: str, number: int, of: int = 2) -> Records:
    records = Records.open(url)
    records.claim(Partition(number, of))
    return records


@pytest.fixture(name="pair")
def open_pair(url: str) -> Iterator[tuple[Records, Records]]:
    with claimed(url, 0) as first, claimed(url, 1) as second:
        yield first, second


def test_each_partition_has_a_position_and_a_snapshot_of_its_own(pair: tuple[Records, Records]) -> None:
    for records, position in zip(pair, (319, 7), strict=True):
        snapshot = Snapshot(position - 1, records.partition.name.encode())
        records.judge(position=position, occurrences=[], now_ns=T0, snapshot=snapshot)
    assert [records.resume().position for records in pair] == [319, 7]
    assert [records.resume().snapshot for records in pair] == [Snapshot(318, b"0/2"), Snapshot(6, b"1/2")]


def test_a_transition_is_delivered_by_the_monitor_of_its_lift_alone(pair: tuple[Records, Records]) -> None:
    for records in pair:
        records.register_endpoint("desk")
    pair[0].judge(position=1, occurrences=[occurrence(STOP, "on", 10, lift_id=name) for name in LIFTS], now_ns=T0)
    for records in pair:
        announced = [one for one in records.transitions_since(0) if records.partition.has(one.lift_id)]
        records.enqueue("desk", announced, 2, T0)
    due = [[one.announcement.lift_id for one in records.due(["desk"], T0)] for records in pair]
    assert due == [["A17"], ["sim-00001"]]
    pair[0].move_cursor("mqtt", 2)
    assert [records.cursor("mqtt") for records in pair] == [2, 0]


@pytest.mark.parametrize(("begun", "other"), [(2, 3), (2, 1), (1, 2)])
def test_a_database_refuses_another_number_of_partitions_and_names_the_remedy(url: str, begun: int, other: int) -> None:
    claimed(url, 0, begun).close()
    with Records.open(url) as records:
        remedy = rf"begun with {begun} partitions.*set monitor.partition to k/{begun}"
        with pytest.raises(PartitionMismatch, match=remedy):
            records.claim(Partition(0, other))
        assert records.partition_count() == begun


# ── databases of before ──


def fill_revision_0003(url: str) -> None:
    """Make the tables of the migration 0003, with what a monitor kept in them and a delivery for each of two lifts."""
    database, config = Database(url), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for statement in (
            "INSERT INTO counters VALUES ('judged', 41), ('told:mqtt', 2), ('told:webhook:desk', 2), ('registry', 5)",
            "INSERT INTO snapshots (reader, position, state) VALUES ('judge', 40, :state)",
            "INSERT INTO live (monitor, version, at_ns, lifts, counts) VALUES ('monitor', 3, 9, :lifts, '{}')",
        ):
            connection.execute(text(statement), {"state": b"state", "lifts": b"lifts"})
        for number, lift_id in enumerate(LIFTS, start=1):
            connection.execute(
                text(
                    "INSERT INTO transitions (alert_id, lift_id, district, kind, at_ns, alert)"
                    " VALUES (:lift_id, :lift_id, 'd', 'fired', 1, '{}')"
                ),
                {"lift_id": lift_id},
            )
            connection.execute(
                text(
                    "INSERT INTO deliveries (endpoint, transition_id, alert_id, state, attempts, made_ns, due_ns)"
                    " VALUES ('desk', :number, :lift_id, 'waiting', 0, 1, 1)"
                ),
                {"number": number, "lift_id": lift_id},
            )
    database.close()


def test_a_monitor_of_every_lift_goes_on_where_it_was_before_the_migration(bare_url: str) -> None:
    fill_revision_0003(bare_url)
    with claimed(bare_url, 0, 1) as records:
        assert (records.resume().position, records.resume().snapshot) == (41, Snapshot(40, b"state"))
        assert (records.cursor("mqtt"), records.register_endpoint("desk"), records.revision()) == (2, 2, 5)
        assert [one.announcement.lift_id for one in records.due(["desk"], T0)] == list(LIFTS)
        assert [(picture.partition, picture.lifts) for picture in records.live()] == [("0/1", b"lifts")]


def test_monitors_that_shared_a_database_before_announce_nothing_twice_and_lose_no_delivery(bare_url: str) -> None:
    fill_revision_0003(bare_url)
    with claimed(bare_url, 1) as second, claimed(bare_url, 0) as first:
        for records, lift_id in ((first, "A17"), (second, "sim-00001")):
            assert (records.resume().position, records.resume().snapshot) == (0, None)
            assert (records.cursor("mqtt"), records.register_endpoint("desk")) == (2, 2)
            assert [one.announcement.lift_id for one in records.due(["desk"], T0)] == [lift_id]
        assert first.live() == []


def test_the_migration_can_be_taken_back(bare_url: str) -> None:
    fill_revision_0003(bare_url)
    with claimed(bare_url, 0, 1) as records:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with records._database.writing() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0003")
            counters = {row.name: row.value for row in connection.execute(text("SELECT name, value FROM counters"))}
            assert connection.execute(text("SELECT reader FROM snapshots")).scalars().all() == ["judge"]
    assert {"judged": 41, "told:mqtt": 2, "told:webhook:desk": 2}.items() <= counters.items()
