"""The kind and the districts of an organisation decide who sees which lifts: they change as thresholds do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.notification import CHANGE
from registry.organisations import Organisation, OrganisationSettings
from registry.roles import OrganisationKind, Role
from store.records.repository import ChangeRequest
from tests.dashboards.identity.accounts import BY, HASH, Accounts, sign_in
from tests.dashboards.identity.test_dangerous_changes import told
from tests.dashboards.identity.test_identity_pages import PAGE, post
from tests.loopback import until
from tests.store.test_change_notices import informed

REASON = {"params": {"reason": "the districts were joined"}}
ASKING = {"settings": OrganisationSettings(second_person=True)}


@pytest.fixture(name="city")
def authority_of_one_district(accounts: Accounts) -> Organisation:
    """The authority of d1 with the inspector "ivy", who is notified by mail."""
    ivy = informed(accounts.records, "ivy", "d1", Role.INSPECTOR)
    accounts.records.set_password(ivy, HASH, BY, accounts.now_ns)
    told(accounts.records)
    return accounts.named("City ivy")


def path_of(organisation: Organisation) -> str:
    """Return the path of an organisation in the API."""
    return f"/api/v1/organisations/{organisation.organisation_id}"


def districts_of(accounts: Accounts, organisation: Organisation) -> set[str]:
    """Return the districts that an organisation has now."""
    found = accounts.records.organisation(organisation.organisation_id)
    assert found is not None
    return set(found.districts)


def made(accounts: Accounts) -> list[ChangeRequest]:
    """Return the change requests, newest first."""
    return accounts.records.change_requests(time.time_ns()).items


def test_the_districts_of_an_authority_change_with_a_reason_that_it_is_told(
    client: TestClient, accounts: Accounts, city: Organisation
) -> None:
    neighbour = informed(accounts.records, "jon", "d0", Role.INSPECTOR)
    told(accounts.records)
    sign_in(client, "admin")
    refused = client.patch(path_of(city), json={"districts": ["d0"]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert client.patch(path_of(city), json={"districts": ["d1"], "address": "Road 1"}).status_code == 200
    assert (districts_of(accounts, city), made(accounts)) == ({"d1"}, [])
    assert client.patch(path_of(city), json={"districts": ["d0"]}, **REASON).json()["districts"] == ["d0"]
    (asked,) = made(accounts)
    assert (asked.state, asked.wanted.reason, asked.by.name) == ("applied", "the districts were joined", "Admin")
    sentences = {
        each.notification.person_id: each.notification.sentence
        for each in accounts.records.claim_notifications(time.time_ns() + 10**12, 1, 9)
        if each.notification.kind == CHANGE
    }
    ivy = next(each.person_id for each in accounts.records.people(city.organisation_id))
    assert sentences.keys() == {ivy, neighbour}
    assert "City ivy: districts d1 → d0, by Admin (Desk): the districts were joined" in sentences[ivy]["en"]
    assert "City ivy：辖区 d1 → d0，Admin (Desk)：" in sentences[ivy]["zh"]


@pytest.mark.parametrize("asker", ["City ivy", "Desk"])
def test_the_districts_wait_where_the_authority_or_an_operator_asks_for_a_second_person(
    client: TestClient, accounts: Accounts, city: Organisation, asker: str
) -> None:
    accounts.records.change_organisation(accounts.named(asker).organisation_id, ASKING, BY, accounts.now_ns)
    sign_in(client, "admin")
    sent = client.patch(path_of(city), json={"districts": ["d0"], "name": "Town"}, **REASON)
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    assert sent.json()["former"] == {"name": "City ivy", "districts": ["d1"]}
    approve = f"/api/v1/change-requests/{sent.json()['id']}/approve"
    assert client.post(approve).status_code == 409, "the same account"
    assert districts_of(accounts, city) == {"d1"}
    sign_in(client, "boss")
    assert client.get("/api/v1/change-requests").json()["items"] == []
    assert client.post(approve).status_code == 404
    sign_in(client, "ivy")
    assert client.get("/api/v1/lifts/L001").status_code == 200
    (seen,) = client.get("/api/v1/change-requests").json()["items"]
    assert (seen["lift_id"], seen["organisation_id"], seen["detail"]["districts"]) == (
        None, city.organisation_id, ["d0"],
    )  # fmt: skip
    assert client.post(approve).json()["state"] == "applied"
    assert districts_of(accounts, city) == {"d0"}
    assert accounts.named("Town").organisation_id == city.organisation_id
    until(lambda: client.get("/api/v1/lifts/L001").status_code == 404, "the lift outside the new districts")


def test_a_request_from_an_older_state_of_the_organisation_is_not_applied(
    client: TestClient, accounts: Accounts, city: Organisation
) -> None:
    accounts.records.change_organisation(city.organisation_id, ASKING, BY, accounts.now_ns)
    sign_in(client, "admin")
    tag = {"If-Match": client.get(path_of(city)).headers["ETag"]}
    number = client.patch(path_of(city), json={"districts": []}, headers=tag, **REASON).json()["id"]
    accounts.records.change_organisation(city.organisation_id, {"address": "Road 2"}, BY, accounts.now_ns)
    assert client.patch(path_of(city), json={"districts": []}, headers=tag, **REASON).status_code == 412
    sign_in(client, "ivy")
    assert client.post(f"/api/v1/change-requests/{number}/approve").status_code == 412
    assert districts_of(accounts, city) == {"d1"}


@pytest.mark.parametrize(
    "change", [{"kind": "owner"}, {"settings": {"second_person": False}}], ids=["kind", "no second person"]
)
def test_the_kind_and_the_end_of_a_demand_wait_too(
    client: TestClient, accounts: Accounts, city: Organisation, change: dict[str, Any]
) -> None:
    accounts.records.change_organisation(city.organisation_id, ASKING, BY, accounts.now_ns)
    sign_in(client, "admin")
    assert client.patch(path_of(city), json=change).status_code == 422
    assert client.patch(path_of(city), json=change, **REASON).status_code == 202
    after = accounts.records.organisation(city.organisation_id)
    assert after is not None
    assert (after.kind, after.settings.second_person) == (OrganisationKind.AUTHORITY, True)


def test_a_new_authority_gets_its_districts_with_a_reason(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    new = {"kind": "authority", "name": "North", "districts": ["d1"]}
    assert client.post("/api/v1/organisations", json=new).status_code == 422
    assert "North" not in {each.name for each in accounts.records.organisations()}
    first = client.post("/api/v1/organisations", json=new, **REASON)
    assert (first.status_code, first.json()["districts"]) == (201, ["d1"])
    accounts.records.change_organisation(accounts.desk.organisation_id, ASKING, BY, accounts.now_ns)
    second = client.post("/api/v1/organisations", json=new | {"name": "South"}, **REASON)
    assert (second.status_code, second.json()["state"]) == (202, "waiting")
    assert districts_of(accounts, accounts.named("South")) == set()


def test_an_authority_with_districts_is_neither_closed_nor_merged_nor_reopened(
    client: TestClient, accounts: Accounts, city: Organisation
) -> None:
    other = accounts.records.add_organisation({"name": "Town", "kind": city.kind}, BY, accounts.now_ns)
    sign_in(client, "admin")
    answers = [
        client.post(f"{path_of(city)}/close"),
        client.post(f"{path_of(other)}/merge", json={"other_id": city.organisation_id}),
    ]
    accounts.records.change_organisation(city.organisation_id, {"closed_ns": 1}, BY, accounts.now_ns)
    answers.append(client.post(f"{path_of(city)}/reopen"))
    problem = "urn:liftwatch:problem:has-districts"
    assert [(each.status_code, each.json()["type"]) for each in answers] == [(409, problem)] * 3


def test_an_operator_that_asks_for_a_second_person_is_not_closed_or_merged_away(
    client: TestClient, accounts: Accounts
) -> None:
    fields = {"name": "Night Desk", "kind": OrganisationKind.OPERATOR, **ASKING}
    night = accounts.records.add_organisation(fields, BY, accounts.now_ns)
    sign_in(client, "admin")
    merge = {"json": {"other_id": night.organisation_id}}
    answers = [client.post(f"{path_of(night)}/close"), client.post(f"{path_of(accounts.firm)}/merge", **merge)]
    problem = "urn:liftwatch:problem:asks-second-person"
    assert [(each.status_code, each.json()["type"]) for each in answers] == [(409, problem)] * 2


def test_the_form_asks_for_the_reason_and_says_that_the_change_waits(
    client: TestClient, accounts: Accounts, city: Organisation
) -> None:
    accounts.records.change_organisation(city.organisation_id, ASKING, BY, accounts.now_ns)
    sign_in(client, "admin")
    page = f"/organisations/{city.organisation_id}"
    fields = {"kind": "authority", "name": "City ivy", "districts": "d1, d0", "second_person": "yes"}
    status, refused = post(client, f"{page}/details", **fields)
    assert (status, 'role="alert"' in refused, 'name="reason"' in refused) == (422, True, True)
    assert post(client, f"{page}/details", **fields, reason="joined") == (303, f"{page}?did=waits")
    assert "waits until another account approves it" in client.get(f"{page}?did=waits", headers=PAGE).text
    assert districts_of(accounts, city) == {"d1"}
