"""docs/roles.md is the test: every route as every role of every kind of organisation, on own and on foreign lifts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from alerts.escalation.policy import EscalationPolicy, EscalationStep
from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from dashboards.api.access import Needs
from dashboards.api.context import Settings
from dashboards.live.event_stream import EventFilter, StreamPosition
from dashboards.sign_in.settings import OidcSettings, SignInSettings
from registry.actor import Actor
from registry.devices import LIFT, PASSWORD, Credential, Device
from registry.duty.roster import Override, Roster
from registry.roles import VERBS_OF_KIND, VERBS_OF_ROLE, OrganisationKind, Role, Verb, verbs_of
from registry.scope import NAMING_FACTS, Scope, lifts_of
from store.records.identity.sessions import hashed
from store.records.repository import AlertFilter, IncidentFilter, Records, WantedChange
from telemetry.batch import Refusal
from telemetry.instant import rfc3339
from tests.alerts.rules import POWER, STOP, occurrence
from tests.dashboards.applications import create_app
from tests.dashboards.sample_fleet import T0_NS, facts

DOCUMENT = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
ROLES = [(kind, role) for kind in OrganisationKind for role in Role]
MINE, THEIRS = "L001", "L000"
PUBLIC, ACCOUNT = "public", "account"
"""In place of a verb: for everyone, or for every account."""
BY = Actor.named("test")
Act = Callable[[OrganisationKind, Role], None]
LATER = rfc3339(4_000_000_000_000_000_000)
FOREIGN_SUMMARY = "at 9.99 m/s"
"""The summary of the shared incident, of the alert of `THEIRS`."""
READERS_OF_ALL_NOTES = (OrganisationKind.OPERATOR, OrganisationKind.AUTHORITY)


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, without its header."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip(" `") for cell in row.split("|")] for row in ROW.findall(section)]
    return [rows[0], *rows[2:]]


ROUTES = [(method, path, verb) for method, path, verb in table("Routes")[1:]]


@pytest.fixture(name="app")
def application(settings: Settings, records: Records, tmp_path: Path) -> FastAPI:
    """An application of two tenants: `MINE` names "Mine" in every fact, `THEIRS` names "Theirs"; each has an alert,
    and both had a loss of power, one incident that is closed.

    A stranger reported `MINE`, with a photo.
    """
    for lift_id, name in ((MINE, "Mine"), (THEIRS, "Theirs")):
        records.put_lift(facts(lift_id, **dict.fromkeys(NAMING_FACTS, name)), BY, T0_NS)
    shared_incident(records)
    found = [
        replace(occurrence(STOP, "on", 10, lift_id=lift_id), district=f"d{lift_id[-1]}") for lift_id in (MINE, THEIRS)
    ]
    refused = [
        Refusal("not-json", "", f"lift/v1/d/{name}/door", b"?", T0_NS, position, name, name)
        for position, name in enumerate((MINE, THEIRS), start=3)
    ]
    made = [Device(name, LIFT, (name,), Credential(PASSWORD, "$7$hash")) for name in (MINE, THEIRS)]
    records.add_devices(made, Actor.named("test"), T0_NS)
    records.judge(position=4, occurrences=found, now_ns=T0_NS, refusals=refused)
    desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0_NS)
    records.add_person("Root", "root", {desk.organisation_id: Role.ADMINISTRATOR}, BY, T0_NS)
    records.report_publicly(MINE, "out-of-order", None, "reported", T0_NS)
    (tmp_path / "reported.jpg").write_bytes(b"\xff\xd8")
    sign_in = SignInSettings(oidc=OidcSettings("https://provider.example", "liftwatch", "secret", "Provider"))
    return create_app(replace(settings, photos_dir=tmp_path, sign_in=sign_in))


def shared_incident(records: Records) -> None:
    """Open, merge and close one incident of both lifts, whose summary is that of the foreign one."""
    for position, kind in ((1, "on"), (2, "off")):
        power = [
            replace(
                occurrence(POWER, kind, position, lift_id=one, evidence={"speed_mps": speed}), district=f"d{one[-1]}"
            )
            for one, speed in ((THEIRS, 9.99), (MINE, 1.11))
        ]
        records.judge(position=position, occurrences=power, now_ns=T0_NS)
    theirs, mine = (
        records.incidents(IncidentFilter(lift_id=(lift_id,))).items[0].incident.id for lift_id in (THEIRS, MINE)
    )
    merged = records.merge_incidents(theirs, mine, BY, T0_NS)
    assert merged is not None
    assert {lift.lift_id for lift in merged.lifts} == {MINE, THEIRS}
    assert FOREIGN_SUMMARY in merged.summary["en"]
    records.act_on_incident(theirs, IncidentAction("close", BY, reason="repaired"), T0_NS)


@pytest.fixture(name="client")
def asking(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture(name="act")
def account(client: TestClient, records: Records) -> Act:
    """A function that lets the client act in a role of the organisation "Mine", which becomes one of a kind."""
    mine = next(each for each in records.organisations() if each.name == "Mine").organisation_id
    ada = records.add_person("Ada", "ada", {mine: Role.VIEWER}, BY, T0_NS, is_machine=True)
    assert ada is not None
    now_ns = time.time_ns()
    secret = records.add_token(ada.person_id, mine, "test", now_ns + 3600 * 1_000_000_000, BY, now_ns)
    client.headers["Authorization"] = f"Bearer {secret}"

    def act(kind: OrganisationKind, role: Role) -> None:
        districts = ("d1",) if kind is OrganisationKind.AUTHORITY else ()
        records.change_organisation(mine, {"kind": kind, "districts": districts}, BY, T0_NS)
        records.set_role(ada.person_id, mine, role, BY, T0_NS)

    return act


def scope_of(kind: OrganisationKind, role: Role) -> Scope:
    """Return the scope of somebody who may see `MINE`; who may see `THEIRS` is the operator alone."""
    actor = Actor("Ada", "person:1", "Mine", role, "127.0.0.1")
    return Scope(lifts_of(kind, {"Mine", "Mine before"}, {"d1"}), verbs_of(kind, role), actor)


# ── the document ──


@pytest.mark.parametrize(
    ("heading", "verbs"), [("Verbs of a role", VERBS_OF_ROLE), ("Verbs of a kind of organisation", VERBS_OF_KIND)]
)
def test_the_tables_of_verbs_are_those_of_the_code(heading: str, verbs: dict[str, frozenset[Verb]]) -> None:
    (_, *columns), *rows = table(heading)
    assert sorted(columns) == sorted(verbs)
    assert [row[0] for row in rows] == list(Verb)
    for verb, *cells in rows:
        assert [cell == "yes" for cell in cells] == [verb in verbs[column] for column in columns], verb


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Yield every route of the API and every page."""
    yield from (route for route in every_route_of(app) if isinstance(route, APIRoute))


def every_route_of(app: FastAPI) -> Iterator[BaseRoute]:
    """Yield every route, also those of the framework."""
    for route in app.routes:
        yield from getattr(route, "original_router", app).routes if hasattr(route, "original_router") else [route]


def test_besides_the_table_there_are_static_files_and_the_description_of_the_api_alone(app: FastAPI) -> None:
    others = {getattr(route, "path", None) for route in every_route_of(app) if not isinstance(route, APIRoute)}
    assert others == {"/static", "/api/openapi.json"}


def test_every_route_and_page_stands_in_the_table_with_its_verb(app: FastAPI) -> None:
    declared = set()
    for route in routes_of(app):
        verbs = [each.dependency.verb for each in route.dependencies if isinstance(each.dependency, Needs)]
        assert len(verbs) <= 1
        declared |= {(method, route.path, verbs[0] if verbs else None) for method in route.methods}
    assert declared == {(method, path, None if verb in (PUBLIC, ACCOUNT) else verb) for method, path, verb in ROUTES}
    assert {path for _, path, verb in ROUTES if verb == PUBLIC} == {
        "/healthz", "/readyz", "/offline", "/service-worker.js", "/code/{lift_id}", "/code/{lift_id}/arrival",
        "/code/{lift_id}/report", "/reports/{secret}", "/reports/{secret}/photo", "/answer/{secret}", "/sign-in",
        "/sign-in/oidc", "/sign-in/oidc/return",
        "/calendars/{secret}.ics", "/welcome", "/api/v1/session",
    }  # fmt: skip


# ── every route as every role ──

ACTION: dict[str, Any] = {"note": "seen"}
BODIES: dict[str, Any] = {
    "/assign": {"to": "Eve"}, "/shelve": {"until": LATER}, "/maintenance": {"until": LATER}, "/import": [],
    "/roles/{organisation_id}": {"role": "viewer"},
    "/fault": {"cause": "overspeed"}, "/calendar-links": {}, "/devices": {"lift_id": MINE}, "PATCH": {}, "/lifts": {},
}  # fmt: skip
"""Bodies that are valid, or that are refused only after the question of access."""


SHARED_ACTS: dict[str, tuple[Verb, str, dict[str, Any]]] = {
    "ack": (Verb.ACKNOWLEDGE, "ack", {}),
    "comment": (Verb.COMMENT, "comment", {"note": "seen"}),
    "link to an incident on which one may act": (Verb.ACKNOWLEDGE, "link", {"other": "{mine}"}),
    "link to another incident that one sees": (Verb.ACKNOWLEDGE, "link", {"other": "{made}"}),
    "stage of an own lift": (Verb.ACKNOWLEDGE, "stage", {"stage": "on-site", "lift_id": MINE}),
    "stage of the incident": (Verb.ACKNOWLEDGE, "stage", {"stage": "released"}),
    "call-out, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "call-out", {"who": "Bo"}),
    "accept the own call-out": (Verb.ACKNOWLEDGE, "accept", {"number": 2}),
    "accept the call-out of others": (Verb.ACKNOWLEDGE, "accept", {"number": 1}),
    "accept unasked, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "accept", {}),
    "decline the own call-out": (Verb.ACKNOWLEDGE, "decline", {"number": 2, "reason": "far"}),
    "decline the call-out of others": (Verb.ACKNOWLEDGE, "decline", {"number": 1, "reason": "far"}),
    "no-answer of the own call-out": (Verb.ACKNOWLEDGE, "no-answer", {"number": 2}),
    "no-answer of the call-out of others": (Verb.ACKNOWLEDGE, "no-answer", {"number": 1}),
    "arrive on the own call-out": (Verb.ACKNOWLEDGE, "arrive", {"number": 2}),
    "arrive on the call-out of others": (Verb.ACKNOWLEDGE, "arrive", {"number": 1}),
    "arrive unasked, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "arrive", {}),
    "assign": (Verb.ASSIGN, "assign", {"to": None}),
    "answer": (Verb.ACKNOWLEDGE, "answer", {"note": "seen"}),
    "close": (Verb.RESOLVE, "close", {"reason": "false-alarm", "answer": "seen"}),
    "reopen": (Verb.RESOLVE, "reopen", {}),
    "merge": (Verb.RESOLVE, "merge", {"other": "{mine}"}),
    "split": (Verb.RESOLVE, "split", {"alerts": ["a"]}),
}
"""The acts of the table of shared incidents, with verb, path and body."""
ADMINISTRATIVE = (Verb.MANAGE_PEOPLE, Verb.MANAGE_ORGANISATIONS, Verb.MANAGE_DUTY)
"""Verbs of routes that are refused before anything is looked for."""
IDENTITIES: dict[str, dict[str, str]] = {}
"""The ids of a person, an organisation and a token of those whom a lift names; filled by each test."""


def body_of(method: str, path: str) -> Any:
    """Return the body of a request."""
    return next((body for end, body in BODIES.items() if path.endswith(end) or method == end), ACTION)


def request(client: TestClient, records: Records, method: str, path: str, lift_id: str) -> int:
    """Send a request about a lift, its alert or its change request; return the status."""
    alert_id = records.alerts(AlertFilter(lift_id=(lift_id,))).items[0].id
    asked = records.change_requests(time.time_ns(), lift_id=lift_id, state="waiting").items
    incident_id = records.incidents(IncidentFilter(lift_id=(lift_id,))).items[0].incident.id
    path = path.replace("/organisations/{organisation_id}/{form}", "/organisations/{organisation_id}/details")
    path = path.replace("/devices/{device_id}/{form}", "/devices/{device_id}/revoke")
    where = path.format(
        lift_id=lift_id,
        alert_id=alert_id,
        incident_id=incident_id,
        request_id=asked[0].id if asked else 0,
        device_id=lift_id,
        number=1,
        **IDENTITIES[lift_id],
    )
    query = {"stream": "speed"} if where.endswith("/series") else {}
    headers = {"Accept": "application/json" if where.startswith("/api") else "text/html", "If-Match": '"another"'}
    content = {} if method in ("GET", "DELETE") else {"json": body_of(method, path)}
    return client.request(method, where, params=query, headers=headers, **content).status_code


def identities(records: Records, name: str) -> dict[str, str]:
    """Create a machine account with a token, a roster and a policy in an organisation; return their ids."""
    (found,) = (each for each in records.organisations() if each.name == name)
    robot = records.add_person(
        "Robot", f"robot-{name}", {found.organisation_id: Role.VIEWER}, BY, T0_NS, is_machine=True
    )
    assert robot is not None
    now_ns = time.time_ns()
    secret = records.add_token(robot.person_id, found.organisation_id, "t", 2 * now_ns, BY, now_ns)
    about = {"person_id": robot.person_id, "organisation_id": found.organisation_id}
    return {**about, **duty_ids(records, found.organisation_id), "token_id": hashed(secret), "form": "disabled"}


def duty_ids(records: Records, organisation_id: str) -> dict[str, str]:
    """Create a roster with an override and a calendar link, and a policy; return their ids."""
    roster = records.add_roster(Roster("", organisation_id, "Nights", "UTC"), BY, T0_NS)
    changed = records.add_override(roster.roster_id, Override("", T0_NS, T0_NS + 1, ("ann",)), BY, T0_NS)
    secret = records.add_calendar_link(roster.roster_id, None, BY, T0_NS)
    assert changed is not None
    assert secret is not None
    step = EscalationStep(("on-duty",))
    policy = records.add_policy(
        lambda _: (EscalationPolicy("", organisation_id, "Calls", (step,)), []), organisation_id, None, BY, T0_NS
    )
    override_id = changed.overrides[0].override_id
    link = {"roster_id": roster.roster_id, "override_id": override_id, "link_id": hashed(secret)}
    return {**link, "policy_id": policy.policy_id}


ASKED = [
    (method, path, verb) for method, path, verb in ROUTES if verb not in (PUBLIC, ACCOUNT) and path != "/api/v1/live"
]


def cases(kind: OrganisationKind, role: Role) -> Iterator[tuple[str, str, str, int | None]]:
    """Yield the requests of a role about the own and the foreign lift, with the status of those that are refused."""
    for method, path, verb in ASKED:
        may = verb in verbs_of(kind, role)
        yield method, path, MINE, None if may else 403
        if "{" in path and kind is not OrganisationKind.OPERATOR and (may or verb not in ADMINISTRATIVE):
            yield method, path, THEIRS, 404


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_a_route_is_answered_where_its_verb_allows_and_a_foreign_lift_is_not_found(
    client: TestClient, records: Records, act: Act, kind: OrganisationKind, role: Role
) -> None:
    eve = Actor("Eve", "person:2", "Mine", "manager", None)
    for lift_id in (MINE, MINE, THEIRS):
        records.request_change(WantedChange(lift_id, "d", "facts", {}), eve, time.time_ns(), None)
    IDENTITIES.update({MINE: identities(records, "Mine"), THEIRS: identities(records, "Theirs")})
    BODIES["/tokens"] = {"name": "t", "expires": LATER, "organisation_id": IDENTITIES[MINE]["organisation_id"]}
    BODIES["/merge"] = {"other_id": IDENTITIES[THEIRS]["organisation_id"]}
    act(kind, role)
    for method, path, lift_id, expected in cases(kind, role):
        status = request(client, records, method, path, lift_id)
        if expected is None:
            assert status not in (401, 403, 404, 500), (method, path, status)
        else:
            assert status == expected, (method, path, lift_id, status)


def open_shared_incident(records: Records) -> dict[str, str]:
    """Open an incident of both lifts in which `THEIRS` holds people and both firms are called out, and two others.

    Return their ids: "mine" of a lift that names "Mine" in every fact, "made" of one that "Mine" only made.
    """
    records.put_lift(facts("L007", **dict.fromkeys(NAMING_FACTS, "Mine")), BY, T0_NS)
    records.put_lift(facts("L009", **dict.fromkeys(NAMING_FACTS, "Theirs") | {"manufacturer": "Mine"}), BY, T0_NS)
    found = {}
    for name, lift_id in (("mine", "L007"), ("made", "L009"), ("shared", THEIRS), ("joined", MINE)):
        what = "entrapment" if lift_id == THEIRS else "out-of-order"
        called = records.report_by_call(lift_id, what, None, BY, T0_NS)
        assert called is not None
        found[name] = called.id
    assert records.merge_incidents(found["shared"], found.pop("joined"), BY, T0_NS) is not None
    for who in ("Theirs", "Mine"):
        step = IncidentAction("call-out", BY, rescue=RescueStep("call-out", who=who))
        assert records.act_on_incident(found["shared"], step, T0_NS) is not None
    return found


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_an_act_on_a_shared_incident_is_answered_where_it_concerns_no_lift_of_others(
    client: TestClient, records: Records, act: Act, kind: OrganisationKind, role: Role
) -> None:
    found = open_shared_incident(records)
    act(kind, role)
    rows = table("Acts on a shared incident")[1:]
    assert [row[0] for row in rows] == list(SHARED_ACTS)
    for name, partly in rows:
        verb, action, body = SHARED_ACTS[name]
        given = {key: value.format(**found) if key == "other" else value for key, value in body.items()}
        path = f"/api/v1/incidents/{found['shared']}/{action}"
        status = client.post(path, json=given, headers={"If-Match": '"another"'}).status_code
        may = verb in verbs_of(kind, role) and (partly == "yes" or kind is OrganisationKind.OPERATOR)
        assert status == (412 if may else 403), (name, status)


def ids(value: Any) -> set[str]:
    """Return the ids of all lifts that a JSON document mentions."""
    text = str(value)
    return set(re.findall(r"\bL00\d\b", text))


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_lists_and_counts_hold_the_lifts_of_the_scope_alone(
    client: TestClient, act: Act, kind: OrganisationKind, role: Role
) -> None:
    act(kind, role)
    inside = set(LISTED[kind])
    for path in ("/api/v1/lifts", "/api/v1/alerts", "/api/v1/incidents", "/api/v1/dead-letters"):
        answer = client.get(path)
        if answer.status_code == 403:
            assert path == "/api/v1/dead-letters"
            continue
        listed = {item["lift_id"] for item in answer.json()["items"]}
        assert listed == (inside if path.endswith("lifts") else inside & {MINE, THEIRS}), path
        assert ids(answer.json()) <= inside
    fleet = client.get("/api/v1/fleet").json()
    assert fleet["lifts"] == sum(fleet["states"].values()) == len(inside)
    assert fleet["severities"]["major"] + fleet["severities"]["critical"] == len(inside & {MINE, THEIRS})
    assert len(client.get("/api/v1/lifts", params={"q": "Garden"}).json()["items"]) == len(inside)
    assert client.get("/api/v1/alerts", params={"lift_id": THEIRS}).json()["items"] == [] or THEIRS in inside


EVERY_LIFT = [f"L{number:03}" for number in range(6)]
LISTED = {kind: [MINE] for kind in OrganisationKind} | {
    OrganisationKind.OPERATOR: EVERY_LIFT,
    OrganisationKind.AUTHORITY: ["L001", "L003", "L005"],
}


def foreign_note(records: Records) -> None:
    """Begin maintenance of `MINE`, as the firm before the present one did, with an unshared note."""
    before, now_ns = Actor("Bo", "person:3", "Firm before", "manager", None), time.time_ns()
    until_ns = now_ns + 3600 * 1_000_000_000
    wanted = WantedChange(MINE, "d1", "maintenance", {"until_ns": until_ns, "shared": False}, None, "foreign note")
    records.request_change(
        wanted, before, now_ns, lambda asked: records.set_maintenance(MINE, until_ns, before, now_ns, "foreign note")
    )


EVERYWHERE = [path for method, path, verb in ASKED if method == "GET" and "{" not in path]
MORE_QUERIES = {
    "/api/v1/audit": [{"format": "csv"}, {"lift_id": THEIRS}, {"action": "lift."}, {"who": "test"}],
    "/api/v1/dead-letters": [{"from": "2001-01-01T00:00:00Z"}],
    "/api/v1/lifts": [{"q": THEIRS}, {"district": "d0"}, {"firm": "Theirs"}, {"sort": "lift_id"}],
    "/api/v1/incidents": [
        {"lift_id": THEIRS}, {"district": "d0"}, {"state": "all"}, {"q": THEIRS}, {"organisation": "Theirs"},
    ],
    "/api/v1/change-requests": [{"lift_id": THEIRS}],
    "/api/v1/map": [{"q": THEIRS}],
    "/code-sheets": [{"lift_id": THEIRS}, {"district": "d0"}, {"q": THEIRS}],
    "/audit": [{"lift_id": THEIRS}],
    "/refused": [{"lift_id": THEIRS}],
}  # fmt: skip
"""Queries besides the plain one; a filter that a route does not have is refused, and then mentions nothing either."""


@pytest.mark.parametrize("kind", [kind for kind in OrganisationKind if kind is not OrganisationKind.OPERATOR])
def test_no_list_page_count_or_export_mentions_a_foreign_lift(
    client: TestClient, records: Records, act: Act, kind: OrganisationKind
) -> None:
    eve = Actor("Eve", "person:2", "Theirs", "manager", None)
    records.request_change(WantedChange(THEIRS, "d0", "facts", {}, None, "secret reason"), eve, time.time_ns(), None)
    records.set_maintenance(THEIRS, time.time_ns() + 3600 * 1_000_000_000, eve, time.time_ns(), "secret reason")
    foreign_note(records)
    IDENTITIES.update({THEIRS: identities(records, "Theirs")})
    act(kind, Role.ADMINISTRATOR)
    for path in EVERYWHERE:
        for query in [{}, *MORE_QUERIES.get(path, [])]:
            answer = client.get(path, params=query, headers={"Accept": "application/json, text/html"})
            assert answer.status_code < 500, (path, query)
            told = re.sub(rf'(value="|lift_id=|q=){THEIRS}\b', "", answer.text)  # the filter that was sent
            if answer.status_code == 200:
                assert THEIRS not in told, (path, query)
            assert "secret reason" not in told, (path, query)
            assert FOREIGN_SUMMARY not in told, (path, query)
            assert "foreign note" not in told or kind in READERS_OF_ALL_NOTES, (path, query)
            assert "Theirs" not in told or "Theirs" in str(query), (path, query)
    act(OrganisationKind.OPERATOR, Role.ADMINISTRATOR)
    for path in ("/api/v1/lifts", "/api/v1/audit", "/api/v1/change-requests"):
        assert "foreign note" in client.get(path).text
    assert FOREIGN_SUMMARY in client.get("/api/v1/incidents").text
    mentioning = {path for path in EVERYWHERE if THEIRS in client.get(path).text}
    assert mentioning >= {
        "/api/v1/lifts", "/api/v1/alerts", "/api/v1/incidents", "/api/v1/dead-letters", "/api/v1/audit",
        "/api/v1/change-requests", "/api/v1/devices", "/code-sheets", "/devices",
    }, "the operator sees what the others do not"  # fmt: skip


# ── live streams, and who acts ──


def test_a_live_stream_and_its_resume_hold_the_lifts_of_the_scope_alone(
    client: TestClient, app: FastAPI, records: Records
) -> None:
    poller = app.state.context.poller
    foreign_note(records)
    poller.poll()
    for kind in OrganisationKind:
        lifts = scope_of(kind, Role.VIEWER).lifts
        sent = b"".join(poller.since(StreamPosition(0, 0), EventFilter(scope=lifts))).decode()
        assert ids(sent) == set(LISTED[kind])
        assert (FOREIGN_SUMMARY in sent) == (kind is OrganisationKind.OPERATOR)
        assert ("foreign note" in sent) == (kind in READERS_OF_ALL_NOTES)
        foreign = EventFilter(lift_ids=frozenset({THEIRS}), scope=lifts)
        seen = ids(b"".join(poller.since(StreamPosition(0, 0), foreign)).decode())
        assert seen == {THEIRS} & set(LISTED[kind])


def test_a_signed_in_account_acts_under_its_own_name_alone(client: TestClient, records: Records, act: Act) -> None:
    act(OrganisationKind.MAINTENANCE_FIRM, Role.MANAGER)
    alert_id = records.alerts(AlertFilter(lift_id=(MINE,))).items[0].id
    forged = client.post(f"/api/v1/alerts/{alert_id}/ack", json={"by": "Eve"})
    assert forged.status_code == 422
    assert forged.json()["errors"][0]["field"] == "by"
    assert client.patch(f"/api/v1/lifts/{MINE}", params={"by": "Eve"}, json={"name": "x"}).status_code == 422
    assert client.post(f"/api/v1/alerts/{alert_id}/ack", json={}).status_code == 200
    history = records.alert(alert_id)
    assert history is not None
    assert [each.by for each in history.transitions] == [None, "Ada"]


@pytest.mark.parametrize("fact", ["district", "gateway_id", *NAMING_FACTS])
def test_a_firm_does_not_change_whose_lift_it_is(client: TestClient, act: Act, fact: str) -> None:
    act(OrganisationKind.MAINTENANCE_FIRM, Role.ADMINISTRATOR)
    answer = client.patch(f"/api/v1/lifts/{MINE}", json={fact: "mine-alone"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, fact)
    assert client.patch(f"/api/v1/lifts/{MINE}", json={"name": "Lift 7"}).status_code == 200
    assert client.patch(f"/api/v1/lifts/{THEIRS}", json={"name": "Lift 7"}).status_code == 404
