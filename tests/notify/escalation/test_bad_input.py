"""Calls about incidents of lifts that are deleted or move to another firm, with hostile names, and after hours in many
time zones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from alerts.incidents.actions import IncidentAction
from notify.escalation.duty_caller import PLANS_FAILED, DutyCaller
from notify.texts.message import LINE_CHARS, SUBJECT_CHARS
from notify.texts.notification_text import notification_message
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.scope import LiftScope
from registry.ways import SMS
from store.records.repository import Records
from store.records.retention import DAY_NS
from tests.alerts.incidents.desk import BUTTON
from tests.alerts.rules import DISTRICT, LIFT, T0, S, occurrence
from tests.notify.escalation.firm import CalledFirm
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

HOSTILE = "Tower\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script>\u202e{to}"
LONG = "x" * 10_000
INCIDENTS, AT_ONCE = 10_000, 1000


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture(name="firm")
def called_firm(records: Records) -> CalledFirm:
    firm = CalledFirm(records)
    firm.roster(firm.ada)
    firm.policy(["on-duty"])
    return firm


def call_at(records: Records, *at_s: float) -> None:
    """Make the calls that are due, at each of these times after T0, by one caller."""
    now_s = [0.0]
    caller = DutyCaller(records, lambda: T0 + round(now_s[0] * S))
    for now_s[0] in at_s:
        while caller.call_due():
            pass


def story(records: Records, incident_id: str, kind: str) -> list[tuple[str | None, str | None]]:
    """Return note and organisation of the entries of a kind."""
    found = records.incident(incident_id)
    assert found is not None
    return [(entry.note, entry.organisation) for entry in found.story if entry.kind == kind]


def test_the_other_firm_is_called_when_a_lift_moves_to_it_with_an_open_incident(
    records: Records, firm: CalledFirm
) -> None:
    other = organisation(records, "Other", OrganisationKind.MAINTENANCE_FIRM)
    otto = person(records, "otto", other, Role.DISPATCHER)
    way = records.add_way(otto.person_id, SMS, "+8613811112222", None, BY, T0)
    assert records.verify_way(otto.person_id, way.way_id, sent_code(records), BY, T0) is not None
    incident_id = firm.open_incident()
    call_at(records, 0)
    assert firm.called() == [(0, "ada")]
    firm.put_lift(LIFT, maintenance_firm="Other")
    call_at(records, 60, 120)
    assert {login for at_s, login in firm.called() if at_s > 0} == {"otto"}, "and the former firm no more"
    assert story(records, incident_id, "not-responsible") == [("Firm", "Firm")]


def test_an_incident_that_cannot_be_planned_delays_no_other(records: Records, firm: CalledFirm) -> None:
    broken = firm.open_incident()
    call_at(records, 0)
    firm.put_lift("lift-2")
    firm.open_incident(lift_id="lift-2", at_s=10)
    with records._database.writing() as connection:
        connection.execute(text("UPDATE escalations SET at_ns = 'broken' WHERE incident_id = :id"), {"id": broken})
    caller = DutyCaller(records, lambda: T0 + 60 * S)
    caller.call_due()
    assert [each.lift.lift_id for at_s, _, each in firm.owed() if at_s == 60 and each.lift] == ["lift-2"]
    assert caller.counts[PLANS_FAILED] == 1


def test_a_deleted_lift_ends_no_incident_and_its_firm_and_the_operator_are_called(
    records: Records, firm: CalledFirm
) -> None:
    desk = organisation(records, "Desk", OrganisationKind.OPERATOR)
    dora = person(records, "dora", desk, Role.DISPATCHER)
    way = records.add_way(dora.person_id, SMS, "+8613811113333", None, BY, T0)
    assert records.verify_way(dora.person_id, way.way_id, sent_code(records), BY, T0) is not None
    incident_id = firm.open_incident()
    records.delete_lift(LIFT, BY, T0)
    records.add_unregistered([(LIFT, DISTRICT)])  # a deleted lift still sends
    call_at(records, 0)
    assert sorted(login for _, login in firm.called()) == ["ada", "dora"]
    assert {each.lift.address for _, _, each in firm.owed() if each.lift} == {"Garden Road 3"}
    assert story(records, incident_id, "lift-deleted") == [(LIFT, None)]
    closed = records.act_on_incident(incident_id, IncidentAction("ack", Actor.named("dora")), T0 + S)
    assert closed is not None
    call_at(records, 60, 120)
    assert len(firm.called()) == 2, "acknowledged"
    assert len(story(records, incident_id, "lift-deleted")) == 1


def test_the_incident_of_a_deleted_lift_stays_visible_to_its_firm_until_it_cannot_be_reopened(
    records: Records, firm: CalledFirm
) -> None:
    theirs, others = LiftScope(names=frozenset({"Firm"})), LiftScope(names=frozenset({"Other"}))
    incident_id = firm.open_incident()
    records.delete_lift(LIFT, BY, T0)
    records.add_unregistered([(LIFT, DISTRICT)])
    assert records.delete_lift(LIFT, BY, T0 + S), "which was not registered any more"
    assert [records.has_incident(incident_id, scope) for scope in (theirs, others)] == [True, False]
    assert records.incident_is_within(incident_id, theirs)
    closing = IncidentAction("close", Actor.named("dora"), reason="false-alarm")
    firm.open_incident(at_s=1, kind="off")
    assert records.act_on_incident(incident_id, closing, T0 + 2 * S, scope=theirs) is not None
    records.delete_expired(T0 + 2 * S + DAY_NS - 1)
    assert records.has_incident(incident_id, theirs)
    records.delete_expired(T0 + 2 * S + DAY_NS)
    assert not records.has_incident(incident_id, theirs)
    other_id = firm.open_incident(at_s=2 * DAY_NS / S)
    call_at(records, 2 * DAY_NS / S)
    assert (other_id != incident_id, firm.called()) == (True, []), "a later incident of the lift is not the firm's"


def test_a_lift_of_another_tenant_with_the_id_of_a_deleted_one_shows_its_incident_to_the_other_alone(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    records.delete_lift(LIFT, BY, T0)
    firm.put_lift(LIFT, maintenance_firm="Other")
    scopes = [LiftScope(names=frozenset({name})) for name in ("Firm", "Other")]
    assert [records.has_incident(incident_id, scope) for scope in scopes] == [False, True]


@pytest.mark.parametrize("text", [HOSTILE, LONG], ids=["hostile", "long"])
def test_names_and_addresses_stay_one_short_line_of_a_message(records: Records, firm: CalledFirm, text: str) -> None:
    firm.put_lift(LIFT, name=text[:190], address=text[:190])
    firm.open_incident()
    call_at(records, 0)
    ((_, _, owed),) = firm.owed()
    message = notification_message("n-1", owed, "en", {}, None)
    assert len(message.title) <= SUBJECT_CHARS
    assert all(len(line) <= LINE_CHARS for line in message.body_lines)
    assert not any(bad in each for each in (message.title, *message.body_lines) for bad in "\r\n\u202e\0")


def test_a_note_of_ten_thousand_characters_is_kept_and_calls_go_on(records: Records, firm: CalledFirm) -> None:
    incident_id = firm.open_incident()
    noted = IncidentAction("comment", Actor.named("dora"), note=LONG)
    assert records.act_on_incident(incident_id, noted, T0 + S) is not None
    history = records.incident(incident_id)
    assert history is not None
    assert history.story[-1].note == LONG
    call_at(records, 0, 60)
    assert len(firm.called()) == 2


def test_a_call_that_waits_is_not_sent_once_somebody_has_taken_the_incident_up(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    call_at(records, 0)
    (waits,) = records.claim_notifications(T0, 0, 10)
    taken_up = records.act_on_incident(incident_id, IncidentAction("ack", Actor.named("dora")), T0 + S)
    assert taken_up is not None
    later = replace(waits.notification, key="a call-out after that")
    assert records.add_notifications([later], T0 + 2 * S) == 1
    assert [each.notification.key for each in records.claim_notifications(T0 + 2 * S, 0, 10)] == [later.key]


@pytest.mark.long
def test_a_new_incident_is_called_about_in_the_next_round_beside_ten_thousand_open_ones(
    records: Records, firm: CalledFirm
) -> None:
    for first in range(0, INCIDENTS, AT_ONCE):
        found = [occurrence(BUTTON, "on", -1, lift_id=f"m{number:05}") for number in range(first, first + AT_ONCE)]
        firm.position += 1
        records.judge(position=firm.position, occurrences=found, now_ns=T0)
    now_s = [31.0]
    caller = DutyCaller(records, lambda: T0 + round(now_s[0] * S))
    assert caller.call_due(), "not all of them are planned in one round"
    incident_id = firm.open_incident(at_s=32)
    now_s[0] = 32.0
    assert caller.call_due(), "others still wait to be planned"
    assert [(at_s, each.incident_id) for at_s, _, each in firm.owed()] == [(32, incident_id)]
