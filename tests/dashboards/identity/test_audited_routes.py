"""Every route of the API that changes something leaves a row in the audit log."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from registry.roles import Role
from store.records.repository import AuditFilter, IncidentFilter, Records
from telemetry.instant import rfc3339
from tests.alerts.incidents.desk import ENTRAPMENT
from tests.alerts.rules import DOOR, MOVED, STOP, occurrence
from tests.dashboards.applications import create_app
from tests.dashboards.identity.accounts import BY, PASSWORD, Accounts, sign_in
from tests.dashboards.identity.test_own_ways import newest_code
from tests.dashboards.roles.documented import ROUTES
from tests.dashboards.sample_fleet import T0_NS
from tests.dashboards.test_api_duty import ROTATION

HOUR_NS = 3600 * 1_000_000_000
LIFT = "L001"
CHANGING = {(method, path) for method, path, _ in ROUTES if method != "GET" and path.startswith("/api/")}
DECIDED = {
    ("POST", "/api/v1/change-requests/{request_id}/approve"), ("POST", "/api/v1/change-requests/{request_id}/decline"),
}  # fmt: skip
"""Routes whose rows are those of `test_change_requests`, which has two accounts."""
Body = dict[str, Any] | list[Any] | None


@pytest.fixture
def app(settings: Settings, accounts: Accounts) -> FastAPI:
    """An application that sends mail."""
    return create_app(replace(settings, way_kinds=("mail",)))


class Tour:
    """A session that sends each change once and keeps the action of its newest audit row."""

    def __init__(self, client: TestClient, records: Records) -> None:
        self.client, self.records = client, records
        self.actions: dict[tuple[str, str], str] = {}

    def send(self, method: str, template: str, body: Body = None, query: str = "", **ids: Any) -> Any:
        """Send one change; assert that it is done and has left a row."""
        before = self.records.audit_head().id
        content = {} if method == "DELETE" else {"json": body or {}}
        answer = self.client.request(method, template.format(**ids) + query, **content)
        assert answer.status_code < 300, (method, template, answer.text)
        assert self.records.audit_head().id > before, (method, template)
        self.actions[method, template] = self.records.audit(AuditFilter(), limit=1).items[0].action
        return answer.json() if answer.content else None


def later(hours: float) -> str:
    return rfc3339(time.time_ns() + round(hours * HOUR_NS))


def alerts_of(records: Records, position: int, *found: tuple[Any, str]) -> list[str]:
    """Raise alerts; return their ids."""
    occurrences = [replace(occurrence(rule, "on", position, lift_id=lift_id), district="d1") for rule, lift_id in found]
    judged = records.judge(position=position, occurrences=occurrences, now_ns=T0_NS)
    return [each.alert.id for each in judged]


def on_lifts(tour: Tour) -> None:
    put = {"lift_id": "NEW", "district": "d1", "rated_speed_mps": 1.0}
    tour.send("POST", "/api/v1/lifts", put)
    tour.send("PATCH", "/api/v1/lifts/{lift_id}", {"rated_speed_mps": 2.0}, "?reason=plate", lift_id="NEW")
    tour.send("POST", "/api/v1/lifts/import", [{"lift_id": "OTHER", "district": "d1"}])
    tour.send("POST", "/api/v1/lifts/{lift_id}/maintenance", {"until": later(1), "note": "ropes"}, lift_id="NEW")
    tour.send("DELETE", "/api/v1/lifts/{lift_id}/maintenance", lift_id="NEW")
    tour.send("POST", "/api/v1/sim/{lift_id}/fault", {"cause": "overspeed"}, lift_id=LIFT)
    tour.send("DELETE", "/api/v1/lifts/{lift_id}", None, "?reason=gone", lift_id="NEW")


def on_alerts(tour: Tour) -> None:
    (alert_id,) = alerts_of(tour.records, 1, (DOOR, LIFT))
    path = "/api/v1/alerts/{alert_id}/"
    for action, body in (
        ("ack", {"note": "seen"}), ("assign", {"to": "Ann"}), ("comment", {"note": "belt"}),
        ("shelve", {"until": later(1), "note": "works"}), ("unshelve", {}),
    ):  # fmt: skip
        tour.send("POST", path + action, body, alert_id=alert_id)
    (by_hand,) = alerts_of(tour.records, 2, (MOVED, LIFT))
    tour.send("POST", path + "resolve", {}, alert_id=by_hand)


def on_incidents(tour: Tour) -> None:
    records, path = tour.records, "/api/v1/incidents/{incident_id}/"
    alerts_of(records, 10, (ENTRAPMENT, LIFT), (STOP, "L002"))
    called = tour.send("POST", "/api/v1/incidents", {"lift_id": LIFT, "what": "entrapment"})["id"]
    (other,) = (
        each.incident.id for each in records.incidents(IncidentFilter(lift_id=("L002",), state=("open",))).items
    )
    records.report_publicly(LIFT, "entrapment", "dark", "r1", T0_NS)
    for action, body in (
        ("ack", {}), ("assign", {"to": "admin"}), ("comment", {"note": "x"}), ("answer", {"note": "coming"}),
        ("call-out", {"who": "Firm", "level": 1}), ("accept", {"number": 1}),
        ("arrive", {"number": 1}), ("decline", {"number": 1, "reason": "far"}),
        ("call-out", {"who": "Firm", "level": 1}), ("no-answer", {"number": 2}),
        ("stage", {"stage": "released"}), ("retract", {"stage": "released", "note": "the wrong car"}),
        ("link", {"other": other}), ("merge", {"other": other}),
    ):  # fmt: skip
        tour.send("POST", path + action, body, incident_id=called)
    history = records.incident(called)
    assert history is not None
    moved = [each.id for each in history.alerts if each.lift_id == "L002"]
    tour.send("POST", path + "split", {"alerts": moved}, incident_id=called)
    cleared = [replace(occurrence(rule, "off", 11, lift_id=LIFT), district="d1") for rule in (DOOR, ENTRAPMENT)]
    records.judge(position=11, occurrences=cleared, now_ns=T0_NS)
    tour.send("POST", path + "close", {"reason": "test"}, incident_id=called)
    tour.send("POST", path + "reopen", {}, incident_id=called)


def on_people(tour: Tour, accounts: Accounts) -> None:
    desk, people = accounts.desk.organisation_id, "/api/v1/people"
    new = {"name": "Robot", "login": "robot", "organisation_id": desk, "role": "viewer", "is_machine": True}
    robot = tour.send("POST", people, new)["person_id"]
    person = tour.send("POST", people, {**new, "login": "eve", "is_machine": False})["person_id"]
    tour.send("PATCH", people + "/{person_id}", {"name": "Robot 2"}, person_id=robot)
    tour.send("POST", people + "/{person_id}/link", {}, person_id=person)
    role = {"person_id": person, "organisation_id": accounts.firm.organisation_id}
    tour.send("PUT", people + "/{person_id}/roles/{organisation_id}", {"role": "viewer"}, **role)
    tour.send("DELETE", people + "/{person_id}/roles/{organisation_id}", **role)
    token = {"name": "t", "expires": later(1), "organisation_id": desk}
    tour.send("POST", people + "/{person_id}/tokens", token, person_id=robot)
    (made,) = tour.client.get(f"{people}/{robot}/tokens").json()["items"]
    tour.send("DELETE", people + "/{person_id}/tokens/{token_id}", person_id=robot, token_id=made["token_id"])
    assert accounts.records.bind_subject(person, "https://id.example", "s", BY, accounts.now_ns)
    tour.send("DELETE", people + "/{person_id}/subject", person_id=person)


def on_organisations(tour: Tour) -> None:
    path = "/api/v1/organisations"
    one, two = (tour.send("POST", path, {"name": name, "kind": "owner"})["organisation_id"] for name in ("One", "Two"))
    about = {"organisation_id": one}
    tour.send("PATCH", path + "/{organisation_id}", {"address": "Road 1"}, **about)
    tour.send("POST", path + "/{organisation_id}/close", {}, **about)
    tour.send("POST", path + "/{organisation_id}/reopen", {}, **about)
    tour.send("POST", path + "/{organisation_id}/merge", {"other_id": two}, **about)


def on_devices(tour: Tour) -> None:
    tour.send("POST", "/api/v1/devices", {"lift_id": LIFT})
    tour.send("POST", "/api/v1/devices/{device_id}/rotate", {}, device_id=LIFT)
    tour.send("POST", "/api/v1/devices/{device_id}/revoke", {}, device_id=LIFT)


def reachable(accounts: Accounts) -> None:
    """Give the administrator a verified way."""
    person_id, now_ns = accounts.admin.person_id, time.time_ns()
    way = accounts.records.add_way(person_id, "mail", "admin@desk.example", None, BY, now_ns)
    assert accounts.records.verify_way(person_id, way.way_id, newest_code(accounts), BY, now_ns)


def on_duty(tour: Tour, accounts: Accounts) -> None:
    desk, rosters, policies = accounts.desk.organisation_id, "/api/v1/rosters", "/api/v1/escalation-policies"
    reachable(accounts)
    person = accounts.admin.person_id
    rotation = {**ROTATION, "turns": [[person]]}
    fields = {"name": "Nights", "timezone": "UTC", "rotations": [rotation]}
    roster = tour.send("POST", rosters, {**fields, "organisation_id": desk})["roster_id"]
    tour.send("PUT", rosters + "/{roster_id}", {**fields, "name": "Days"}, roster_id=roster)
    override = {"from": later(1), "until": later(2), "people": [person]}
    changed = tour.send("POST", rosters + "/{roster_id}/overrides", override, roster_id=roster)
    override_id = changed["overrides"][0]["override_id"]
    tour.send("DELETE", rosters + "/{roster_id}/overrides/{override_id}", roster_id=roster, override_id=override_id)
    tour.send("POST", rosters + "/{roster_id}/calendar-links", {}, roster_id=roster)
    (link,) = tour.client.get(f"{rosters}/{roster}/calendar-links").json()["items"]
    tour.send("DELETE", rosters + "/{roster_id}/calendar-links/{link_id}", roster_id=roster, link_id=link["link_id"])
    tour.send("POST", rosters + "/{roster_id}/test", {}, roster_id=roster)
    steps = {"name": "Calls", "steps": [{"targets": ["on-duty"]}]}
    policy = tour.send("POST", policies, {**steps, "organisation_id": desk})["policy_id"]
    tour.send("PUT", policies + "/{policy_id}", {**steps, "name": "Calls 2"}, policy_id=policy)
    tour.send("POST", policies + "/{policy_id}/test", {}, policy_id=policy)
    tour.send("DELETE", policies + "/{policy_id}", policy_id=policy)
    tour.send("DELETE", rosters + "/{roster_id}", roster_id=roster)


def on_own_account(tour: Tour, accounts: Accounts) -> None:
    path, client, tokens = "/api/v1/account/ways", tour.client, "/api/v1/me/tokens"
    way = tour.send("POST", path, {"kind": "mail", "address": "a@b.example"})["way_id"]
    tour.send("POST", path + "/{way_id}/code", {}, way_id=way)
    tour.send("POST", path + "/{way_id}/verify", {"code": newest_code(accounts)}, way_id=way)
    tour.send("POST", path + "/{way_id}/test", {}, way_id=way)
    tour.send("PUT", path, {"way_ids": [each["way_id"] for each in client.get(path).json()["items"]]})
    tour.send("DELETE", path + "/{way_id}", way_id=way)
    tour.send("POST", tokens, {"name": "t", "expires": later(1)})
    (token,) = client.get(tokens).json()["items"]
    tour.send("DELETE", tokens + "/{token_id}", token_id=token["token_id"])
    tour.send("PATCH", "/api/v1/session", {"organisation_id": accounts.firm.organisation_id})
    other = next(each for each in client.get("/api/v1/me/sessions").json()["items"] if not each["is_current"])
    tour.send("DELETE", "/api/v1/me/sessions/{session_id}", session_id=other["session_id"])
    tour.send("DELETE", "/api/v1/session")


def test_every_route_that_changes_something_leaves_a_row(client: TestClient, accounts: Accounts) -> None:
    accounts.records.set_role(
        accounts.admin.person_id, accounts.firm.organisation_id, Role.ADMINISTRATOR, BY, accounts.now_ns
    )
    tour = Tour(client, accounts.records)
    begun = tour.send("POST", "/api/v1/session", {"login": "admin", "password": PASSWORD})
    client.headers["X-CSRF-Token"] = begun["csrf"]
    sign_in(client, "admin")
    on_lifts(tour)
    on_alerts(tour)
    on_incidents(tour)
    on_people(tour, accounts)
    on_organisations(tour)
    on_devices(tour)
    on_duty(tour, accounts)
    on_own_account(tour, accounts)
    assert CHANGING - tour.actions.keys() == DECIDED
