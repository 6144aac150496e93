"""Judging on a real journal and real records: what goes wrong in it is set aside, and stops nothing that follows."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import RULES
from detectors.observe import tables
from detectors.observe.arrivals import BLIND_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, NO_MEMORY, Level, Rule, Score
from detectors.rules.silence import RULE as SILENT
from detectors.rules.silence import Silence
from ingest.receiving.listening import Listening, Stretch
from ingest.state import State
from registry.actor import Actor
from registry.facts import FleetFacts
from store.journal import Journal
from store.records.repository import AlertFilter, Records, Snapshot
from store.snapshot_file import NEW_FILE, SnapshotFile
from telemetry.arrays import Memory
from telemetry.streams import OFFLINE, SUSPECT, topic
from tests.ingest.judged import S_NS, alerts, judging, listened, newest_snapshot
from tests.ingest.running import DISTRICT, T0_MS, bundle, facts
from tests.loopback import until

POISON_M = 13.0
SOON_OFFLINE = replace(SILENT, detector=Silence(offline_s=4.0, suspect_heartbeats=0.01))


@dataclass(frozen=True)
class Brittle:
    """A detector of fast cars that breaks at one position."""

    at_m: float = POISON_M

    def start(self, n: int) -> Memory:
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        if (rows.z == self.at_m).any():
            raise ZeroDivisionError("broken on purpose")
        fast = (np.abs(rows.v_last) > 2.0).astype(float)
        return state, (Score(fast, 1.0 - fast),)


@dataclass(frozen=True)
class ImpactDetector:
    """A detector that scores whether the car ever had an impact."""

    def start(self, n: int) -> Memory:
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        impact = (rows.impact_ns > 0).astype(float)
        return state, (Score(impact, 1.0 - impact),)


def rule(slug: str, detector: Any) -> Rule:
    texts = {"en": slug, "zh": slug}
    return Rule(code="F99", slug=slug, detector=detector, levels=(Level(MINOR),), name=texts, sentence=texts)


def append(journal: Journal, *messages: tuple[str, str, dict[str, Any]]) -> None:
    now_ns = time.time_ns()
    journal.append(
        [(now_ns, topic(DISTRICT, lift, stream), json.dumps(m).encode(), False) for lift, stream, m in messages]
    )


def runs_too_fast(lift: str, seconds: int = 4) -> list[tuple[str, str, dict[str, Any]]]:
    return [(lift, "bundle", bundle(k, -2.3, 100.0 - 2.3 * k)) for k in range(seconds)]


def alert_lives(records: Records) -> list[tuple[Any, ...]]:
    found = records.alerts(AlertFilter(), limit=100).items
    return [(one.id, one.state, one.count, one.onset_ns, one.cleared_ns, one.last_ns) for one in found]


def test_a_rule_that_breaks_is_set_aside_with_its_name_and_the_others_go_on(
    journal: Journal, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    with judging(journal, records, (rule("brittle", Brittle()), *RULES)) as made:
        append(journal, *runs_too_fast("L1"))
        until(lambda: {("L1", "brittle"), ("L1", "overspeed")} <= alerts(records), "an alert of each")
        append(
            journal, ("L2", "bundle", bundle(0, 0.0, POISON_M)), *[("L2", *each[1:]) for each in runs_too_fast("L2")]
        )
        append(journal, *[("L1", "bundle", bundle(k, 0.0, 90.0)) for k in range(10, 14)])
        until(lambda: ("L2", "overspeed") in alerts(records), "the alert of another rule behind the poison")
        until(lambda: made.offered_to == journal.last, "the end of the journal")
        assert made.counts["rule_set_aside:brittle"] == 1
        assert made.counts["judging_failed"] == 0
    assert records.dead_letters().items == []
    assert [one.state for one in records.alerts(AlertFilter(), limit=100).items if one.rule == "brittle"] == ["firing"]
    (logged,) = [one for one in caplog.records if "brittle" in one.getMessage()]
    assert (logged.levelname, logged.exc_info is not None) == ("ERROR", True)


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the tables that all rules share at one reading."""
    step = tables.advance

    def brittle(memory: Any, batch: Any, facts: FleetFacts) -> Any:
        if (batch.z_m == POISON_M).any():
            raise ZeroDivisionError("broken on purpose")
        return step(memory, batch, facts)

    monkeypatch.setattr(tables, "advance", brittle)


@pytest.fixture
def poisoned_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the state that judging shares, at one reading."""
    step = State.step

    def brittle(state: State, batch: Any) -> Any:
        if (batch.z_m == POISON_M).any():
            raise ZeroDivisionError("broken on purpose")
        return step(state, batch)

    monkeypatch.setattr(State, "step", brittle)


def test_a_rule_that_was_set_aside_stays_so_after_a_return_to_the_snapshot(
    journal: Journal, records: Records, poisoned_state: None
) -> None:
    with judging(journal, records, (rule("brittle", Brittle(at_m=55.0)), *RULES)) as made:
        append(journal, ("L2", "bundle", bundle(0, 0.0, 55.0)))
        until(lambda: made.counts["rule_set_aside:brittle"] == 1, "the rule to break")
        append(journal, ("L2", "bundle", bundle(1, 0.0, POISON_M)), *runs_too_fast("L1"))
        until(lambda: ("L1", "overspeed") in alerts(records), "the alert of another rule")
        until(lambda: made.offered_to == journal.last, "the end of the journal")
        assert made.counts["judging_failed"] > 0
    assert ("L1", "brittle") not in alerts(records)


@pytest.mark.parametrize("where", ["poisoned", "poisoned_state"])
def test_a_message_at_which_judging_fails_is_set_aside_and_what_follows_is_judged(
    journal: Journal, records: Records, request: pytest.FixtureRequest, where: str
) -> None:
    request.getfixturevalue(where)
    with judging(journal, records) as made:
        append(journal, *runs_too_fast("L1"), ("L2", "bundle", bundle(0, 0.0, POISON_M)), *runs_too_fast("L2"))
        until(lambda: ("L2", "overspeed") in alerts(records), "the alert behind the poison")
        until(lambda: bool(records.dead_letters().items), "the dead letter")
    assert (made.counts["judging_failed"] == 0) == (where == "poisoned")
    assert ("L1", "overspeed") in alerts(records)
    letters = records.dead_letters().items
    assert [(letter.reason, "broken on purpose" in letter.detail) for letter in letters] == [("unjudgeable", True)]
    assert json.loads(letters[0].payload) == bundle(0, 0.0, POISON_M)


def test_rows_that_break_the_state_after_they_waited_are_passed_over(
    journal: Journal, records: Records, poisoned_state: None
) -> None:
    with judging(journal, records) as made:
        poison = {"seq": 1, "boot": "1", "t": T0_MS, "dt": 10, "z": [POISON_M] * 10}
        append(journal, ("L1", "displacement", poison))
        until(lambda: made.counts["judging_failed"] > 0, "the failure")
        append(journal, *runs_too_fast("L2"))
        until(lambda: ("L2", "overspeed") in alerts(records), "the alert behind the poison")


def test_a_lift_that_fails_again_and_again_is_blind_while_its_alarm_button_and_all_others_are_judged(
    journal: Journal, records: Records, poisoned: None
) -> None:
    with judging(journal, records) as made:
        for k in range(4):
            append(journal, ("L1", "bundle", bundle(2 * k, 0.0, POISON_M)))
        append(journal, ("L1", "bundle", bundle(8, 0.0, POISON_M) | {"alarm": True}), *runs_too_fast("L2"))
        until(lambda: alerts(records) >= {("L1", "alarm-button"), ("L2", "overspeed")}, "the alarm and the other lift")
        until(lambda: made.offered_to == journal.last, "the end of the journal")
        now_ns, where = time.time_ns(), topic(DISTRICT, "L1", "bundle")
        poison = [json.dumps(bundle(9 + k, 0.0, POISON_M)).encode() for k in range(2)]
        journal.append([(now_ns + k * BLIND_NS, where, each, False) for k, each in enumerate(poison)])
        until(lambda: made.picture is not None and "unjudgeable" in made.picture.blind.tolist(), "a blind lift")
    assert made.counts["judging_failed"] == 0


def test_a_snapshot_that_cannot_be_read_costs_the_state_and_nothing_else(journal: Journal, records: Records) -> None:
    with judging(journal, records):
        append(journal, *runs_too_fast("L1"))
        until(lambda: ("L1", "overspeed") in alerts(records), "the first alert")
    resume, file = records.resume(), SnapshotFile(journal.folder)
    file.begin(resume.position, lambda: b"other", resume.generation, lambda: None)
    assert file.newest(resume) == Snapshot(resume.position, b"other")
    with judging(journal, records):
        append(journal, *runs_too_fast("L2"))
        until(lambda: ("L2", "overspeed") in alerts(records), "the second alert")


def test_vibration_that_comes_alone_reaches_the_rules(journal: Journal, records: Records) -> None:
    with judging(journal, records, (rule("impact", ImpactDetector()),)) as made:
        still = [0.0] * 4
        shock = {"seq": 1, "boot": "1", "t": T0_MS, "dt": 10, "x": still, "y": still, "z": [0.0, 40.0, 40.0, 0.0]}
        append(journal, ("L1", "vibration", shock))
        until(lambda: made.counts["messages"] == 1, "the vibration")
        append(journal, *[("L1", "bundle", bundle(k, 0.0, 3.0)) for k in range(2, 6)])
        until(lambda: ("L1", "impact") in alerts(records), "the impact")


def test_the_limits_of_silence_are_those_of_its_rule_and_a_lift_that_was_struck_off_is_not_missed(
    journal: Journal, records: Records
) -> None:
    with judging(journal, records, (SOON_OFFLINE,)) as made:
        append(journal, *runs_too_fast("L1", 1), *runs_too_fast("L2", 1))
        until(lambda: made.counts["messages"] == 2, "both lifts")
        assert records.delete_lift("L1", Actor.named("test"), 0)
        until(lambda: ("L2", "offline") in alerts(records), "the silence of the other")
        until(lambda: made.picture is not None and made.picture.lift_id.tolist() == ["L2"], "the new registry")
    assert alerts(records) == {("L2", "offline")}


def test_an_alert_of_silence_that_was_open_before_a_restart_clears_with_the_next_message(
    journal: Journal, records: Records
) -> None:
    with judging(journal, records, (SOON_OFFLINE,)):
        append(journal, *runs_too_fast("L1", 1))
        until(lambda: ("L1", "offline") in alerts(records), "the silence")
    with judging(journal, records, (SOON_OFFLINE,)) as made:
        until(lambda: made.picture is not None and made.picture.link.tolist()[0] == OFFLINE, "the open alert")
        append(journal, ("L1", "bundle", bundle(1, 0.0, 90.0)))
        until(lambda: [one.state for one in records.alerts(AlertFilter(), limit=100).items] == ["cleared"], "its end")


def test_a_lift_in_a_mode_of_the_always_judged_rules_only_may_be_silent(journal: Journal, records: Records) -> None:
    with judging(journal, records, (SOON_OFFLINE,)) as made:
        inspected = {"seq": 0, "t": T0_MS, "online": True, "mode": "inspection"}
        append(journal, ("L1", "status", inspected), *runs_too_fast("L2", 1))
        until(lambda: ("L2", "offline") in alerts(records), "the silence of the other")
        until(lambda: made.picture is not None and made.picture.link.tolist() == [SUSPECT, OFFLINE], "both")
    assert alerts(records) == {("L2", "offline")}


def test_no_lift_is_silent_while_the_monitor_has_no_connection(journal: Journal, records: Records) -> None:
    listening = Listening()
    connected = [True]

    def stretch() -> Stretch:
        listening.note(time.time_ns(), connected[0])
        return listening.stretch

    with judging(journal, records, (SOON_OFFLINE,), stretch) as made:
        append(journal, *runs_too_fast("L1", 1))
        until(lambda: made.counts["messages"] == 1, "the lift")
        connected[0] = False
        end = time.monotonic() + 6.0
        until(lambda: time.monotonic() > end, "longer than the limit of silence")
        assert alerts(records) == set()
        connected[0] = True
        until(lambda: ("L1", "offline") in alerts(records), "a silence of its own")


@pytest.mark.parametrize("turn_s", [2, 12, 50])
def test_silence_does_not_depend_on_the_pace_of_judging(journal: Journal, records: Records, turn_s: int) -> None:
    """Eighteen lifts send once; a twentieth of a second of the test is a turn of so many seconds."""
    silent = [f"S{k}" for k in range(18)]
    records.put_lifts([facts(lift) for lift in silent], Actor.named("test"), 0)
    begin_ns = time.time_ns()
    clock_ns = [begin_ns]

    def stretch() -> Stretch:
        clock_ns[0] += turn_s * S_NS
        return listened(begin_ns, clock_ns[0])

    with judging(journal, records, (SILENT,), stretch) as made:
        append(journal, *[(lift, "bundle", bundle(0, 0.0, 3.0)) for lift in silent])
        until(lambda: len(alerts(records)) == 18, "all of them offline")
        assert made.counts["messages"] == 18
    onset_ns = [one.onset_ns for one in records.alerts(AlertFilter(), limit=100).items]
    assert max(abs(at_ns - begin_ns) for at_ns in onset_ns) < 30 * S_NS


def test_no_lift_is_offline_while_its_messages_wait_in_the_journal(journal: Journal, records: Records) -> None:
    """Two lifts send once a minute for an hour; all of it is judged long afterwards, a few messages a turn."""
    begin_ns = time.time_ns() - 7200 * S_NS
    arrivals = [(begin_ns + minute * 60 * S_NS, lift, minute) for minute in range(60) for lift in ("L1", "L2")]
    journal.append(
        [
            (at, topic(DISTRICT, lift, "bundle"), json.dumps(bundle(k, 0.0, 3.0)).encode(), False)
            for at, lift, k in arrivals
        ]
    )
    with judging(journal, records, (SILENT,), lambda: listened(begin_ns, begin_ns + 3540 * S_NS), 3) as made:
        until(lambda: made.counts["messages"] == len(arrivals), "the hour")
    assert alerts(records) == set()


def test_in_a_window_a_lift_is_judged_by_always_judged_rules_only_and_so_in_every_replay(
    journal: Journal, records: Records
) -> None:
    """L1 stands off level for 40 s in its window, then again after it; L2, without one, both times."""
    begin_ns = T0_MS * 1_000_000
    records.set_maintenance("L1", begin_ns + 60 * S_NS, Actor.named("ann"), begin_ns, "ropes")
    speeds = [0.0 if k % 60 < 40 else 0.95 for k in range(110)]
    stands = [bundle(k, v_mps, 61.0 + sum(speeds[:k])) for k, v_mps in enumerate(speeds)]
    with judging(journal, records):
        append(journal, *[(lift, "bundle", each) for each in stands[:30] for lift in ("L1", "L2")])
        append(journal, *runs_too_fast("L1", 0))
        until(lambda: ("L2", "stop-outside-zone") in alerts(records), "what is seen without a window")
        assert ("L1", "stop-outside-zone") not in alerts(records)
    with judging(journal, records):  # from the snapshot
        append(journal, *[(lift, "bundle", each) for each in stands[30:] for lift in ("L1", "L2")])
        until(lambda: ("L1", "stop-outside-zone") in alerts(records), "what is seen after the window")
    onsets = {(one.lift_id, one.rule): one.onset_ns for one in records.alerts(AlertFilter(), limit=100).items}
    assert onsets["L1", "stop-outside-zone"] >= begin_ns + 60 * S_NS
    before = alert_lives(records)
    records.judge(position=0, occurrences=[], now_ns=0, snapshot=Snapshot(0, b"none"), generation=1)
    with judging(journal, records) as again:  # from the beginning
        until(lambda: again.offered_to == journal.last, "the whole journal once more")
    assert alert_lives(records) == before


def test_a_change_of_the_registry_is_snapshotted_before_it_is_judged_by(journal: Journal, records: Records) -> None:
    with judging(journal, records) as made:
        append(journal, *runs_too_fast("L1", 1))
        until(lambda: made.offered_to == journal.last, "the first message")
        records.set_maintenance("L1", T0_MS * 1_000_000 + S_NS, Actor.named("ann"), T0_MS * 1_000_000)
        append(journal, *runs_too_fast("L2", 1))
        until(lambda: made.offered_to == journal.last, "the second message")
        assert newest_snapshot(journal, records).position == 1


def test_a_change_of_the_registry_waits_for_a_snapshot_that_cannot_be_written(
    journal: Journal, records: Records
) -> None:
    with judging(journal, records) as made:
        append(journal, *runs_too_fast("L1", 1))
        until(lambda: made.offered_to == journal.last, "the first message")
        loaded, made_in_the_way = made.state.windows, journal.folder / NEW_FILE
        made_in_the_way.mkdir()
        records.set_maintenance("L1", T0_MS * 1_000_000 + S_NS, Actor.named("ann"), T0_MS * 1_000_000)
        until(lambda: made.outage.cause is not None, "judging that waits for its snapshot")
        assert str(made_in_the_way) in str(made.snapshot_outage.cause)
        assert made.state.windows is loaded
        made_in_the_way.rmdir()
        until(lambda: made.state.windows is not loaded, "the window after the snapshot")
        assert made.snapshot_outage.cause is None


def test_a_new_journal_beside_old_records_is_judged_from_its_first_message(
    journal: Journal, records: Records, tmp_path: Path
) -> None:
    with judging(journal, records):
        append(journal, *runs_too_fast("L1", 8))
        until(lambda: ("L1", "overspeed") in alerts(records), "an alert of the old journal")
    with Journal.open(tmp_path / "another", 64 << 20) as another, judging(another, records):
        append(another, *runs_too_fast("L2"), ("L2", "bundle", {"seq": "?"}))
        until(lambda: ("L2", "overspeed") in alerts(records), "an alert of the new journal")
        until(lambda: len(records.dead_letters().items) == 1, "a dead letter of the new journal")
