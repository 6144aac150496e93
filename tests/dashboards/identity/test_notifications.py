"""What became of notifications, through the API: whom they have not reached, the attempts, and who reads about whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from alerts.incidents.incident import Incident
from store.records.repository import NotificationAttempt
from tests.dashboards.identity.accounts import BY, Accounts, sign_in
from tests.notify.notifications import NOTIFICATION

UNREACHED = "/api/v1/notifications/unreached"


@pytest.fixture(name="incident")
def notified(accounts: Accounts) -> Incident:
    """An incident of the firm's lift: the second way reached the mechanic, none the boss and the stranger."""
    opened = accounts.records.report_by_call("L001", "entrapment", None, BY, accounts.now_ns)
    assert opened is not None
    sent = [
        replace(NOTIFICATION, key=each.login, person_id=each.person_id, incident_id=opened.id)
        for each in (accounts.mechanic, accounts.boss, accounts.stranger)
    ]
    accounts.records.add_notifications(sent, accounts.now_ns)
    one, two, three = accounts.records.claim_notifications(accounts.now_ns, 10**9, 10)
    failed = NotificationAttempt("w1", "mail", "m@example.org", accounts.now_ns, "permanent", "SMTP 550 gone")
    accounts.records.leave_way([one], failed, for_good=True)
    done = NotificationAttempt("w2", "sms", "…8000", accounts.now_ns + 10**9, "delivered")
    accounts.records.settle_sent([one.id], done, to="Mechanic")
    accounts.records.fail_notifications([two.id], "no-way", accounts.now_ns)
    accounts.records.settle_again([three.id], replace(failed, result="try-again", reason="HTTP 503"), accounts.now_ns)
    return opened


def test_the_desk_sees_whom_notifications_have_not_reached(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    sign_in(client, "viewer")
    items = client.get(UNREACHED).json()["items"]
    assert [(each["person"], each["reason"], each["given_up"] is None) for each in items] == [
        ("Stranger", "HTTP 503", True), ("Boss", "no-way", False),
    ]  # fmt: skip
    assert {each["incident_id"] for each in items} == {incident.id}
    assert items[0]["lift_name"] == "Garden Road 3"


def test_a_firm_reads_about_its_own_people_and_incidents_alone(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    sign_in(client, "mechanic")
    assert [each["person"] for each in client.get(UNREACHED).json()["items"]] == ["Boss"]
    attempts = client.get(f"/api/v1/incidents/{incident.id}/notifications").json()["items"]
    assert [(each["person"], each["kind"], each["result"], each["reason"]) for each in attempts] == [
        ("Mechanic", "mail", "permanent", "SMTP 550 gone"), ("Mechanic", "sms", "delivered", ""),
    ]  # fmt: skip
    client.cookies.clear()
    sign_in(client, "stranger")
    assert client.get(UNREACHED).json()["items"] == []
    assert client.get(f"/api/v1/incidents/{incident.id}/notifications").status_code == 404


def test_a_delivery_reaches_the_stage_notified(client: TestClient, accounts: Accounts, incident: Incident) -> None:
    sign_in(client, "viewer")
    found = client.get(f"/api/v1/incidents/{incident.id}").json()
    assert "notified" in found["stages"]
    assert [(each["kind"], each["to"]) for each in found["story"]][-1] == ("notified", "Mechanic")


def test_a_webhook_that_fails_is_shown_to_the_operator_alone(client: TestClient, accounts: Accounts) -> None:
    records = accounts.records
    opened = records.report_by_call("L001", "entrapment", None, BY, accounts.now_ns)
    assert opened is not None
    records.register_endpoint("desk", "incident")
    (entry,) = records.incident_entries_since(0, 10)
    records.enqueue("desk", [entry], entry.id, accounts.now_ns - 120 * 10**9, "incident")
    (made,) = records.due(["desk"], accounts.now_ns)
    records.store_attempt(made.id, "waiting", due_ns=accounts.now_ns + 10**12, error="HTTP 404")
    sign_in(client, "viewer")
    (shown,) = client.get("/api/v1/notifications/webhooks").json()["items"]
    assert (shown["endpoint"], shown["waiting"], shown["given_up"]) == ("desk", 1, 0)
    assert shown["text"]["zh"] == "接收方没有此地址（HTTP 404）"
    client.cookies.clear()
    sign_in(client, "mechanic")
    assert client.get("/api/v1/notifications/webhooks").json()["items"] == []
