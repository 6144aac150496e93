"""Ten thousand open incidents: the first page comes soon, the cursor reaches every one, and one more is answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from alerts.book import Occurrence
from detectors.catalogue import BY_SLUG
from detectors.rule import Finding
from tests.alerts.rules import T0, S
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import fill

INCIDENTS, AT_ONCE, PAGE = 10_000, 1000, 500
FIRST_PAGE_CPU_S = 2.0
BUTTON = BY_SLUG["alarm-button"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("many")
    settings = fill(folder, 12)
    with settings.open_records() as records:
        for first in range(0, INCIDENTS, AT_ONCE):
            finding = Finding(0, BUTTON.slug, "on", BUTTON.levels[-1].severity, T0, T0, True, {})
            found = [Occurrence(f"m{k:05}", "d1", finding, BUTTON, T0) for k in range(first, first + AT_ONCE)]
            records.judge(position=10 + first, occurrences=found, now_ns=T0 + first * S)
    with Client(create_app(settings), base_url="http://localhost") as asking:
        yield asking


def test_every_one_of_ten_thousand_incidents_is_reached_by_the_cursor(client: TestClient) -> None:
    began_s = time.process_time()
    page = client.get("/api/v1/incidents", params={"state": "open", "limit": 50}).json()
    assert time.process_time() - began_s < FIRST_PAGE_CPU_S
    assert len(page["items"]) == 50
    seen, cursor = set[str](), None
    while True:
        query = {"state": "open", "limit": PAGE} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/api/v1/incidents", params=query).json()
        seen |= {each["id"] for each in answer["items"] if each["lift_id"].startswith("m")}
        if (cursor := answer["next"]) is None:
            break
    assert len(seen) == INCIDENTS


def test_one_of_ten_thousand_is_acknowledged(client: TestClient) -> None:
    (incident,) = client.get("/api/v1/incidents", params={"lift_id": "m07777"}).json()["items"]
    answered = client.post(f"/api/v1/incidents/{incident['id']}/ack", json={"by": "Ann"})
    assert (answered.status_code, answered.json()["acknowledged"]) == (200, True)
