"""Maintenance windows through the API: set, shown, changed, ended early, and bounded."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from store.records.repository import AuditFilter, Records
from telemetry.instant import text

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
