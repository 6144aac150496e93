"""Incidents through the API: lists, one with its story, calls, actions, refusals and versions, as in the contract."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.book import Occurrence
from alerts.incidents.rescue import RescueTimes
from detectors.catalogue import BY_SLUG
from detectors.rule import CRITICAL, MAJOR, Finding
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.sample_fleet import T0_NS

S_NS = 1_000_000_000
CONTRACT_KEYS = {
    "id", "lift_id", "district", "lifts", "building", "kind", "severity", "state", "stage", "stages", "opened",
    "closed", "active", "acknowledged", "owner", "may_hold_people", "by_hand", "closed_by", "reason", "merged_into",
    "links", "unconfirmed", "unanswered", "rescue", "summary",
}  # fmt: skip


class Findings:
    """Findings as the monitor writes them; each call answers with the open incident of the lift."""

    def __init__(self, records: Records, client: TestClient) -> None:
        self.records, self.client, self.position = records, client, 0

    def __call__(self, lift_id: str, slug: str, kind: str = "on", at_s: int = 0, **level: Any) -> dict[str, Any]:
        self.position += 1
        severity, by_hand = level.get("severity", MAJOR), level.get("by_hand", False)
        at_ns = T0_NS + at_s * S_NS
        finding = Finding(0, slug, kind, severity, at_ns, at_ns, by_hand, {})
        found = Occurrence(lift_id, f"d{lift_id[-1]}", finding, BY_SLUG[slug], at_ns)
        self.records.judge(position=self.position, occurrences=[found], now_ns=at_ns)
        listed = self.client.get("/api/v1/incidents", params={"lift_id": lift_id}).json()["items"]
        first: dict[str, Any] = listed[0]
        return first


@pytest.fixture
def find(records: Records, client: TestClient) -> Findings:
    """A function that writes findings as the monitor does."""
    return Findings(records, client)


@pytest.fixture
def trapped(find: Findings) -> str:
    """The id of an incident with a press of the alarm button."""
    name: str = find("L001", "alarm-button", severity=CRITICAL, by_hand=True)["id"]
    return name


def act(client: TestClient, incident_id: str, deed: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(f"/api/v1/incidents/{incident_id}/{deed}", json={"by": "Ann", **body}, headers=headers)


def test_an_incident_has_the_members_of_the_contract_and_no_others(find: Findings) -> None:
    incident = find("L001", "stop-outside-zone")
    assert incident.keys() == CONTRACT_KEYS
    assert (incident["kind"], incident["severity"], incident["state"]) == ("out-of-order", "major", "open")
    assert incident["stages"] == {"suspected": "2001-09-09T01:46:40.000Z"}
    assert incident["lifts"] == [{"lift_id": "L001", "district": "d1", "open_alerts": 1, "holds_people": False}]


def test_one_incident_has_its_alerts_and_its_story(client: TestClient, find: Findings, trapped: str) -> None:
    find("L001", "stop-outside-zone", at_s=5)
    act(client, trapped, "ack", note="going there")
    found = client.get(f"/api/v1/incidents/{trapped}").json()
    assert [alert["rule"] for alert in found["alerts"]] == ["stop-outside-zone", "alarm-button"]
    assert [alert["acknowledged"] for alert in found["alerts"]] == [True, True]
    assert [(entry["kind"], entry["by"], entry["note"]) for entry in found["story"]] == [
        ("opened", None, None), ("folded", None, None), ("acknowledged", "Ann", "going there"),
    ]  # fmt: skip
    assert found["story"][0]["about"] == found["alerts"][1]["id"]


def test_filters_and_cursors(client: TestClient, find: Findings, trapped: str) -> None:
    find("L002", "stop-outside-zone", at_s=100)
    for wanted in (
        {"kind": "alarm-call"},
        {"severity": "critical"},
        {"district": "d1"},
        {"to": "2001-09-09T01:47:00Z"},
    ):
        assert [one["id"] for one in client.get("/api/v1/incidents", params=wanted).json()["items"]] == [trapped], (
            wanted
        )
    assert client.get("/api/v1/incidents", params={"state": "closed"}).json() == {"items": [], "next": None}
    first = client.get("/api/v1/incidents", params={"limit": 1}).json()
    rest = client.get("/api/v1/incidents", params={"limit": 1, "cursor": first["next"]}).json()
    assert [one["lift_id"] for one in first["items"] + rest["items"]] == ["L002", "L001"]
    assert client.get("/api/v1/incidents", params={"cursor": "x"}).status_code == 400
    assert client.get("/api/v1/incidents", params={"kind": "odd"}).status_code == 422


def test_by_urgency_the_most_severe_come_first_and_those_that_wait_before_others(
    client: TestClient, records: Records, find: Findings, trapped: str
) -> None:
    for number, (slug, at_s) in enumerate([("stop-outside-zone", 100), ("stop-outside-zone", 200)], start=2):
        find(f"L00{number}", slug, at_s=at_s)
    seen = find("L004", "alarm-button", at_s=300, severity=CRITICAL, by_hand=True)
    act(client, seen["id"], "ack")
    order, cursor = [], None
    while True:
        query = {"sort": "urgency", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/incidents", params=query).json()
        order += [one["lift_id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert order == ["L001", "L004", "L003", "L002"]
    for number, at_s in ((6, 500), (5, 400)):
        find(f"L00{number}", "alarm-button", at_s=at_s, severity=CRITICAL, by_hand=True)
    find("L007", "overspeed", at_s=600, severity=CRITICAL, by_hand=True)
    by_urgency = client.get("/api/v1/incidents", params={"sort": "urgency"}).json()["items"]
    assert [one["lift_id"] for one in by_urgency] == ["L006", "L005", "L001", "L004", "L007", "L003", "L002"]
    records.advance_rescues(RescueTimes(), T0_NS + 700 * S_NS, lambda lift_id: lift_id in ("L001", "L005"))
    by_urgency = client.get("/api/v1/incidents", params={"sort": "urgency"}).json()["items"]
    assert [one["lift_id"] for one in by_urgency] == ["L001", "L005", "L006", "L004", "L007", "L003", "L002"]
    pages, cursor = [], None
    while cursor is not None or not pages:
        query = {"sort": "urgency", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/incidents", params=query).json()
        pages, cursor = [*pages, *page["items"]], page["next"]
    assert pages == by_urgency
    assert client.get("/api/v1/incidents/counts").json() == {"total": 7, "critical": 5, "waiting": 6, "inside": 4}


def test_a_search_finds_an_incident_by_its_lift_and_by_its_owner(
    client: TestClient, records: Records, find: Findings, trapped: str
) -> None:
    facts = {"name": "翠湖天地3号梯 · Green Lake 100% Lift", "maintenance_firm": "迅达 · Swift"}
    records.patch_lift("L001", facts, Actor.named("test"), T0_NS)
    find("L002", "stop-outside-zone")
    act(client, trapped, "assign", to="Bob")
    for wanted, count in (
        ({"q": "green lake"}, 1), ({"q": "翠湖"}, 1), ({"q": "BOB"}, 1), ({"q": "00% l"}, 1), ({"q": "0_% l"}, 0),
        ({"organisation": "swift"}, 1), ({"organisation": "Otto"}, 0), ({"unassigned": True}, 1), ({"q": "l00"}, 2),
    ):  # fmt: skip
        found = client.get("/api/v1/incidents", params=wanted).json()["items"]
        assert len(found) == count, wanted
        assert client.get("/api/v1/incidents/counts", params=wanted).json()["total"] == count, wanted


def test_an_incident_is_over_once_no_alert_fires_and_nobody_may_be_inside(
    client: TestClient, find: Findings, trapped: str
) -> None:
    find("L002", "stop-outside-zone")
    over = {"state": "open", "condition": "over"}
    assert client.get("/api/v1/incidents", params=over).json()["items"] == []
    find("L002", "stop-outside-zone", kind="off", at_s=50)
    assert [one["lift_id"] for one in client.get("/api/v1/incidents", params=over).json()["items"]] == ["L002"]


def test_a_rescue_from_the_press_to_the_closing(client: TestClient, trapped: str) -> None:
    for deed, body in (
        ("ack", {}), ("assign", {"to": "Bob"}), ("stage", {"stage": "confirmed"}), ("stage", {"stage": "dispatched"}),
        ("stage", {"stage": "on-site"}), ("stage", {"stage": "released"}), ("close", {"reason": "released"}),
    ):  # fmt: skip
        answer = act(client, trapped, deed, **body)
        assert answer.status_code == 200, answer.text
    closed = answer.json()
    assert (closed["state"], closed["owner"], closed["closed_by"], closed["may_hold_people"]) == (
        "closed", "Bob", "Ann", False,
    )  # fmt: skip
    assert list(closed["stages"]) == [
        "suspected", "acknowledged", "confirmed", "dispatched", "on-site", "released", "closed",
    ]  # fmt: skip


def test_closing_is_refused_while_a_person_may_be_inside(client: TestClient, trapped: str) -> None:
    refused = act(client, trapped, "close", reason="repaired")
    assert (refused.status_code, refused.json()["type"].endswith("person-inside")) == (409, True)
    assert "may still be inside" in refused.json()["detail"]
    missing = act(client, trapped, "close")
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "reason")
    act(client, trapped, "stage", stage="released")
    other = act(client, trapped, "close", reason="other")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "note")
    assert act(client, trapped, "close", reason="other", note="a drill").status_code == 200


def test_a_closing_is_undone_at_once(client: TestClient, trapped: str) -> None:
    act(client, trapped, "close", reason="test")
    undone = act(client, trapped, "reopen").json()
    assert (undone["state"], undone["reason"], undone["may_hold_people"]) == ("open", None, True)
    assert client.get(f"/api/v1/incidents/{trapped}").json()["story"][-1]["kind"] == "undone"


def test_a_stage_of_a_rescue_is_refused_where_nobody_can_be_inside(client: TestClient, find: Findings) -> None:
    incident = find("L001", "stop-outside-zone")
    refused = act(client, incident["id"], "stage", stage="dispatched")
    assert refused.status_code == 409
    assert act(client, incident["id"], "stage", stage="closed").status_code == 422


def test_the_same_action_again_answers_the_same_and_a_comment_is_added(client: TestClient, trapped: str) -> None:
    first, again = act(client, trapped, "ack").json(), act(client, trapped, "ack").json()
    assert first == again
    for _ in range(2):
        act(client, trapped, "comment", note="hm")
    kinds = [entry["kind"] for entry in client.get(f"/api/v1/incidents/{trapped}").json()["story"]]
    assert kinds == ["opened", "acknowledged", "commented", "commented"]


def test_an_action_from_an_old_version_is_refused(client: TestClient, trapped: str) -> None:
    tag = client.get(f"/api/v1/incidents/{trapped}").headers["ETag"]
    assert act(client, trapped, "ack", {"If-Match": tag}).status_code == 200
    assert act(client, trapped, "comment", {"If-Match": tag}, note="late").status_code == 412


def test_a_call_opens_an_incident_and_the_number_stands_in_its_story_alone(client: TestClient) -> None:
    body = {"by": "Ann", "lift_id": "L003", "what": "entrapment", "callback": "+86 10 5555-0100"}
    answer = client.post("/api/v1/incidents", json=body)
    assert answer.status_code == 201
    incident = answer.json()
    assert (incident["kind"], incident["stage"], incident["may_hold_people"]) == ("entrapment", "confirmed", True)
    assert "5555" not in answer.text
    again = client.post("/api/v1/incidents", json=body).json()
    story = client.get(f"/api/v1/incidents/{incident['id']}").json()["story"]
    assert (again["id"], [entry["kind"] for entry in story]) == (incident["id"], ["opened", "called"])
    assert story[0]["note"] == "+86 10 5555-0100"
    for wrong in ({"lift_id": "nowhere"}, {"callback": "<b>"}, {"what": "fire"}, {"extra": 1}):
        assert client.post("/api/v1/incidents", json={**body, **wrong}).status_code in (404, 422), wrong


def test_incidents_are_merged_split_and_linked(client: TestClient, find: Findings, trapped: str) -> None:
    other = find("L002", "stop-outside-zone", at_s=100)["id"]
    linked = act(client, trapped, "link", other=other).json()
    assert linked["links"] == [other]
    merged = act(client, trapped, "merge", other=other, note="one cause").json()
    assert [lift["lift_id"] for lift in merged["lifts"]] == ["L001", "L002"]
    assert client.get(f"/api/v1/incidents/{other}").json()["merged_into"] == trapped
    alerts = client.get(f"/api/v1/incidents/{trapped}").json()["alerts"]
    (moved,) = [alert["id"] for alert in alerts if alert["lift_id"] == "L002"]
    new = act(client, trapped, "split", alerts=[moved]).json()
    assert (new["lift_id"], new["links"]) == ("L002", [trapped])
    assert act(client, trapped, "split", alerts=["nothing"]).status_code == 409
    assert act(client, trapped, "split").status_code == 422
    act(client, trapped, "merge", other=new["id"])
    assert act(client, trapped, "split", lifts=["L002"]).json()["lift_id"] == "L002"
    assert act(client, trapped, "merge", other=trapped).status_code == 409
    assert act(client, trapped, "merge", other="aaaa").status_code == 404


def test_an_unknown_incident_is_not_found(client: TestClient) -> None:
    assert client.get("/api/v1/incidents/aaaa").status_code == 404
    assert act(client, "aaaa", "ack").status_code == 404
    assert client.get("/api/v1/incidents/UPPER").status_code == 422


def test_the_alerts_of_an_incident_keep_the_form_they_have_by_themselves(client: TestClient, trapped: str) -> None:
    (alert,) = client.get(f"/api/v1/incidents/{trapped}").json()["alerts"]
    found = client.get(f"/api/v1/alerts/{alert['id']}").json()
    assert alert == {name: found[name] for name in alert}


def test_open_incidents_and_the_time_to_acknowledge_are_metrics(
    client: TestClient, find: Findings, trapped: str
) -> None:
    find("L002", "stop-outside-zone", at_s=100)
    act(client, trapped, "ack")
    act(client, trapped, "ack")
    lines = client.get("/metrics").text.splitlines()
    assert 'liftwatch_incidents_open{kind="alarm-call",severity="critical"} 1.0' in lines
    assert 'liftwatch_incidents_open{kind="out-of-order",severity="major"} 1.0' in lines
    assert 'liftwatch_incident_acknowledge_seconds_count{severity="critical"} 1.0' in lines
    act(client, trapped, "close", reason="test")
    assert 'liftwatch_incidents_open{kind="alarm-call",severity="critical"} 0.0' in client.get("/metrics").text
