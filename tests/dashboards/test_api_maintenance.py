"""Maintenance windows through the API: set, shown, changed, ended early, and bounded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.live.event_stream import EventFilter, StreamPosition
from registry.actor import Actor
from registry.roles import OrganisationKind, Role, verbs_of
from registry.scope import OPEN_SCOPE, Scope, lifts_of
from store.records.repository import AuditFilter, Records
from telemetry.instant import text
from tests.dashboards.applications import Client, create_app
from tests.dashboards.sample_fleet import T0_NS
from tests.dashboards.scope_of_test import ScopeOfTest, sign_in

HOUR_NS = 3600 * 1_000_000_000


def ahead(hours: float) -> str:
    return str(text(time.time_ns() + round(hours * HOUR_NS)))


def put(client: TestClient, lift_id: str = "L001", **more: Any) -> Any:
    return client.post(f"/api/v1/lifts/{lift_id}/maintenance", json={"by": "Ann", **more})


def window(client: TestClient) -> Any:
    return client.get("/api/v1/lifts/L001").json()["maintenance"]


def test_a_window_is_shown_with_its_lift_and_in_the_list_until_its_end(client: TestClient, records: Records) -> None:
    assert window(client) is None
    until = ahead(2)
    answer = put(client, until=until, note="ropes")
    assert answer.status_code == 200
    shown = answer.json()["maintenance"]
    assert (shown["until"], shown["by"], shown["note"]) == (until, "Ann", "ropes")
    item = client.get("/api/v1/lifts?q=L001").json()["items"][0]
    assert item["maintenance"] == shown == window(client)
    ended = client.delete("/api/v1/lifts/L001/maintenance?by=Bo")
    assert (ended.status_code, ended.json()["maintenance"], window(client)) == (200, None, None)
    assert [(each.by.name, each.action) for each in records.audit(AuditFilter(subject="L001")).items[:2]] == [
        ("Bo", "maintenance.end"),
        ("Ann", "maintenance.set"),
    ]


def test_setting_a_window_again_changes_its_end_and_not_its_begin(client: TestClient) -> None:
    first = put(client, until=ahead(1)).json()["maintenance"]
    later = ahead(3)
    again = put(client, until=later).json()["maintenance"]
    assert (again["from"], again["until"]) == (first["from"], later)
    assert put(client, until=later).json()["maintenance"] == again


@pytest.mark.parametrize("hours", [-1, -0.001, 24.1, 24 * 365])
def test_a_window_must_end_in_the_future_and_within_a_day(client: TestClient, hours: float) -> None:
    answer = put(client, until=ahead(hours))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")
    assert window(client) is None


def test_a_window_without_person_or_lift_is_refused(client: TestClient) -> None:
    assert client.post("/api/v1/lifts/L001/maintenance", json={"until": ahead(1)}).status_code == 422
    assert client.delete("/api/v1/lifts/L001/maintenance").status_code == 422
    assert put(client, "NOBODY", until=ahead(1)).status_code == 404
    assert client.delete("/api/v1/lifts/NOBODY/maintenance?by=Ann").status_code == 404


def test_a_window_is_published_on_the_live_stream(client: TestClient) -> None:
    context = client.app.state.context  # type: ignore[attr-defined]
    before = context.poller.position
    put(client, until=ahead(1))
    assert context.poller.position.version > before.version
    assert [
        context.poller.last_view.lift_index.lift_id[row] for row in context.poller._published.since(before.version)
    ] == ["L001"]


@pytest.fixture(name="firm")
def firm_of_the_lift(settings: Settings, records: Records) -> Iterator[TestClient]:
    """A client of a firm whose lift also names an owner."""
    records.patch_lift("L001", {"owner": "Owner 1"}, Actor.named("test"), T0_NS)
    app = create_app(settings)
    ScopeOfTest.add_to(app)
    with Client(app, base_url="http://localhost") as client:
        yield client
    ScopeOfTest.scope = OPEN_SCOPE


def owner() -> Scope:
    """Return the scope of a manager of the lift's owner."""
    actor = Actor("Olga", "person:olga", "Owner 1", Role.MANAGER, "127.0.0.1")
    kind = OrganisationKind.OWNER
    return Scope(lifts_of(kind, {"Owner 1"}, frozenset()), verbs_of(kind, Role.MANAGER), actor)


def texts_of(client: TestClient) -> dict[str, str]:
    """Return what the present scope reads of the lift, by place."""
    poller = client.app.state.context.poller  # type: ignore[attr-defined]
    paths = (
        "/api/v1/lifts", "/api/v1/lifts/L001", "/api/v1/change-requests", "/api/v1/audit", "/api/v1/audit?format=csv",
        "/lifts/L001", "/code/L001",
    )  # fmt: skip
    sent = b"".join(poller.since(StreamPosition(0, 0), EventFilter(scope=ScopeOfTest.scope.lifts))).decode()
    return {path: client.get(path, headers={"Accept": "*/*"}).text for path in paths} | {"live": sent}


PUBLIC_PAGES = ("/lifts/L001", "/code/L001")
"""Pages that show no note."""


@pytest.mark.parametrize("shared", [False, True])
def test_other_organisations_read_the_note_of_a_window_where_it_is_shared(firm: TestClient, shared: bool) -> None:
    sign_in("Ada")
    body = {"until": ahead(1), "note": "the ropes are worn", "shared": shared}
    answer = firm.post("/api/v1/lifts/L001/maintenance", json=body)
    assert (answer.status_code, answer.json()["maintenance"]["note"]) == (200, "the ropes are worn")
    for kind in (OrganisationKind.MAINTENANCE_FIRM, OrganisationKind.AUTHORITY):
        sign_in("Eve", kind)
        assert {place for place, text in texts_of(firm).items() if "the ropes are worn" not in text} == {*PUBLIC_PAGES}
    ScopeOfTest.scope = owner()
    read = {place for place, text in texts_of(firm).items() if "the ropes are worn" in text}
    assert read == ({"/api/v1/lifts", "/api/v1/lifts/L001", "/api/v1/change-requests", "live"} if shared else set())
    shown = window(firm)
    assert (shown["by"], shown["organisation"]) == ("Ada" if shared else "Firm 1", "Firm 1")


def test_the_audit_row_of_a_changed_window_does_not_repeat_the_note_of_another_organisation(
    records: Records,
) -> None:
    now_ns = time.time_ns()
    for organisation in ("Firm before", "Firm 1"):
        by = Actor("Ada", "person:ada", organisation, "manager", None)
        records.set_maintenance("L001", now_ns + HOUR_NS, by, now_ns, f"note of {organisation}")
    later, first = records.audit(AuditFilter(action="maintenance.set")).items
    assert "note of Firm before" in str(first.after)
    assert "note of Firm before" not in str(later.before)
