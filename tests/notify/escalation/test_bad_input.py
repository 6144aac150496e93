"""Calls about incidents of lifts that are deleted or move to another firm, with hostile names, and after hours in many
time zones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts.incidents.actions import IncidentAction
from notify.escalation.duty_caller import PLANS_FAILED, DutyCaller
from notify.texts.message import LINE_CHARS, SUBJECT_CHARS
from notify.texts.notification_text import notification_message
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.ways import SMS
from store.records.repository import Records
from tests.alerts.rules import LIFT, T0, S
from tests.notify.escalation.firm import CalledFirm
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

HOSTILE = "Tower\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script>\u202e{to}"
LONG = "x" * 10_000


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
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


def test_the_other_firm_is_called_when_a_lift_moves_to_it_with_an_open_incident(
    records: Records, firm: CalledFirm
) -> None:
    other = organisation(records, "Other", OrganisationKind.MAINTENANCE_FIRM)
    otto = person(records, "otto", other, Role.DISPATCHER)
    way = records.add_way(otto.person_id, SMS, "+8613811112222", None, BY, T0)
    assert records.verify_way(otto.person_id, way.way_id, sent_code(records), BY, T0) is not None
    firm.open_incident()
    call_at(records, 0)
    assert firm.called() == [(0, "ada")]
    firm.put_lift(LIFT, maintenance_firm="Other")
    call_at(records, 60, 120)
    assert {login for at_s, login in firm.called() if at_s > 0} == {"otto"}, "and the former firm no more"


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


def test_a_deleted_lift_ends_no_incident_and_the_operator_is_called(records: Records, firm: CalledFirm) -> None:
    desk = organisation(records, "Desk", OrganisationKind.OPERATOR)
    dora = person(records, "dora", desk, Role.DISPATCHER)
    way = records.add_way(dora.person_id, SMS, "+8613811113333", None, BY, T0)
    assert records.verify_way(dora.person_id, way.way_id, sent_code(records), BY, T0) is not None
    incident_id = firm.open_incident()
    records.delete_lift(LIFT, BY, T0)
    call_at(records, 0)
    assert [login for _, login in firm.called()] == ["dora"]
    closed = records.act_on_incident(incident_id, IncidentAction("ack", Actor.named("dora")), T0 + S)
    assert closed is not None
    call_at(records, 60, 120)
    assert len(firm.called()) == 1, "acknowledged"


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
