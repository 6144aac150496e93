"""The outbox of notifications, in SQLite and in PostgreSQL: added once, leased, settled, and in a story."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from alerts.incidents.actions import IncidentAction
from alerts.notification import Notification, NotifiedLift
from registry.actor import Actor
from registry.ways import MAIL
from store.records.repository import NotificationAttempt, Records, WaitingNotification
from tests.alerts.rules import T0, S
from tests.store.test_ways import sent_code

LEASE = 60 * S
LIFT = NotifiedLift("L1", "north", "Tower A", "Nanjing Road 1", 31.2, 121.5, "Asia/Shanghai", None, ("3", "4"))
WANTED = Notification(
    "i1:1:ann", "ann", "i1", "entrapment", "critical", T0, LIFT, {"en": "A person is trapped", "zh": "有人被困"},
    others=2, may_hold_people=True, ways=("mail",),
)  # fmt: skip


def wanted(**fields: Any) -> Notification:
    return replace(WANTED, **fields)


def claim(records: Records, now_ns: int = T0) -> list[WaitingNotification]:
    return records.claim_notifications(now_ns, LEASE, 100)


def attempt(result: str = "delivered", reason: str = "", at_ns: int = T0, way_id: str = "w1") -> NotificationAttempt:
    return NotificationAttempt(way_id, MAIL, "ann@example.org", at_ns, result, reason)


def test_a_notification_comes_back_as_it_was_added_and_only_once(records: Records) -> None:
    assert records.add_notifications([WANTED, WANTED], T0) == 1
    assert records.add_notifications([wanted(severity="major")], T0 + S) == 0
    (waiting,) = claim(records)
    assert waiting.notification == WANTED
    assert (waiting.attempts, waiting.made_ns, dict(waiting.failed_ways), waiting.way_id) == (0, T0, {}, None)


def test_a_notification_without_a_lift_comes_back_too(records: Records) -> None:
    bare = wanted(lift=None, ways=())
    records.add_notifications([bare], T0)
    assert claim(records)[0].notification == bare


def test_the_most_severe_is_claimed_first(records: Records) -> None:
    records.add_notifications([wanted(key="a", severity="minor")], T0 - S)
    records.add_notifications([wanted(key="b"), wanted(key="c")], T0)
    assert [each.notification.key for each in claim(records)] == ["b", "c", "a"]


def test_what_a_killed_process_had_claimed_is_claimed_again_after_the_lease(records: Records) -> None:
    records.add_notifications([WANTED], T0)
    assert len(claim(records)) == 1
    assert claim(records, T0 + LEASE - 1) == []
    assert len(claim(records, T0 + LEASE)) == 1


def test_two_processes_claim_each_notification_once(records: Records) -> None:
    records.add_notifications([wanted(key=str(number)) for number in range(40)], T0)
    claimed: list[str] = []

    def work() -> None:
        while found := records.claim_notifications(T0, LEASE, 5):
            claimed.extend(each.notification.key for each in found)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(str(number) for number in range(40))


def test_what_was_sent_is_not_claimed_again_and_stands_in_the_story(records: Records) -> None:
    records.add_notifications([WANTED, wanted(key="2", person_id="bob")], T0)
    first, second = claim(records)
    records.settle_again([first.id], attempt("try-again", "HTTP 503"), T0 + S)
    records.settle_sent([first.id, second.id], attempt(at_ns=T0 + S))
    assert claim(records, T0 + 10 * LEASE) == []
    story = records.notification_attempts("i1")
    assert [(each.person_id, each.attempt.result, each.attempt.reason) for each in story] == [
        ("ann", "try-again", "HTTP 503"), ("ann", "delivered", ""), ("bob", "delivered", ""),
    ]  # fmt: skip


def test_a_way_that_failed_is_remembered_and_marked(records: Records) -> None:
    way = records.add_way("ann", MAIL, "ann@example.org", None, Actor.named("ann"), T0)
    code = claim(records)
    records.settle_sent([code[0].id], attempt())
    records.add_notifications([WANTED], T0)
    (waiting,) = claim(records)
    records.leave_way([waiting], attempt("permanent", "SMTP 550 gone", way_id=way.way_id), for_good=True)
    (again,) = claim(records)
    assert (dict(again.failed_ways), again.attempts) == ({way.way_id: True}, 0)
    (marked,) = records.ways("ann")
    assert (marked.fault, marked.fault_ns) == ("SMTP 550 gone", T0)
    records.settle_sent([again.id], attempt(way_id=way.way_id))
    assert records.ways("ann")[0].fault is None


def test_ways_that_may_recover_are_tried_again(records: Records) -> None:
    records.add_notifications([WANTED], T0)
    (waiting,) = claim(records)
    records.leave_way([replace(waiting, failed_ways={"w2": True})], attempt("try-again", "HTTP 503"), for_good=False)
    (waiting,) = claim(records)
    assert dict(waiting.failed_ways) == {"w2": True, "w1": False}
    records.begin_again(waiting, T0 + 5 * S)
    assert claim(records, T0 + 4 * S) == []
    (waiting,) = claim(records, T0 + 5 * S)
    assert dict(waiting.failed_ways) == {"w2": True}


def test_what_reached_nobody_is_listed_for_the_desk(records: Records) -> None:
    records.add_notifications([WANTED], T0)
    (waiting,) = claim(records)
    records.fail_notifications([waiting.id], "no verified way", T0 + S)
    assert claim(records, T0 + 10 * LEASE) == []
    (failed,) = records.failed_notifications(T0)
    assert (failed.notification, failed.error, failed.settled_ns) == (WANTED, "no verified way", T0 + S)
    assert records.failed_notifications(T0 + 1) == []


def test_a_code_is_forgotten_when_it_was_sent(records: Records) -> None:
    records.add_way("ann", MAIL, "ann@example.org", None, Actor.named("ann"), T0)
    assert sent_code(records)
    (waiting,) = claim(records, T0 + LEASE)
    records.fail_notifications([waiting.id], "no answer", T0 + LEASE)
    (failed,) = records.failed_notifications(T0)
    assert failed.notification.code is None


def test_a_hostile_text_is_stored(records: Records) -> None:
    odd = wanted(sentence={"en": "'; DROP TABLE ways; --\0" + "x" * 10_000})
    records.add_notifications([odd], T0)
    (waiting,) = claim(records)
    assert len(waiting.notification.sentence["en"]) == 2000


def test_nobody_is_notified_of_an_incident_that_is_over(records: Records) -> None:
    records.add_unregistered([(LIFT.lift_id, "north")])
    incident = records.report_by_call(LIFT.lift_id, "entrapment", None, Actor.named("desk"), T0)
    assert incident is not None
    records.add_notifications([wanted(incident_id=incident.id), wanted(key="other", incident_id="i2")], T0)
    records.act_on_incident(incident.id, IncidentAction("close", Actor.named("desk"), reason="released"), T0 + S)
    assert [each.notification.incident_id for each in claim(records, T0 + S)] == ["i2"]
    assert claim(records, T0 + 11 * S) == []
    assert records.failed_notifications(T0, is_final=False) == []
    records.act_on_incident(incident.id, IncidentAction("reopen", Actor.named("desk")), T0 + 20 * S)
    assert [each.notification.incident_id for each in claim(records, T0 + 2 * LEASE)] == ["i2"]


def test_a_call_waits_while_the_closing_of_its_incident_can_be_undone(records: Records) -> None:
    records.add_unregistered([(LIFT.lift_id, "north")])
    incident = records.report_by_call(LIFT.lift_id, "entrapment", None, Actor.named("desk"), T0)
    assert incident is not None
    records.add_notifications([wanted(incident_id=incident.id)], T0)
    records.act_on_incident(incident.id, IncidentAction("close", Actor.named("desk"), reason="released"), T0 + S)
    assert claim(records, T0 + 2 * S) == []
    assert claim(records, T0 + 10 * S) == []
    records.act_on_incident(incident.id, IncidentAction("reopen", Actor.named("desk")), T0 + 10 * S)
    assert [each.notification.incident_id for each in claim(records, T0 + 11 * S)] == [incident.id]


def test_what_is_settled_is_deleted_after_a_month_and_what_waits_is_not(records: Records) -> None:
    records.add_notifications([WANTED, wanted(key="i2:1:ann"), wanted(key="i3:1:ann")], T0)
    first, second, _ = claim(records)
    records.settle_sent([first.id], attempt())
    records.fail_notifications([second.id], "no-way", T0)
    month = 30 * 24 * 3600 * S
    assert records.delete_expired(T0 + month) == 0
    assert records.delete_expired(T0 + month + S) == 2
    assert len(records.notification_attempts("i1")) == 1
    assert len(claim(records, T0 + month + S)) == 1


def test_a_delivery_is_in_the_story_of_its_incident(records: Records) -> None:
    records.add_unregistered([(LIFT.lift_id, "north")])
    incident = records.report_by_call(LIFT.lift_id, "entrapment", None, Actor.named("desk"), T0)
    assert incident is not None
    records.add_notifications([wanted(incident_id=incident.id)], T0)
    (waiting,) = claim(records)
    records.settle_sent([waiting.id], attempt(at_ns=T0 + S), to="Ann")
    history = records.incident(incident.id)
    assert history is not None
    assert history.visible.incident.stages["notified"] == T0 + S
    assert [(entry.kind, entry.to) for entry in history.story][-1] == ("notified", "Ann")
