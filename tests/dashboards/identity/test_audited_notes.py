"""Notes that are not shared, searched for in the audit log of another organisation."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from registry.actor import Actor
from registry.people import actor_in
from registry.roles import OrganisationKind, Role
from store.records.repository import AlertFilter, AuditSubject
from tests.alerts.rules import DOOR, occurrence
from tests.dashboards.identity.accounts import BY, Accounts, sign_in


@pytest.mark.parametrize("earlier", [False, True])
def test_the_note_of_an_acknowledgement_is_not_in_the_audit_log_of_another_organisation(
    client: TestClient, accounts: Accounts, earlier: bool
) -> None:
    """`earlier`: the rows are as earlier versions wrote them."""
    records, now_ns = accounts.records, time.time_ns()
    owner = records.add_organisation({"name": "Owner", "kind": OrganisationKind.OWNER}, BY, now_ns)
    records.patch_lift("L001", {"owner": "Owner"}, BY, now_ns)
    accounts.add("landlord", owner, Role.MANAGER)
    records.judge(
        position=1, occurrences=[replace(occurrence(DOOR, "on", 10, lift_id="L001"), district="d1")], now_ns=now_ns
    )
    alert_id = records.alerts(AlertFilter(lift_id=("L001",))).items[0].id
    if earlier:
        both = {"acknowledgements": [["Admin", "by the desk"], ["Boss", "by the firm"]]}
        for name, organisation in (("Admin", "Desk"), ("Boss", "Firm")):
            by = Actor(name, "person:1", organisation, "manager", None)
            records.write_audit(now_ns, by, "alert.ack", [AuditSubject(alert_id, None, both, both, "L001")])
    else:
        for login, note in (("admin", "by the desk"), ("boss", "by the firm")):
            sign_in(client, login)
            done = client.post(f"/api/v1/alerts/{alert_id}/ack", json={"note": note})
            assert done.status_code == 200, done.text
    for login, hidden in (("landlord", ("by the desk", "by the firm")), ("boss", ("by the desk",))):
        sign_in(client, login)
        for query in ("", "&format=csv"):
            found = client.get(f"/api/v1/audit?lift_id=L001{query}").text
            assert "alert.ack" in found
            assert [note for note in hidden if note in found] == [], login
    sign_in(client, "admin")
    assert "by the firm" in client.get("/api/v1/audit?lift_id=L001").text


def test_a_refused_request_does_not_name_the_organisation_whose_id_it_asks_for(
    client: TestClient, accounts: Accounts
) -> None:
    other, boss = accounts.other.organisation_id, actor_in(accounts.boss, accounts.boss.membership(None), None)
    asked = AuditSubject(f"/api/v1/organisations/{other}", {"note": other})
    accounts.records.write_audit(accounts.now_ns, boss, "request", [asked])
    for login, names in (("boss", {}), ("admin", {other: "Other"})):
        sign_in(client, login)
        (row,) = client.get("/api/v1/audit?action=request").json()["items"]
        assert row["names"] == names


def test_rows_name_the_accounts_and_organisations_that_they_have_by_id(client: TestClient, accounts: Accounts) -> None:
    firm, mechanic, stranger = accounts.firm.organisation_id, accounts.mechanic.person_id, accounts.stranger.person_id
    boss = actor_in(accounts.boss, accounts.boss.membership(None), None)
    accounts.records.set_role(mechanic, firm, Role.DISPATCHER, boss, accounts.now_ns)
    accounts.records.end_sessions(stranger, boss, accounts.now_ns)
    accounts.records.write_audit(accounts.now_ns, boss, "person.role", [AuditSubject(stranger, {"organisation": firm})])
    for login, of_stranger in (("boss", {}), ("admin", {stranger: "Stranger"})):
        sign_in(client, login)
        newest, before = client.get("/api/v1/audit?action=person.role").json()["items"][:2]
        assert before["names"] == {firm: "Firm", mechanic: "Mechanic"}
        assert newest["names"] == {firm: "Firm", **of_stranger}
