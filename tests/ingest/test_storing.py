"""Storing on a real journal: what a store cannot take is passed over, and what waits has a limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import numpy as np
import pytest

from detectors.catalogue import RULES
from ingest import storing
from ingest.fleet import Listing
from ingest.judging import Judging
from ingest.storing import Storing
from ingest.waiting import offered
from ingest.waiting.offered import DecodedGroup
from registry.actor import Actor
from store.journal import Journal
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import AlertFilter, Records
from store.series.files import FileSeries
from store.series.timeseries import Points, TimeSeries
from telemetry.streams import topic
from telemetry.wire.decode import decode
from tests.ingest.judged import listened
from tests.ingest.running import DISTRICT, T0_MS, bundle, facts
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


def storing_in(open_series: Callable[[], TimeSeries], journal: Journal) -> Storing:
    return Storing(journal, open_series, lambda: Listing({}, 1000), lambda: journal.last, 100_000, every_s=0.01)


def store_all(store: Storing, journal: Journal) -> None:
    """Let a store read its journal to the end."""
    store.start()
    try:
        until(lambda: store.position == journal.last, "the end of the journal")
    finally:
        store.stop()


def append_bundles(journal: Journal, *lifts: str) -> None:
    now_ns = T0_MS * 1_000_000
    entries = [
        (now_ns, topic(DISTRICT, lift, "bundle"), json.dumps(bundle(0, 1.0, 3.0)).encode(), False) for lift in lifts
    ]
    journal.append(entries)


def test_what_breaks_the_store_is_passed_over_and_what_follows_is_kept(journal: Journal, tmp_path: Path) -> None:
    append_bundles(journal, "before", "poison", "after")
    with closing(Brittle.open(tmp_path / "series", raw_days=100_000)) as series:
        store = storing_in(lambda: series, journal)
        store_all(store, journal)
        for lift, rows in (("before", 10), ("poison", 0), ("after", 10)):
            assert len(series.readings(lift, "speed", *SPAN_NS)) == rows
    assert store.counts["store_failed"] == 1


def test_what_waits_for_the_store_is_bounded_and_nothing_of_it_is_lost(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered, "WAITING_LIMIT_BYTES", 200_000)
    store = storing_in(lambda: series, journal)
    for first in range(0, 500, 50):
        append_bundles(journal, *(f"L{k}" for k in range(first, first + 50)))
        entries = journal.read(journal.last - 50)
        nothing = np.zeros(50, dtype=np.bool_)
        store.offer(DecodedGroup(entries[0].position, entries[-1].position, decode(entries), nothing))
    assert 0 < sum(len(group.decoded.messages.lift_id) for group in store._offered._groups) < 500
    store_all(store, journal)
    assert store.counts["stored_rows"] == 500 * (10 + 10 + 1)


def test_what_waits_for_the_store_is_bounded_by_its_readings_too(journal: Journal, series: FileSeries) -> None:
    store = storing_in(lambda: series, journal)
    payload = json.dumps({"seq": 1, "t": T0_MS, "dt": 10, "v": [0] * 125_000}, separators=(",", ":")).encode()
    journal.append([((T0_MS + 1_250_000) * 1_000_000, topic(DISTRICT, "L1", "speed"), payload, False)])
    decoded = decode(journal.read(0))
    for position in range(1, 1001):
        store.offer(DecodedGroup(position, position, decoded, np.zeros(1, dtype=np.bool_)))
    assert len(store._offered) * 125_000 < 10_000_000


def test_a_repeat_with_other_content_changes_nothing_that_is_stored_nor_does_a_lift_without_room(
    journal: Journal, series: FileSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "OVERTAKE_AFTER_S", 60.0)
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        alive = json.dumps({"seq": 0, "t": T0_MS}).encode()
        strangers = [topic(DISTRICT, f"u{n}", "bundle") for n in range(UNREGISTERED_LIMIT - 1)]
        journal.append([(T0_MS * 1_000_000, name, alive, False) for name in strangers])
        store = Storing(
            journal, lambda: series, lambda: judging.listing(), lambda: judging.offered_to, 100_000, every_s=0.01
        )
        judging = Judging(journal, records, (), store.offer, lambda: None, lambda: listened(0, 0), batch_s=0.01)
        for lift, v_mps in (("L1", 1.0), ("L1", 2.0), ("crowded-out", 1.0)):
            payload = json.dumps(bundle(0, v_mps, 3.0)).encode()
            journal.append([(T0_MS * 1_000_000, topic(DISTRICT, lift, "bundle"), payload, False)])
        judging.start()
        store.start()
        until(lambda: store.position == journal.last, "the end of the journal")
        judging.stop()
        store.stop()
    assert series.readings("L1", "speed", *SPAN_NS).channels["v"].tolist() == [1.0] * 10
    assert len(series.readings("crowded-out", "speed", *SPAN_NS)) == 0


def test_what_is_left_out_is_left_out_too_where_its_group_was_dropped(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered, "WAITING_LIMIT_BYTES", 0)
    store = storing_in(lambda: series, journal)
    append_bundles(journal, "L1", "L2")
    entries = journal.read(0)
    store.offer(DecodedGroup(1, 2, decode(entries), np.array([True, False])))
    store_all(store, journal)
    assert [len(series.readings(lift, "speed", *SPAN_NS)) for lift in ("L1", "L2")] == [0, 10]
    assert store._offered._left_out == {}


class Monitored:
    """Judging and storing on one journal, and what became of both."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "records.db"
        self.journal = Journal.open(folder / "journal", 64 << 20)
        self.series = FileSeries.open(folder / "series", raw_days=100_000)
        self.records = Records.open(f"sqlite:///{self.database}")
        self.records.put_lifts([facts("L1"), facts("L2")], Actor.named("test"), 0)
        self.store = Storing(
            self.journal,
            lambda: self.series,
            lambda: self.judging.listing(),
            lambda: self.judging.offered_to,
            100_000,
            0.01,
        )
        self.judging = Judging(
            self.journal,
            self.records,
            RULES,
            self.store.offer,
            lambda: None,
            lambda: listened(0, 0),
            batch_s=0.01,
        )

    def append_bundles(self, *lifts: str, first: int = 0) -> None:
        """Journal four seconds of each lift, running down too fast."""
        for second in range(first, first + 4):
            payload = json.dumps(bundle(second, -2.3, 100.0 - 2.3 * second)).encode()
            self.journal.append(
                [(T0_MS * 1_000_000, topic(DISTRICT, lift, "bundle"), payload, False) for lift in lifts]
            )

    def rows(self, lift: str) -> int:
        return len(self.series.readings(lift, "speed", *SPAN_NS))

    def history(self) -> list[tuple[str, str, str]]:
        return sorted((one.lift_id, one.alert_id, one.kind) for one in self.records.transitions_since(0, 1000))

    def end(self) -> None:
        self.judging.stop()
        self.store.stop()
        self.series.close()
        self.records.close()
        self.journal.close()


def test_while_the_records_are_locked_readings_are_stored_and_afterwards_everything_is_judged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories = []
    for name, overtake_s in (("calm", 60.0), ("locked", 0.2)):
        monkeypatch.setattr(storing, "OVERTAKE_AFTER_S", overtake_s)
        (tmp_path / name).mkdir()
        monitored = Monitored(tmp_path / name)
        monitored.judging.start()
        monitored.store.start()
        try:
            monitored.append_bundles("L1")
            until(lambda monitored=monitored: monitored.rows("L1") == 40, "the first readings")
            until(lambda monitored=monitored: bool(monitored.history()), "the first alert")
            with closing(connect(monitored.database, isolation_level=None)) as other:
                if name == "locked":
                    other.execute("BEGIN IMMEDIATE")
                monitored.append_bundles("L1", "L2", "unregistered", first=4)
                for lift, rows in (("L1", 80), ("L2", 40), ("unregistered", 40)):
                    until(lambda m=monitored, lift=lift, rows=rows: m.rows(lift) == rows, f"the readings of {lift}")
                if name == "locked":
                    assert {lift for lift, _, _ in monitored.history()} == {"L1"}
                    assert monitored.store.counts["store_decoded"] > 0
                    other.execute("ROLLBACK")
                else:
                    assert monitored.store.counts["store_decoded"] == 0, "what judging has decoded is not decoded again"
            until(lambda m=monitored: m.judging.offered_to == m.journal.last, "the end of the journal")
            until(lambda m=monitored: m.store.position == m.journal.last, "the end of storing")
            until(lambda m=monitored: "L2" in {lift for lift, _, _ in m.history()}, "the last alert")
        finally:
            monitored.end()
        with Records.open(f"sqlite:///{monitored.database}") as records:
            assert {one.lift_id for one in records.alerts(AlertFilter(), limit=9).items} == {"L1", "L2"}
            histories.append(sorted((o.lift_id, o.alert_id, o.kind) for o in records.transitions_since(0, 1000)))
    assert histories[0] == histories[1]


def test_an_unregistered_lift_without_room_is_not_stored_where_storing_has_overtaken_judging(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "OVERTAKE_AFTER_S", 0.0)
    append_bundles(journal, "listed", "first", "second", "first", "third")
    store = Storing(journal, lambda: series, lambda: Listing({"listed": DISTRICT}, 2), lambda: 0, 100_000, every_s=0.01)
    store_all(store, journal)
    stored = [len(series.readings(lift, "speed", *SPAN_NS)) for lift in ("listed", "first", "second", "third")]
    assert stored == [10, 10, 10, 0]


def test_nothing_overtakes_a_judging_that_has_not_loaded_the_registry(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "OVERTAKE_AFTER_S", -1.0)
    append_bundles(journal, "L1")
    store = Storing(journal, lambda: series, lambda: None, lambda: 0, 100_000, every_s=0.01)
    store.start()
    store.stop()
    assert store.position == 0


def test_a_stop_stores_all_that_the_journal_holds(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Judging has offered nothing: the messages are read from the journal, ten at once."""
    monkeypatch.setattr(storing, "READ_MESSAGES", 10)
    append_bundles(journal, *(f"L{k}" for k in range(60)))
    store = Storing(journal, lambda: series, lambda: Listing({}, 1000), lambda: 0, 100_000, every_s=60.0)
    store.start()
    store.stop()
    assert store.position == journal.last
    assert len(series.readings("L59", "speed", *SPAN_NS)) == 10
    assert not caplog.messages


def test_a_stop_ends_in_time_and_logs_how_many_messages_are_left(
    journal: Journal, series: FileSeries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storing, "STOP_LIMIT_S", 0.0)
    append_bundles(journal, "L1", "L2", "L3")
    store = storing_in(lambda: series, journal)
    store._every_s = 60.0
    store.start()
    store.stop()
    assert caplog.messages == ["3 messages of the journal are not stored yet; the next start stores them"]
    store = storing_in(lambda: series, journal)
    store_all(store, journal)
    assert len(series.readings("L3", "speed", *SPAN_NS)) == 10
