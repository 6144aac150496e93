"""Acknowledging an incident of lifts of several firms: each firm for its own lifts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.incidents.incident import Incident
from store.records.repository import AlertFilter, IncidentFilter, Records
from tests.alerts.rules import POWER, occurrence
from tests.dashboards.identity.accounts import BY, Accounts, sign_in
from tests.dashboards.sample_fleet import T0_NS

OWN, FOREIGN = "L001", "L002"


@pytest.fixture(name="shared")
def shared_incident(records: Records, accounts: Accounts) -> str:
    """One incident of a lift of Firm and of one of Other, each with an alert."""
    found = [
        replace(occurrence(POWER, "on", 10, lift_id=lift_id), district=district)
        for lift_id, district in ((OWN, "d1"), (FOREIGN, "d0"))
    ]
    records.judge(position=1, occurrences=found, now_ns=T0_NS)
    one, other = (records.incidents(IncidentFilter(lift_id=(each,))).items[0].incident.id for each in (OWN, FOREIGN))
    if one != other:
        assert records.merge_incidents(one, other, BY, T0_NS) is not None
    return one


def acknowledge(client: TestClient, login: str, shared: str, by: str) -> None:
    """Acknowledge the incident, or the one alert that the account sees."""
    sign_in(client, login)
    path = f"/api/v1/incidents/{shared}"
    if by == "alert":
        (alert,) = client.get("/api/v1/alerts").json()["items"]
        path = f"/api/v1/alerts/{alert['id']}"
    answer = client.post(f"{path}/ack", json={"note": "on my way"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["acknowledged"]


def seen_by(client: TestClient, login: str, shared: str) -> bool:
    """Return whether an account sees the incident as acknowledged."""
    sign_in(client, login)
    seen: dict[str, Any] = client.get(f"/api/v1/incidents/{shared}").json()
    (listed,) = client.get("/api/v1/incidents?state=open").json()["items"]
    assert listed["acknowledged"] == seen["acknowledged"]
    return bool(seen["acknowledged"])


@pytest.mark.parametrize("by", ["incident", "alert"])
def test_a_firm_acknowledges_a_shared_incident_for_its_own_lifts(
    client: TestClient, accounts: Accounts, shared: str, by: str
) -> None:
    def now() -> Incident:
        history = accounts.records.incident(shared)
        assert history is not None
        return history.visible.incident

    acknowledge(client, "boss", shared, by)
    alerts = {each.lift_id: each.acknowledged for each in accounts.records.alerts(AlertFilter()).items}
    assert alerts == {OWN: True, FOREIGN: False}
    assert [lift.acknowledged for lift in now().lifts if lift.lift_id == FOREIGN] == [False], "its firm is called"
    assert [seen_by(client, each, shared) for each in ("boss", "stranger")] == [True, False]
    entries = now().entries
    acknowledge(client, "boss", shared, "incident")
    assert now().entries == entries, "a second time changes nothing"
    acknowledge(client, "stranger", shared, by)
    assert all(lift.acknowledged for lift in now().lifts)
    assert [seen_by(client, each, shared) for each in ("boss", "stranger", "admin")] == [True, True, True]


def test_the_operator_acknowledges_all_of_a_shared_incident(
    client: TestClient, accounts: Accounts, shared: str
) -> None:
    sign_in(client, "admin")
    assert client.post(f"/api/v1/incidents/{shared}/ack", json={}).status_code == 200
    assert all(each.acknowledged for each in accounts.records.alerts(AlertFilter()).items)
    assert seen_by(client, "stranger", shared)
