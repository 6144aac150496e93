"""Health on the pages: the list with its grades as filters, and a lift with its parts and ninety days."""

from __future__ import annotations

import time

import numpy as np
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from dashboards.api.context import Settings
from detectors.health.assessment import AlertOfLift, assess
from detectors.health.document import health_document
from detectors.health.measures import NAMES, PARTS
from detectors.health.remaining import Band
from detectors.health.trends import Trend
from registry.duty.civil_time import local_clock
from store.records.repository import HealthDay, HealthRecord, Records
from tests.dashboards.browser_world import looking, open_browser, served  # noqa: F401
from tests.dashboards.sample_fleet import T0_NS

TODAY = local_clock(time.time_ns(), "UTC")[0]
SLOW = Trend(NAMES.index("door_close_s"), TODAY - 20, 2.8, 9.5, 4.0, Band(8.0, 21.0))
OVER = AlertOfLift("levelling-error", "minor", is_open=False, days_ago=3.0)
DAYS = 80


@pytest.fixture
def healthy(settings: Settings, records: Records) -> Settings:
    """Six lifts: L001 has a door that slows, the others are well, but L005, whose health is unknown."""
    for number in range(6):
        lift_id, trends = f"L{number:03}", [SLOW] if number == 1 else []
        found = assess([OVER] if number == 2 else [], trends, frozenset(PARTS), "blind" if number == 5 else None)
        document = health_document(lift_id, "d0", T0_NS, found, trends, DAYS)
        score = None if found.health is None else float(document["health"])
        stored = HealthRecord(lift_id, "d0", T0_NS, score, found.grade, orjson.dumps(document).decode())
        records.put_health([stored])
    records.put_health([], [_day(before) for before in range(DAYS, 0, -1) if not 30 < before < 34])
    return settings


def _day(before: int) -> HealthDay:
    door = None if before in (50, 51) else min(100.0, 50.0 + 2.0 * before)
    parts = dict.fromkeys(PARTS, 100.0) | {"door": door, "ride": None}
    return HealthDay("L001", TODAY - before, np.full(len(NAMES), np.nan), door, "yellow", parts)


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_the_list_and_the_lift_show_health_with_its_reason(
    browser: Browser, healthy: Settings, language: str, width: int
) -> None:
    slow = {"en": "closing time of the door 2.8 s → 9.5 s, limit 20 s in 8 to 21 d"}.get(
        language, "关门时间 2.8 s → 9.5 s，限值 20 s，预计 8–21 天后达到"
    )
    with served(healthy) as address, looking(browser, address, language=language, width=width) as watched:
        page = watched.open("/")
        grades = page.locator("#grades")
        expect(grades.locator('[data-grade="blue"] b')).to_have_text("4")
        expect(grades.locator('[data-grade="unknown"] b')).to_have_text("1")
        expect(page.locator(".rows .row:visible")).to_have_count(6)
        assert Axe().run(page).response["violations"] == []
        grades.locator('button[data-grade="yellow"]').click()
        expect(page.locator(".rows .row:visible")).to_have_count(1)
        assert "grade=yellow" in page.url
        page.goto(f"{address}/lifts/L001")
        box = page.locator("#health")
        expect(box.locator("tbody tr")).to_have_count(len(PARTS))
        expect(box.locator("tbody tr").first).to_contain_text(slow)
        expect(box.locator(".health-curve polyline")).to_have_count(3)  # two gaps: not judged, and no days
        expect(box.locator(".trends li")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []
        page.goto(f"{address}/lifts/L005")
        expect(page.locator(".health-now")).to_contain_text({"en": "unknown", "zh": "未知"}[language])
    assert watched.complaints == []
