"""Incidents in the records: written with the alerts that make them, acted on by people, found by scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import exc, text

from alerts.answers import Answer, Refused
from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.scope import ALL_LIFTS, LiftScope
from store.records.incidents.tables import incident_lifts
from store.records.repository import (
    AuditFilter,
    IncidentFilter,
    IncidentHistory,
    NotificationAttempt,
    Records,
    VersionConflict,
)
from store.records.retention import YEAR_NS
from telemetry.instant import DAY_NS
from tests.alerts.incidents.desk import BUTTON, ENTRAPMENT
from tests.alerts.rules import DISTRICT, DOOR, LIFT, POWER, STOP, T0, S, occurrence
from tests.notify.notifications import notification, notified

ANN, BOB = Actor.named("ann"), replace(Actor.named("bob"), organisation="Otto")
OTTO, RIVAL = LiftScope(names=frozenset({"Otto"})), LiftScope(names=frozenset({"Rival"}))


class Story:
    """Findings and actions at seconds after T0, in one database."""

    def __init__(self, records: Records) -> None:
        self.records, self.position = records, 0

    def find(self, *found: tuple[object, str, str], at_s: float) -> None:
        """Judge findings: rule, kind and lift."""
        self.position += 1
        occurrences = [occurrence(rule, kind, at_s, lift_id=lift_id) for rule, kind, lift_id in found]  # type: ignore[arg-type]
        self.records.judge(position=self.position, occurrences=occurrences, now_ns=T0 + round((at_s + 1) * S))

    def act(self, incident_id: str, kind: str, at_s: float, by: Actor = ANN, **more: str) -> Incident | None:
        """Apply a person's action."""
        action = IncidentAction(kind, by, **more)  # type: ignore[arg-type]
        return self.records.act_on_incident(incident_id, action, T0 + round(at_s * S))

    def all(self, **wanted: tuple[str, ...]) -> list[Incident]:
        """Return the incidents, the newest first."""
        return [each.incident for each in self.records.incidents(IncidentFilter(**wanted)).items]  # type: ignore[arg-type]

    def only(self, **wanted: tuple[str, ...]) -> Incident:
        """Return the one incident."""
        (found,) = self.all(**wanted)
        return found

    def history(self, incident_id: str) -> IncidentHistory:
        """Return an incident with its alerts and its story."""
        found = self.records.incident(incident_id)
        assert found is not None
        return found

    def kinds(self, incident_id: str) -> list[str]:
        """Return the kinds of the entries of an incident's story."""
        return [entry.kind for entry in self.history(incident_id).story]


@pytest.fixture
def story(records: Records) -> Iterator[Story]:
    return Story(records)


def test_the_alerts_of_a_lift_are_one_incident_written_with_them(story: Story) -> None:
    story.find((STOP, "on", LIFT), (DOOR, "on", LIFT), at_s=10)
    story.find((ENTRAPMENT, "on", LIFT), at_s=40)
    incident = story.only()
    assert (incident.kind, incident.severity, incident.unclosed, incident.state) == (
        "entrapment",
        "critical",
        3,
        "open",
    )
    history = story.history(incident.id)
    assert {alert.rule for alert in history.alerts} == {ENTRAPMENT.slug, STOP.slug, DOOR.slug}
    assert story.kinds(incident.id) == ["opened", "folded", "folded"]
    assert incident.opened_ns == T0 + 11 * S


def test_a_lift_has_one_open_incident_by_constraint(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    row = {"incident_id": "other", "lift_id": LIFT, "district": DISTRICT, "folds": True}
    with pytest.raises(exc.IntegrityError), story.records._database.writing() as connection:
        connection.execute(incident_lifts.insert(), row)


def test_answers_to_alerts_change_their_incident_in_the_same_transaction(story: Story) -> None:
    story.find((BUTTON, "on", LIFT), at_s=10)
    incident = story.only()
    (alert,) = story.history(incident.id).alerts
    story.records.answer(alert.id, Answer("ack", BOB), T0 + 20 * S)
    assert story.only().acknowledged_ns == T0 + 20 * S
    story.records.answer(alert.id, Answer("resolve", BOB), T0 + 30 * S)
    assert (story.only().unclosed, story.only().is_open, story.only().by_hand) == (0, True, True)
    assert story.kinds(incident.id) == ["opened", "acknowledged"]


def test_resolving_the_last_alert_closes_an_incident_that_is_not_critical(story: Story) -> None:
    story.find((DOOR, "on", LIFT), at_s=10)
    story.find((DOOR, "off", LIFT), at_s=20)
    incident = story.only()
    (alert,) = story.history(incident.id).alerts
    story.records.answer(alert.id, Answer("resolve", BOB), T0 + 30 * S)
    assert (story.only().state, story.only().closed_by) == ("closed", None)
    assert story.history(incident.id).story[-1].by == "bob"


@pytest.mark.parametrize("is_released", [False, True])
def test_a_press_soon_after_a_closing_opens_an_incident(story: Story, is_released: bool) -> None:
    story.find((BUTTON, "on", LIFT), at_s=10)
    first = story.only()
    if is_released:
        story.find((BUTTON, "off", LIFT), at_s=15)
    story.act(first.id, "close", 20, reason="false-alarm")
    if is_released:
        story.find((BUTTON, "on", LIFT), at_s=25)
    else:
        story.find((BUTTON, "off", LIFT), (BUTTON, "on", LIFT), at_s=25)
    again, before = story.all()
    assert (before.id, before.is_open, before.unclosed) == (first.id, False, 0)
    assert (again.is_open, again.may_hold_people, again.acknowledged_ns) == (True, True, None)


def test_acknowledging_an_incident_acknowledges_its_alerts_and_audits_both(story: Story) -> None:
    story.find((STOP, "on", LIFT), (DOOR, "on", LIFT), at_s=10)
    incident = story.only()
    done = story.act(incident.id, "ack", 20, note="going")
    assert done is not None
    assert done.acknowledged_by == ("ann",)
    assert all(alert.acknowledged for alert in story.history(incident.id).alerts)
    found = story.records.audit(AuditFilter()).items
    assert sorted(entry.action for entry in found) == ["alert.ack", "alert.ack", "incident.ack"]
    before = len(story.kinds(incident.id))
    assert story.act(incident.id, "ack", 21) == story.only()
    assert len(story.kinds(incident.id)) == before


def test_acknowledging_an_incident_whose_alerts_are_all_cleared_closes_it(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    story.find((STOP, "off", LIFT), at_s=20)
    done = story.act(story.only().id, "ack", 30)
    assert done is not None
    assert (done.state, done.closed_by) == ("closed", None)


def test_the_monitor_resolves_the_alerts_of_a_closed_incident_after_the_time_to_undo(story: Story) -> None:
    story.find((BUTTON, "on", LIFT), at_s=10)
    incident = story.only()
    story.act(incident.id, "close", 20, BOB, reason="false-alarm")
    story.find(at_s=28)
    assert story.history(incident.id).alerts[0].state == "firing"
    story.find(at_s=30)
    (alert,) = story.history(incident.id).alerts
    assert (alert.state, alert.closed_by, story.only().unclosed) == ("closed", "bob", 0)
    (entry,) = story.records.audit(AuditFilter(subject=alert.id)).items
    assert (entry.action, entry.by.name, entry.by.organisation) == ("alert.resolve", "bob", "Otto")


def test_a_closing_that_was_undone_resolves_nothing(story: Story) -> None:
    story.find((BUTTON, "on", LIFT), at_s=10)
    incident = story.only()
    story.act(incident.id, "close", 20, reason="test")
    story.act(incident.id, "reopen", 25)
    story.find(at_s=100)
    assert (story.only().state, story.history(incident.id).alerts[0].state) == ("open", "firing")


def test_closing_is_refused_and_leaves_no_trace_while_a_person_may_be_inside(story: Story) -> None:
    story.find((BUTTON, "on", LIFT), at_s=10)
    incident = story.only()
    with pytest.raises(Refused, match="may still be inside"):
        story.act(incident.id, "close", 20, reason="repaired")
    assert (story.only(), story.records.audit().items) == (incident, [])


def test_of_two_actions_from_one_version_one_is_refused(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    incident = story.only()
    expected = {str(incident.entries)}
    for name in ("ann", "bob"):
        action = IncidentAction("ack", Actor.named(name))
        if name == "ann":
            assert story.records.act_on_incident(incident.id, action, T0, expected) is not None
        else:
            with pytest.raises(VersionConflict):
                story.records.act_on_incident(incident.id, action, T0, expected)


def test_a_closing_is_undone_whatever_the_monitor_entered_meanwhile(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    story.find((STOP, "off", LIFT), at_s=15)
    incident = story.only()
    story.records.add_notifications([notification(key="mail", incident_id=incident.id)], T0 + 18 * S)
    (claimed,) = story.records.claim_notifications(T0 + 18 * S, 60 * S, 10)
    closed = story.act(incident.id, "close", 20, reason="repaired")
    assert closed is not None
    story.records.settle_sent([claimed.id], NotificationAttempt("way", "mail", "", T0 + 23 * S, "delivered"), to="bob")
    undo, expected = IncidentAction("reopen", ANN), {str(closed.entries)}
    with pytest.raises(VersionConflict):
        story.records.act_on_incident(incident.id, IncidentAction("close", ANN), T0 + 24 * S, {"1"})
    undone = story.records.act_on_incident(incident.id, undo, T0 + 25 * S, expected)
    assert undone is not None
    assert (undone.is_open, story.kinds(incident.id)[-1]) == (True, "undone")
    story.act(incident.id, "assign", 30, to="bob")
    with pytest.raises(VersionConflict):
        story.records.act_on_incident(incident.id, undo, T0 + 31 * S, {str(undone.entries)})


def test_a_notification_does_not_make_a_read_version_old_but_a_new_alert_does(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    incident = story.only()
    notified(story.records, incident.id, "bob", T0 + 12 * S)
    stage = IncidentAction("stage", ANN, stage="confirmed")
    confirmed = story.records.act_on_incident(incident.id, stage, T0 + 13 * S, {str(incident.entries)})
    assert confirmed is not None
    story.find((DOOR, "on", LIFT), at_s=14)
    with pytest.raises(VersionConflict):
        story.records.act_on_incident(incident.id, IncidentAction("answer", ANN), T0 + 15 * S, {str(confirmed.entries)})


def test_a_call_opens_an_incident_and_the_next_one_is_entered_there(story: Story) -> None:
    story.records.put_lift(LiftFacts(LIFT, DISTRICT), ANN, T0)
    first = story.records.report_by_call(LIFT, "entrapment", "110", ANN, T0)
    again = story.records.report_by_call(LIFT, "nuisance", None, BOB, T0 + S)
    assert first is not None
    assert again is not None
    assert (again.id, again.kind, story.kinds(first.id)) == (first.id, "entrapment", ["opened", "called"])
    story.find((STOP, "on", LIFT), at_s=10)
    assert story.only().unclosed == 1
    assert story.records.report_by_call("nobody", "entrapment", None, ANN, T0) is None


def test_merging_splitting_and_linking_move_the_alerts(story: Story) -> None:
    story.find((STOP, "on", "a"), (DOOR, "on", "b"), at_s=10)
    one, other = story.only(lift_id=("a",)), story.only(lift_id=("b",))
    merged = story.records.merge_incidents(one.id, other.id, ANN, T0 + 20 * S, "one cause")
    assert merged is not None
    assert {alert.lift_id for alert in story.history(one.id).alerts} == {"a", "b"}
    assert story.history(other.id).alerts == []
    (door,) = [alert for alert in story.history(one.id).alerts if alert.lift_id == "b"]
    with pytest.raises(Refused, match="Not alerts or lifts of this incident"):
        story.records.split_incident(one.id, {door.id, "x"}, ANN, T0)
    new = story.records.split_incident(one.id, {door.id}, ANN, T0 + 30 * S)
    assert new is not None
    assert [alert.id for alert in story.history(new.id).alerts] == [door.id]
    story.find((STOP, "on", "b"), at_s=40)
    assert story.history(new.id).visible.incident.unclosed == 2
    linked = story.records.link_incidents(one.id, other.id, ANN, T0 + 50 * S)
    assert linked is not None
    assert other.id in linked.links
    assert story.records.link_incidents(one.id, "nobody", ANN, T0) is None
    assert story.kinds(one.id) == ["opened", "merged", "split", "linked"]


def test_an_incident_that_is_linked_to_a_merged_one_is_linked_to_the_one_that_goes_on(story: Story) -> None:
    for at_s, lift_id in enumerate("abc", 10):
        story.find((STOP, "on", lift_id), at_s=at_s)
    one, other, third = (story.only(lift_id=(each,)) for each in "abc")
    story.records.link_incidents(third.id, other.id, ANN, T0 + 20 * S)
    story.records.merge_incidents(one.id, other.id, ANN, T0 + 30 * S)
    links = {each.id: story.history(each.id).visible.incident.links for each in (one, other, third)}
    assert links == {one.id: (third.id,), other.id: (third.id,), third.id: (one.id,)}
    story.records.link_incidents(third.id, other.id, ANN, T0 + 40 * S)
    story.records.merge_incidents(third.id, one.id, ANN, T0 + 50 * S)
    assert story.only(lift_id=("c",)).links == (other.id,)


def test_a_report_moves_with_its_lift_when_the_lift_is_split_off(story: Story) -> None:
    story.records.put_lift(LiftFacts("b", DISTRICT), ANN, T0)
    story.find((STOP, "on", "a"), at_s=10)
    assert story.records.report_publicly("b", "entrapment", "help", "ab" * 20, T0 + 20 * S) is not None
    one, other = story.only(lift_id=("a",)), story.only(lift_id=("b",))
    story.records.merge_incidents(one.id, other.id, ANN, T0 + 30 * S)
    assert story.only(lift_id=("a",)).unanswered == 1
    assert story.records.surviving_incident_id(other.id) == one.id
    with pytest.raises(Refused, match="Not alerts or lifts of this incident: c"):
        story.records.split_incident(one.id, (), ANN, T0, lift_ids=["c"])
    new = story.records.split_incident(one.id, (), ANN, T0 + 40 * S, lift_ids=["b"])
    assert new is not None
    assert (new.kind, new.may_hold_people, new.unanswered, new.unconfirmed) == ("entrapment", True, 1, True)
    report, incident = story.records.public_report("ab" * 20) or (None, None)
    assert report is not None
    assert incident == new
    assert story.only(lift_id=("a",)).unanswered == 0


def test_the_number_of_a_caller_is_read_in_the_incident_that_the_called_one_was_merged_into(story: Story) -> None:
    story.records.put_lift(LiftFacts("b", DISTRICT), ANN, T0)
    called = story.records.report_by_call("b", "entrapment", "+86 10 5555-0100", ANN, T0 + 5 * S)
    assert called is not None
    for n, lift_id in enumerate("ac"):
        story.find((STOP, "on", lift_id), at_s=10 + n)
    first, last = story.only(lift_id=("a",)), story.only(lift_id=("c",))
    story.records.merge_incidents(first.id, called.id, ANN, T0 + 20 * S)
    story.records.merge_incidents(last.id, first.id, ANN, T0 + 30 * S)
    numbers = [entry.note for entry in story.history(last.id).story if entry.by == "ann" and entry.note]
    assert numbers == ["+86 10 5555-0100"]
    assert story.records.surviving_incident_id(called.id) == last.id


def test_a_building_without_power_is_one_incident(story: Story) -> None:
    for lift_id in "abc":
        address = "1 Short Street" if lift_id == "c" else " 12 Long Street"
        story.records.put_lift(LiftFacts(lift_id, DISTRICT, address=address), ANN, T0)
    story.find((POWER, "on", "a"), at_s=10)
    story.find((STOP, "on", "b"), (POWER, "on", "c"), at_s=11)
    story.find((POWER, "on", "b"), at_s=12)
    open_ones = story.all(state=("open",))
    assert sorted(sorted(lift.lift_id for lift in one.lifts) for one in open_ones) == [["a", "b"], ["c"]]
    (ours,) = [one for one in open_ones if one.lift("a")]
    assert {alert.lift_id for alert in story.history(ours.id).alerts} == {"a", "b"}
    assert ours.unclosed == 3


def test_open_alerts_of_a_version_without_incidents_get_theirs_once(story: Story) -> None:
    story.find((STOP, "on", "a"), (DOOR, "on", "a"), (STOP, "on", "b"), at_s=10)
    (first,) = story.history(story.only(lift_id=("b",)).id).alerts
    story.records.answer(first.id, Answer("ack", ANN), T0 + 12 * S)
    with story.records._database.writing() as connection:
        for table in ("incidents", "incident_lifts", "incident_entries"):
            connection.execute(text(f"DELETE FROM {table}"))  # nosec B608
        connection.execute(text("UPDATE alerts SET incident_id = NULL"))
    for _ in range(2):
        story.records.adopt_open_alerts(T0 + 100 * S)
    by_lift = {one.lift_id: one for one in story.all()}
    assert {lift: one.unclosed for lift, one in by_lift.items()} == {"a": 2, "b": 1}
    assert (by_lift["b"].acknowledged_by, by_lift["a"].acknowledged_by) == (("ann",), ())
    assert by_lift["a"].opened_ns == T0 + 11 * S


def test_filters_find_incidents_and_a_cursor_continues(story: Story) -> None:
    story.records.put_lift(LiftFacts("a", DISTRICT, maintenance_firm="Otto"), ANN, T0)
    story.records.put_lift(LiftFacts("b", DISTRICT, maintenance_firm="Rival"), ANN, T0)
    story.find((ENTRAPMENT, "on", "a"), at_s=10)
    story.find((DOOR, "on", "b"), at_s=20)
    story.act(story.only(lift_id=("b",)).id, "assign", 30, to="ann")
    wanted = [
        {"kind": ("entrapment",)}, {"severity": ("critical",)}, {"firm": ("Otto",)}, {"lift_id": ("a",)},
    ]  # fmt: skip
    assert {story.only(**each).lift_id for each in wanted} == {"a"}
    assert story.only(owner=("ann",)).lift_id == "b"
    assert (story.all(state=("closed",)), len(story.all(state=("open",), district=(DISTRICT,)))) == ([], 2)
    page = story.records.incidents(IncidentFilter(from_ns=T0, to_ns=T0 + 99 * S), limit=1)
    rest = story.records.incidents(IncidentFilter(), limit=1, cursor=page.next)
    assert [each.incident.lift_id for each in (*page.items, *rest.items)] == ["b", "a"]
    assert rest.next is None


def test_an_organisation_finds_the_incidents_of_its_lifts_alone(story: Story) -> None:
    story.records.put_lift(LiftFacts("a", DISTRICT, maintenance_firm="Otto", address="x"), ANN, T0)
    story.records.put_lift(LiftFacts("b", DISTRICT, maintenance_firm="Rival", address="x"), ANN, T0)
    story.find((POWER, "on", "a"), at_s=10)
    story.find((POWER, "on", "b"), at_s=11)
    incident = story.only()
    found = story.records.incident(incident.id, OTTO)
    assert found is not None
    assert (found.visible.lift_ids, {alert.lift_id for alert in found.alerts}) == ({"a"}, {"a"})
    assert [story.records.incident_is_within(incident.id, scope) for scope in (OTTO, ALL_LIFTS)] == [False, True]
    story.find((STOP, "on", "c"), at_s=20)
    other = story.only(lift_id=("c",))
    assert story.records.incident(other.id, RIVAL) is None
    assert not story.records.has_incident(other.id, RIVAL)
    assert len(story.records.incidents(IncidentFilter(), scope=RIVAL).items) == 1
    assert story.records.act_on_incident(other.id, IncidentAction("ack", BOB), T0, scope=RIVAL) is None


def test_a_note_that_is_not_shared_is_read_by_its_own_organisation(story: Story) -> None:
    story.records.put_lift(LiftFacts(LIFT, DISTRICT, maintenance_firm="Otto", owner="Rival"), ANN, T0)
    story.find((STOP, "on", LIFT), at_s=10)
    incident = story.only()
    story.act(incident.id, "comment", 20, BOB, note="no parts")
    read = {scope: story.records.incident(incident.id, scope) for scope in (OTTO, RIVAL)}
    notes = [found.story[-1].note for found in read.values() if found is not None]
    assert notes == ["no parts", None]


def test_attempts_to_notify_are_entries_and_the_first_reaches_the_stage(story: Story) -> None:
    story.find((STOP, "on", LIFT), at_s=10)
    incident = story.only()
    for at_s in (20, 30):
        notified(story.records, incident.id, "bob", T0 + at_s * S)
    assert story.only().stages["notified"] == T0 + 20 * S
    assert [entry.to for entry in story.history(incident.id).story[1:]] == ["bob", "bob"]


def test_entries_are_announced_in_order_with_the_incident_of_that_moment(story: Story) -> None:
    story.find((STOP, "on", "a"), at_s=10)
    story.act(story.only().id, "ack", 20)
    first, second = story.records.incident_entries_since(0)
    assert ('"acknowledged":false' in first.incident_json, '"acknowledged":true' in second.incident_json) == (
        True,
        True,
    )
    assert (second.kind, second.lift_id, second.id) == ("acknowledged", "a", story.records.last_incident_entry())
    assert story.records.incident_entries_since(second.id) == []


def test_closed_incidents_are_deleted_with_their_alerts_after_their_years(story: Story) -> None:
    story.find((BUTTON, "on", "a"), (STOP, "on", "b"), at_s=10)
    story.act(story.only(lift_id=("a",)).id, "close", 20, reason="test")
    story.find(at_s=60)
    story.records.delete_expired(T0 + 4 * YEAR_NS)
    assert len(story.all()) == 2
    story.records.delete_expired(T0 + 5 * YEAR_NS + DAY_NS)
    assert [one.lift_id for one in story.all()] == ["b"]
    assert {entry.lift_id for entry in story.records.incident_entries_since(0)} == {"b"}
