"""An incident of two firms: one may not act for the lift of the other, in which people may be inside."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from alerts.incidents.rescuing import RescueStep
from registry.lift_facts import LiftFacts
from store.records.incidents.tables import incident_lifts
from tests.alerts.rules import POWER, occurrence
from tests.dashboards.identity.accounts import BY, Accounts, sign_in
from tests.dashboards.sample_fleet import T0_NS

OWN, FOREIGN = "L001", "L002"
INCIDENTS = "/api/v1/incidents"
ACTS: list[tuple[str, dict[str, Any]]] = [
    ("stage", {"stage": "released"}), ("stage", {"stage": "dispatched"}), ("stage", {"stage": "confirmed"}),
    ("assign", {"to": None}), ("call-out", {"who": "Nobody", "level": 3}),
    ("accept", {"number": 1}), ("accept", {"who": "Other"}), ("accept", {}),
    ("no-answer", {"number": 1}), ("arrive", {"number": 1}), ("arrive", {}),
    ("decline", {"number": 1, "reason": "far"}),
]  # fmt: skip


@pytest.fixture(name="shared")
def without_power(accounts: Accounts) -> str:
    """One incident of both lifts: people are inside the foreign one, whose firm is called out; it was reported too."""
    records = accounts.records
    for lift_id in (OWN, FOREIGN):
        records.patch_lift(lift_id, {"address": "Garden Road 3"}, BY, T0_NS)
    found = [occurrence(POWER, "on", 10, lift_id=lift_id) for lift_id in (OWN, FOREIGN)]
    records.judge(position=1, occurrences=found, now_ns=T0_NS)
    records.report_publicly(FOREIGN, "out-of-order", "dark", "r1", T0_NS + 6)
    called = records.report_by_call(FOREIGN, "entrapment", None, BY, T0_NS + 8)
    assert called is not None
    act(accounts, called.id, "call-out", RescueStep("call-out", who="Other"))
    records.act_on_incident(called.id, IncidentAction("assign", BY, to="stranger"), T0_NS + 10)
    return called.id


def act(accounts: Accounts, incident_id: str, kind: str, step: RescueStep) -> None:
    accounts.records.act_on_incident(incident_id, IncidentAction(kind, BY, rescue=step), T0_NS + 9)


def as_it_is(accounts: Accounts, incident_id: str) -> Incident:
    history = accounts.records.incident(incident_id)
    assert history is not None
    return history.visible.incident


@pytest.mark.parametrize(("action", "body"), ACTS)
def test_a_firm_does_not_act_for_the_lift_of_another(
    client: TestClient, accounts: Accounts, shared: str, action: str, body: dict[str, Any]
) -> None:
    before = as_it_is(accounts, shared)
    assert (before.may_hold_people, before.unanswered, before.owner) == (True, 1, "stranger")
    sign_in(client, "boss")
    answer = client.post(f"{INCIDENTS}/{shared}/{action}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:liftwatch:problem:not-allowed")
    assert as_it_is(accounts, shared) == before


def test_a_firm_answers_its_own_call_out_and_the_operator_every_one(
    client: TestClient, accounts: Accounts, shared: str
) -> None:
    act(accounts, shared, "call-out", RescueStep("call-out", who="Firm"))
    sign_in(client, "boss")
    seen = client.get(f"{INCIDENTS}/{shared}").json()
    assert (seen["whole"], seen["answerable"]) == (False, [2])
    assert client.post(f"{INCIDENTS}/{shared}/accept", json={"number": 2}).status_code == 200
    there = client.post(f"{INCIDENTS}/{shared}/arrive", json={"number": 2})
    assert (there.status_code, there.json()["stages"].keys() & {"dispatched", "on-site"}) == (200, set())
    assert client.post(f"{INCIDENTS}/{shared}/arrive", json={"number": 2}).status_code == 200
    arrivals = [entry for entry in accounts.records.incident(shared).story if entry.kind == "arrived"]  # type: ignore[union-attr]
    assert len(arrivals) == 1
    sign_in(client, "admin")
    seen = client.get(f"{INCIDENTS}/{shared}").json()
    assert (seen["whole"], seen["answerable"]) == (True, [1, 2])
    assert client.post(f"{INCIDENTS}/{shared}/accept", json={"number": 1}).json()["stages"]["dispatched"]
    assert client.post(f"{INCIDENTS}/{shared}/stage", json={"stage": "released"}).status_code == 200
    assert not as_it_is(accounts, shared).may_hold_people


@pytest.mark.parametrize("proven", [False, True])
def test_where_both_lifts_hold_people_an_arrival_is_that_of_the_own_lift(
    client: TestClient, accounts: Accounts, shared: str, proven: bool
) -> None:
    accounts.records.report_by_call(OWN, "entrapment", None, BY, T0_NS + 9)
    sign_in(client, "boss")
    assert client.post(f"{INCIDENTS}/{shared}/accept", json={}).status_code == 200
    if proven:
        place = {"label": accounts.records.label_proof(OWN, "car"), "csrf": client.headers["X-CSRF-Token"]}
        done = client.post(f"/code/{OWN}/arrival", data=place, follow_redirects=False)
        assert done.status_code == 303
    else:
        assert client.post(f"{INCIDENTS}/{shared}/arrive", json={}).status_code == 200
    half = as_it_is(accounts, shared)
    reached = {lift.lift_id: set(lift.stages) for lift in half.lifts}
    assert reached == {OWN: {"dispatched", "on-site"}, FOREIGN: set()}
    assert not {"acknowledged", "dispatched", "on-site"} & half.stages.keys()
    assert half.rescue is not None
    assert (half.rescue.proven, half.rescue.call_outs[0].answer) == (None, None)
    assert [lift.proven for lift in half.lifts if lift.lift_id == OWN] == ["car" if proven else None]
    if proven:
        assert "I have arrived" not in client.get(f"/code/{OWN}").text
        foreign = client.post(f"/code/{FOREIGN}/arrival", data=place)
        assert foreign.status_code == 404, "a lift that one may not act on"
    sign_in(client, "stranger")
    assert client.post(f"{INCIDENTS}/{shared}/accept", json={"number": 1}).status_code == 200
    assert "on-site" in client.post(f"{INCIDENTS}/{shared}/arrive", json={"number": 1}).json()["stages"]
    released = client.post(f"{INCIDENTS}/{shared}/stage", json={"stage": "released", "lift_id": FOREIGN})
    assert released.status_code == 200
    assert [lift.lift_id for lift in as_it_is(accounts, shared).lifts if lift.holds_people] == [OWN]


def test_a_link_needs_that_one_may_act_on_the_other_incident(client: TestClient, accounts: Accounts) -> None:
    made = LiftFacts("L003", "d1", maintenance_firm="Other", manufacturer="Firm")
    accounts.records.put_lifts([made], BY, T0_NS)
    own, foreign = (accounts.records.report_by_call(each, "out-of-order", None, BY, T0_NS) for each in (OWN, "L003"))
    assert own is not None
    assert foreign is not None
    before = as_it_is(accounts, foreign.id)
    sign_in(client, "boss")
    assert client.get(f"{INCIDENTS}/{foreign.id}").status_code == 200
    answer = client.post(f"{INCIDENTS}/{own.id}/link", json={"other": foreign.id, "note": "read this"})
    assert answer.status_code == 403
    assert as_it_is(accounts, foreign.id) == before


def test_a_link_to_an_incident_that_one_does_not_see_is_not_named(client: TestClient, accounts: Accounts) -> None:
    own, foreign = (accounts.records.report_by_call(each, "out-of-order", None, BY, T0_NS) for each in (OWN, FOREIGN))
    assert own is not None
    assert foreign is not None
    assert accounts.records.link_incidents(own.id, foreign.id, BY, T0_NS + 1) is not None
    sign_in(client, "boss")
    assert client.get(f"{INCIDENTS}/{own.id}").json()["links"] == []
    for path in (f"{INCIDENTS}/{own.id}", INCIDENTS, "/api/v1/audit", "/api/v1/audit?format=csv"):
        found = client.get(path).text
        assert foreign.id not in found
        assert own.id in found
    sign_in(client, "admin")
    assert client.get(f"{INCIDENTS}/{own.id}").json()["links"] == [foreign.id]


def test_an_incident_into_which_one_was_merged_is_not_named_where_one_does_not_see_it(
    client: TestClient, accounts: Accounts
) -> None:
    own, foreign = (accounts.records.report_by_call(each, "out-of-order", None, BY, T0_NS) for each in (OWN, FOREIGN))
    assert own is not None
    assert foreign is not None
    assert accounts.records.merge_incidents(foreign.id, own.id, BY, T0_NS + 1) is not None
    sign_in(client, "boss")
    assert client.get(f"{INCIDENTS}/{own.id}").json()["merged_into"] == foreign.id, "it has the own lift now"
    with accounts.records._database.writing() as connection:  # as after a split of the own lift
        moved = (incident_lifts.c.incident_id == foreign.id) & (incident_lifts.c.lift_id == OWN)
        connection.execute(delete(incident_lifts).where(moved))
    for path in (f"{INCIDENTS}/{own.id}", INCIDENTS, "/api/v1/audit"):
        assert foreign.id not in client.get(path).text, path
    assert client.get(f"{INCIDENTS}/{own.id}").json()["merged_into"] is None


def test_a_firm_answers_the_reports_of_its_own_lift_of_a_shared_incident(
    client: TestClient, accounts: Accounts, shared: str
) -> None:
    records = accounts.records
    sign_in(client, "boss")
    assert client.post(f"{INCIDENTS}/{shared}/answer", json={"note": "Come back later."}).status_code == 200
    assert as_it_is(accounts, shared).unanswered == 1, "there is none of the own lift"
    records.report_publicly(OWN, "out-of-order", "it is dark", "r2", T0_NS + 20)
    assert client.post(f"{INCIDENTS}/{shared}/answer", json={"note": "Power is back at 9."}).status_code == 200
    answers = {each.lift_id: each.answer for each in records.public_reports_of(shared)}
    assert answers == {OWN: "Power is back at 9.", FOREIGN: None}
    assert as_it_is(accounts, shared).unanswered == 1
    sign_in(client, "stranger")
    assert "Power is back" not in client.get(f"{INCIDENTS}/{shared}").text
    assert client.post(f"{INCIDENTS}/{shared}/answer", json={"note": "So is ours."}).status_code == 200
    assert as_it_is(accounts, shared).unanswered == 0
    assert [each.answer for each in records.public_reports_of(shared)].count("So is ours.") == 1
