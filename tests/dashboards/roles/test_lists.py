"""Lists, counts, pages, exports and live streams mention the lifts of the scope alone."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.live.event_stream import EventFilter, StreamPosition
from registry.actor import Actor
from registry.roles import OrganisationKind, Role, verbs_of
from registry.scope import Scope, lifts_of
from store.records.repository import Records, WantedChange
from tests.dashboards.roles.documented import (
    ASKED,
    FOREIGN_SUMMARY,
    MINE,
    READERS_OF_ALL_NOTES,
    ROLES,
    THEIRS,
    Act,
)
from tests.dashboards.roles.tenants import identities


def scope_of(kind: OrganisationKind, role: Role) -> Scope:
    """Return the scope of somebody who may see `MINE`; who may see `THEIRS` is the operator alone."""
    actor = Actor("Ada", "person:1", "Mine", role, "127.0.0.1")
    return Scope(lifts_of(kind, {"Mine", "Mine before"}, {"d1"}), verbs_of(kind, role), actor)


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
    identities(records, "Theirs")
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
