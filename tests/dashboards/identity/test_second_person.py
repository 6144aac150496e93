"""A second person is asked for by the lift's organisations, whichever of them an account acts for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from registry.organisations import OrganisationSettings
from registry.roles import OrganisationKind, Role
from registry.thresholds import RECENT_NS
from store.records.repository import AlertFilter
from tests.alerts.rules import STOP, occurrence
from tests.dashboards.identity.accounts import BY, HASH, S_NS, Accounts, sign_in
from tests.dashboards.identity.test_dangerous_changes import told
from tests.loopback import until
from tests.store.test_change_notices import informed

LIFT = "/api/v1/lifts/L001"
REASON = {"reason": "the plate says so"}


def asking(accounts: Accounts, asker: str) -> None:
    """Give L001 an owner, of whom "boss" is a manager too; `asker` asks for a second person from now on."""
    fields = {"name": "Owner", "kind": OrganisationKind.OWNER}
    owner = accounts.records.add_organisation(fields, BY, accounts.now_ns)
    accounts.records.patch_lift("L001", {"owner": "Owner", "rated_speed_mps": 1.0}, BY, accounts.now_ns)
    accounts.records.set_role(accounts.boss.person_id, owner.organisation_id, Role.MANAGER, BY, accounts.now_ns)
    accounts.records.set_password(accounts.boss.person_id, HASH, BY, accounts.now_ns)
    settings = {"settings": OrganisationSettings(second_person=True)}
    accounts.records.change_organisation(accounts.named(asker).organisation_id, settings, BY, accounts.now_ns)


@pytest.mark.parametrize(
    ("asker", "others"), [("Firm", ["Owner", "Desk"]), ("Owner", ["Firm", "Desk"]), ("Desk", ["Firm", "Owner"])]
)
def test_who_acts_for_another_organisation_of_the_lift_waits_for_a_second_person(
    client: TestClient, accounts: Accounts, asker: str, others: Sequence[str]
) -> None:
    asking(accounts, asker)
    for acting in others:
        sign_in(client, "admin" if acting == "Desk" else "boss")
        chosen = {"organisation_id": accounts.named(acting).organisation_id}
        assert client.patch("/api/v1/session", json=chosen).status_code == 200
        until(lambda: client.get(LIFT).status_code == 200, "the lift with its new owner")
        sent = client.patch(LIFT, json={"door_zone_m": 0.3}, params=REASON)
        assert (sent.status_code, sent.json().get("state")) == (202, "waiting"), acting


def test_an_import_waits_for_the_lifts_whose_firm_asks_for_a_second_person(
    client: TestClient, accounts: Accounts
) -> None:
    asking(accounts, "Firm")
    accounts.records.patch_lift("L002", {"rated_speed_mps": 1.0}, BY, accounts.now_ns)
    sign_in(client, "admin")
    rows = [
        {"lift_id": "L001", "district": "d1", "maintenance_firm": "Firm", "rated_speed_mps": 3.0},
        {"lift_id": "L002", "district": "d0", "maintenance_firm": "Other", "rated_speed_mps": 3.0},
    ]
    answer = client.post("/api/v1/lifts/import", json=rows, params=REASON).json()
    assert (answer["taken"], [each["lift_id"] for each in answer["waiting"]]) == (["L001", "L002"], ["L001"])
    speeds = {each.lift_id: each.rated_speed_mps for each in accounts.records.registered()}
    assert (speeds["L001"], speeds["L002"]) == (1.0, 3.0)
    made = accounts.records.change_requests(time.time_ns()).items
    assert {each.wanted.lift_id: each.state for each in made} == {"L001": "waiting", "L002": "applied"}


def test_a_request_of_a_disabled_account_is_declined_and_not_approved(client: TestClient, accounts: Accounts) -> None:
    asking(accounts, "Firm")
    accounts.add("deputy", accounts.firm, Role.ADMINISTRATOR)
    sign_in(client, "boss")
    number = client.patch(LIFT, json={"rated_speed_mps": 2.5}, params=REASON).json()["id"]
    accounts.records.change_person(accounts.boss.person_id, {"is_disabled": True}, BY, accounts.now_ns + S_NS)
    sign_in(client, "deputy")
    refused = client.post(f"/api/v1/change-requests/{number}/approve")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:liftwatch:problem:maker-disabled")
    assert "Boss" in refused.json()["detail"]
    lift = accounts.records.lift("L001")
    assert lift is not None
    assert lift.facts.rated_speed_mps == 1.0
    assert client.post(f"/api/v1/change-requests/{number}/decline").json()["state"] == "declined"


@pytest.mark.parametrize("by_import", [False, True])
def test_a_lift_that_is_deleted_and_registered_anew_keeps_the_mark_of_changed_thresholds(
    client: TestClient, accounts: Accounts, by_import: bool
) -> None:
    sign_in(client, "admin")
    assert client.delete(LIFT, params=REASON).status_code == 204
    deleted_ns = accounts.records.change_requests(time.time_ns()).items[0].made_ns
    row = {"lift_id": "L001", "district": "d1", "maintenance_firm": "Firm", "rated_speed_mps": 9.0}
    path, body = ("/api/v1/lifts/import", [row]) if by_import else ("/api/v1/lifts", row)
    assert client.post(path, json=body).status_code in (200, 201)
    assert client.post("/api/v1/lifts", json=row | {"lift_id": "NEW"}).status_code == 201
    marks = {}
    for position, (lift_id, now_ns) in enumerate([("L001", deleted_ns + RECENT_NS - 1), ("NEW", deleted_ns)], start=1):
        found = replace(occurrence(STOP, "on", 10, lift_id=lift_id), district="d1")
        accounts.records.judge(position=position, occurrences=[found], now_ns=now_ns)
        (alert,) = accounts.records.alerts(AlertFilter(lift_id=(lift_id,))).items
        marks[lift_id] = alert.thresholds_changed_ns
    assert marks == {"L001": deleted_ns, "NEW": None}


def requested(client: TestClient, accounts: Accounts) -> str:
    """Let "boss" ask for a change that waits; return the path of its approval."""
    asking(accounts, "Firm")
    sign_in(client, "boss")
    number = client.patch(LIFT, json={"rated_speed_mps": 2.5}, params=REASON).json()["id"]
    return f"/api/v1/change-requests/{number}/approve"


def signed_out(client: TestClient) -> None:
    """Let the browser forget its session."""
    client.cookies.clear()
    client.headers.pop("X-CSRF-Token", None)


def test_the_second_person_is_no_machine_account_and_older_than_the_request(
    client: TestClient, accounts: Accounts
) -> None:
    machine = accounts.add("bot", accounts.firm, Role.MANAGER, is_machine=True)
    accounts.add("older", accounts.firm, Role.MANAGER)
    approve = requested(client, accounts)
    accounts.now_ns = time.time_ns()
    accounts.add("newer", accounts.firm, Role.MANAGER)
    signed_out(client)
    refused = [client.post(approve, headers=accounts.token(machine, accounts.firm))]
    sign_in(client, "newer")
    refused.append(client.post(approve))
    assert [(each.status_code, each.json()["type"]) for each in refused] == [
        (409, "urn:liftwatch:problem:second-person")
    ] * 2
    sign_in(client, "older")
    assert client.post(approve).json()["state"] == "applied"


def test_who_creates_the_tokens_of_a_machine_account_does_not_approve_its_request(
    client: TestClient, accounts: Accounts
) -> None:
    machine = accounts.add("bot", accounts.firm, Role.MANAGER, is_machine=True)
    accounts.add("older", accounts.firm, Role.MANAGER)
    asking(accounts, "Firm")
    by_token = accounts.token(machine, accounts.firm)
    number = client.patch(LIFT, json={"rated_speed_mps": 2.5}, params=REASON, headers=by_token).json()["id"]
    answers = []
    for login in ("boss", "admin", "older"):
        sign_in(client, login)
        answers.append(client.post(f"/api/v1/change-requests/{number}/approve").status_code)
    assert answers == [409, 409, 200]


@pytest.mark.parametrize("lost", ["role", "lift"])
def test_a_request_is_not_approved_where_its_maker_lost_the_role_or_the_lift(
    client: TestClient, accounts: Accounts, lost: str
) -> None:
    accounts.add("deputy", accounts.firm, Role.ADMINISTRATOR)
    approve = requested(client, accounts)
    if lost == "role":
        boss, firm = accounts.boss.person_id, accounts.firm.organisation_id
        accounts.records.set_role(boss, firm, Role.MECHANIC, BY, accounts.now_ns)
    else:
        accounts.records.patch_lift("L001", {"maintenance_firm": "Other"}, BY, accounts.now_ns)
    sign_in(client, "deputy" if lost == "role" else "admin")
    refused = client.post(approve)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:liftwatch:problem:maker-not-allowed")
    lift = accounts.records.lift("L001")
    assert lift is not None
    assert lift.facts.rated_speed_mps == 1.0


def test_a_change_of_one_setting_keeps_the_other(client: TestClient, accounts: Accounts) -> None:
    path = f"/api/v1/organisations/{accounts.firm.organisation_id}"
    sign_in(client, "admin")
    for name in ("second_person", "second_factor"):
        changed = client.patch(path, json={"settings": {name: True}})
        assert changed.status_code == 200
    assert changed.json()["settings"] == {"second_person": True, "second_factor": True}


def test_who_takes_the_firm_that_asks_off_a_lift_waits_for_a_second_person(
    client: TestClient, accounts: Accounts
) -> None:
    inspector = informed(accounts.records, "ivy", "d1", Role.INSPECTOR)
    asking(accounts, "Firm")
    accounts.add("deputy", accounts.desk, Role.MANAGER)
    sign_in(client, "admin")
    for firm in ("Other", None):
        assert client.patch(LIFT, json={"maintenance_firm": firm}).status_code == 422, "no reason"
        sent = client.patch(LIFT, json={"maintenance_firm": firm, "name": "Tower"}, params=REASON)
        assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
        assert client.patch(LIFT, json={"door_zone_m": 0.3}, params=REASON).status_code == 202
    assert client.patch(LIFT, json={"owner": "Heirs"}).status_code == 200, "the owner does not ask"
    assert client.patch(LIFT, json={"owner": "Firm", "maintenance_firm": "Other"}).status_code == 200, "it stays"
    assert client.patch(LIFT, json={"owner": None}, params=REASON).status_code == 202
    lift = accounts.records.lift("L001")
    assert lift is not None
    assert (lift.facts.owner, lift.facts.door_zone_m) == ("Firm", 0.2)
    assert (inspector, "owner or maintenance firm") in told(accounts.records)
    sign_in(client, "deputy")
    number = client.get("/api/v1/change-requests").json()["items"][0]["id"]
    assert client.post(f"/api/v1/change-requests/{number}/approve").json()["state"] == "applied"
    assert client.patch(LIFT, json={"door_zone_m": 0.3}, params=REASON).status_code == 200


def test_an_import_without_the_firm_that_asks_leaves_the_firm_until_a_second_person_approves(
    client: TestClient, accounts: Accounts
) -> None:
    asking(accounts, "Firm")
    row = {"lift_id": "L001", "district": "d1", "owner": "Heirs", "rated_speed_mps": 1.0, "name": "Tower"}
    sign_in(client, "admin")
    assert client.post("/api/v1/lifts/import", json=[row]).status_code == 422, "no reason"
    answer = client.post("/api/v1/lifts/import", json=[row], params=REASON).json()
    assert [each["lift_id"] for each in answer["waiting"]] == ["L001"]
    (lift,) = (each for each in accounts.records.registered() if each.lift_id == "L001")
    assert (lift.maintenance_firm, lift.owner, lift.name) == ("Firm", "Heirs", "Tower")
    (made,) = accounts.records.change_requests(time.time_ns()).items
    assert (made.state, made.wanted.detail) == ("waiting", {"maintenance_firm": None})


@pytest.mark.parametrize("how", ["patch", "import"])
def test_a_move_to_another_district_waits_and_its_approval_is_told_to_both_authorities(
    client: TestClient, accounts: Accounts, how: str
) -> None:
    former, new = (informed(accounts.records, name, name, Role.INSPECTOR) for name in ("d1", "d9"))
    asking(accounts, "Firm")
    accounts.add("deputy", accounts.desk, Role.MANAGER)
    sign_in(client, "admin")
    if how == "patch":
        assert client.patch(LIFT, json={"district": "d9"}, params=REASON).status_code == 202
    else:
        row = {"lift_id": "L001", "district": "d9", "maintenance_firm": "Firm", "owner": "Owner"}
        row |= {"rated_speed_mps": 1.0, "name": "Tower"}
        assert len(client.post("/api/v1/lifts/import", json=[row], params=REASON).json()["waiting"]) == 1
    (made,) = accounts.records.change_requests(time.time_ns()).items
    assert (made.state, made.wanted.detail, made.wanted.district) == ("waiting", {"district": "d9"}, "d1")
    assert told(accounts.records) == [(former, "district")]
    sign_in(client, "deputy")
    assert client.get(LIFT).json()["facts"]["district"] == "d1"
    assert client.post(f"/api/v1/change-requests/{made.id}/approve").json()["state"] == "applied"
    assert client.get(LIFT).json()["facts"]["district"] == "d9"
    assert (new, "district") in told(accounts.records)


@pytest.mark.parametrize("how", ["closed", "merged", "renamed", "spelled"])
def test_a_firm_asks_for_a_second_person_after_it_is_closed_merged_or_renamed(
    client: TestClient, accounts: Accounts, how: str
) -> None:
    asking(accounts, "Firm")
    firm, other = accounts.firm.organisation_id, accounts.other.organisation_id
    path = f"/api/v1/organisations/{firm}"
    sign_in(client, "admin")
    if how == "closed":
        assert client.post(f"{path}/close").status_code == 200
    elif how == "merged":
        assert client.post(f"/api/v1/organisations/{other}/merge", json={"other_id": firm}).status_code == 200
    elif how == "renamed":
        assert client.patch(path, json={"name": "Firm Ltd"}).status_code == 200
    else:
        assert client.patch(LIFT, json={"maintenance_firm": "\uff26irm"}).status_code == 200, (
            "one name in two spellings"
        )
    assert client.patch(LIFT, json={"door_zone_m": 0.3}, params=REASON).status_code == 202
    assert client.patch(LIFT, json={"maintenance_firm": None}, params=REASON).status_code == 202


def test_a_change_of_the_firm_is_not_approved_where_its_maker_may_not_register_lifts_any_more(
    client: TestClient, accounts: Accounts
) -> None:
    asking(accounts, "Firm")
    owner = accounts.named("Owner")
    maker = accounts.add("maker", accounts.desk, Role.MANAGER)
    sign_in(client, "maker")
    number = client.patch(LIFT, json={"maintenance_firm": None}, params=REASON).json()["id"]
    settings = {"kind": OrganisationKind.OWNER}
    accounts.records.set_role(maker.person_id, owner.organisation_id, Role.MANAGER, BY, accounts.now_ns)
    desk = accounts.records.add_organisation({"name": "Desk 2", "kind": OrganisationKind.OPERATOR}, BY, 1)
    accounts.records.set_role(accounts.admin.person_id, desk.organisation_id, Role.ADMINISTRATOR, BY, accounts.now_ns)
    accounts.records.change_organisation(accounts.desk.organisation_id, settings, BY, accounts.now_ns)
    accounts.records.patch_lift("L001", {"insurer": "Desk"}, BY, accounts.now_ns)
    accounts.records.set_password(accounts.admin.person_id, HASH, BY, accounts.now_ns)
    sign_in(client, "boss")
    assert client.patch("/api/v1/session", json={"organisation_id": accounts.firm.organisation_id}).status_code == 200
    refused = client.post(f"/api/v1/change-requests/{number}/approve")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:liftwatch:problem:maker-not-allowed")
