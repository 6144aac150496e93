"""Findings in the records: alerts, transitions and positions are stored in one transaction."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import exc, insert

from alerts.alert import FIRING
from store.records.repository import AlertFilter, Records, Snapshot
from store.records.schema import alerts
from telemetry.batch import Refusal
from tests.alerts.rules import LIFT, OFFLINE, OVERSPEED, OVERTRAVEL, POWER, STOP, T0, S, occurrence
from tests.store.records.questions import kinds, newest


def test_a_finding_becomes_an_alert_a_transition_and_a_position_at_once(records: Records) -> None:
    judged = records.judge(position=7, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0 + 11 * S)
    (alert,) = records.open_alerts()
    assert judged[0].alert == alert == newest(records, LIFT, STOP)
    assert (records.resume().position, kinds(records)) == (7, ["fired"])


def test_reading_the_journal_again_changes_nothing(records: Records) -> None:
    story = [occurrence(STOP, "on", 10), occurrence(STOP, "off", 20), occurrence(STOP, "on", 30)]
    records.judge(position=3, occurrences=story, now_ns=T0)
    before = (records.open_alerts(), records.transitions_since(0))
    for some in (story, story[:1], story[1:], story[2:]):
        assert records.judge(position=3, occurrences=some, now_ns=T0) == []
    assert (records.open_alerts(), records.transitions_since(0)) == before


def test_a_failed_transaction_changes_nothing(records: Records) -> None:
    too_large = 2**70  # written last, after the alerts
    with pytest.raises((exc.DatabaseError, OverflowError)):
        records.judge(position=too_large, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0)
    assert (records.open_alerts(), records.resume().position, kinds(records)) == ([], 0, [])


def test_the_database_allows_one_open_alert_for_a_lift_and_rule(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0)
    with pytest.raises(exc.IntegrityError), records._database.writing() as connection:
        connection.execute(
            insert(alerts).values(
                id="other",
                lift_id=LIFT,
                district="d",
                rule=STOP.slug,
                severity="major",
                state=FIRING,
                onset_ns=1,
                newest=False,
                alert="{}",
            )
        )


def test_a_whole_story_in_one_transaction_equals_the_story_in_many(records: Records, tmp_path: Path) -> None:
    times = [10, 20, 200, 230, 240, 500, 600, 2000]
    story = [occurrence(STOP, "on" if n % 2 == 0 else "off", at) for n, at in enumerate(times)]
    records.judge(position=1, occurrences=story, now_ns=T0)
    with Records.open(f"sqlite:///{tmp_path}/other.db") as other:
        for n, one in enumerate(story):
            other.judge(position=n, occurrences=[one], now_ns=T0)
        everything = AlertFilter()
        assert records.alerts(everything).items == other.alerts(everything).items
        assert [t.alert_json for t in records.transitions_since(0)] == [
            t.alert_json for t in other.transitions_since(0)
        ]


@pytest.mark.parametrize("seed", range(5))
def test_the_way_a_story_is_cut_into_transactions_changes_nothing(tmp_path: Path, seed: int) -> None:
    """Several lifts, causes that hold others back, levels cleared by hand; cut at random, parts of it read twice."""
    chance = random.Random(seed)
    story = []
    for at_s in range(0, 3000, 15):
        for lift_id in ("a", "b"):
            rule = chance.choice([POWER, OFFLINE, STOP, STOP, OVERTRAVEL, OVERTRAVEL, OVERSPEED])
            level = chance.choice(rule.levels)
            kind = chance.choice(["on", "off"])
            story.append(occurrence(rule, kind, at_s, level.severity, lift_id=lift_id))
    ends = []
    for name, cuts in (("whole", []), ("cut", sorted(chance.sample(range(0, len(story), 2), 40)))):
        with Records.open(f"sqlite:///{tmp_path}/{name}.db") as records:
            for position, (start, end) in enumerate(pairwise([0, *cuts, len(story)])):
                again = chance.choice([0, 0, 10])
                some = story[max(0, start - again) : end]
                records.judge(position=position, occurrences=some, now_ns=T0)
            announced = [(one.kind, one.alert_json) for one in records.transitions_since(0, 9999)]
            ends.append((records.alerts(AlertFilter(), limit=999).items, announced))
    assert ends[0] == ends[1], f"seed {seed}"
    assert {"released", "refired", "raised"} <= {kind for kind, _ in ends[0][1]}


def test_findings_are_applied_in_the_order_of_their_time(records: Records) -> None:
    story = [occurrence(STOP, "off", 20), occurrence(STOP, "on", 10)]
    records.judge(position=1, occurrences=story, now_ns=T0)
    assert kinds(records) == ["fired", "cleared"]


def test_a_position_never_goes_back(records: Records) -> None:
    records.judge(position=9, occurrences=[], now_ns=T0)
    records.judge(position=4, occurrences=[], now_ns=T0)
    assert records.resume().position == 9


def test_a_snapshot_is_read_back_with_its_position(records: Records) -> None:
    assert records.resume().snapshot is None
    for n in (1, 2):
        snapshot = Snapshot(position=n, state=bytes([0, n, 255]))
        records.judge(position=n + 5, occurrences=[], now_ns=T0, snapshot=snapshot)
        assert records.resume().snapshot == snapshot
    assert records.resume().position == 7


def test_refusals_are_stored_once_though_the_journal_is_read_again(records: Records) -> None:
    refused = [Refusal("json", "line 1", "t", b"{", T0, 3), Refusal("json", "line 1", "t", b"{", T0, 3)]
    for _ in range(2):
        records.judge(position=3, occurrences=[], now_ns=T0, refusals=refused)
    assert len(records.dead_letters().items) == 2


def test_a_power_loss_inhibits_alerts_that_follow_until_it_ends(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(STOP, "on", 12), occurrence(POWER, "on", 12)], now_ns=T0)
    assert newest(records, LIFT, STOP).inhibited_by == "power-loss"
    records.judge(position=2, occurrences=[occurrence(POWER, "off", 90)], now_ns=T0)
    assert newest(records, LIFT, STOP).inhibited_by is None
    assert kinds(records) == ["fired", "fired", "cleared", "released"]


def test_a_power_loss_does_not_inhibit_another_lift(records: Records) -> None:
    story = [occurrence(OFFLINE, "on", 10), occurrence(STOP, "on", 20, lift_id="other")]
    records.judge(position=1, occurrences=story, now_ns=T0)
    assert newest(records, "other", STOP).inhibited_by is None


def test_an_alert_of_every_lift_at_once_is_stored(records: Records) -> None:
    storm = [occurrence(STOP, "on", 10, lift_id=f"l{n}") for n in range(3000)]
    records.judge(position=1, occurrences=storm, now_ns=T0)
    records.judge(
        position=2, occurrences=[occurrence(STOP, "off", 20, lift_id=f"l{n}") for n in range(3000)], now_ns=T0
    )
    assert (len(records.open_alerts()), len(records.transitions_since(0, limit=10_000))) == (0, 6000)
