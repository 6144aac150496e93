"""The health of lifts as the API answers it: lists, one lift with its days, the fleet's distribution, and CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator

import numpy as np
import orjson
import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from registry.duty.civil_time import local_clock
from store.records.repository import HealthDay, HealthRecord, Records
from telemetry.streams import ONLINE
from tests.dashboards.applications import Client, create_app
from tests.dashboards.conftest import BASE
from tests.dashboards.sample_fleet import T0_NS, table

PART = {"part": "door", "health": 70, "reason": {"en": "slow", "zh": "慢"}, "causes": []}
TODAY = local_clock(time.time_ns(), "UTC")[0]


def record(lift_id: str, score: float | None, grade: str | None) -> HealthRecord:
    """Return a stored health, whose reason begins as a formula of a spreadsheet does."""
    document = {
        "lift_id": lift_id, "at": "2001-09-09T01:46:40.000Z", "health": score, "grade": grade,
        "unknown": None if score is not None else "blind", "reason": {"en": "=1+1", "zh": "门慢"}, "parts": [PART],
        "trends": [],
    }  # fmt: skip
    return HealthRecord(lift_id, "d0", T0_NS, score, grade, orjson.dumps(document).decode())


def day(number: int, score: float | None) -> HealthDay:
    return HealthDay("L001", number, np.array([np.nan]), score, "yellow" if score else None, {"door": score})


@pytest.fixture
def asking(records: Records, settings: Settings) -> Iterator[TestClient]:
    """A program that asks about six lifts, four of them with a health; L004 has it, and is blind now."""
    blind = np.array(["", "", "", "", "late", ""], dtype="U16")
    records.put_live(table(6, blind=blind, link=np.full(6, ONLINE, dtype=np.int8)).encode(), {}, T0_NS)
    stored = [("L000", 95.0, "blue"), ("L001", 70.0, "yellow"), ("L002", 30.0, "red"), ("L004", 90.0, "blue")]
    days = [day(TODAY - 100, 90.0), day(TODAY - 2, 75.0), day(TODAY - 1, None)]
    records.put_health([record(*one) for one in stored], days)
    with Client(create_app(settings), base_url=BASE) as client:
        yield client


def test_a_list_shows_the_health_and_its_reason_and_none_of_a_lift_that_is_not_judged(asking: TestClient) -> None:
    items = {item["lift_id"]: item for item in asking.get("/api/v1/lifts").json()["items"]}
    assert (items["L001"]["health"], items["L001"]["grade"]) == (70, "yellow")
    assert items["L001"]["health_reason"] == {"en": "=1+1", "zh": "门慢"}
    for lift_id in ("L003", "L004"):  # not reckoned so far; blind
        assert [items[lift_id][name] for name in ("health", "grade", "health_reason")] == [None, None, None]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("grade=red", ["L002"]),
        ("grade=unknown&sort=lift_id", ["L003", "L004", "L005"]),
        ("sort=health&limit=3", ["L002", "L001", "L000"]),
        ("sort=-health&limit=1000", ["L005", "L004", "L003", "L000", "L001", "L002"]),
    ],
)
def test_lists_are_filtered_by_the_grade_and_sorted_by_health(
    asking: TestClient, query: str, expected: list[str]
) -> None:
    page = asking.get(f"/api/v1/lifts?{query}").json()
    assert [item["lift_id"] for item in page["items"]] == expected
    if page["next"]:
        rest = asking.get(f"/api/v1/lifts?{query}&cursor={page['next']}").json()
        assert {item["health"] for item in rest["items"]} == {None}


def test_a_grade_that_there_is_not_is_refused(asking: TestClient) -> None:
    assert asking.get("/api/v1/lifts?grade=green").status_code == 422


def test_one_lift_has_its_parts_and_the_days_of_the_last_three_months(asking: TestClient) -> None:
    found = asking.get("/api/v1/lifts/L001/health").json()
    assert (found["health"], found["grade"], found["unknown"], found["parts"]) == (70, "yellow", None, [PART])
    assert [one["health"] for one in found["days"]] == [75.0, None]
    assert len(asking.get("/api/v1/lifts/L001/health?days=120").json()["days"]) == 3
    assert asking.get("/api/v1/lifts/nowhere/health").status_code == 404
    assert asking.get("/api/v1/lifts/L001").json()["health"] == 70


def test_a_lift_that_is_blind_now_says_so_whatever_was_stored(asking: TestClient) -> None:
    found = asking.get("/api/v1/lifts/L004/health").json()
    assert (found["health"], found["grade"], found["unknown"], found["parts"]) == (None, None, "blind", [])


def test_the_fleet_has_the_distribution_of_grades_and_of_health(asking: TestClient) -> None:
    found = asking.get("/api/v1/fleet").json()["health"]
    assert found["grades"] == {"red": 1, "orange": 0, "yellow": 1, "blue": 1, "unknown": 3}
    assert found["tens"] == [0, 0, 0, 1, 0, 0, 0, 1, 0, 1]


def test_health_is_exported_as_csv_that_no_spreadsheet_executes(asking: TestClient) -> None:
    answer = asking.get("/api/v1/fleet/health.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["lift_id"] for line in lines] == ["L002", "L001", "L000", "L003", "L004", "L005"]
    assert (lines[0]["health"], lines[0]["grade"], lines[0]["reason"]) == ("30", "red", "'=1+1")
    assert len(list(csv.DictReader(io.StringIO(asking.get("/api/v1/fleet/health.csv?grade=red").text)))) == 1
    days = list(csv.DictReader(io.StringIO(asking.get("/api/v1/lifts/L001/health?format=csv").text)))
    assert [(line["health"], line["door"]) for line in days] == [("75", "75"), ("", "")]


def test_a_change_of_health_reaches_the_live_stream_as_a_changed_lift(asking: TestClient, records: Records) -> None:
    poller = asking.app.state.context.poller  # type: ignore[attr-defined]
    before = poller.position.version
    records.put_health([record("L001", 60.0, "yellow")])
    poller.poll()
    view = poller.current_view()
    rows = poller._published.since(before).tolist()
    assert [view.lift_index.lift_id[row] for row in rows] == ["L001"]
