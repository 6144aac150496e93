"""Rescues over HTTP: call-outs and answers, timers and helpers, and the arrival that a scan of the code proves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.incidents.rescue import RescuePoint, RescueTimes
from dashboards.api.context import Settings
from dashboards.sign_in.cookies import SESSION
from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from store.records.repository import Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.sample_fleet import facts

ANN = Actor.named("Ann")
POINTS = (
    RescuePoint("Far", lat=31.0, lon=120.0), RescuePoint("North", phone="+86 1", lat=30.1, lon=120.0),
    RescuePoint("Fire service", 3, "119"), RescuePoint("Elsewhere", districts=("d9",)),
)  # fmt: skip


@pytest.fixture(name="client")
def asking(settings: Settings, records: Records) -> Iterator[TestClient]:
    records.put_lift(facts("L001", maintenance_firm="Otto", lat=30.0, lon=120.0), ANN, 1)
    made = replace(settings, rescue_times=RescueTimes(180, 1800, {"d1": 3600}), rescue_points=POINTS)
    with Client(create_app(made), base_url="http://localhost", follow_redirects=False) as client:
        yield client


@pytest.fixture
def trapped(client: TestClient) -> str:
    """An incident in which somebody is inside lift L001."""
    body = {"by": "Ann", "lift_id": "L001", "what": "entrapment"}
    name: str = client.post("/api/v1/incidents", json=body).json()["id"]
    return name


def act(client: TestClient, incident_id: str, deed: str, **body: Any) -> Any:
    return client.post(f"/api/v1/incidents/{incident_id}/{deed}", json={"by": "Ann", **body})


def test_a_rescue_has_its_timers_and_those_who_can_help(client: TestClient, trapped: str) -> None:
    found = client.get(f"/api/v1/incidents/{trapped}").json()
    since, timers = found["rescue"]["since"], found["timers"]
    assert found["lifts"][0]["district"] == "d1"
    assert timers["answer_due"] > since
    assert timers["arrive_due"][11:13] != since[11:13]
    assert [(each["level"], each["who"], each["distance_km"]) for each in found["helpers"]] == [
        (1, "Otto", None), (2, "North", 11.1), (2, "Far", 111.2), (3, "Fire service", None),
    ]  # fmt: skip


def test_call_outs_are_declined_and_accepted(client: TestClient, trapped: str) -> None:
    act(client, trapped, "call-out", who="Otto")
    assert act(client, trapped, "decline", number=1, reason="no crew").status_code == 200
    act(client, trapped, "call-out", who="Ann", level=2)
    assert act(client, trapped, "no-answer", number=2, note="rang for a minute").status_code == 200
    act(client, trapped, "call-out", who="North", level=2, note="by telephone")
    answer = act(client, trapped, "accept", number=3, place="North yard", expected="2099-01-01T00:00:00Z")
    assert answer.status_code == 200, answer.text
    rescue = answer.json()["rescue"]
    assert (rescue["level"], rescue["expected"]) == (2, "2099-01-01T00:00:00.000Z")
    assert [(each["who"], each["answer"], each["reason"]) for each in rescue["call_outs"]] == [
        ("Otto", "declined", "no crew"), ("Ann", "no-answer", None), ("North", "accepted", None),
    ]  # fmt: skip
    assert answer.json()["stage"] == "dispatched"
    assert "Help is expected at 2099-01-01" in client.get("/code/L001").text
    story = client.get(f"/api/v1/incidents/{trapped}").json()["story"]
    assert [(entry["kind"], entry["to"]) for entry in story[1:]] == [
        ("called-out", "Otto"), ("declined", "Otto"), ("called-out", "Ann"), ("no-answer", "Ann"),
        ("called-out", "North"), ("accepted", "North"),
    ]  # fmt: skip
    assert act(client, trapped, "arrive", number=3).json()["rescue"]["proven"] is None


def test_a_release_entered_by_mistake_is_taken_back_with_its_reason(client: TestClient, trapped: str) -> None:
    assert act(client, trapped, "stage", stage="released").json()["may_hold_people"] is False
    refused = act(client, trapped, "retract", stage="released")
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["note"])
    again = act(client, trapped, "retract", stage="released", note="the wrong car")
    assert (again.status_code, again.json()["may_hold_people"]) == (200, True)
    last = client.get(f"/api/v1/incidents/{trapped}").json()["story"][-1]
    assert (last["kind"], last["about"], last["note"], last["by"]) == ("retracted", "released", "the wrong car", "Ann")
    audited = client.get("/api/v1/audit").json()["items"]
    assert any(each["action"] == "incident.retract" for each in audited)
    assert act(client, trapped, "retract", stage="released", note="again").json()["may_hold_people"] is True


@pytest.mark.parametrize(
    ("deed", "body", "status"),
    [
        ("call-out", {}, 422), ("call-out", {"who": " "}, 422), ("call-out", {"who": "x", "level": 4}, 422),
        ("accept", {"number": 7}, 422), ("accept", {"expected": "soon"}, 422), ("decline", {"number": 1}, 422),
        ("decline", {"number": 1, "reason": "x" * 501}, 422), ("no-answer", {}, 422), ("arrive", {"place": "car"}, 422),
    ],
)  # fmt: skip
def test_bad_steps_are_refused(client: TestClient, trapped: str, deed: str, body: dict[str, Any], status: int) -> None:
    refused = act(client, trapped, deed, **body)
    assert refused.status_code == status, refused.text
    assert refused.json()["errors"]


def signed_in(client: TestClient, records: Records, role: Role, kind: OrganisationKind, name: str) -> str:
    """Sign a browser in as a person in a role of an organisation; return the token of its forms."""
    firm = next((each for each in records.organisations() if each.name == name), None)
    if firm is None:
        firm = records.add_organisation({"name": name, "kind": kind}, ANN, 1)
    records.change_organisation(firm.organisation_id, {"kind": kind}, ANN, 1)
    person = records.add_person("Mei", "mei", {firm.organisation_id: role}, ANN, 1)
    assert person is not None
    client.cookies.set(SESSION, records.begin_session(person.person_id, ANN, time.time_ns(), "testclient"))
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/code/L001").text)
    return found[1] if found else ""


def arrive(client: TestClient, csrf: str, label: str = "") -> None:
    """Press the button of the public page."""
    done = client.post("/code/L001/arrival", data={"label": label, "csrf": csrf})
    assert (done.status_code, done.headers["location"]) == (303, "/code/L001")


def arrivals(records: Records, incident_id: str) -> list[tuple[str | None, str | None, str | None]]:
    """Return author, place and lift of each arrival in the story."""
    history = records.incident(incident_id)
    assert history is not None
    return [(entry.by, entry.about, entry.to) for entry in history.story if entry.kind == "arrived"]


def test_a_mechanic_proves_the_arrival_by_the_label_of_a_place(
    client: TestClient, records: Records, trapped: str
) -> None:
    csrf = signed_in(client, records, Role.MECHANIC, OrganisationKind.MAINTENANCE_FIRM, "Otto")
    label = records.label_proof("L001", "machine-room")
    page = client.get(f"/code/L001?label={label}")
    assert "I have arrived, in the machine room" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert client.post("/code/L001/arrival", data={"label": label}).status_code == 403
    assert client.post("/code/L000/arrival", data={"label": label, "csrf": csrf}).status_code == 404
    before_ns = time.time_ns()
    arrive(client, csrf, label)
    incident = records.public_incident("L001")
    assert incident is not None
    assert incident.rescue is not None
    assert (incident.rescue.proven, incident.stages["on-site"] >= before_ns) == ("machine-room", True)
    after = client.get(f"/code/L001?label={label}").text
    assert "I have arrived" not in after
    assert "Help arrived at" in after
    assert arrivals(records, trapped) == [("Mei", "machine-room", "L001")]


def test_an_arrival_without_the_label_is_not_proven_until_the_label_is_scanned(
    client: TestClient, records: Records, trapped: str
) -> None:
    csrf = signed_in(client, records, Role.MECHANIC, OrganisationKind.MAINTENANCE_FIRM, "Otto")
    page = client.get("/code/L001").text
    assert "recorded without proof" in page
    arrive(client, csrf)
    incident = records.public_incident("L001")
    assert incident is not None
    assert incident.rescue is not None
    assert ("on-site" in incident.stages, incident.rescue.proven, incident.lifts[0].proven) == (True, None, None)
    assert "I have arrived" not in client.get("/code/L001").text
    assert client.post("/code/L001/arrival", data={"csrf": csrf}).status_code == 404
    arrive(client, csrf, records.label_proof("L001", "car"))
    assert arrivals(records, trapped) == [("Mei", None, "L001"), ("Mei", "car", "L001")]


@pytest.mark.parametrize("wrong", ["guessed", "é", "x" * 5000, "of another lift"])
def test_a_wrong_label_shows_the_page_and_proves_nothing(
    client: TestClient, records: Records, trapped: str, wrong: str
) -> None:
    csrf = signed_in(client, records, Role.MECHANIC, OrganisationKind.MAINTENANCE_FIRM, "Otto")
    label = records.label_proof("L002", "car") if wrong == "of another lift" else wrong
    page = client.get("/code/L001", params={"label": label})
    assert (page.status_code, "this label proves no arrival" in page.text) == (200, True)
    assert label not in page.text.split('<div class="code-page">')[1]
    arrive(client, csrf, label)
    assert arrivals(records, trapped) == [("Mei", None, "L001")]


@pytest.mark.parametrize(
    ("role", "kind", "name"),
    [
        (Role.VIEWER, OrganisationKind.MAINTENANCE_FIRM, "Otto"), (Role.MECHANIC, OrganisationKind.OWNER, "Otto"),
        (Role.MECHANIC, OrganisationKind.MAINTENANCE_FIRM, "Rival"),
    ],
)  # fmt: skip
def test_nobody_arrives_who_may_not_act_on_the_lift(
    client: TestClient, records: Records, trapped: str, role: Role, kind: OrganisationKind, name: str
) -> None:
    signed_in(client, records, role, kind, name)
    page = client.get("/code/L001").text
    assert "I have arrived" not in page
    csrf = re.search(r'data-csrf="([^"]+)"', page)
    assert csrf is not None
    assert client.post("/code/L001/arrival", data={"place": "car", "csrf": csrf[1]}).status_code == 404


def test_an_incident_is_assigned_to_people_who_may_act(client: TestClient, records: Records, trapped: str) -> None:
    assert client.get(f"/api/v1/incidents/{trapped}/assignees").json() == {"items": []}
    signed_in(client, records, Role.DISPATCHER, OrganisationKind.MAINTENANCE_FIRM, "Otto")
    otto = next(each for each in records.organisations() if each.name == "Otto").organisation_id
    records.add_person("Bo", "bo", {otto: Role.MECHANIC}, ANN, 1)
    records.add_person("Vi", "vi", {otto: Role.VIEWER}, ANN, 1)
    items = client.get(f"/api/v1/incidents/{trapped}/assignees").json()["items"]
    assert [(each["login"], each["organisation"]) for each in items] == [("bo", "Otto"), ("mei", "Otto")]


def test_nobody_arrives_who_is_not_signed_in(client: TestClient, records: Records, trapped: str) -> None:
    page = client.get("/code/L001").text
    assert "I have arrived" not in page
    assert "/sign-in?next=/code/L001" in page
    label = records.label_proof("L001", "car")
    scanned = client.get(f"/code/L001?label={label}").text
    assert f'href="/sign-in?next=/code/L001%3Flabel%3D{label}"' in scanned, "signing in returns to the label"
    assert client.post("/code/L001/arrival", data={"place": "car"}).status_code == 404
    client.cookies.set(SESSION, "expired")
    assert client.get("/code/L001").status_code == 200
