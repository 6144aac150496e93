"""Incidents of lifts that are deleted: the firm that a lift named last is called, and sees the incident."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import IncidentAction
from detectors.catalogue import RULES
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.scope import LiftScope
from registry.ways import SMS
from store.records.repository import Records
from telemetry.instant import DAY_NS
from tests.alerts.rules import DISTRICT, LIFT, T0, S
from tests.notify.escalation.firm import DORA, CalledFirm, act, call_at, story
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

THEIRS = LiftScope(names=frozenset({"Firm"}))
OVERSPEED = next(rule for rule in RULES if rule.slug == "overspeed")


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


def test_the_incident_of_a_deleted_lift_is_closed_by_a_persons_word(records: Records, firm: CalledFirm) -> None:
    incident_id = firm.open_incident(OVERSPEED)
    with pytest.raises(Refused, match="still holds"):
        act(records, incident_id, IncidentAction("close", DORA, reason="repaired"), 1)
    records.delete_lift(LIFT, BY, T0 + 2 * S)
    act(records, incident_id, IncidentAction("close", DORA, reason="repaired"), 3)
    records.judge(position=9, occurrences=[], now_ns=T0 + 20 * S)
    found = records.incident(incident_id)
    assert found is not None
    assert [(alert.state, alert.closed_by) for alert in found.alerts] == [("closed", "dora")]


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


def test_the_firm_of_a_deleted_lift_stays_responsible_after_a_merge_into_a_younger_incident(
    records: Records, firm: CalledFirm
) -> None:
    firm.put_lift("L-OTHER", maintenance_firm="Other")
    incident_id = firm.open_incident()
    records.delete_lift(LIFT, BY, T0 + 10 * S)
    younger_id = firm.open_incident(lift_id="L-OTHER", at_s=20)
    assert not records.has_incident(younger_id, THEIRS)
    assert records.merge_incidents(younger_id, incident_id, DORA, T0 + 30 * S) is not None
    assert records.has_incident(younger_id, THEIRS)
    call_at(records, 31)
    assert firm.called() == [(31, "ada")]


def test_an_incident_after_the_deletion_of_its_lift_stays_foreign_to_the_firm_after_a_merge(
    records: Records, firm: CalledFirm
) -> None:
    firm.put_lift("L-OTHER", maintenance_firm="Other")
    firm.open_incident()
    records.delete_lift(LIFT, BY, T0 + 10 * S)
    firm.open_incident(at_s=12, kind="off")
    (closed,) = records.open_incident_ids()
    act(records, closed, IncidentAction("close", DORA, reason="false-alarm"), 13)
    later_id = firm.open_incident(at_s=DAY_NS / S)
    into_id = firm.open_incident(lift_id="L-OTHER", at_s=DAY_NS / S + 5)
    assert (later_id != closed, records.has_incident(later_id, THEIRS)) == (True, False)
    assert records.merge_incidents(into_id, later_id, DORA, T0 + DAY_NS + 9 * S) is not None
    assert not records.has_incident(into_id, THEIRS)


def test_the_firm_of_a_deleted_lift_stays_responsible_for_an_incident_that_is_split_off(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    firm.open_incident(rule=OVERSPEED, at_s=2)
    records.delete_lift(LIFT, BY, T0 + 10 * S)
    act(records, incident_id, IncidentAction("ack", DORA), 11)
    found = records.incident(incident_id)
    assert found is not None
    new = records.split_incident(incident_id, [found.alerts[0].id], DORA, T0 + 30 * S)
    assert new is not None
    assert [records.has_incident(each, THEIRS) for each in (incident_id, new.id)] == [True, True]
    assert records.call_situation([new.id]).deleted == {LIFT}


def test_the_firm_of_a_lift_that_was_deleted_after_the_closing_is_called_when_the_incident_is_reopened(
    records: Records, firm: CalledFirm
) -> None:
    incident_id = firm.open_incident()
    firm.open_incident(at_s=1, kind="off")
    act(records, incident_id, IncidentAction("close", DORA, reason="false-alarm"), 2)
    records.delete_lift(LIFT, BY, T0 + 30 * S)
    assert records.has_incident(incident_id, THEIRS)
    act(records, incident_id, IncidentAction("reopen", DORA), 60)
    call_at(records, 61)
    assert firm.called() == [(61, "ada")]
