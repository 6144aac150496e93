"""The records over SQLite and over PostgreSQL: one suite, one behaviour."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Select, exc, insert, select, text

from alerts.alert import CLEARED, CLOSED, FIRING, Alert
from alerts.answers import Answer, Refused
from detectors.rule import CRITICAL, Rule
from registry.actor import Actor
from registry.facts import Floor, LiftFacts
from registry.partition import Partition
from store.records.dead_letters import (
    DEAD_LETTER_LIMIT,
    DEAD_LETTER_PAYLOAD_BYTES,
    DELETED_AT_ONCE,
    WRITTEN_AT_ONCE,
)
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import AlertFilter, AuditFilter, BadCursor, Records, RecordsUnavailable, Snapshot
from store.records.schema import alerts, is_newest, is_open, is_shelved, metadata
from telemetry.batch import Refusal
from tests.alerts.rules import LIFT, MOVED, OFFLINE, OVERSPEED, OVERTRAVEL, POWER, STOP, T0, S, occurrence
from tests.loopback import free_port


@pytest.fixture(name="records")
def open_records(url: str) -> Iterator[Records]:
    with Records.open(url) as opened:
        yield opened


def newest(records: Records, lift_id: str, rule: Rule) -> Alert:
    return records.alerts(AlertFilter(lift_id=(lift_id,), rule=(rule.slug,)), limit=1).items[0]


def kinds(records: Records, since: int = 0) -> list[str]:
    return [one.kind for one in records.transitions_since(since)]


# ── opening ──


def test_migrations_create_the_tables_of_the_schema(records: Records) -> None:
    with records._database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_processes_that_start_together_migrate_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Records.open(url), range(4)))
    assert [one.revision() for one in opened] == [0, 0, 0, 0]
    for one in opened:
        one.close()


def test_opening_waits_for_another_process_that_writes_a_new_file(tmp_path: Path) -> None:
    """SQLite itself gives up at once when it is to turn the write-ahead log on."""
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, other.execute, ["COMMIT"]).start()
    Records.open(f"sqlite:///{tmp_path}/records.db").close()
    other.close()


def test_records_persist_after_opening_again(url: str) -> None:
    with Records.open(url) as first:
        first.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
    with Records.open(url) as second:
        assert second.registry()[1][0].facts == LiftFacts("a", "north")


def test_records_of_a_newer_version_are_not_touched(url: str) -> None:
    with Records.open(url) as records, records._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordsUnavailable, match="another version of Liftwatch"):
        Records.open(url)


def test_an_unreachable_server_is_reported_in_one_sentence() -> None:
    with pytest.raises(RecordsUnavailable, match=r"postgresql.*cannot be reached.*check that the server runs"):
        Records.open(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/records")


def test_a_password_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RecordsUnavailable) as failure:
        Records.open(f"postgresql://somebody:hunter2@127.0.0.1:{free_port()}/records")
    assert "hunter2" not in f"{failure.value}{caplog.text}"


@pytest.mark.parametrize("address", ["nonsense", "mysql://host/x", "sqlite://", "sqlite:///:memory:", ""])
def test_an_invalid_url_is_reported_with_valid_examples(address: str) -> None:
    with pytest.raises(RecordsUnavailable, match=r"sqlite:////folder/records\.db"):
        Records.open(address)


def test_a_file_that_is_no_database_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"this is not a database, it is a text " * 100)
    with pytest.raises(RecordsUnavailable, match="cannot be reached"):
        Records.open(f"sqlite:///{tmp_path}/records.db")


def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordsUnavailable, match="cannot be made"):
        Records.open(f"sqlite:///{tmp_path}/file/records.db")


# ── the registry ──


FACTS = LiftFacts("a", "north", name="Tower 3", floors=(Floor("G", 0.0), Floor("1", 4.5)), rated_speed_mps=1.75)


def test_a_lift_is_read_back_as_it_was_stored(records: Records) -> None:
    assert records.put_lift(FACTS, Actor.named("me"), T0)
    ((found),) = records.registry()[1]
    assert (found.facts, found.registered) == (FACTS, True)


def test_every_change_of_the_registry_increments_its_revision(records: Records) -> None:
    seen = [records.revision()]
    for change in (
        lambda: records.put_lift(FACTS, Actor.named("me"), T0),
        lambda: records.patch_lift("a", {"name": "Tower 4"}, Actor.named("me"), T0),
        lambda: records.add_unregistered([("b", "south")]),
        lambda: records.delete_lift("a", Actor.named("me"), T0),
    ):
        change()
        seen.append(records.revision())
    assert seen == sorted(set(seen))


def test_create_only_does_not_change_a_registered_lift(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    assert not records.put_lift(LiftFacts("a", "south"), Actor.named("me"), T0, create_only=True)
    assert records.registry()[1][0].facts == FACTS


def test_a_patch_changes_the_named_facts_only(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    after = records.patch_lift("a", {"rated_speed_mps": 2.5}, Actor.named("me"), T0)
    assert after is not None
    assert (after.rated_speed_mps, after.name, after.floors) == (2.5, FACTS.name, FACTS.floors)
    assert records.patch_lift("nobody", {}, Actor.named("me"), T0) is None


def test_a_patch_that_changes_nothing_leaves_the_revision(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    before = records.revision()
    records.patch_lift("a", {"name": "Tower 3"}, Actor.named("me"), T0)
    assert records.revision() == before


def test_an_unregistered_lift_becomes_registered_when_it_is_put(records: Records) -> None:
    records.add_unregistered([("a", "north")])
    assert [one.registered for one in records.registry()[1]] == [False]
    assert records.put_lift(FACTS, Actor.named("me"), T0)
    assert [(one.facts, one.registered) for one in records.registry()[1]] == [(FACTS, True)]


def test_unregistered_lifts_have_a_limit_and_the_rest_is_counted(records: Records) -> None:
    assert records.add_unregistered((f"u{n}", "north") for n in range(UNREGISTERED_LIMIT - 1)) == 0
    assert records.add_unregistered([("x", "north"), ("y", "north"), ("u0", "north")]) == 1
    assert len(records.registry()[1]) == UNREGISTERED_LIMIT


def test_an_unregistered_lift_does_not_replace_a_registered_one(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    assert records.add_unregistered([("a", "south")]) == 0
    assert records.registry()[1][0].facts == FACTS


def test_an_import_stores_many_lifts_and_a_second_one_replaces_them(records: Records) -> None:
    records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(2000)], Actor.named("me"), T0)
    records.put_lifts([LiftFacts("l7", "south")], Actor.named("me"), T0)
    districts = {one.facts.lift_id: one.facts.district for one in records.registry()[1]}
    assert (len(districts), districts["l7"], districts["l8"]) == (2000, "south", "north")


def test_others_write_between_the_transactions_of_an_import(records: Records, url: str) -> None:
    seen: list[tuple[int, int]] = []

    def write(taken: int) -> None:
        other.move_cursor("mqtt", taken)
        seen.append((taken, len(other.registered())))

    with Records.open(url) as other:
        records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(2500)], Actor.named("me"), T0, write)
    assert seen == [(1000, 1000), (2000, 2000), (2500, 2500)]


def test_the_same_import_again_changes_nothing(records: Records) -> None:
    many = [replace(FACTS, lift_id=f"l{n}") for n in range(1200)]
    records.put_lifts(many[:1000], Actor.named("me"), T0)
    records.put_lifts(many, Actor.named("me"), T0 + S)
    before = records.revision()
    records.put_lifts(many, Actor.named("me"), T0 + 2 * S)
    assert (records.revision(), len(records.audit(limit=2000).items)) == (before, 1200)


def test_changes_of_the_registry_are_read_in_slices(records: Records) -> None:
    records.put_lifts([LiftFacts(f"l{n:04}", "north") for n in range(2500)], Actor.named("me"), T0)
    records.delete_lift("l0001", Actor.named("me"), T0)
    records.set_maintenance("l0002", T0 + 100 * S, Actor.named("me"), T0)
    found, sizes, revision = set(), [], 0
    while True:
        changes = records.registry_since(revision, 1500)
        found |= {each.facts.lift_id for each in changes.lifts}
        sizes.append(len(changes.lifts))
        assert changes.revision > revision
        revision = changes.revision
        if changes.is_complete:
            break
    assert (len(found), sizes, changes.deleted) == (2499, [1999, 500], ["l0001"])
    assert [window.lift_id for window in changes.windows] == ["l0002"]
    assert revision == records.revision()


def test_every_change_is_in_the_audit_with_its_author(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("ann"), T0)
    records.delete_lift("a", Actor.named("bob"), T0 + S)
    assert not records.delete_lift("a", Actor.named("cid"), T0 + 2 * S)
    entries = records.audit(AuditFilter(subject="a")).items
    assert [(entry.by.name, entry.action, entry.at_ns) for entry in entries] == [
        ("bob", "lift.delete", T0 + S), ("ann", "lift.put", T0),
    ]  # fmt: skip


# ── judging ──


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


# ── people ──


def open_one(records: Records, what: Rule = STOP, severity: int | None = None) -> str:
    judged = records.judge(position=1, occurrences=[occurrence(what, "on", 10, severity)], now_ns=T0 + 11 * S)
    return judged[0].alert.id


def test_an_answer_changes_the_alert_and_is_delivered_and_audited(records: Records) -> None:
    alert_id = open_one(records)
    after = records.answer(alert_id, Answer("ack", Actor.named("ann"), note="on my way"), T0 + 12 * S)
    assert after is not None
    assert after.acknowledged
    history = records.alert(alert_id)
    assert history is not None
    assert [(t.kind, t.by, t.note) for t in history.transitions] == [
        ("fired", None, None), ("acknowledged", "ann", "on my way"),
    ]  # fmt: skip
    assert [(a.by.name, a.action) for a in records.audit(AuditFilter(subject=alert_id)).items] == [("ann", "alert.ack")]


def test_the_same_answer_again_changes_nothing_and_answers_the_same(records: Records) -> None:
    alert_id = open_one(records)
    first = records.answer(alert_id, Answer("assign", Actor.named("ann"), to="bob"), T0)
    assert records.answer(alert_id, Answer("assign", Actor.named("ann"), to="bob"), T0 + S) == first
    assert kinds(records) == ["fired", "assigned"]


def test_each_comment_is_added(records: Records) -> None:
    alert_id = open_one(records)
    for _ in range(2):
        records.answer(alert_id, Answer("comment", Actor.named("ann"), note="hm"), T0)
    assert kinds(records) == ["fired", "commented", "commented"]


def test_an_answer_to_an_unknown_alert_is_none(records: Records) -> None:
    assert records.answer("nobody", Answer("ack", Actor.named("ann")), T0) is None
    assert records.alert("nobody") is None


def test_a_refused_answer_leaves_no_trace(records: Records) -> None:
    alert_id = open_one(records)
    with pytest.raises(Refused):
        records.answer(alert_id, Answer("resolve", Actor.named("ann")), T0)
    assert (kinds(records), records.audit().items) == (["fired"], [])


def test_a_finding_read_again_fires_nothing_after_a_resolve_and_a_later_one_fires_anew(records: Records) -> None:
    alert_id = open_one(records, MOVED)
    records.judge(position=2, occurrences=[occurrence(MOVED, "on", 15)], now_ns=T0 + 16 * S)
    records.answer(alert_id, Answer("resolve", Actor.named("ann")), T0 + 20 * S)
    again = [occurrence(MOVED, "on", at_s) for at_s in (10, 15)]
    assert records.judge(position=2, occurrences=again, now_ns=T0 + 30 * S) == []
    (change,) = records.judge(position=3, occurrences=[occurrence(MOVED, "on", 25)], now_ns=T0 + 30 * S)
    assert (change.alert.id != alert_id, change.alert.state) == (True, FIRING)


def test_the_monitor_judges_on_what_a_person_has_answered(records: Records) -> None:
    alert_id = open_one(records)
    records.answer(alert_id, Answer("ack", Actor.named("ann")), T0 + 12 * S)
    records.judge(position=2, occurrences=[occurrence(STOP, "off", 30)], now_ns=T0)
    history = records.alert(alert_id)
    assert history is not None
    assert history.alert.state == CLOSED


def test_shelving_ends_by_time(records: Records) -> None:
    alert_id = open_one(records)
    records.answer(alert_id, Answer("shelve", Actor.named("ann"), until_ns=T0 + 3600 * S), T0 + 12 * S)
    records.judge(position=2, occurrences=[], now_ns=T0 + 3599 * S)
    assert records.open_alerts()[0].inhibited_by == "shelved"
    records.judge(position=3, occurrences=[], now_ns=T0 + 3600 * S)
    (alert,) = records.open_alerts()
    assert (alert.inhibited_by, alert.shelved_until_ns) == (None, None)
    records.judge(position=4, occurrences=[], now_ns=T0 + 3601 * S)
    assert kinds(records) == ["fired", "shelved", "unshelved"]


def test_an_unshelved_alert_may_still_be_inhibited_by_its_cause(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(POWER, "on", 9), occurrence(STOP, "on", 10)], now_ns=T0 + 11 * S)
    alert_id = newest(records, LIFT, STOP).id
    records.answer(alert_id, Answer("shelve", Actor.named("ann"), until_ns=T0 + 3600 * S), T0 + 12 * S)
    done = records.answer(alert_id, Answer("unshelve", Actor.named("ann"), "the works are over"), T0 + 13 * S)
    assert done is not None
    assert (done.inhibited_by, done.shelved_until_ns) == ("power-loss", None)
    assert kinds(records)[-1] == "unshelved"


def test_the_history_names_the_person_an_alert_was_assigned_to(records: Records) -> None:
    alert_id = open_one(records)
    for to in ("bob", None):
        records.answer(alert_id, Answer("assign", Actor.named("ann"), to=to), T0 + 12 * S)
    history = records.alert(alert_id)
    assert history is not None
    assert [(each.kind, each.by, each.to) for each in history.transitions[1:]] == [
        ("assigned", "ann", "bob"),
        ("assigned", "ann", None),
    ]
    assert [one.to for one in records.transitions_since(0)] == [None, "bob", None]


def test_a_shelving_that_ends_as_the_next_alert_begins_keeps_both_right(records: Records) -> None:
    alert_id = open_one(records)
    records.answer(alert_id, Answer("shelve", Actor.named("ann"), until_ns=T0 + 3600 * S), T0 + 12 * S)
    records.judge(position=2, occurrences=[occurrence(STOP, "off", 30)], now_ns=T0 + 31 * S)
    records.judge(position=3, occurrences=[occurrence(STOP, "on", 3700)], now_ns=T0 + 3700 * S)
    older, newer = records.alert(alert_id), newest(records, LIFT, STOP)
    assert older is not None
    assert (older.alert.state, older.alert.shelved_until_ns) == (CLEARED, None)
    assert (newer.state, newer.inhibited_by, newer.id != alert_id) == (FIRING, None, True)


def test_people_and_the_monitor_at_once_lose_nothing(records: Records, url: str) -> None:
    ids = [
        change.alert.id
        for change in records.judge(
            position=1, occurrences=[occurrence(STOP, "on", 10, lift_id=f"l{n}") for n in range(20)], now_ns=T0
        )
    ]
    ready = threading.Barrier(3)

    def comment() -> None:
        with Records.open(url) as own:
            ready.wait()
            for alert_id in ids:
                own.answer(alert_id, Answer("comment", Actor.named("ann"), note="x"), T0)

    def flap() -> None:
        with Records.open(url) as own:
            ready.wait()
            for at in range(11, 31):
                kind = "off" if at % 2 else "on"
                own.judge(position=at, occurrences=[occurrence(STOP, kind, at, lift_id="l0")], now_ns=T0)

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(comment), pool.submit(comment), pool.submit(flap)]:
            future.result()
    announced = records.transitions_since(0)
    assert [one.id for one in announced] == sorted({one.id for one in announced})
    assert sum(one.kind == "commented" for one in announced) == 40
    assert newest(records, "l0", STOP).count == 11


@pytest.mark.parametrize("odd", ["\0", "a\0b", "'; DROP TABLE alerts; --", "😀\u202e", "x" * 10_000])
def test_any_text_of_people_is_stored_or_made_storable(records: Records, odd: str) -> None:
    alert_id = open_one(records)
    after = records.answer(alert_id, Answer("assign", Actor.named(odd), to=odd, note=odd), T0)
    assert after is not None
    history = records.alert(alert_id)
    assert history is not None
    assert (history.alert.assigned_to, history.transitions[-1].note) == (odd, odd.replace("\0", "\ufffd"))
    assert (records.alert(odd), records.lift(odd), records.answer(odd, Answer("ack", Actor.named("x")), T0)) == (
        None,
        None,
        None,
    )
    assert records.alerts(AlertFilter(lift_id=(odd,), district=(odd,))).items == []


def test_instants_beyond_the_range_of_a_column_are_clamped(records: Records) -> None:
    open_one(records)
    forever = AlertFilter(from_ns=-(10**30), to_ns=10**30)
    assert len(records.alerts(forever).items) == 1
    assert records.dead_letters(from_ns=-(10**30), to_ns=10**30).items == []
    assert records.transitions_since(10**30) == []


# ── away and back ──


@pytest.mark.postgres
def test_a_lost_server_is_reported_and_reconnected(postgres_url: str) -> None:
    with Records.open(postgres_url) as records:
        kill = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        unavailable = pytest.raises(RecordsUnavailable, match="check that the server runs")
        with unavailable, records._database.writing() as connection:
            connection.execute(kill)
        open_one(records)
        assert kinds(records) == ["fired"]


def test_a_file_locked_for_too_long_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.records.database.BUSY_TIMEOUT_S", 0.05)
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records, Records.open(records._database.name) as other:
        with records._database.writing():
            with pytest.raises(RecordsUnavailable, match="locked"):
                open_one(other)
            assert other.open_alerts() == []
        open_one(other)
        assert kinds(records) == ["fired"]


# ── announcing ──


def test_a_transition_holds_the_alert_of_its_moment(records: Records) -> None:
    alert_id = open_one(records)
    records.answer(alert_id, Answer("ack", Actor.named("ann")), T0)
    first, second = records.transitions_since(0)
    assert ('"acknowledged":false' in first.alert_json, '"acknowledged":true' in second.alert_json) == (True, True)
    assert (records.transitions_since(first.id), records.last_transition()) == ([second], second.id)


def test_transitions_can_be_asked_for_one_lift_or_district(records: Records) -> None:
    story = [occurrence(STOP, "on", 10, lift_id=name) for name in ("a", "b")]
    records.judge(position=1, occurrences=story, now_ns=T0)
    assert [one.lift_id for one in records.transitions_since(0, lift_id="b")] == ["b"]
    assert records.transitions_since(0, district="elsewhere") == []


def test_a_reader_continues_at_its_cursor(records: Records) -> None:
    assert records.cursor("mqtt") == 0
    records.move_cursor("mqtt", 5)
    records.move_cursor("mqtt", 6)
    assert (records.cursor("mqtt"), records.cursor("other")) == (6, 0)


def test_readers_see_transitions_in_the_order_of_their_commits(records: Records, url: str) -> None:
    """With numbers given before the commit, a reader at n could miss n - 1 that is committed later."""
    missed: list[int] = []
    stop = threading.Event()

    def read() -> None:
        with Records.open(url) as own:
            at, seen = 0, set()
            while not stop.is_set():
                for one in own.transitions_since(at):
                    at = one.id
                    seen.add(at)
            seen |= {one.id for one in own.transitions_since(at)}
            missed.extend({one.id for one in own.transitions_since(0)} - seen)

    def write(lift_id: str) -> None:
        with Records.open(url) as own:
            for at in range(1, 15):
                kind = "on" if at % 2 else "off"
                own.judge(position=at, occurrences=[occurrence(STOP, kind, at, lift_id=lift_id)], now_ns=T0)

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        for writer in [pool.submit(write, name) for name in ("a", "b", "c")]:
            writer.result()
        stop.set()
        reader.result()
    assert missed == []


# ── pictures, lists ──


def test_the_latest_state_is_replaced_and_its_version_increases(records: Records) -> None:
    first = records.put_live(b"\x00one", {"received": 1}, T0)
    second = records.put_live(b"\xfftwo", {"received": 2}, T0 + S)
    (picture,) = records.live()
    assert (picture.lifts, picture.counts, picture.version) == (b"\xfftwo", {"received": 2}, second)
    assert (second > first, records.live(second)) == (True, [])


def test_each_monitor_has_a_latest_state_of_its_own(records: Records) -> None:
    for number in range(2):
        records.claim(Partition(number, 2))
        records.put_live(str(number).encode(), {}, T0)
    assert [(picture.partition, picture.lifts) for picture in records.live()] == [("0/2", b"0"), ("1/2", b"1")]


def test_alerts_come_newest_onset_first_and_every_one_once(records: Records) -> None:
    story = [occurrence(STOP, "on", 10 + n // 3, lift_id=f"l{n}") for n in range(25)]
    records.judge(position=1, occurrences=story, now_ns=T0)
    seen, cursor = [], None
    while True:
        page = records.alerts(AlertFilter(), limit=4, cursor=cursor)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert len({alert.id for alert in seen}) == len(seen) == 25
    assert [alert.onset_ns for alert in seen] == sorted((alert.onset_ns for alert in seen), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "lifts"),
    [
        (AlertFilter(state=("firing",)), ["c", "b"]),
        (AlertFilter(state=("cleared", "closed")), ["a"]),
        (AlertFilter(rule=("overspeed",)), ["c"]),
        (AlertFilter(severity=("critical", "minor")), ["c"]),
        (AlertFilter(lift_id=("a",), district=("centre",)), ["a"]),
        (AlertFilter(district=("nowhere",)), []),
        (AlertFilter(from_ns=T0 + 20 * S), ["c", "b"]),
        (AlertFilter(to_ns=T0 + 20 * S), ["a"]),
        (AlertFilter(rule=("' OR 1=1 --",)), []),
    ],
)
def test_alerts_are_filtered(records: Records, wanted: AlertFilter, lifts: list[str]) -> None:
    records.judge(
        position=1,
        occurrences=[
            occurrence(STOP, "on", 10, lift_id="a"),
            occurrence(STOP, "off", 15, lift_id="a"),
            occurrence(STOP, "on", 20, lift_id="b"),
            occurrence(OVERSPEED, "on", 30, CRITICAL, lift_id="c"),
        ],
        now_ns=T0,
    )
    assert [alert.lift_id for alert in records.alerts(wanted).items] == lifts


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "AAAA", "é", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkgYQ", "\0"])
def test_an_invalid_cursor_is_refused(records: Records, cursor: str) -> None:
    for ask in (
        lambda: records.alerts(AlertFilter(), cursor=cursor),
        lambda: records.audit(cursor=cursor),
        lambda: records.dead_letters(cursor=cursor),
    ):
        with pytest.raises(BadCursor):
            ask()


def refusal(n: int, reason: str = "json", payload: bytes = b"{") -> Refusal:
    return Refusal(reason, "broken", "lift/v1/x/y/speed", payload, T0 + n * S, n)


def test_dead_letters_come_newest_first_by_reason_and_time(records: Records) -> None:
    many = [refusal(n, "json" if n % 2 else "topic") for n in range(1, 11)]
    records.judge(position=10, occurrences=[], now_ns=T0, refusals=many)
    first = records.dead_letters(reason="json", limit=3)
    rest = records.dead_letters(reason="json", limit=3, cursor=first.next)
    assert [(one.at_ns - T0) // S for one in first.items + rest.items] == [9, 7, 5, 3, 1]
    assert rest.next is None
    between = records.dead_letters(from_ns=T0 + 4 * S, to_ns=T0 + 6 * S).items
    assert [(one.at_ns - T0) // S for one in between] == [5, 4]


def test_dead_letters_have_a_limit_and_the_oldest_are_deleted(records: Records) -> None:
    records.judge(position=1, occurrences=[], now_ns=T0, refusals=[refusal(1)])
    for first in range(2, DEAD_LETTER_LIMIT + 2, WRITTEN_AT_ONCE):
        flood = [refusal(n) for n in range(first, first + WRITTEN_AT_ONCE)]
        records.judge(position=flood[-1].position, occurrences=[], now_ns=T0, refusals=flood)
    assert records.dead_letters(to_ns=T0 + 2 * S).items == []
    assert len(records.dead_letters(limit=DEAD_LETTER_LIMIT + 9).items) == DEAD_LETTER_LIMIT - DELETED_AT_ONCE


def test_hostile_bytes_are_stored_unchanged_and_truncated(records: Records) -> None:
    nasty = Refusal("topic", "nul \0 and half \ud800", "lift/\0", b"\0\xff" * DEAD_LETTER_PAYLOAD_BYTES, T0, 1)
    records.judge(position=1, occurrences=[], now_ns=T0, refusals=[nasty])
    (letter,) = records.dead_letters().items
    assert letter.payload == nasty.payload[:DEAD_LETTER_PAYLOAD_BYTES]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (select(alerts).where(is_newest, alerts.c.lift_id.in_(["a", "b"])), "one_newest_alert"),
        (select(alerts).where(is_open), "one_open_alert"),
        (select(alerts).where(is_shelved, alerts.c.shelved_until_ns <= 1), "shelved_alerts"),
        (select(alerts).order_by(alerts.c.onset_ns.desc(), alerts.c.id.desc()).limit(9), "alerts_by_onset"),
    ],
)
def test_queries_use_their_indices(tmp_path: Path, question: Select[Any], index: str) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records, records._database.reading() as connection:
        asked = question.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(asked.params[name] for name in asked.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values).fetchall()
    assert index in str(plan)
