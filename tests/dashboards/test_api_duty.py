"""Duty through the API: rosters, overrides, calendars, policies, and who would be called and is on duty."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar

from alerts.notification import TEST
from dashboards.api.context import Settings
from registry.roles import Role
from registry.ways import SMS
from store.records.repository import AuditFilter, Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, Accounts
from tests.loopback import until

BASE = "http://localhost"
ROTATION = {"name": "weeks", "starts_on": "2026-01-05", "turn": "week", "hand_over": ["08:00"]}


class DutyDesk:
    """A firm's dispatcher with two mechanics, and the API as each of them."""

    def __init__(self, records: Records, client: TestClient) -> None:
        self.accounts, self.records, self.client = Accounts(records), records, client
        self.firm = self.accounts.firm.organisation_id
        self.ann = self.accounts.add("ann", self.accounts.firm, Role.DISPATCHER)
        self.mechanic = self.accounts.mechanic
        self.act_as(self.ann)

    def act_as(self, person: Any, organisation: Any = None) -> None:
        self.client.headers.update(self.accounts.token(person, organisation or self.accounts.firm))

    def call(self, method: str, path: str, status: int, body: Any = None, **headers: str) -> Any:
        """Ask the API under /api/v1; return the answer's JSON."""
        content = {} if body is None else {"json": body}
        answer = self.client.request(method, f"/api/v1{path}", headers=headers, **content)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def roster(self, **changes: Any) -> Any:
        """Create a roster of the firm in which the mechanic is always on duty."""
        rotation = {**ROTATION, "turns": [[self.mechanic.person_id]]}
        given = {"organisation_id": self.firm, "name": "Nights", "timezone": "Asia/Shanghai", "rotations": [rotation]}
        return self.call("POST", "/rosters", 201, {**given, **changes})

    def reachable(self, person: Any) -> None:
        """Give a person a verified telephone."""
        now_ns = time.time_ns()
        way = self.records.add_way(person.person_id, SMS, "+8613912345678", None, BY, now_ns)
        (code,) = (each.notification.code for each in self.records.claim_notifications(now_ns, 1, 10))
        assert self.records.verify_way(person.person_id, way.way_id, code or "", BY, now_ns)


@pytest.fixture(name="desk")
def duty_desk(settings: Settings, records: Records) -> Iterator[DutyDesk]:
    with Client(create_app(replace(settings, way_kinds=("sms",))), base_url=BASE) as client:
        desk = DutyDesk(records, client)
        until(lambda: client.get("/api/v1/lifts/L001").status_code == 200, "the fleet with the lifts of the firm")
        yield desk


def test_a_roster_says_who_is_on_duty_and_changes_by_its_version(desk: DutyDesk) -> None:
    made = desk.roster()
    assert (made["now"]["people"][0]["name"], made["next"], made["organisation"]) == ("Mechanic", None, "Firm")
    where = f"/rosters/{made['roster_id']}"
    fields = {name: made[name] for name in ("timezone", "rotations")} | {"name": "Days"}
    assert desk.call("PUT", where, 200, fields, **{"If-Match": '"0"'})["name"] == "Days"
    assert "read it again" in desk.call("PUT", where, 412, fields, **{"If-Match": '"0"'})["detail"]
    desk.call("DELETE", where, 412, **{"If-Match": '"0"'})
    desk.call("DELETE", where, 204, **{"If-Match": '"1"'})
    desk.call("GET", where, 404)


def test_an_override_replaces_who_is_on_duty_and_a_gap_is_a_shift_of_nobody(desk: DutyDesk) -> None:
    made, ann = desk.roster(), desk.ann.person_id
    where = f"/rosters/{made['roster_id']}"
    span = {"from": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z"}
    after = desk.call("POST", f"{where}/overrides", 201, {**span, "people": [ann], "note": "holiday"})
    (override,) = after["overrides"]
    assert (override["people"][0]["name"], override["replaces"], override["note"]) == ("Ann", None, "holiday")
    found = desk.call("GET", f"{where}/shifts?from=2029-12-31T00:00:00Z&to=2030-01-03T00:00:00Z", 200)["items"]
    assert [(each["people"][0]["name"], each["is_override"]) for each in found] == [
        ("Mechanic", False), ("Ann", True), ("Mechanic", False),
    ]  # fmt: skip
    gone = {**span, "people": [], "replaces": desk.mechanic.person_id}
    desk.call("DELETE", f"{where}/overrides/{override['override_id']}", 200)
    desk.call("POST", f"{where}/overrides", 201, gone)
    found = desk.call("GET", f"{where}/shifts?from=2029-12-31T00:00:00Z&to=2030-01-03T00:00:00Z", 200)["items"]
    assert [each["is_gap"] for each in found] == [False, True, False]
    too_long = desk.call("GET", f"{where}/shifts?from=2029-12-31T00:00:00Z&to=2031-01-03T00:00:00Z", 422)
    assert too_long["errors"][0]["field"] == "to"


def test_every_error_of_a_roster_names_its_field(desk: DutyDesk) -> None:
    rotation = {"name": "x", "turns": [["nobody"]], "starts_on": "soon"}
    bad = {"organisation_id": desk.firm, "name": "", "timezone": "Mars", "rotations": [rotation], "colour": 1}
    errors = desk.call("POST", "/rosters", 422, bad)["errors"]
    assert {each["field"] for each in errors} == {
        "name", "timezone", "colour", "rotations[0].turns", "rotations[0].starts_on",
    }  # fmt: skip
    for other in (desk.accounts.other.organisation_id, {}):
        (error,) = desk.call("POST", "/rosters", 422, {**bad, "organisation_id": other})["errors"]
        assert error["field"] == "organisation_id"


def test_a_calendar_is_read_by_its_secret_until_the_link_is_ended(desk: DutyDesk) -> None:
    where = f"/rosters/{desk.roster()['roster_id']}/calendar-links"
    path = desk.call("POST", where, 201, {"person_id": desk.mechanic.person_id})["path"]
    desk.call("POST", where, 422, {"person_id": desk.accounts.stranger.person_id})
    answer = desk.client.get(path, headers={"Authorization": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert events
    assert all("Mechanic" in event["summary"] for event in events)
    desk.client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = desk.records.audit(AuditFilter(action="roster.calendar-read")).items
    assert (row.by.organisation, row.by.account) == ("Firm", None)
    (link,) = desk.call("GET", where, 200)["items"]
    assert (link["created_by"], "secret" in link) == ("Ann", False)
    desk.call("DELETE", f"{where}/{link['link_id']}", 204)
    assert desk.client.get(path).status_code == 404


def test_policies_are_tried_in_their_order_and_do_not_lead_in_a_ring(desk: DutyDesk) -> None:
    step = {"targets": ["on-duty"], "times": 2, "every_s": 60}
    last = desk.call(
        "POST", "/escalation-policies", 201, {"organisation_id": desk.firm, "name": "Last", "steps": [step]}
    )
    given = {"organisation_id": desk.firm, "name": "First", "steps": [step], "then": last["policy_id"], "position": 1}
    first = desk.call("POST", "/escalation-policies", 201, given)
    listed = desk.call("GET", "/escalation-policies", 200)["items"]
    assert [(each["name"], each["position"]) for each in listed] == [("First", 1), ("Last", 2)]
    where = f"/escalation-policies/{last['policy_id']}"
    ring = {"name": "Last", "steps": [step], "then": first["policy_id"]}
    (error,) = desk.call("PUT", where, 422, ring)["errors"]
    assert (error["field"], "First → Last" in error["detail"] or "Last → First" in error["detail"]) == ("then", True)
    assert "goes on with it" in desk.call("DELETE", where, 409)["detail"]
    wrong = {"name": "Last", "steps": [{"targets": ["somebody"]}], "position": 0}
    assert desk.call("PUT", where, 422, wrong)["errors"][0]["field"] == "position"
    assert desk.call("PUT", where, 422, {**wrong, "position": 1})["errors"][0]["field"] == "steps[0].targets"
    desk.call("PUT", where, 200, {"name": "Only", "steps": [step], "position": 1}, **{"If-Match": '"0"'})
    assert [each["name"] for each in desk.call("GET", "/escalation-policies", 200)["items"]] == ["Only", "First"]


def test_the_calls_of_a_lift_are_those_that_would_be_made_now(desk: DutyDesk) -> None:
    desk.reachable(desk.mechanic)
    desk.roster()
    steps = [{"targets": ["on-duty"], "times": 2, "every_s": 60}, {"targets": [f"person:{desk.ann.person_id}"]}]
    desk.call("POST", "/escalation-policies", 201, {"organisation_id": desk.firm, "name": "Calls", "steps": steps})
    (own,) = desk.call("GET", "/lifts/L001/calls?kind=entrapment&severity=critical", 200)["items"]
    assert (own["organisation"], own["policy"], own["first_s"], own["is_repeated"]) == ("Firm", "Calls", 0, True)
    made = [(each["after_s"], [one["name"] for one in each["people"]]) for each in own["calls"]]
    assert made == [(0, ["Mechanic"]), (60, ["Mechanic"]), (120, ["Mechanic"])]
    assert [one["instead"] for each in own["calls"] for one in each["people"]] == [False, False, True]
    assert own["calls"][0]["people"][0]["ways"] == ["sms"]
    assert own["calls"][2]["missed"][0] == {
        "target": f"person:{desk.ann.person_id}", "reason": "no-ways", "name": "Ann",
    }  # fmt: skip
    desk.act_as(desk.accounts.admin, desk.accounts.desk)
    assert {each["organisation"] for each in desk.call("GET", "/lifts/L001/calls", 200)["items"]} == {"Desk", "Firm"}


def test_a_way_that_has_no_sender_calls_nobody(settings: Settings, records: Records) -> None:
    with Client(create_app(replace(settings, way_kinds=("mail",))), base_url=BASE) as client:
        desk = DutyDesk(records, client)
        until(lambda: client.get("/api/v1/lifts/L001").status_code == 200, "the fleet with the lifts of the firm")
        desk.reachable(desk.mechanic)
        (own,) = desk.call("GET", "/lifts/L001/calls?kind=entrapment&severity=critical", 200)["items"]
    assert own["first_s"] is None


def test_a_test_message_goes_to_who_is_on_duty_once_a_minute(desk: DutyDesk) -> None:
    desk.reachable(desk.mechanic)
    where = f"/rosters/{desk.roster()['roster_id']}/test"
    assert [each["name"] for each in desk.call("POST", where, 200)["called"]] == ["Mechanic"]
    desk.call("POST", where, 200)
    waiting = desk.records.claim_notifications(time.time_ns() + 1, 1, 10)
    kinds = [each.notification.kind for each in waiting if each.notification.kind == TEST]
    assert 1 <= len(kinds) <= 2, "two where a minute began in between"
    rows = desk.records.audit(AuditFilter(action="roster.test")).items
    assert len(rows) == 2
    assert desk.mechanic.person_id in (rows[0].detail or "")
    desk.act_as(desk.mechanic)
    desk.call("POST", where, 403)


def test_an_incident_says_whom_to_call(desk: DutyDesk) -> None:
    desk.reachable(desk.mechanic)
    desk.roster()
    incident = desk.records.report_by_call("L001", "entrapment", None, BY, time.time_ns())
    assert incident is not None
    found = desk.call("GET", f"/incidents/{incident.id}/on-duty", 200)
    assert found["on_duty"][0]["people"][0] == {
        "person_id": desk.mechanic.person_id, "name": "Mechanic", "telephones": ["+8613912345678"],
    }  # fmt: skip
    desk.act_as(desk.accounts.admin, desk.accounts.desk)
    assert desk.call("GET", f"/incidents/{incident.id}/on-duty", 200)["on_duty"][0]["people"][0]["name"] == "Mechanic"
    desk.act_as(desk.accounts.stranger, desk.accounts.other)
    desk.call("GET", f"/incidents/{incident.id}/on-duty", 404)
