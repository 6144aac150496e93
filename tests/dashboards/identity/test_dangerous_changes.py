"""What is dangerous, by real accounts: a reason, and the authority of the district is notified of each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.notification import CHANGE
from registry.roles import OrganisationKind, Role
from store.records.repository import AlertFilter, Records
from telemetry.instant import rfc3339
from tests.alerts.rules import DOOR, occurrence
from tests.dashboards.identity.accounts import BY, S_NS, Accounts, sign_in
from tests.dashboards.sample_fleet import T0_NS
from tests.store.test_change_notices import informed

LIFT = "/api/v1/lifts/L001"


def firing(records: Records) -> str:
    """Raise an alert of the lift; return its id."""
    found = replace(occurrence(DOOR, "on", 10, lift_id="L001"), district="d1")
    records.judge(position=1, occurrences=[found], now_ns=T0_NS)
    return records.alerts(AlertFilter(lift_id=("L001",))).items[0].id


def told(records: Records) -> list[tuple[str, str]]:
    """Return who is notified of which change, in the order in which they were made."""
    claimed = records.claim_notifications(time.time_ns(), S_NS, 100)
    found = sorted((each.id, each.notification) for each in claimed if each.notification.kind == CHANGE)
    return [(one.person_id, one.sentence["en"].split(": ")[1].split(",")[0]) for _, one in found]


def test_the_authority_of_the_district_is_told_of_each_dangerous_change(client: TestClient, accounts: Accounts) -> None:
    inspector = informed(accounts.records, "ivy", "d1", Role.INSPECTOR)
    alert_id, soon = firing(accounts.records), rfc3339(time.time_ns() + 3600 * S_NS)
    why: dict[str, Any] = {"params": {"reason": "the plate says so"}}
    sign_in(client, "boss")
    assert client.patch(LIFT, json={"rated_speed_mps": 2.5}).status_code == 422, "no reason"
    assert client.patch(LIFT, json={"rated_speed_mps": 2.5}, **why).status_code == 200
    assert client.patch(LIFT, json={"door_zone_m": 0.3}, **why).status_code == 200
    assert client.post(f"{LIFT}/maintenance", json={"until": soon, "note": "ropes"}).status_code == 200
    assert client.post(f"/api/v1/alerts/{alert_id}/shelve", json={"until": soon, "note": "ropes"}).status_code == 200
    sign_in(client, "admin")
    assert client.delete(LIFT, **why).status_code == 204
    actions = ["thresholds", "thresholds", "maintenance window", "shelving of an alert", "deletion of the lift"]
    assert told(accounts.records) == [(inspector, action) for action in actions]


@pytest.mark.parametrize("how", ["patch", "import"])
def test_a_move_to_another_district_needs_a_reason_and_both_authorities_are_told(
    client: TestClient, accounts: Accounts, how: str
) -> None:
    former, new = (informed(accounts.records, name, name, Role.INSPECTOR) for name in ("d1", "d9"))
    sign_in(client, "admin")

    def move(**params: Any) -> int:
        if how == "patch":
            return client.patch(LIFT, json={"district": "d9"}, **params).status_code
        row = {"lift_id": "L001", "district": "d9", "maintenance_firm": "Firm"}
        return client.post("/api/v1/lifts/import", json=[row], **params).status_code

    assert move() == 422
    assert client.get(LIFT).json()["facts"]["district"] == "d1"
    assert move(params={"reason": "the border was moved"}) == 200
    assert client.get(LIFT).json()["facts"]["district"] == "d9"
    assert sorted(told(accounts.records)) == sorted((each, "district") for each in (former, new))


@pytest.mark.parametrize(("shared", "read"), [(False, (None, "Firm")), (True, ("ropes", "Boss"))])
def test_the_note_of_a_shelving_is_read_by_another_organisation_where_it_is_shared(
    client: TestClient, accounts: Accounts, shared: bool, read: tuple[str | None, str]
) -> None:
    owner = accounts.records.add_organisation({"name": "Owner", "kind": OrganisationKind.OWNER}, BY, T0_NS)
    accounts.records.patch_lift("L001", {"owner": "Owner"}, BY, T0_NS)
    accounts.add("owner", owner, Role.MANAGER)
    shelving = {"until": rfc3339(time.time_ns() + 3600 * S_NS), "note": "ropes", "shared": shared}
    alert_id = firing(accounts.records)
    sign_in(client, "boss")
    assert client.post(f"/api/v1/alerts/{alert_id}/shelve", json=shelving).status_code == 200
    assert [each["reason"] for each in client.get("/api/v1/change-requests").json()["items"]] == ["ropes"]
    sign_in(client, "owner")
    (seen,) = client.get("/api/v1/change-requests").json()["items"]
    assert (seen["reason"], seen["by"]) == read


def test_the_telephone_of_a_caller_is_not_in_the_audit_rows_of_another_organisation(
    client: TestClient, accounts: Accounts
) -> None:
    owner = accounts.records.add_organisation({"name": "Owner", "kind": OrganisationKind.OWNER}, BY, T0_NS)
    accounts.records.patch_lift("L001", {"owner": "Owner"}, BY, T0_NS)
    accounts.add("owner", owner, Role.MANAGER)
    sign_in(client, "mechanic")
    call = {"lift_id": "L001", "what": "entrapment", "callback": "+86 555 1234"}
    assert client.post("/api/v1/incidents", json=call).status_code == 201
    for login, is_seen in (("boss", True), ("owner", False)):
        sign_in(client, login)
        rows = client.get("/api/v1/audit?action=incident.call")
        assert len(rows.json()["items"]) == 1
        assert ("555 1234" in rows.text) == is_seen
