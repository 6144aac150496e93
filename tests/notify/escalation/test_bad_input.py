"""Calls about incidents of lifts that move to another firm, with hostile names, after an acknowledgement, and beside
ten thousand others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from notify.escalation.duty_caller import PLANS_FAILED, DutyCaller
from notify.texts.message import LINE_CHARS, SUBJECT_CHARS
from notify.texts.notification_text import notification_message
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.scope import NO_LIFTS, LiftScope
from registry.ways import SMS
from store.records.outbox.notifications import NotificationAttempt, WaitingNotification
from store.records.repository import Records
from tests.alerts.incidents.desk import BUTTON, ENTRAPMENT
from tests.alerts.rules import LIFT, POWER, T0, S, occurrence
from tests.notify.escalation.firm import DORA, CalledFirm, act, call_at, story
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

HOSTILE = "Tower\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script>\u202e{to}"
LONG = "x" * 10_000
INCIDENTS, AT_ONCE = 10_000, 1000
FAILED_ATTEMPT = NotificationAttempt("w", SMS, "…0001", T0, "failed", "no answer")


def claim(records: Records, at_s: float) -> list[WaitingNotification]:
    """Claim the notifications about incidents that are due."""
    claimed = records.claim_notifications(T0 + round(at_s * S), 0, 10)
    return [each for each in claimed if each.notification.incident_id]


def claim_and_fail(records: Records, at_s: float = 0) -> list[WaitingNotification]:
    """Claim the notifications that are due, and store that each was tried in vain and is to be tried again at once."""
    claimed = claim(records, at_s)
    records.settle_again([each.id for each in claimed], FAILED_ATTEMPT, T0 + round(at_s * S))
    return claimed


def add_otto(records: Records) -> None:
    """Add the firm `Other`, with Otto, who is reached by SMS."""
    other = organisation(records, "Other", OrganisationKind.MAINTENANCE_FIRM)
    otto = person(records, "otto", other, Role.DISPATCHER)
    way = records.add_way(otto.person_id, SMS, "+8613811112222", None, BY, T0)
    assert records.verify_way(otto.person_id, way.way_id, sent_code(records), BY, T0) is not None


def test_an_acknowledgement_counts_as_long_as_its_firm_is_responsible(records: Records, firm: CalledFirm) -> None:
    add_otto(records)
    incident_id = firm.open_incident()
    act(records, incident_id, IncidentAction("ack", replace(Actor.named("ada"), organisation="Firm")), 10)
    call_at(records, 30)
    assert firm.called() == []
    firm.put_lift(LIFT, maintenance_firm="Other")
    call_at(records, 60, 61, 121)
    assert firm.called() == [(61, "otto"), (121, "otto")]
    assert story(records, incident_id, "not-responsible") == [("Firm", "Firm")]


def test_a_firm_whose_lift_holds_nobody_silences_no_firm_whose_lift_holds_people(
    records: Records, firm: CalledFirm
) -> None:
    add_otto(records)
    firm.put_lift("L-OTHER", maintenance_firm="Other")
    incident_id = firm.open_incident(POWER)
    firm.open_incident(POWER, lift_id="L-OTHER", at_s=1)
    firm.open_incident(ENTRAPMENT, lift_id="L-OTHER", at_s=2)
    ada, scope = replace(Actor.named("ada"), organisation="Firm"), LiftScope(names=frozenset({"Firm"}))
    assert records.act_on_incident(incident_id, IncidentAction("ack", ada), T0 + 10 * S, scope=scope) is not None
    call_at(records, 10, 70, 130)
    assert [at_s for at_s, login in firm.called() if login == "otto"] == [10, 70, 130]
    assert [each for each in firm.called() if each[1] == "ada"] == []


def test_the_other_firm_is_called_when_a_lift_moves_to_it_with_an_open_incident(
    records: Records, firm: CalledFirm
) -> None:
    add_otto(records)
    incident_id = firm.open_incident()
    call_at(records, 0)
    assert firm.called() == [(0, "ada")]
    firm.put_lift(LIFT, maintenance_firm="Other")
    call_at(records, 60, 120)
    assert {login for at_s, login in firm.called() if at_s > 0} == {"otto"}, "and the former firm no more"
    assert story(records, incident_id, "not-responsible") == [("Firm", "Firm")]


@pytest.mark.parametrize(("firm_of_lift", "about"), [(None, "no-organisation"), ("Empty", "no-roster")])
def test_the_desk_is_shown_a_critical_incident_about_which_nobody_could_be_called(
    records: Records, firm: CalledFirm, firm_of_lift: str | None, about: str
) -> None:
    organisation(records, "Empty", OrganisationKind.MAINTENANCE_FIRM)
    firm.put_lift("L2", maintenance_firm=firm_of_lift)
    incident_id = firm.open_incident(BUTTON, lift_id="L2")
    caller = DutyCaller(records, lambda: T0 + 2 * S)
    for _ in range(2):
        caller.call_due()
    found = records.incident(incident_id)
    assert found is not None
    assert [entry.about for entry in found.story if entry.kind == "unreached"] == [about]
    assert [each.incident.id for each in records.uncalled_incidents()] == [incident_id]
    assert records.uncalled_incidents(scope=NO_LIFTS) == []
    records.act_on_incident(incident_id, IncidentAction("ack", Actor.named("desk")), T0 + 3 * S)
    assert records.uncalled_incidents() == []


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


def test_a_call_that_was_tried_is_not_sent_again_once_somebody_has_taken_the_incident_up(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    call_at(records, 0)
    (tried,) = claim_and_fail(records)
    act(records, incident_id, IncidentAction("ack", DORA), 1)
    later = replace(tried.notification, key="a call after that")
    assert records.add_notifications([later], T0 + 2 * S) == 1
    assert [each.notification.key for each in claim(records, 2)] == [later.key]


def test_a_call_whose_way_failed_is_not_sent_by_the_next_way_once_somebody_has_taken_the_incident_up(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    call_at(records, 0)
    records.leave_way(claim(records, 0), FAILED_ATTEMPT, for_good=False)
    act(records, incident_id, IncidentAction("ack", DORA), 1)
    assert claim(records, 2) == []


def test_the_first_attempt_of_a_call_is_made_where_the_clock_of_the_acknowledgement_is_ahead(
    records: Records, firm: CalledFirm
) -> None:
    firm.put_lift(LIFT, maintenance_firm="Other")
    incident_id = firm.open_incident()
    act(records, incident_id, IncidentAction("ack", DORA), 105)
    act(records, incident_id, IncidentAction("call-out", DORA, rescue=RescueStep("call-out", who="Firm")), 107)
    call_at(records, 103)
    assert firm.called() == [(103, "ada")]
    assert len(claim_and_fail(records, 103)) == 1
    assert len(claim(records, 110)) == 1, "called out after the acknowledgement"
    act(records, incident_id, IncidentAction("accept", DORA, rescue=RescueStep("accept", 1)), 111)
    assert claim(records, 112) == []


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
