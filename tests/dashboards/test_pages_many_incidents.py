"""The inbox with 10 000 open incidents: sorted, searched and counted by the server, and a new critical one on top."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.inbox import fill_incidents
from dashboards.api.context import Settings
from registry.actor import Actor
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)

pytestmark = pytest.mark.browser

INCIDENTS = 10_000


@pytest.fixture(name="settings", scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A fleet with 10 000 open incidents besides the three of the sample, 1 000 of them critical."""
    folder: Path = tmp_path_factory.mktemp("many")
    settings = fill(folder, 12)
    fill_incidents(settings, INCIDENTS)
    return settings


def test_ten_thousand_open_incidents_are_counted_searched_and_paged(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/incidents")
        expect(page.locator("#headline")).to_have_text(
            "In 1,000 incidents somebody may be inside · 10,003 incidents are open"
        )
        expect(page).to_have_title("(1001) Inbox · Liftwatch")
        expect(page.locator("[data-view=now] b")).to_have_text("10,003")
        page.locator("[name=q]").fill("green lake lift 77")
        expect(page.locator("#headline")).to_contain_text("111 incidents match the filters")
        expect(page.locator("#list a b").first).to_contain_text("Green Lake Lift 77")
        page.locator("#clear").click()
        expect(page.locator("#headline")).to_contain_text("10,003 incidents are open")
        for shown in (100, 200, 300):
            expect(page.locator("#list a")).to_have_count(shown)
            page.locator("#more").click()
        with settings.open_records() as records:
            records.report_by_call("L006", "entrapment", None, Actor.named("Ann"), time.time_ns())
        expect(page.locator("#list a b").first).to_contain_text("Lift L006")
        expect(page.locator("#headline")).to_contain_text("In 1,001 incidents")
