"""The authority of a lift's district is notified of each change that can hide a danger."""

from __future__ import annotations

import pytest

from alerts.notification import CHANGE
from notify.texts.notification_text import notification_message
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.roles import OrganisationKind, Role
from registry.scope import lifts_of
from registry.ways import MAIL
from store.records.repository import Records, WantedChange
from tests.alerts.rules import T0, S
from tests.store.test_ways import sent_code

BY = Actor.named("test")
ADA, BEA = (Actor(name, f"person:{name}", "Firm", "manager", None) for name in ("Ada", "Bea"))
LEASE = 60 * S


def informed(records: Records, login: str, district: str, role: Role, *, verified: bool = True) -> str:
    """Add a person of the authority of a district with a way by mail, and return the person's id."""
    fields = {"kind": OrganisationKind.AUTHORITY, "name": f"City {login}", "districts": [district]}
    city = records.add_organisation(fields, BY, T0)
    person = records.add_person(login, login, {city.organisation_id: role}, BY, T0)
    assert person is not None
    way = records.add_way(person.person_id, MAIL, f"{login}@example.org", None, BY, T0)
    code = sent_code(records)
    if verified:
        assert records.verify_way(person.person_id, way.way_id, code, BY, T0) is not None
    return person.person_id


def told(records: Records, now_ns: int, language: str = "en") -> list[tuple[str, str]]:
    """Return who is notified of a change, and of what."""
    claimed = records.claim_notifications(now_ns, LEASE, 100)
    return [(n.person_id, n.sentence[language]) for n in (each.notification for each in claimed) if n.kind == CHANGE]


@pytest.mark.parametrize("decision", ["applied", "declined"])
def test_inspectors_of_the_district_are_notified_of_a_change_and_of_its_decision(
    records: Records, decision: str
) -> None:
    records.put_lift(LiftFacts("L1", "north", name="Tower"), BY, T0)
    ann = informed(records, "ann", "north", Role.INSPECTOR)
    for other in (("bob", "north-2", Role.INSPECTOR), ("cyd", "north", Role.VIEWER)):
        informed(records, *other)
    informed(records, "dan", "north", Role.INSPECTOR, verified=False)
    told(records, T0)
    wanted = WantedChange("L1", "north", "facts", {"rated_speed_mps": 2.5}, None, "new drive")
    made = records.request_change(wanted, ADA, T0 + S, None)
    assert told(records, T0 + S) == [
        (ann, "A change that can hide a danger is waiting: thresholds, by Ada (Firm): new drive")
    ]
    apply = (lambda asked: None) if decision == "applied" else None
    records.decide_change(made.id, BEA, T0 + 2 * S, apply)
    assert [(who, f"is {decision}:" in what) for who, what in told(records, T0 + 2 * S)] == [(ann, True)]


def test_the_authority_of_the_present_district_is_notified_of_the_deletion_of_a_lift_that_moved(
    records: Records,
) -> None:
    records.put_lift(LiftFacts("L1", "north", name="Tower"), BY, T0)
    people = {
        informed(records, name, district, Role.INSPECTOR) for name, district in (("ann", "north"), ("bo", "south"))
    }
    told(records, T0)
    made = records.request_change(WantedChange("L1", "north", "delete", {}, None, "gone"), ADA, T0 + S, None)
    records.patch_lift("L1", {"district": "south"}, BY, T0 + S)
    told(records, T0 + S)
    records.decide_change(made.id, BEA, T0 + 2 * S, lambda asked: records.delete_lift("L1", asked.by, T0 + 2 * S))
    assert {who for who, what in told(records, T0 + 2 * S) if "is applied:" in what} == people
    south = lifts_of(OrganisationKind.AUTHORITY, set(), {"south"})
    assert [each.id for each in records.change_requests(T0 + 3 * S, scope=south).items] == [made.id]


def test_the_message_names_the_lift_and_leads_to_the_changes(records: Records) -> None:
    records.put_lift(LiftFacts("L1", "north", name="Tower"), BY, T0)
    informed(records, "ann", "north", Role.INSPECTOR)
    records.request_change(WantedChange("L1", "north", "delete", {}, None, "gone"), ADA, T0 + S, lambda asked: None)
    (notification,) = [
        each.notification for each in records.claim_notifications(T0 + S, LEASE, 9) if each.notification.kind == CHANGE
    ]
    message = notification_message("m1", notification, "zh", {}, "https://lifts.example")
    assert "Tower" in message.subject
    assert "删除电梯" in message.subject
    assert [link.url for link in message.links] == ["https://lifts.example/changes"]


@pytest.mark.parametrize(("language", "by"), [("en", "by Ada (Tower Firm): "), ("zh", "，阿达 (塔公司)：")])
def test_a_notice_names_who_asked_in_the_language_of_its_sentence(records: Records, language: str, by: str) -> None:
    records.put_lift(LiftFacts("L1", "north"), BY, T0)
    informed(records, "ann", "north", Role.INSPECTOR)
    ada = Actor("阿达 · Ada", "person:Ada", "塔公司 · Tower Firm", "manager", None)
    records.request_change(WantedChange("L1", "north", "delete", {}, None, "gone"), ada, T0 + S, None)
    ((_, sentence),) = told(records, T0 + S, language)
    assert by in sentence
