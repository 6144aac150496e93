"""People with verified ways, and a dispatcher that the tests drive by a clock of their own."""

from __future__ import annotations

from collections.abc import Mapping

from notify.dispatch.dispatcher import NotificationDispatcher
from notify.ways.sender import Sender
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.ways import NotificationWay
from store.records.repository import NotificationAttempt, Records
from tests.alerts.rules import T0, S
from tests.loopback import until

BY = Actor.named("test")
PUBLIC_URL = "https://lifts.example"


def desk_person(records: Records, name: str, language: str | None = None) -> str:
    """Add a person of a desk; return the id."""
    found = [each for each in records.organisations() if each.name == "Desk"]
    desk = found[0] if found else records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
    person = records.add_person(name, name.lower(), {desk.organisation_id: Role.DISPATCHER}, BY, T0)
    assert person is not None
    if language is not None:
        records.change_person(person.person_id, {"language": language}, BY, T0)
    return person.person_id


def verified_way(
    records: Records, person_id: str, kind: str, address: str, secret: str | None = None
) -> NotificationWay:
    """Add a way and give back its code."""
    way = records.add_way(person_id, kind, address, secret, BY, T0)
    (code,) = [each for each in records.claim_notifications(T0, 60 * S, 1000) if each.way_id == way.way_id]
    records.settle_sent([code.id], NotificationAttempt(way.way_id, kind, "", T0, "delivered"))
    verified = records.verify_way(person_id, way.way_id, code.notification.code or "", BY, T0)
    assert verified is not None
    return verified


class Driven:
    """A dispatcher whose rounds and clock the test turns."""

    def __init__(self, records: Records, senders: Mapping[str, Sender], public_url: str | None = None) -> None:
        self.now_ns = T0
        self.dispatcher = NotificationDispatcher(records, senders, public_url, lambda: self.now_ns)

    def round(self) -> None:
        """Run one round, and wait for its messages."""
        self.dispatcher.dispatch_due()
        until(lambda: not self.dispatcher._under_way, "the end of the messages")

    def turn(self, seconds: float, step_s: float = 1.0) -> None:
        """Run rounds for some seconds of the clock."""
        end_ns = self.now_ns + round(seconds * S)
        while self.now_ns < end_ns:
            self.round()
            self.now_ns += round(step_s * S)
        self.round()
