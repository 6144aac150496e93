"""Webhooks carry incidents: each entry of a story arrives signed, in order, filtered, across a failure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from alerts.escalation.targets import MissedTarget
from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from notify.webhook import PAUSE_LIMIT_S, Endpoint
from notify.webhook_notifier import WebhookNotifier, WebhookSender
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.repository import AlertFilter, IncidentFilter, Records
from tests.alerts.incidents.desk import BUTTON
from tests.alerts.rules import DISTRICT, DOOR, POWER, T0, S, occurrence
from tests.loopback import PATIENCE_S
from tests.notify.receivers import HttpReceiver, http_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BY = Actor.named("test")


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


class Subscriber:
    """An endpoint about incidents alone, unless `filters` say otherwise, and what it has received."""

    def __init__(self, records: Records, receiver: HttpReceiver, **filters: Any) -> None:
        self.records, self.receiver, self.now_ns = records, receiver, T0
        given = {"name": "desk", "subjects": ("incident",), **filters}
        self.endpoint = Endpoint(url=receiver.url, secret=SECRET, **given)
        self.notifier = WebhookNotifier(records, [self.endpoint], lambda: self.now_ns)
        self.notifier.register()

    def sent(self) -> list[dict[str, Any]]:
        """Route and send everything that is due; return the messages in the order of their arrival."""
        self.notifier.route(self.endpoint)
        sender = WebhookSender(self.records, self.endpoint, Counter(), lambda: self.now_ns)
        while sender.send_due():
            pass
        sender._client.close()
        found = []
        while not self.receiver.requests.empty():
            found.append(self.receiver.requests.get().json)
        return found


def judge(records: Records, *what: Any) -> None:
    records.judge(position=1, occurrences=list(what), now_ns=T0)


def acted(records: Records, kind: str, by: Actor, **more: Any) -> str:
    (visible,) = records.incidents(IncidentFilter()).items
    assert records.act_on_incident(visible.incident.id, IncidentAction(kind, by, **more), T0 + S) is not None
    return visible.incident.id


def test_a_running_notifier_delivers_the_entry_of_an_incident_with_a_valid_signature(
    records: Records, receiver: HttpReceiver
) -> None:
    notifier = WebhookNotifier(records, [Endpoint("desk", receiver.url, SECRET)])
    notifier.register()
    notifier.start()
    judge(records, occurrence(BUTTON, "on", 10))
    notifier.wake.set()
    requests = [receiver.requests.get(timeout=PATIENCE_S) for _ in range(2)]
    notifier.stop()
    messages = [Webhook(SECRET).verify(each.body, each.headers) for each in requests]
    assert sorted(message["type"] for message in messages) == ["alert.fired", "incident.opened"]
    (told,) = (message for message in messages if message["type"] == "incident.opened")
    (entry,) = records.incident_entries_since(0)
    assert (told["data"]["kind"], told["data"]["state"], told["entry"]["id"]) == ("alarm-call", "open", entry.id)
    names = {each.headers["webhook-id"] for each in requests}
    assert f"{told['data']['id']}-{entry.id}" in names


def test_the_entries_of_one_incident_arrive_in_order_across_a_failure(records: Records, receiver: HttpReceiver) -> None:
    desk = Subscriber(records, receiver)
    receiver.answer(503)
    judge(records, occurrence(BUTTON, "on", 10))
    acted(records, "ack", BY)
    assert [each["type"] for each in desk.sent()] == ["incident.opened"]
    desk.now_ns += round(PAUSE_LIMIT_S * S)
    again = desk.sent()
    assert [each["type"] for each in again] == ["incident.opened", "incident.acknowledged"]
    assert (again[1]["entry"]["by"], again[1]["data"]["acknowledged"]) == ("test", True)
    assert desk.sent() == []


@pytest.mark.parametrize(
    ("filters", "types"),
    [
        ({}, 2),
        ({"kinds": ("entrapment",)}, 0),
        ({"kinds": ("alarm-call",)}, 1),
        ({"severities": ("critical",)}, 1),
        ({"districts": ("elsewhere",)}, 0),
        ({"districts": (DISTRICT,)}, 2),
        ({"subjects": ("alert",)}, 0),
    ],
)
def test_an_endpoint_receives_the_incidents_of_its_filters(
    records: Records, receiver: HttpReceiver, filters: dict[str, Any], types: int
) -> None:
    desk = Subscriber(records, receiver, **filters)
    judge(records, occurrence(BUTTON, "on", 10), occurrence(DOOR, "on", 10, lift_id="b"))
    assert [each["type"] for each in desk.sent() if each["type"].startswith("incident")] == ["incident.opened"] * types


def subscriber_of_tower(records: Records, receiver: HttpReceiver, own: str, foreign: str) -> Subscriber:
    """Register a lift of Tower Ltd and one of Other Ltd; return an endpoint that receives what concerns Tower Ltd."""
    for lift_id, owner in ((own, "Tower Ltd"), (foreign, "Other Ltd")):
        records.put_lift(LiftFacts(lift_id, DISTRICT, owner=owner, address="Garden Road 3"), BY, T0)
    return Subscriber(records, receiver, organisations=("Tower Ltd",), severities=())


def test_an_organisation_receives_its_own_lifts_and_no_note_that_others_did_not_share(
    records: Records, receiver: HttpReceiver
) -> None:
    tower = subscriber_of_tower(records, receiver, own="a", foreign="b")
    judge(records, occurrence(POWER, "on", 10, lift_id="a"), occurrence(POWER, "on", 11, lift_id="b"))
    stranger = Actor("bob", None, "Other Ltd", None, None)
    acted(records, "comment", stranger, note="the key is under the mat")
    acted(records, "comment", stranger, note="help is coming", shared=True)
    sent = tower.sent()
    assert {lift["lift_id"] for each in sent for lift in each["data"]["lifts"]} == {"a"}
    told = [(each["entry"]["by"], each["entry"]["note"]) for each in sent if each["type"] == "incident.commented"]
    assert told == [("Other Ltd", None), ("bob", "help is coming")]


def test_of_an_incident_with_foreign_lifts_an_organisation_receives_nothing_that_names_one(
    records: Records, receiver: HttpReceiver
) -> None:
    tower = subscriber_of_tower(records, receiver, own="own-1", foreign="foreign-1")
    desk = Subscriber(records, receiver, name="all")
    judge(records, occurrence(POWER, "on", 10, lift_id="foreign-1"), occurrence(POWER, "on", 11, lift_id="own-1"))
    (shared,) = records.incidents(IncidentFilter()).items
    foreign = [each.id for each in records.alerts(AlertFilter(lift_id=("foreign-1",))).items]
    records.report_publicly("foreign-1", "entrapment", "my name is Wang", "r1", T0 + 20 * S)
    records.report_by_call("own-1", "entrapment", None, BY, T0 + 20 * S)
    gap = [MissedTarget("on-duty", "gap", name="nights")]
    records.note_unreached(shared.incident.id, "Other Ltd", gap, T0, T0 + 21 * S)
    for lift_id in ("foreign-1", "own-1"):
        stage = {"stage": "on-site", "lift_id": lift_id}
        acted(records, "stage", BY, **stage)
        acted(records, "retract", BY, note="the wrong car", **stage)
        acted(records, "arrive", BY, rescue=RescueStep("arrive", place="car", lift_id=lift_id))
    sent, all_of_it = tower.sent(), desk.sent()
    secrets = ("foreign-1", "Wang", "nights", *foreign)
    assert [each for each in secrets if each not in json.dumps(all_of_it)] == []
    assert [each for each in secrets if each in json.dumps(sent)] == []
    told = [(each["entry"]["kind"], each["entry"]["about"], each["entry"]["to"]) for each in sent]
    assert {("on-site", "own-1", None), ("retracted", "on-site", "own-1"), ("arrived", "car", "own-1")} <= set(told)
    assert {each["data"]["summary"] for each in sent if "summary" in each["data"]} == {None}


def test_an_incident_of_foreign_lifts_is_sent_to_no_organisation(records: Records, receiver: HttpReceiver) -> None:
    records.put_lift(LiftFacts("a", DISTRICT, owner="Tower Ltd"), BY, T0)
    other = Subscriber(records, receiver, organisations=("Other Ltd",))
    judge(records, occurrence(BUTTON, "on", 10, lift_id="a"))
    assert other.sent() == []


def test_an_endpoint_that_is_new_receives_no_earlier_entry(records: Records, receiver: HttpReceiver) -> None:
    judge(records, occurrence(BUTTON, "on", 10))
    desk = Subscriber(records, receiver)
    assert desk.sent() == []
    acted(records, "ack", BY)
    assert [each["type"] for each in desk.sent()] == ["incident.acknowledged"]


def test_an_organisation_receives_what_follows_about_a_lift_that_was_deleted_during_its_incident(
    records: Records, receiver: HttpReceiver
) -> None:
    records.put_lift(LiftFacts("a", DISTRICT, owner="Tower Ltd"), BY, T0)
    tower = Subscriber(records, receiver, organisations=("Tower Ltd",), subjects=("alert", "incident"))
    judge(records, occurrence(BUTTON, "on", 10, lift_id="a"))
    assert sorted(each["type"] for each in tower.sent()) == ["alert.fired", "incident.opened"]
    records.delete_lift("a", BY, T0 + 20 * S)
    records.add_unregistered([("a", DISTRICT)])  # a deleted lift still sends
    acted(records, "ack", BY)
    sent = tower.sent()
    assert sorted(each["type"] for each in sent) == ["alert.acknowledged", "incident.acknowledged"]
    assert [lift["lift_id"] for each in sent if "lifts" in each["data"] for lift in each["data"]["lifts"]] == ["a"]


def test_an_organisation_does_not_receive_an_incident_that_is_opened_after_its_lift_was_deleted(
    records: Records, receiver: HttpReceiver
) -> None:
    records.put_lift(LiftFacts("a", DISTRICT, owner="Tower Ltd"), BY, T0)
    records.judge(position=1, occurrences=[occurrence(DOOR, "on", 0, lift_id="a")], now_ns=T0)
    tower = Subscriber(records, receiver, organisations=("Tower Ltd",), subjects=("alert", "incident"))
    records.delete_lift("a", BY, T0 + S)
    records.judge(position=2, occurrences=[occurrence(DOOR, "off", 5, lift_id="a")], now_ns=T0 + 5 * S)
    assert {each["type"] for each in tower.sent()} == {"alert.cleared"}
    acted(records, "close", BY, reason="repaired")
    records.judge(position=3, occurrences=[occurrence(BUTTON, "on", 90, lift_id="a")], now_ns=T0 + 90 * S)
    assert sorted(each["type"] for each in tower.sent()) == ["alert.resolved", "incident.closed"], "nothing opened"
