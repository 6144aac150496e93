"""Alerts through the API: lists, actions, refusals and idempotence as in the contract."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from alerts.book import Occurrence
from detectors.catalogue import BY_SLUG
from detectors.rule import CRITICAL, MAJOR, Finding
from store.records.repository import AuditFilter, Records
from telemetry import instant
from tests.dashboards.sample_fleet import T0_NS, table

S_NS = 1_000_000_000
HOUR_NS = 3600 * S_NS
CONTRACT_KEYS = {
    "id", "lift_id", "district", "rule", "severity", "state", "onset", "noticed", "cleared", "count", "acknowledged",
    "assigned_to", "shelved_until", "inhibited_by", "evidence", "codes", "summary",
}  # fmt: skip


class Judge:
    """Raises and clears alerts as the monitor does."""

    def __init__(self, records: Records) -> None:
        self.records, self.position = records, 0

    def __call__(
        self, lift_id: str, slug: str, kind: str = "on", at_s: int = 0, severity: int = MAJOR, by_hand: bool = False
    ) -> str:
        self.position += 1
        rule = BY_SLUG.get(slug) or replace(BY_SLUG["overspeed"], slug=slug)
        at_ns = T0_NS + at_s * S_NS
        finding = Finding(0, slug, kind, severity, at_ns, at_ns, by_hand, {"speed_mps": 2.11, "limit_mps": 2.01})
        found = Occurrence(lift_id, f"d{lift_id[-1]}", finding, rule, at_ns)
        return self.records.judge(position=self.position, occurrences=[found], now_ns=at_ns)[0].alert.id


@pytest.fixture
def judge(records: Records) -> Judge:
    """A function that writes findings as the monitor does."""
    return Judge(records)


def act(client: TestClient, alert_id: str, deed: str, **body: Any) -> Any:
    return client.post(f"/api/v1/alerts/{alert_id}/{deed}", json={"by": "Ann", **body})


def test_an_alert_has_the_members_of_the_contract_and_no_others(client: TestClient, judge: Judge) -> None:
    judge("L001", "overspeed")
    alert = client.get("/api/v1/alerts").json()["items"][0]
    assert alert.keys() == CONTRACT_KEYS
    assert (alert["onset"], alert["state"], alert["severity"]) == ("2001-09-09T01:46:40.000Z", "firing", "major")
    assert alert["summary"].keys() == {"en", "zh"}
    assert alert["evidence"]["limit_mps"] == 2.01


def test_alerts_are_listed_by_newest_onset_and_filtered(client: TestClient, judge: Judge) -> None:
    judge("L001", "overspeed", at_s=0)
    judge("L002", "overspeed", at_s=60, severity=CRITICAL)
    judge("L002", "emergency-stop", at_s=120)

    def found(asked: str) -> list[tuple[str, str]]:
        items = client.get(f"/api/v1/alerts?{asked}").json()["items"]
        return [(item["lift_id"], item["rule"]) for item in items]

    assert [lift for lift, _ in found("")] == ["L002", "L002", "L001"]
    assert found("severity=critical") == [("L002", "overspeed")]
    assert found("rule=emergency-stop&lift_id=L002") == [("L002", "emergency-stop")]
    assert found("state=closed") == []
    assert len(found("state=firing&state=cleared")) == 3
    assert len(found(f"from={instant.text(T0_NS + 60 * S_NS)}")) == 2
    assert found(f"to={instant.text(T0_NS + 60 * S_NS)}") == [("L001", "overspeed")]
    assert found("district=d1") == [("L001", "overspeed")]


def test_pagination_returns_each_alert_once(client: TestClient, judge: Judge) -> None:
    for number in range(6):
        judge(f"L00{number}", "overspeed", at_s=number // 2)
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"/api/v1/alerts?limit=2{cursor}").json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert len(found) == len(set(found)) == 6


def test_transitions_are_listed_in_order_with_their_persons(client: TestClient, judge: Judge) -> None:
    alert_id = judge("L001", "overspeed")
    act(client, alert_id, "ack", note="on my way").raise_for_status()
    act(client, alert_id, "assign", to="Ben").raise_for_status()
    act(client, alert_id, "comment", note="door was blocked").raise_for_status()
    story = client.get(f"/api/v1/alerts/{alert_id}").json()
    assert [(each["kind"], each["by"]) for each in story["transitions"]] == [
        ("fired", None), ("acknowledged", "Ann"), ("assigned", "Ann"), ("commented", "Ann"),
    ]  # fmt: skip
    assert [each["note"] for each in story["comments"]] == ["door was blocked"]
    assert (story["acknowledged"], story["assigned_to"]) == (True, "Ben")


@pytest.mark.parametrize(("deed", "body"), [("ack", {}), ("assign", {"to": "Ben"}), ("resolve", {})])
def test_repeating_an_action_changes_nothing_and_answers_the_same(
    client: TestClient, judge: Judge, deed: str, body: dict[str, str]
) -> None:
    alert_id = judge("L001", "overspeed", by_hand=True)
    first, second = act(client, alert_id, deed, **body), act(client, alert_id, deed, **body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert len(client.get(f"/api/v1/alerts/{alert_id}").json()["transitions"]) == 2


def test_every_comment_is_added(client: TestClient, judge: Judge) -> None:
    alert_id = judge("L001", "overspeed")
    for _ in range(2):
        act(client, alert_id, "comment", note="still here").raise_for_status()
    assert len(client.get(f"/api/v1/alerts/{alert_id}").json()["comments"]) == 2
    assert act(client, alert_id, "comment").status_code == 422


def test_an_alert_whose_condition_holds_cannot_be_resolved(client: TestClient, judge: Judge) -> None:
    alert_id = judge("L001", "emergency-stop")
    refused = act(client, alert_id, "resolve")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:liftwatch:problem:condition-holds")
    judge("L001", "emergency-stop", kind="off", at_s=30)
    assert act(client, alert_id, "resolve").json()["state"] == "closed"


def test_an_alert_of_a_rule_that_is_judged_no_more_can_be_resolved_while_it_fires(
    client: TestClient, judge: Judge
) -> None:
    alert_id = judge("L001", "of-a-deleted-file")
    assert act(client, alert_id, "resolve").json()["state"] == "closed"


def test_an_alert_that_was_cleared_and_is_acknowledged_closes(client: TestClient, judge: Judge) -> None:
    alert_id = judge("L001", "emergency-stop")
    judge("L001", "emergency-stop", kind="off", at_s=30)
    assert act(client, alert_id, "ack").json()["state"] == "closed"


def test_shelving_is_for_eight_hours_at_most_and_never_for_a_critical_alert(client: TestClient, judge: Judge) -> None:
    now_ns = time.time_ns()
    major, critical = judge("L001", "overspeed"), judge("L002", "overspeed", severity=CRITICAL)
    soon, late = instant.text(now_ns + HOUR_NS), instant.text(now_ns + 9 * HOUR_NS)
    shelved = act(client, major, "shelve", until=soon, note="mechanic is there")
    assert (shelved.status_code, shelved.json()["shelved_until"]) == (200, soon)
    assert shelved.json()["inhibited_by"] == "shelved"
    assert act(client, critical, "shelve", until=soon).status_code == 409
    for wrong in (late, instant.text(now_ns - HOUR_NS), "tomorrow", 5, None):
        answer = act(client, major, "shelve", until=wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")


@pytest.mark.parametrize("deed", ["ack", "resolve"])
def test_an_action_without_a_person_is_refused(client: TestClient, judge: Judge, deed: str) -> None:
    answer = client.post(f"/api/v1/alerts/{judge('L001', 'overspeed')}/{deed}", json={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "by")


def test_an_unknown_alert_is_a_problem(client: TestClient) -> None:
    assert client.get("/api/v1/alerts/nothing").status_code == 404
    assert act(client, "nothing", "ack").status_code == 404


def test_open_alerts_are_shown_with_their_lift_and_counted_in_the_fleet(client: TestClient, judge: Judge) -> None:
    judge("L001", "overspeed")
    judge("L001", "emergency-stop")
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    lift = client.get("/api/v1/lifts/L001").json()
    assert (lift["state"], {each["rule"] for each in lift["open_alerts"]}) == (
        "major", {"overspeed", "emergency-stop"},
    )  # fmt: skip
    assert lift["latest"]["open_alerts"] == {"critical": 0, "major": 2, "minor": 0, "trend": 0}
    assert client.get("/api/v1/lifts").json()["items"][0]["lift_id"] == "L001"
    fleet = client.get("/api/v1/fleet").json()
    assert (fleet["states"]["major"], fleet["severities"]["major"]) == (1, 2)
    assert fleet["districts"]["d1"]["severities"]["major"] == 2


def test_completeness_is_the_fraction_of_sent_messages_that_arrived(client: TestClient, records: Records) -> None:
    counts = {"received": np.array([95, 60]), "repeats": np.array([5, 0]), "gaps": np.array([10, 40])}
    records.put_live(table(2, **counts).encode(), {}, T0_NS)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    assert client.get("/api/v1/fleet").json()["completeness"]["fraction"] == 0.75


def test_completeness_is_unknown_where_no_message_has_a_number(client: TestClient, records: Records) -> None:
    records.put_live(table(2, received=np.array([95, 60]), gaps=np.array([5, -1])).encode(), {}, T0_NS)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    completeness = client.get("/api/v1/fleet").json()["completeness"]
    assert (completeness["received"], completeness["gaps"], completeness["fraction"]) == (155, 5, 0.95)
    assert [client.get(f"/api/v1/lifts/L00{k}").json()["messages"]["gaps"] for k in (0, 1)] == [5, None]
    completeness = client.get("/api/v1/fleet", params={"district": "d1"}).json()["completeness"]
    assert (completeness["gaps"], completeness["fraction"]) == (None, None)


def test_a_fault_is_injected_into_a_simulated_lift(client: TestClient, records: Records) -> None:
    answer = client.post("/api/v1/sim/L001/fault", json={"cause": "overspeed", "for_s": 30})
    assert (answer.status_code, answer.json()) == (202, {"lift_id": "L001", "cause": "overspeed", "for_s": 30.0})
    assert client.get("/api/v1/sim/causes").json()["items"] == ["overspeed", "entrapment"]
    assert client.post("/api/v1/sim/L001/fault", json={"cause": "magic"}).status_code == 422
    assert client.post("/api/v1/sim/NOBODY/fault", json={"cause": "overspeed"}).status_code == 404
    rows = records.audit(AuditFilter(action="lift.fault")).items
    assert [(row.lift_id, row.detail) for row in rows] == [("L001", '{"cause":"overspeed","for_s":30.0}')]
