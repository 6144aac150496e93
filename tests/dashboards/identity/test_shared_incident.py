"""An incident of two tenants in one building: what the mechanic of one sees of the lift of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from alerts.escalation.targets import MissedTarget
from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescue import FIRM
from alerts.incidents.rescuing import RescueStep
from dashboards.live.event_stream import EventFilter
from registry.scope import LiftScope
from store.records.repository import IncidentFilter
from tests.alerts.rules import POWER, occurrence
from tests.dashboards.identity.accounts import BY, Accounts, sign_in
from tests.dashboards.sample_fleet import T0_NS

OWN, FOREIGN = "L001", "L002"
INCIDENTS = "/api/v1/incidents"


@pytest.fixture(name="accounts")
def in_one_building(accounts: Accounts) -> Accounts:
    """The accounts, and one incident of both lifts, which the alert of the foreign one opened."""
    records = accounts.records
    for lift_id in (OWN, FOREIGN):
        records.patch_lift(lift_id, {"address": "Garden Road 3", "district": "d1"}, BY, T0_NS)
    records.patch_lift(FOREIGN, {"district": "d2"}, BY, T0_NS)
    found = [
        replace(occurrence(POWER, "on", 10, lift_id=one, evidence={"speed_mps": speed}), district="d1")
        for one, speed in ((FOREIGN, 9.99), (OWN, 1.11))
    ]
    records.judge(position=1, occurrences=found, now_ns=T0_NS)
    records.report_publicly(FOREIGN, "entrapment", "my name is Wang", "r1", T0_NS + 6)
    records.report_publicly(OWN, "entrapment", "the light is out", "r2", T0_NS + 7)
    records.report_by_call(OWN, "entrapment", None, BY, T0_NS + 8)
    return accounts


@pytest.fixture(name="mechanic")
def signed_in(client: TestClient, accounts: Accounts) -> TestClient:
    """The mechanic of the firm of L001."""
    sign_in(client, "mechanic")
    return client


def shared_incident(client: TestClient) -> dict[str, Any]:
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    (listed,) = client.get(INCIDENTS).json()["items"]
    document: dict[str, Any] = client.get(f"{INCIDENTS}/{listed['id']}").json()
    return document


@pytest.mark.parametrize(
    ("condition", "count"),
    [("lift_id=L001", 1), ("firm=Firm", 1), ("district=d1", 1), ("lift_id=L002", 0), ("firm=Other", 0),
     ("lift_id=L001&lift_id=L002", 1), ("q=L001", 1), ("q=L002", 0), ("q=firm", 1), ("q=other", 0), ("q=garden", 1),
     ("organisation=fir", 1), ("organisation=oth", 0)],
)  # fmt: skip
def test_a_filter_finds_an_incident_by_its_visible_lifts_alone(
    mechanic: TestClient, condition: str, count: int
) -> None:
    assert len(mechanic.get(f"{INCIDENTS}?{condition}").json()["items"]) == count
    assert mechanic.get(f"{INCIDENTS}/counts?{condition}").json()["total"] == count


def test_the_story_has_no_text_of_a_report_and_no_alert_of_a_foreign_lift(
    mechanic: TestClient, accounts: Accounts
) -> None:
    seen = shared_incident(mechanic)
    foreign = {each.id for each in accounts.records.incident(seen["id"]).alerts if each.lift_id == FOREIGN}  # type: ignore[union-attr]
    assert foreign
    assert [entry["note"] for entry in seen["story"] if entry["note"]] == ["the light is out"]
    assert not foreign & {entry["about"] for entry in seen["story"]}
    assert FOREIGN not in mechanic.get(f"{INCIDENTS}/{seen['id']}").text


def test_the_helpers_are_those_of_the_visible_lift(mechanic: TestClient, accounts: Accounts) -> None:
    seen = shared_incident(mechanic)
    assert accounts.records.incident(seen["id"]).visible.incident.lift_id == FOREIGN  # type: ignore[union-attr]
    firms = [each["who"] for each in seen["helpers"] if each["level"] == FIRM]
    assert firms == ["Firm"]


def test_a_stage_of_one_lift_is_entered_by_its_own_firm_and_names_no_foreign_lift(
    mechanic: TestClient, accounts: Accounts
) -> None:
    name = shared_incident(mechanic)["id"]
    accounts.records.report_by_call(FOREIGN, "entrapment", None, BY, T0_NS + 9)
    stage = f"{INCIDENTS}/{name}/stage"
    refused = mechanic.post(stage, json={"stage": "released", "lift_id": FOREIGN})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "lift_id")
    sign_in(mechanic, "admin")
    assert mechanic.post(stage, json={"stage": "on-site", "lift_id": FOREIGN}).status_code == 200
    sign_in(mechanic, "mechanic")
    answer = mechanic.post(stage, json={"stage": "on-site", "lift_id": OWN})
    assert (answer.status_code, "on-site" in answer.json()["stages"]) == (200, True)
    seen = mechanic.get(f"{INCIDENTS}/{name}")
    assert FOREIGN not in seen.text
    assert [entry["about"] for entry in seen.json()["story"] if entry["kind"] == "on-site"] == [None, OWN]
    sign_in(mechanic, "boss")
    assert FOREIGN not in mechanic.get("/api/v1/audit?action=incident.").text


def test_an_arrival_and_a_stage_that_is_taken_back_name_no_foreign_lift(
    mechanic: TestClient, accounts: Accounts
) -> None:
    name = shared_incident(mechanic)["id"]
    accounts.records.report_by_call(FOREIGN, "entrapment", None, BY, T0_NS + 9)
    sign_in(mechanic, "admin")
    for lift_id in (FOREIGN, OWN):
        sent = {"stage": "on-site", "lift_id": lift_id}
        assert mechanic.post(f"{INCIDENTS}/{name}/stage", json=sent).status_code == 200
        assert mechanic.post(f"{INCIDENTS}/{name}/retract", json={**sent, "note": "the wrong car"}).status_code == 200
        arrival = IncidentAction("arrive", BY, rescue=RescueStep("arrive", place="machine-room", lift_id=lift_id))
        assert accounts.records.act_on_incident(name, arrival, T0_NS + 10) is not None
    named = [entry["to"] for entry in mechanic.get(f"{INCIDENTS}/{name}").json()["story"]]
    assert (named.count(FOREIGN), named.count(OWN)) == (2, 2)
    sign_in(mechanic, "mechanic")
    seen = mechanic.get(f"{INCIDENTS}/{name}")
    assert FOREIGN not in seen.text
    assert [entry["to"] for entry in seen.json()["story"]].count(OWN) == 2
    sign_in(mechanic, "boss")
    for query in ("", "?format=csv"):
        assert FOREIGN not in mechanic.get(f"/api/v1/audit{query}").text


def test_the_roster_of_another_organisation_is_not_told(mechanic: TestClient, accounts: Accounts) -> None:
    name = shared_incident(mechanic)["id"]
    for organisation in ("Firm", "Other", None):
        gap = [MissedTarget("on-duty", "gap", name=f"nights of {organisation}")]
        accounts.records.note_unreached(name, organisation, gap, T0_NS, T0_NS + 9)
    told = [e for e in mechanic.get(f"{INCIDENTS}/{name}").json()["story"] if e["kind"] == "unreached"]
    assert [each["organisation"] for each in told] == ["Firm", None]
    sign_in(mechanic, "admin")
    told = [e for e in mechanic.get(f"{INCIDENTS}/{name}").json()["story"] if e["kind"] == "unreached"]
    assert [each["organisation"] for each in told] == ["Firm", "Other", None]


def test_the_operator_sees_all_of_it(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    seen = shared_incident(client)
    assert {lift["lift_id"] for lift in seen["lifts"]} == {OWN, FOREIGN}
    assert [entry["note"] for entry in seen["story"] if entry["note"]] == ["my name is Wang", "the light is out"]


def test_the_audit_log_of_a_firm_names_no_foreign_lift(mechanic: TestClient, accounts: Accounts) -> None:
    name = shared_incident(mechanic)["id"]
    assert mechanic.post(f"{INCIDENTS}/{name}/ack", json={}).status_code == 200
    sign_in(mechanic, "boss")
    rows = mechanic.get("/api/v1/audit?action=incident.").json()["items"]
    assert {row["action"] for row in rows} >= {"incident.ack"}
    for query in ("", "?format=csv", f"?lift_id={FOREIGN}"):
        assert FOREIGN not in mechanic.get(f"/api/v1/audit{query}").text
    assert mechanic.get(f"/api/v1/audit?lift_id={FOREIGN}").json()["items"] == []
    sign_in(mechanic, "admin")
    assert FOREIGN in mechanic.get("/api/v1/audit?action=incident.ack").text


def incident_events(client: TestClient, names: set[str], action: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the incidents that a live stream of an organisation and its resumption send of an action."""
    context = client.app.state.context  # type: ignore[attr-defined]
    event_filter, sent = EventFilter(scope=LiftScope(names=frozenset(names))), []
    before = context.poller.position

    async def listen() -> bytes:
        subscriber = context.broadcaster.subscribe(event_filter)
        await asyncio.to_thread(action)
        await asyncio.to_thread(context.poller.poll)
        chunk = await subscriber.next()
        context.broadcaster.unsubscribe(subscriber)
        return chunk

    live, resumed = asyncio.run(listen()), b"".join(context.poller.since(before, event_filter))
    for chunk in (live, resumed):
        blocks = [block for block in chunk.decode().split("\n\n") if "event: incident\n" in block]
        sent.append([orjson.loads(block.split("data: ")[1]) for block in blocks])
    assert sent[0] == sent[1] != []
    return sent[0]


@pytest.mark.parametrize(("names", "summary"), [({"Firm"}, None), ({"Other"}, "at 9.99 m/s, limit –")])
def test_a_live_event_has_the_summary_of_a_lift_of_the_scope_alone(
    client: TestClient, accounts: Accounts, names: set[str], summary: str | None
) -> None:
    (shared,) = accounts.records.incidents(IncidentFilter()).items
    comment = IncidentAction("comment", BY, "seen")
    events = incident_events(
        client, names, lambda: accounts.records.act_on_incident(shared.incident.id, comment, T0_NS + 9)
    )
    for event in events:
        assert [lift["lift_id"] for lift in event["lifts"]] == [OWN if summary is None else FOREIGN]
        assert (event["summary"] and event["summary"]["en"]) == summary
