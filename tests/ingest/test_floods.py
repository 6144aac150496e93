"""One lift never holds up the others: what it sends too much of waits in the journal, through restarts too."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from alerts.alert import Alert
from dashboards.live.blind import TEXTS
from detectors.catalogue import RULES
from detectors.rules.silence import RULE as SILENT
from ingest import intake, pacing
from ingest import judging as judging_module
from ingest import monitor as receiver
from ingest.judging import Judging
from ingest.monitor import Monitor
from ingest.receiving.listening import Stretch
from ingest.state import State
from ingest.waiting import backlogs, share
from store.journal import Journal
from store.monitor_counts import LAG_MESSAGES
from store.records.repository import AlertFilter, Records
from store.series.files import FileSeries
from store.snapshot_file import FILE
from telemetry.streams import BATTERY, INSPECTION, ONLINE, topic
from telemetry.wire.decode import decode
from tests.ingest.judged import S_NS, Message, Subscribed, Turns, alerts, judging, listened, newest_snapshot
from tests.ingest.running import DISTRICT, T0_MS, bundle, facts
from tests.loopback import until

FLOOD, OTHER = "L1", "L2"
SNAPSHOT_BYTES = 400_000


def hours_of_bundles(messages: int) -> list[Message]:
    """Return bundles of a minute each, ten readings a second."""
    return [
        (
            FLOOD,
            "bundle",
            {
                "seq": k,
                "t": T0_MS + 60_000 * k,
                "speed": {"dt": 100, "v": [0.0] * 600},
                "displacement": {"dt": 100, "z": [3.0] * 600},
                "door": {"state": "closed"},
            },
        )
        for k in range(messages)
    ]


def long_messages(messages: int) -> list[Message]:
    """Return messages of as many samples as fit."""
    bodies = [{"seq": k, "t": T0_MS + 1_250_000 * k, "dt": 10, "v": [0] * 125_000} for k in range(messages)]
    return [(FLOOD, "speed", one) for one in bodies]


def append(journal: Journal, *messages: Message, arrived_ns: int | None = None) -> None:
    now_ns = arrived_ns or time.time_ns()
    bodies = ((lift, stream, json.dumps(body, separators=(",", ":")).encode()) for lift, stream, body in messages)
    journal.append([(now_ns, topic(DISTRICT, lift, stream), body, False) for lift, stream, body in bodies])


FLOODS = {"bundles": (hours_of_bundles, 200, 120_000), "samples": (long_messages, 4, 500_000)}
ALARM_TURNS = 6
"""The turns until an alarm behind a long flood is an alert, at most: the flood is read in some, and judged in more."""
LONG = {"bundles": (hours_of_bundles, 1800, 1_080_000), "samples": (long_messages, 12, 1_500_000)}


@pytest.mark.parametrize("flood", ["bundles", "samples"])
def test_the_alarm_of_another_lift_is_announced_while_a_flood_is_being_judged(
    journal: Journal, records: Records, flood: str
) -> None:
    make, messages, rows = FLOODS[flood]
    append(journal, *make(messages), (OTHER, "status", {"seq": 1, "t": T0_MS, "alarm": True}))
    turns = Turns(records)
    with judging(journal, records, stretch=turns.next) as made:
        turns.counts = made.counts
        until(lambda: made.counts["rows"] >= rows, "the end of the flood")
        assert turns.rows_before(OTHER) < rows, "the flood was judged first"
        assert made.counts["late"] == 0
        assert made.counts["rows"] == rows + 1


@pytest.mark.parametrize(
    ("lifts", "samples", "most"), [(12, 125_000, 0), (300, 4_900, backlogs.NEW_ROWS + share.PIECE_ROWS)]
)
def test_many_lifts_with_a_long_message_each_are_judged_in_many_turns(
    journal: Journal, records: Records, lifts: int, samples: int, most: int
) -> None:
    body = {"seq": 1, "t": T0_MS, "dt": 10, "v": [0] * samples}
    append(journal, *((f"LONG-{k}", "speed", body) for k in range(lifts)))
    append(journal, (OTHER, "status", {"seq": 1, "t": T0_MS, "alarm": True}))
    turns = Turns(records)
    with judging(journal, records, stretch=turns.next) as made:
        turns.counts = made.counts
        until(lambda: made.counts["rows"] >= lifts * samples, "the end of the flood")
        assert turns.rows_before(OTHER) < lifts * samples, "the flood was judged first"
        assert made.counts["late"] == 0
    assert np.diff(turns.rows).max() <= max(share.PIECE_ROWS, most) + 20


def test_a_turn_judges_a_bounded_number_of_short_messages_of_one_lift(journal: Journal, records: Records) -> None:
    append(journal, *((FLOOD, "bundle", bundle(second, 0.0, 3.0)) for second in range(6_000)))
    turns = Turns(records)
    with judging(journal, records, stretch=turns.next) as made:
        turns.counts = made.counts
        until(lambda: made.counts["rows"] >= 60_000, "the end of the flood")
        assert made.counts["late"] == 0
    assert np.diff(turns.rows).max() < 15_000, "1 500 messages in one turn"


def test_a_lift_that_takes_the_place_of_another_does_not_wait_behind_its_messages(journal: Journal) -> None:
    append(journal, *long_messages(3), ("NEW", "status", {"seq": 1, "alarm": True}))
    waiting, same_index = backlogs.Backlogs(), np.zeros(3, np.int32)
    assert waiting.defer(decode(journal.read(0, 3)), same_index).all()
    waiting.forget(0)
    assert waiting.oldest is None
    assert not waiting.defer(decode(journal.read(3)), same_index[:1]).any()


def test_while_messages_are_unread_judging_what_waits_takes_a_quarter_of_the_time(journal: Journal) -> None:
    append(journal, *long_messages(2))
    waiting = backlogs.Backlogs()
    assert not waiting.is_due(0.0, is_behind=False)
    waiting.defer(decode(journal.read(0)), np.zeros(2, np.int32))
    assert waiting.is_due(0.0, is_behind=True)
    waiting.rest(begun_s=10.0, ended_s=11.0)
    assert not waiting.is_due(13.9, is_behind=True)
    assert waiting.is_due(14.0, is_behind=True)
    assert waiting.is_due(11.0, is_behind=False)


def test_a_lift_whose_messages_were_given_up_and_never_judged_is_blind() -> None:
    state = State(RULES)
    state.load([(facts(FLOOD), True)])
    state.give_up(0, time.time_ns())
    assert state.picture().blind.tolist() == ["outrun"]
    assert "outrun" in TEXTS


def test_the_waiting_messages_of_a_lift_that_outruns_the_judge_are_given_up_and_counted(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal has room for half of the flood; the flood is read in many groups, and a message is judged a turn."""
    flood = hours_of_bundles(200)
    monkeypatch.setattr(intake, "BACKLOG_SHARE", 0.5 * len(json.dumps(flood)) / journal.limit_bytes)
    monkeypatch.setattr(backlogs, "TURN_ROWS", 600)
    append(journal, *flood)
    with judging(journal, records, batch_messages=20) as made:
        until(lambda: made.judged_to == journal.last, "the end of the journal")
        given_up = made.counts["outrun_messages"]
        assert 0 < given_up < 200
        assert made.counts["rows"] == pytest.approx(600 * (200 - given_up), abs=10)
        append(journal, (FLOOD, "status", {"seq": 200, "t": T0_MS + 60_000 * 200, "alarm": True}))
        until(lambda: (FLOOD, "alarm-button") in alerts(records), "the alarm of the same lift")
    assert any("L1 sends faster" in line for line in caplog.messages)
    assert newest_snapshot(journal, records).position == journal.last


@pytest.mark.parametrize("flood", ["bundles", "samples"])
def test_a_flood_is_judged_once_through_restarts_and_no_snapshot_holds_it(
    journal: Journal, records: Records, flood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "TURN_ROWS", 20_000)
    make, messages, rows = FLOODS[flood]
    append(journal, *make(messages))
    judged = 0
    for part in (0.2, 0.5, 1.0):
        with judging(journal, records) as made:
            enough = part * rows - judged
            until(lambda made=made, enough=enough: made.counts["rows"] >= enough, "some of the flood")
        judged += made.counts["rows"]
        snapshot = newest_snapshot(journal, records)
        assert len(snapshot.state) < SNAPSHOT_BYTES
    assert judged == rows
    assert made.state.sequencer.counts()["received"].tolist() == [messages, 0]
    assert snapshot.position == journal.last


def test_a_monitor_killed_between_the_pieces_of_a_message_finds_its_alerts_once(
    journal: Journal, records: Records, tmp_path: Path
) -> None:
    """The lift is too fast for 5 s in the last piece of each message; no snapshot is taken between two pieces."""
    flood, file = long_messages(4), journal.folder / FILE
    for _, _, body in flood:
        body["v"][110_000:110_500] = [-3.0] * 500
    append(journal, *flood)
    with judging(journal, records) as made:
        until(lambda: 2 * 125_000 < made.counts["rows"] < 3 * 125_000, "the third message")
        with sqlite3.connect(tmp_path / "records.db") as now, sqlite3.connect(tmp_path / "killed.db") as killed:
            snapshot = file.read_bytes() if file.exists() else None
            now.backup(killed)
        until(lambda: made.judged_to == journal.last, "the end of the journal")
    file.unlink(missing_ok=True)
    if snapshot is not None:
        file.write_bytes(snapshot)
    with Records.open(f"sqlite:///{tmp_path}/killed.db") as restarted:
        with judging(journal, restarted) as again:
            until(lambda: again.judged_to == journal.last, "the end of the journal")
            assert again.counts["rows"] >= 125_000
        found = [{(one.id, one.rule, one.count, one.state) for one in listed(each)} for each in (records, restarted)]
    assert found[0] == found[1]
    assert "overspeed" in {rule for _, rule, _, _ in found[0]}


def listed(records: Records) -> Sequence[Alert]:
    """Return the alerts of the flooding lift."""
    return [one for one in records.alerts(AlertFilter(), limit=100).items if one.lift_id == FLOOD]


def test_a_monitor_is_ready_once_what_waits_of_a_flood_is_judged(
    journal: Journal, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "TURN_ROWS", 600)
    flood = hours_of_bundles(60)
    append(journal, *flood, arrived_ns=time.time_ns() - 60 * S_NS)
    monitor = Monitor(Subscribed(), journal, records, lambda: FileSeries.open(tmp_path / "series", 100_000), ())
    running = threading.Thread(target=monitor.run)
    running.start()

    def is_ready() -> bool:
        is_behind = any("judging" in reason for reason in monitor.not_ready())
        lag, rows = monitor.all_counts()[f"{LAG_MESSAGES}:judging"], monitor.all_counts().get("rows", 0)
        assert lag or rows == 36_000, "what waits is no lag"
        return not is_behind and not lag

    until(is_ready, "a monitor that is ready")
    assert monitor.all_counts()["rows"] == 36_000
    monitor.stop()
    running.join()


def test_long_messages_behind_a_backlog_are_decoded_in_their_turn_and_refused_or_stored(
    journal: Journal, records: Records, tmp_path: Path
) -> None:
    """Two megabytes, eight messages, are read in a turn: the first ones are decoded at once."""
    flood, begin_ms = long_messages(20), time.time_ns() // 1_000_000 - 20 * 1_250_000
    for k, (_, _, body) in enumerate(flood):
        body["t"] = begin_ms + 1_250_000 * k
    flood[15][2]["v"] = [0] * 124_999 + ["fast"]
    append(journal, *flood)
    series = tmp_path / "series"
    monitor = Monitor(Subscribed(), journal, records, lambda: FileSeries.open(series, 100_000), RULES)
    running = threading.Thread(target=monitor.run)
    running.start()
    until(lambda: monitor.all_counts().get("stored_rows", 0) >= 19 * 125_000, "the last reading in the store")
    until(lambda: monitor.all_counts().get("rows", 0) >= 19 * 125_000, "the last reading judged")
    monitor.stop()
    running.join()
    counts = monitor.all_counts()
    assert counts["store_decoded"] > 0, "every message was decoded as it was read"
    gap_row = 1
    assert counts["rows"] == 19 * 125_000 + gap_row
    assert (counts["late"], counts["repeats"], counts["gaps"]) == (0, 0, 1)
    assert counts["refused:type"] == 1
    (letter,) = records.dead_letters(limit=10).items
    assert (letter.reason, letter.topic) == ("type", topic(DISTRICT, FLOOD, "speed"))


def test_an_urgent_or_a_short_message_behind_a_backlog_is_decoded_at_once(journal: Journal) -> None:
    append(journal, *long_messages(2))
    waiting, long = backlogs.Backlogs(), b'{"v": [' + b"0," * 2_000 + b"0]"
    assert not waiting.postpones(0, long, len(long))
    assert waiting.postpones(0, long, 10 * len(long))
    waiting.defer(decode(journal.read(0)), np.zeros(2, np.int32))
    assert waiting.postpones(0, long, len(long))
    assert not waiting.postpones(1, long, len(long))
    for urgent in (b'"alarm": true', b'"online": false', b'"power": "battery"', b'"mode": "fire"'):
        assert not waiting.postpones(0, long + b', "status": {' + urgent + b"}}", len(long))


def test_a_message_about_the_alarm_button_is_journalled_and_judged_at_once_and_others_in_a_calm_turn(
    journal: Journal, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "CALM", 1_000_000.0)
    source = Subscribed()
    monitor = Monitor(source, journal, records, lambda: FileSeries.open(tmp_path / "series", 100_000), RULES)
    running = threading.Thread(target=monitor.run)
    running.start()
    until(lambda: bool(records.live()), "the first turn")
    source.messages = [(OTHER, "bundle", bundle(0, 0.0, 3.0))]
    until(lambda: monitor.all_counts().get("journalled") == 1, "the bundle")
    assert "messages" not in monitor.all_counts()
    monkeypatch.setattr(receiver, "GATHER_S", 1_000_000.0)
    source.messages = [(FLOOD, "status", {"seq": 1, "alarm": True})]
    until(lambda: (FLOOD, "alarm-button") in alerts(records), "the alarm")
    assert monitor.all_counts()["messages"] == 2
    monitor.stop()
    running.join()


@pytest.mark.parametrize("changed", [{"power": "battery"}, {"mode": "inspection"}])
def test_a_change_of_power_or_mode_is_judged_before_the_backlogs_of_other_lifts(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    monkeypatch.setattr(backlogs, "TURN_ROWS", 600)
    behind, flood = hours_of_bundles(30), hours_of_bundles(200)
    last_ms = T0_MS + 60_000 * len(behind)
    append(journal, (OTHER, "status", {"seq": 1, "t": T0_MS, "power": "mains", "mode": "normal"}))
    append(journal, *flood, *((OTHER, stream, body | {"seq": 2 + body["seq"]}) for _, stream, body in behind))
    append(journal, (OTHER, "status", {"seq": 32, "t": last_ms} | changed))
    rows_before: list[int] = []
    running: list[Judging] = []

    def stretch() -> Stretch:
        if running and not rows_before and is_changed(running[0].state):
            rows_before.append(running[0].counts["rows"])
        return listened()

    with judging(journal, records, stretch=stretch) as made:
        running.append(made)
        until(lambda: made.judged_to == journal.last, "the end of the journal")
        assert (made.counts["late"], made.counts["gaps"], made.counts["repeats"]) == (0, 0, 0)
    assert rows_before[0] < 2.5 * 600 * len(behind), "the other lift's backlog was judged first"


def is_changed(state: State) -> bool:
    """Return whether the other lift's power or mode was judged to have changed."""
    rows, other = state.judge.states["rows"], state.fleet.index_of(OTHER)
    return bool(rows["power"][other] == BATTERY or rows["mode"][other] == INSPECTION)


def test_power_and_mode_are_shown_as_reported_last_while_the_lifts_own_backlog_is_judged(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlogs, "TURN_ROWS", 600)
    monkeypatch.setattr(judging_module, "PICTURE_EVERY_S", 0.0)
    changed = {"power": "battery", "mode": "inspection"}
    append(journal, (FLOOD, "status", {"seq": 0, "t": T0_MS, "power": "mains", "mode": "normal"}))
    flood = [(lift, stream, body | {"seq": body["seq"] + 1}) for lift, stream, body in hours_of_bundles(200)]
    append(journal, *flood, (FLOOD, "status", {"seq": 201, "t": T0_MS + 60_000 * 200} | changed))

    def shown(made: Judging) -> tuple[float, float] | None:
        return None if made.picture is None else (made.picture.power[0], made.picture.mode[0])

    with judging(journal, records) as made:
        until(lambda: shown(made) == (BATTERY, INSPECTION), "what was reported last")
        assert made.counts["rows"] < 200 * 600, "the backlog was judged first"
        assert made.state.judge.states["rows"]["power"][0] != BATTERY
        until(lambda: made.judged_to == journal.last, "the end of the journal")
        assert shown(made) == (BATTERY, INSPECTION)


def test_a_lift_that_hurries_in_every_message_has_half_of_the_shares(journal: Journal) -> None:
    append(journal, *long_messages(8))
    waiting = backlogs.Backlogs()
    waiting.defer(decode(journal.read(0)), np.array([0, 1] * 4, np.int32))
    shared = []
    for _ in range(8):
        waiting.hurry(np.array([1], np.int32))
        lifts_at, _ = waiting.share()
        waiting.done(lifts_at)
        shared += [lift for lifts in lifts_at.values() for lift in lifts]
    assert shared.count(1) == 4
    assert shared[:4].count(0) == 2


def test_a_share_of_hurried_lifts_begins_at_once_and_holds_no_message_of_others(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, *long_messages(4))
    waiting, shared = backlogs.Backlogs(), []
    waiting.defer(decode(journal.read(0)), np.array([0, 1] * 2, np.int32))
    monkeypatch.setattr(backlogs, "TURN_ROWS", 10**9)
    waiting.hurry(np.array([1], np.int32))
    for _ in range(2):
        lifts_at, _ = waiting.share()
        shared.append(set().union(*lifts_at.values()))
    assert shared == [{1}, {0, 1}]


@pytest.mark.parametrize("sends", [True, False])
def test_silence_counts_from_what_was_read_while_a_flood_is_being_judged(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch, sends: bool
) -> None:
    """One long message is judged a turn, and a turn lasts 10 s: the flood is judged in ten minutes."""
    monkeypatch.setattr(backlogs, "LIFT_ROWS", 600)
    monkeypatch.setattr(backlogs, "TURN_ROWS", 600)
    flood, begin_ns = hours_of_bundles(60), time.time_ns()
    append(journal, *flood)
    clock_ns = [begin_ns]

    def stretch() -> Stretch:
        clock_ns[0] += 10 * S_NS
        if sends:
            body = json.dumps({"seq": 60 + (clock_ns[0] - begin_ns) // S_NS, "t": T0_MS + 3_600_000}).encode()
            journal.append([(clock_ns[0], topic(DISTRICT, FLOOD, "status"), body, False)])
        return listened(begin_ns, clock_ns[0])

    links = set()
    with judging(journal, records, (SILENT,), stretch) as made:
        until(lambda: made.counts["rows"] > 600, "the beginning of the flood")
        while made.counts["rows"] < 36_000:
            links.add(made.picture.link[0].item() if made.picture is not None else ONLINE)
            time.sleep(0.01)
    found = [one for one in records.alerts(AlertFilter(), limit=10).items if one.lift_id == FLOOD]
    if sends:
        assert links == {ONLINE}
        assert found == []
    else:
        (offline,) = found
        assert (offline.state, offline.count) == ("firing", 1)
        assert abs(offline.onset_ns - begin_ns) < 30 * S_NS


@pytest.mark.long
@pytest.mark.parametrize("flood", ["bundles", "samples"])
def test_alarms_of_another_lift_are_announced_in_time_beside_thirty_hours_of_one_lift(
    journal: Journal, records: Records, flood: str
) -> None:
    make, messages, rows = LONG[flood]
    turns = Turns(records)
    with judging(journal, records, stretch=turns.next) as made:
        turns.counts = made.counts
        append(journal, *make(messages))
        for k in range(5):
            lift, begun = f"OTHER-{k}", len(turns.rows)
            append(journal, (lift, "status", {"seq": 1, "t": T0_MS, "alarm": True}))
            until(lambda lift=lift: lift in turns.alarmed, "the alarm")
            assert turns.alarmed[lift] - begun <= ALARM_TURNS
        until(lambda: made.counts["rows"] >= rows, "the end of the flood")
        assert sum(judged > 0 for judged in np.diff(turns.rows)) > ALARM_TURNS
