"""The maintenance firms of the demonstration: two people each, a roster of weeks, and telephones that take messages.

A telephone is verified as a person does it: the code that was sent to it is given back.
"""

from __future__ import annotations

from datetime import date

from commands.demonstration.people import MECHANICS, NUMBERS
from registry.actor import Actor
from registry.duty.roster import Roster, Rotation
from registry.roles import Role
from registry.ways import SMS
from store.records.repository import NotificationAttempt, Records

SIMULATOR = Actor.named("simulator")
ZONE, HOLIDAYS = "Asia/Shanghai", "CN"
STARTS_ON = date(2026, 1, 5).toordinal()
"""A Monday."""
LEASE_NS, CLAIM_AT_ONCE = 1_000_000_000, 100


def add_firms(records: Records, now_ns: int) -> None:
    """Add people, ways and a roster to each maintenance firm that has lifts."""
    for firm in records.organisations():
        names = MECHANICS.get(firm.name)
        if names is None:
            continue
        people = [_add_mechanic(records, name, firm.organisation_id, now_ns) for name in names]
        turns = tuple((person_id,) for person_id in people)
        rotation = Rotation("周班 · Weeks", turns, STARTS_ON)
        roster = Roster("", firm.organisation_id, "值班 · Duty", ZONE, (rotation,), holidays=HOLIDAYS)
        records.add_roster(roster, SIMULATOR, now_ns)
    _give_codes_back(records, now_ns)


def _add_mechanic(records: Records, name: str, organisation_id: str, now_ns: int) -> str:
    login = name.split(" ", 1)[1].replace(" ", ".").lower()
    person = records.add_person(name, login, {organisation_id: Role.MECHANIC}, SIMULATOR, now_ns, language="zh")
    assert person is not None, "the organisation was just listed"
    records.add_way(person.person_id, SMS, NUMBERS[name], None, SIMULATOR, now_ns)
    return person.person_id


def _give_codes_back(records: Records, now_ns: int) -> None:
    """Verify the telephones by the codes that wait for them, as if each had been sent."""
    for waiting in records.claim_notifications(now_ns, LEASE_NS, CLAIM_AT_ONCE):
        person_id, way_id, code = waiting.notification.person_id, waiting.way_id, waiting.notification.code
        assert way_id is not None, "a code is sent by the way that it verifies"
        assert code is not None, "a notification of a code has one"
        records.verify_way(person_id, way_id, code, SIMULATOR, now_ns)
        records.settle_sent([waiting.id], NotificationAttempt(way_id, SMS, "", now_ns, "delivered"))
