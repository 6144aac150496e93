"""A change that can hide a danger has a reason, may wait for a second person, and stands in every alert for 30 days."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from registry.scope import NO_LIFTS, OPEN_SCOPE, LiftScope
from registry.thresholds import RECENT_NS
from store.records.changes.change_request import DECIDE_WITHIN_NS
from store.records.repository import AlertFilter, AuditFilter, NotDecidable, Records, WantedChange
from telemetry.instant import rfc3339
from tests.alerts.rules import DOOR, OVERSPEED, STOP, occurrence
from tests.dashboards.applications import Client, create_app
from tests.dashboards.sample_fleet import T0_NS
from tests.dashboards.scope_of_test import ScopeOfTest, sign_in
from tests.store.broken_lift import break_lift

LIFT = "/api/v1/lifts/L001"
AUTHORITY = OrganisationKind.AUTHORITY


@pytest.fixture(name="client")
def asking(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings)
    ScopeOfTest.add_to(app)
    with Client(app, base_url="http://localhost") as client:
        yield client
    ScopeOfTest.scope = OPEN_SCOPE


def firing(records: Records, severity: int | None = None) -> str:
    """Raise an alert of the lift; return its id."""
    found = replace(occurrence(DOOR, "on", 10, severity, lift_id="L001"), district="d1")
    records.judge(position=1, occurrences=[found], now_ns=T0_NS)
    return records.alerts(AlertFilter(lift_id=("L001",))).items[0].id


def dangerous(alert_id: str) -> list[tuple[str, str, dict[str, object], str]]:
    """Return a request of each kind, and the field of its reason."""
    soon = rfc3339(time.time_ns() + 3600 * 10**9)
    return [
        ("PATCH", LIFT, {"rated_speed_mps": 2.5}, "reason"),
        ("PATCH", LIFT, {"floors": [{"label": "1", "height_m": 0}, {"label": "2", "height_m": 4}]}, "reason"),
        ("PATCH", LIFT, {"door_zone_m": 0.3}, "reason"),
        ("PATCH", LIFT, {"parks_door_open": True}, "reason"),
        ("PATCH", LIFT, {"position_source": "barometer"}, "reason"),
        ("POST", f"{LIFT}/maintenance", {"until": soon}, "note"),
        ("POST", f"/api/v1/alerts/{alert_id}/shelve", {"until": soon}, "note"),
    ]


def test_a_signed_in_account_gives_a_reason_for_each_dangerous_change(client: TestClient, records: Records) -> None:
    sign_in("Ada")
    for method, path, body, field in dangerous(firing(records)):
        answer = client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), path
        by_query = {"reason": "the plate says so"} if field == "reason" else {}
        by_body = {"note": "the plate says so"} if field == "note" else {}
        answer = client.request(method, path, json=body | by_body, params=by_query)
        assert answer.status_code == 200, answer.text
    assert client.patch(LIFT, json={"name": "Left lift"}).status_code == 200
    listed = client.get("/api/v1/change-requests").json()["items"]
    assert [(each["state"], each["by"], each["reason"]) for each in listed] == [
        ("applied", "Ada", "the plate says so")
    ] * 7


def test_a_deletion_has_a_reason_too(client: TestClient, records: Records) -> None:
    sign_in("Ada", OrganisationKind.OPERATOR)
    assert client.delete(LIFT).json()["errors"][0]["field"] == "reason"
    assert client.delete(LIFT, params={"reason": "dismantled"}).status_code == 204
    assert records.lift("L001") is None
    assert client.get("/api/v1/change-requests").json()["items"][0]["action"] == "delete"


def test_a_change_waits_for_another_account_where_the_organisation_asks_for_a_second_person(
    client: TestClient, records: Records
) -> None:
    for method, path, body, field in dangerous(firing(records)):
        sign_in("Ada", second_person=True)
        before = client.get(LIFT).json()
        by_query = {"reason": "new sheave"} if field == "reason" else {}
        by_body = {"note": "new sheave"} if field == "note" else {}
        sent = client.request(method, path, json=body | by_body, params=by_query)
        assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
        assert client.get(LIFT).json()["facts"] == before["facts"]
        approve = f"/api/v1/change-requests/{sent.json()['id']}/approve"
        own = client.post(approve)
        assert (own.status_code, own.json()["type"]) == (409, "urn:liftwatch:problem:second-person")
        sign_in("Eve", AUTHORITY)
        approved = client.post(approve)
        assert approved.status_code == 200, approved.text
        assert (approved.json()["state"], approved.json()["by"], approved.json()["decided_by"]) == (
            "applied",
            "Ada",
            "Eve",
        )
        assert client.post(approve).status_code == 409
    facts = client.get(LIFT).json()["facts"]
    assert (facts["rated_speed_mps"], facts["door_zone_m"], facts["parks_door_open"]) == (2.5, 0.3, True)
    assert client.get(LIFT).json()["maintenance"]["by"] == "Ada"


def test_a_declined_change_is_not_applied(client: TestClient, records: Records) -> None:
    sign_in("Ada", second_person=True)
    sent = client.patch(LIFT, json={"rated_speed_mps": 2.5}, params={"reason": "guess"})
    sign_in("Eve", second_person=True)
    assert client.post(f"/api/v1/change-requests/{sent.json()['id']}/decline").json()["state"] == "declined"
    assert client.get(LIFT).json()["facts"]["rated_speed_mps"] == 1.75


def test_a_change_of_an_outdated_version_is_not_approved_and_goes_on_waiting(
    client: TestClient, records: Records
) -> None:
    sign_in("Ada", second_person=True)
    version = client.get(LIFT).headers["etag"]
    headers = {"If-Match": version}
    sent = client.patch(LIFT, json={"rated_speed_mps": 2.5}, params={"reason": "plate"}, headers=headers).json()
    records.patch_lift("L001", {"name": "another name"}, Actor.named("test"), T0_NS)
    sign_in("Eve")
    assert client.post(f"/api/v1/change-requests/{sent['id']}/approve").status_code == 412
    assert client.get("/api/v1/change-requests", params={"state": "waiting"}).json()["items"] == [sent]


def test_of_two_people_who_approve_at_once_one_does(records: Records) -> None:
    applied: list[int] = []
    ada = Actor("Ada", "person:1", "Firm 1", "manager", None)
    made = records.request_change(WantedChange("L001", "d1", "facts", {}), ada, T0_NS, None)

    def approve(number: int) -> bool:
        by = replace(ada, account=f"person:{number}")
        try:
            return records.decide_change(made.id, by, T0_NS, lambda asked: applied.append(asked.id)) is not None
        except NotDecidable:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(approve, range(2, 6))) == [False, False, False, True]
    assert applied == [made.id]


def test_a_request_expires_and_a_foreign_one_is_not_found(client: TestClient, records: Records) -> None:
    ada = Actor("Ada", "person:1", "Firm 0", "manager", None)
    records.request_change(WantedChange("L000", "d0", "facts", {}), ada, time.time_ns(), None)
    old = records.request_change(WantedChange("L001", "d1", "facts", {}), ada, time.time_ns() - DECIDE_WITHIN_NS, None)
    sign_in("Eve")
    assert [each["id"] for each in client.get("/api/v1/change-requests").json()["items"]] == [old.id]
    assert client.get("/api/v1/change-requests", params={"state": "expired"}).json()["items"][0]["id"] == old.id
    assert client.get("/api/v1/change-requests", params={"state": "waiting"}).json()["items"] == []
    assert client.post(f"/api/v1/change-requests/{old.id}/approve").status_code == 409
    assert client.post("/api/v1/change-requests/1/approve").status_code == 404


def test_every_alert_of_a_lift_says_that_a_threshold_was_changed_within_30_days(records: Records) -> None:
    by = Actor.named("test")
    alert_id = firing(records)
    records.patch_lift("L001", {"name": "no threshold"}, by, T0_NS)
    assert records.alert(alert_id).alert.thresholds_changed_ns is None  # type: ignore[union-attr]
    records.patch_lift("L001", {"rated_speed_mps": 2.0}, by, T0_NS)
    assert records.alert(alert_id).alert.thresholds_changed_ns == T0_NS  # type: ignore[union-attr]
    for position, (rule, after_ns) in enumerate(((STOP, RECENT_NS - 1), (OVERSPEED, RECENT_NS)), start=2):
        found = replace(occurrence(rule, "on", 20.0, lift_id="L001"), district="d1")
        records.judge(position=position, occurrences=[found], now_ns=T0_NS + after_ns)
    announced = [orjson.loads(each.alert_json).get("thresholds_changed") for each in records.transitions_since(0)]
    assert announced == [None, rfc3339(T0_NS), None]


def test_every_incident_of_a_lift_says_so_too(client: TestClient, records: Records) -> None:
    by, own = Actor.named("test"), {"district": "d1"}
    firing(records)
    (first,) = client.get("/api/v1/incidents", params=own).json()["items"]
    assert "thresholds_changed" not in first
    records.patch_lift("L001", {"rated_speed_mps": 2.0}, by, T0_NS)
    (marked,) = client.get("/api/v1/incidents", params=own).json()["items"]
    assert (marked["thresholds_changed"], marked["lifts"][0]["thresholds_changed"]) == (rfc3339(T0_NS), rfc3339(T0_NS))
    records.patch_lift("L002", {"rated_speed_mps": 2.0}, by, T0_NS)
    records.patch_lift("L003", {"rated_speed_mps": 2.0}, by, T0_NS)
    for position, (lift_id, after_ns) in enumerate((("L002", RECENT_NS - 1), ("L003", RECENT_NS)), start=2):
        found = replace(occurrence(STOP, "on", 20.0, lift_id=lift_id), noticed_ns=T0_NS + after_ns)
        records.judge(position=position, occurrences=[found], now_ns=T0_NS + after_ns)
    announced = [orjson.loads(each.incident_json) for each in records.incident_entries_since(0, 9999)]
    assert [(each["lift_id"], each.get("thresholds_changed")) for each in announced] == [
        ("L001", None), ("L002", rfc3339(T0_NS)), ("L003", None),
    ]  # fmt: skip


@pytest.mark.parametrize("shared", [True, False])
def test_the_note_of_another_firm_is_read_where_it_is_shared(
    client: TestClient, records: Records, shared: bool
) -> None:
    alert_id = firing(records)
    sign_in("Ada")
    comment = {"note": "the belt is worn", "shared": shared}
    assert client.post(f"/api/v1/alerts/{alert_id}/comment", json=comment).status_code == 200
    records.patch_lift("L001", {"maintenance_firm": "Rival"}, Actor.named("test"), T0_NS)
    own, rival = LiftScope(names=frozenset({"Firm 1", "Rival"})), LiftScope(names=frozenset({"Rival"}))
    read = []
    for scope in (own, rival, LiftScope(districts=frozenset({"d1"})), NO_LIFTS):
        history = records.alert(alert_id, scope)
        read.append(history and [(each.by, each.note) for each in history.transitions][-1])
    whole = ("Ada", "the belt is worn")
    assert read == [whole, whole if shared else ("Firm 1", None), whole, None]


@pytest.mark.parametrize("shared", [False, True])
def test_the_note_of_an_unshelving_is_shared_where_the_body_says_so(
    client: TestClient, records: Records, shared: bool
) -> None:
    alert_id = firing(records)
    sign_in("Ada")
    until = rfc3339(time.time_ns() + 3600 * 10**9)
    assert client.post(f"/api/v1/alerts/{alert_id}/shelve", json={"until": until, "note": "x"}).status_code == 200
    body = {"note": "the belt is worn", "shared": shared}
    assert client.post(f"/api/v1/alerts/{alert_id}/unshelve", json=body).status_code == 200
    records.patch_lift("L001", {"maintenance_firm": "Rival"}, Actor.named("test"), T0_NS)
    history = records.alert(alert_id, LiftScope(names=frozenset({"Rival"})))
    assert history is not None
    assert history.transitions[-1].note == ("the belt is worn" if shared else None)


IMPORT = "/api/v1/lifts/import"


def operator(name: str, second_person: bool = False) -> None:
    """Make every later request one of this administrator of the operator."""
    actor = Actor(name, f"person:{name}", "Desk", "administrator", "127.0.0.1")
    ScopeOfTest.scope = replace(OPEN_SCOPE, actor=actor, second_person=second_person)


def test_thresholds_of_an_import_have_a_reason_and_wait_for_a_second_person(
    client: TestClient, records: Records
) -> None:
    before = records.lift("L001")
    assert before is not None
    row = {"lift_id": "L001", "district": "d1", "name": "Tower", "rated_speed_mps": 9.0}
    rows = [row, {"lift_id": "NEW", "district": "d1", "rated_speed_mps": 1.0}]
    operator("Ada", second_person=True)
    refused = client.post(IMPORT, json=rows)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert records.lift("NEW") is None
    taken = client.post(IMPORT, json=rows, params={"reason": "new drive"}).json()
    assert (taken["taken"], [each["lift_id"] for each in taken["waiting"]]) == (["L001", "NEW"], ["L001"])
    held = records.lift("L001")
    assert held is not None
    assert (held.facts.name, held.facts.rated_speed_mps, held.facts.floors) == (
        "Tower", before.facts.rated_speed_mps, before.facts.floors,
    )  # fmt: skip
    operator("Bea", second_person=True)
    number = taken["waiting"][0]["change_request"]
    assert client.post(f"/api/v1/change-requests/{number}/approve").status_code == 200
    after = records.lift("L001")
    assert after is not None
    assert (after.facts.rated_speed_mps, after.facts.floors) == (9.0, ())


def test_thresholds_of_an_import_without_a_second_person_are_applied_and_stored_as_a_request(
    client: TestClient, records: Records
) -> None:
    operator("Ada")
    row = {"lift_id": "L001", "district": "d1", "rated_speed_mps": 9.0}
    assert client.post(IMPORT, json=[row], params={"reason": "new drive"}).json()["waiting"] == []
    (asked,) = records.change_requests(time.time_ns()).items
    assert (asked.state, asked.wanted.reason) == ("applied", "new drive")
    after = records.lift("L001")
    assert after is not None
    assert after.facts.rated_speed_mps == 9.0


def test_an_import_that_breaks_off_has_stored_a_request_of_each_lift_that_it_changed(
    client: TestClient, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.records.lifts.IMPORT_AT_ONCE", 1)
    break_lift(records, "L002")
    operator("Ada")
    rows = [{"lift_id": lift_id, "district": "d1", "rated_speed_mps": 9.0} for lift_id in ("L001", "L002")]
    assert client.post(IMPORT, json=rows, params={"reason": "new drive"}).status_code == 500
    assert {each.lift_id: each.rated_speed_mps for each in records.registered() if each.rated_speed_mps == 9.0} == {
        "L001": 9.0
    }
    (asked,) = records.change_requests(time.time_ns()).items
    assert (asked.wanted.lift_id, asked.state, asked.wanted.reason) == ("L001", "applied", "new drive")


def in_an_hour_ns() -> int:
    """Return an instant in whole milliseconds, as JSON has them."""
    return (time.time_ns() // 1_000_000 + 3_600_000) * 1_000_000


def test_a_temporary_change_returns_to_the_former_thresholds_at_its_end(client: TestClient, records: Records) -> None:
    sign_in("Ada")
    soon_ns = in_an_hour_ns()
    query = {"reason": "sheave on loan", "until": rfc3339(soon_ns)}
    assert client.patch(LIFT, json={"rated_speed_mps": 2.5, "name": "Tower"}, params=query).status_code == 200
    (asked,) = client.get("/api/v1/change-requests").json()["items"]
    assert (asked["state"], asked["detail"]["until"]) == ("applied", rfc3339(soon_ns))
    second = client.patch(LIFT, json={"door_zone_m": 0.4}, params=query)
    assert (second.status_code, second.json()["type"]) == (409, "urn:liftwatch:problem:temporary-change")
    assert client.patch(LIFT, json={"door_zone_m": 0.3}, params={"reason": "the plate says so"}).status_code == 200
    assert records.end_temporary_changes(soon_ns - 1) == 0
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(records.end_temporary_changes, (soon_ns, soon_ns))) == 1
    after = records.lift("L001")
    assert after is not None
    assert (after.facts.rated_speed_mps, after.facts.name, after.facts.door_zone_m) == (1.75, "Tower", 0.3)
    assert [each["state"] for each in client.get("/api/v1/change-requests").json()["items"]] == ["applied", "ended"]
    rows = records.audit(AuditFilter(who="end of a temporary change")).items
    assert [each.action for each in rows] == ["change.ended", "lift.patch"]


def test_a_threshold_that_was_changed_again_stays_at_the_end(client: TestClient, records: Records) -> None:
    sign_in("Ada")
    soon_ns = in_an_hour_ns()
    query = {"reason": "trial", "until": rfc3339(soon_ns)}
    floors = [{"label": "1", "height_m": 0.0}, {"label": "2", "height_m": 4.0}]
    assert client.patch(LIFT, json={"rated_speed_mps": 2.5, "floors": floors}, params=query).status_code == 200
    assert client.patch(LIFT, json={"rated_speed_mps": 3.0}, params={"reason": "new plate"}).status_code == 200
    assert records.end_temporary_changes(soon_ns) == 1
    after = records.lift("L001")
    assert after is not None
    assert (after.facts.rated_speed_mps, len(after.facts.floors)) == (3.0, 4)


def test_a_temporary_threshold_is_kept_for_good_by_the_same_value_with_a_reason(
    client: TestClient, records: Records
) -> None:
    sign_in("Ada")
    soon_ns, same = in_an_hour_ns(), {"rated_speed_mps": 2.5}
    assert client.patch(LIFT, json=same, params={"reason": "trial", "until": rfc3339(soon_ns)}).status_code == 200
    assert client.patch(LIFT, json=same, params={"reason": "it proved right"}).status_code == 200
    listed = client.get("/api/v1/change-requests").json()["items"]
    assert [(each["state"], each["reason"]) for each in listed] == [
        ("applied", "it proved right"), ("ended", "trial"),
    ]  # fmt: skip
    records.end_temporary_changes(soon_ns)
    after = records.lift("L001")
    assert after is not None
    assert after.facts.rated_speed_mps == 2.5


@pytest.mark.parametrize(
    ("days", "body"), [(-1, {"rated_speed_mps": 2.5}), (91, {"rated_speed_mps": 2.5}), (1, {"name": "Tower"})]
)
def test_an_end_lies_ahead_and_belongs_to_a_threshold(client: TestClient, days: int, body: dict[str, object]) -> None:
    sign_in("Ada")
    until = rfc3339(time.time_ns() + days * 24 * 3600 * 10**9)
    answer = client.patch(LIFT, json=body, params={"reason": "x", "until": until})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")


def test_a_change_whose_end_has_passed_is_not_approved(client: TestClient, records: Records) -> None:
    now_ns = time.time_ns()
    eve = Actor("Eve", "person:eve", "Firm 1", "manager", None)
    detail = {"rated_speed_mps": 9.0, "until_ns": now_ns}
    made = records.request_change(WantedChange("L001", "d1", "facts", detail, None, "x"), eve, now_ns - 1, None)
    sign_in("Ada")
    answer = client.post(f"/api/v1/change-requests/{made.id}/approve")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:liftwatch:problem:until")


def test_the_authority_is_notified_of_the_end(records: Records) -> None:
    by, now_ns = Actor.named("test"), time.time_ns()
    district = records.add_organisation({"name": "District", "kind": AUTHORITY, "districts": ("d1",)}, by, now_ns)
    ivy = records.add_person("Ivy", "ivy", {district.organisation_id: Role.INSPECTOR}, by, now_ns)
    assert ivy is not None
    way = records.add_way(ivy.person_id, "mail", "ivy@district.example", None, by, now_ns)
    (sent,) = records.claim_notifications(now_ns, 1, 10)
    assert records.verify_way(ivy.person_id, way.way_id, sent.notification.code or "", by, now_ns)
    eve, soon_ns, faster = (
        Actor("Eve", "person:eve", "Firm 1", "manager", None),
        in_an_hour_ns(),
        {"rated_speed_mps": 2.5},
    )
    records.request_change(
        WantedChange("L001", "d1", "facts", {**faster, "until_ns": soon_ns}, None, "trial"), eve, now_ns,
        lambda asked: records.patch_lift_until(asked.id, "L001", faster, eve, now_ns, soon_ns),
    )  # fmt: skip
    records.end_temporary_changes(soon_ns)
    keys = [each.notification.key for each in records.claim_notifications(soon_ns, 1, 10)]
    assert [key.split(":")[2] for key in keys if key.startswith("change:")] == ["applied", "ended"]
