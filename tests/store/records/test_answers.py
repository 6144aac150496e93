"""People's answers to alerts in the records."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from alerts.alert import CLEARED, CLOSED, FIRING
from alerts.answers import Answer, Refused
from registry.actor import Actor
from store.records.repository import AlertFilter, AuditFilter, Records
from tests.alerts.rules import LIFT, MOVED, POWER, STOP, T0, S, occurrence
from tests.store.records.questions import kinds, newest, open_one


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
