"""Storing on a real journal: what a store cannot take is passed over, and what waits has a limit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingest import storing
from ingest.judging import Judging
from ingest.storing import Group, Storing
from store.journal import Journal
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import Records
from store.series.files import FileSeries
from store.series.timeseries import Points
from telemetry.streams import topic
from telemetry.wire.decode import decode
from tests.ingest.running import DISTRICT, T0_MS, bundle
from tests.loopback import until

SPAN_NS = (T0_MS * 1_000_000, (T0_MS + 60_000) * 1_000_000)


class Brittle(FileSeries):
    """A store that breaks at one lift."""

    def write(self, points: Sequence[Points]) -> None:
        if any(rows.lift_ids[i] == "poison" for rows in points for i in rows.lift.tolist()):
            raise ZeroDivisionError("broken on purpose")
        super().write(points)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", 64 << 20) as opened:
        yield opened


@pytest.fixture
def series(tmp_path: Path) -> Iterator[FileSeries]:
    with closing(FileSeries.open(tmp_path / "series", raw_days=100_000)) as opened:
        yield opened


def storing_in(series: FileSeries, journal: Journal) -> Storing:
    return Storing(journal, series, dict, lambda: journal.last, 100_000, every_s=0.01)


def store_all(store: Storing, journal: Journal) -> None:
    """Let a store read its journal to the end."""
    store.start()
    try:
        until(lambda: store.position == journal.last, "the end of the journal")
    finally:
        store.stop()


def say(journal: Journal, *lifts: str) -> None:
    now_ns = T0_MS * 1_000_000
    said = [
        (now_ns, topic(DISTRICT, lift, "bundle"), json.dumps(bundle(0, 1.0, 3.0)).encode(), False) for lift in lifts
    ]
    journal.append(said)


def test_what_breaks_the_store_is_passed_over_and_what_follows_is_kept(journal: Journal, tmp_path: Path) -> None:
    say(journal, "before", "poison", "after")
    with closing(Brittle.open(tmp_path / "series", raw_days=100_000)) as series:
        store = storing_in(series, journal)
        store_all(store, journal)
        for lift, rows in (("before", 10), ("poison", 0), ("after", 10)):
            assert len(series.readings(lift, "speed", *SPAN_NS)) == rows
    assert store.counts["store_failed"] == 1


def test_what_waits_for_the_store_is_bounded_and_nothing_of_it_is_lost(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "WAITING_LIMIT_MESSAGES", 100)
    store = storing_in(series, journal)
    for first in range(0, 500, 50):
        say(journal, *(f"L{k}" for k in range(first, first + 50)))
        entries = journal.read(journal.last - 50)
        store.offer(Group(entries[0].position, entries[-1].position, decode(entries), np.zeros(50, dtype=np.bool_)))
    assert sum(len(group.decoded.messages.lift_id) for group in store._waiting) == 100
    store_all(store, journal)
    assert store.counts["stored_rows"] == 500 * (10 + 10 + 1)


def test_a_repeat_with_other_content_changes_nothing_that_is_stored_nor_does_a_lift_without_room(
    journal: Journal, series: FileSeries, tmp_path: Path
) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        records.add_unregistered([(f"u{n}", DISTRICT) for n in range(UNREGISTERED_LIMIT - 1)])
        store = Storing(journal, series, dict, lambda: judging.reached, 100_000, every_s=0.01)
        judging = Judging(journal, records, (), store.offer, lambda: None, lambda: True, batch_s=0.01)
        for lift, v_mps in (("L1", 1.0), ("L1", 2.0), ("crowded-out", 1.0)):
            said = json.dumps(bundle(0, v_mps, 3.0)).encode()
            journal.append([(T0_MS * 1_000_000, topic(DISTRICT, lift, "bundle"), said, False)])
        judging.start()
        store.start()
        until(lambda: store.position == 3, "the end of the journal")
        judging.stop()
        store.stop()
    assert series.readings("L1", "speed", *SPAN_NS).channels["v"].tolist() == [1.0] * 10
    assert len(series.readings("crowded-out", "speed", *SPAN_NS)) == 0


def test_what_is_left_out_is_left_out_too_where_its_group_was_dropped(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "WAITING_LIMIT_MESSAGES", 0)
    store = storing_in(series, journal)
    say(journal, "L1", "L2")
    entries = journal.read(0)
    store.offer(Group(1, 2, decode(entries), np.array([True, False])))
    store_all(store, journal)
    assert [len(series.readings(lift, "speed", *SPAN_NS)) for lift in ("L1", "L2")] == [0, 10]
    assert store._left_out == {}
