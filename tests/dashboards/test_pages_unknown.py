"""Critical alerts appear at once, what is not known is never called well, and all times of a page are in one zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from dashboards.api.context import Settings
from detectors.rule import CRITICAL, MINOR
from registry.actor import Actor
from store.records.repository import Records
from store.series.connect import open_timeseries
from telemetry.streams import NEVER_SEEN, ONLINE
from tests.dashboards.browser_world import S_NS, fill, fire, looking, open_browser, served  # noqa: F401
from tests.dashboards.sample_fleet import facts, table

pytestmark = pytest.mark.browser


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve, of which one has a critical alert and two have minor ones."""
    return fill(tmp_path, 12)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """The records as the monitor has them open."""
    with settings.open_records() as opened:
        yield opened


def test_a_critical_alert_appears_on_top_at_once_while_the_pointer_rests_on_the_list(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        expect(page.locator("#headline")).to_have_text("One alert needs attention now")
        page.locator("#list a").last.hover()
        fire(records, "L006", 10, MINOR)
        expect(page.locator("#more")).to_have_text("Show what changed")
        expect(page.locator("#list b", has_text="L006")).to_have_count(0)
        fire(records, "L010", 20, CRITICAL)
        expect(page.locator("#list li:nth-child(-n+2)", has_text="L010")).to_have_count(1)  # both are critical
        expect(page.locator("#headline")).to_have_text("2 alerts need attention now")
        assert page.title().startswith("(2) ")


def test_what_was_held_back_under_the_pointer_appears_when_the_pointer_leaves(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        page.locator("#list a").last.hover()
        fire(records, "L006", 10, MINOR)
        expect(page.locator("#more")).to_have_text("Show what changed")
        page.locator("#headline").hover()
        expect(page.locator("#list b", has_text="L006")).to_have_count(1)


@pytest.mark.parametrize("view", ["mine", "held", "done"])
def test_a_critical_alert_is_in_the_headline_of_every_view(
    browser: Browser, settings: Settings, records: Records, view: str
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open(f"/alerts?view={view}")
        expect(page.locator("#headline")).to_contain_text("One alert needs attention now")
        fire(records, "L010", 20, CRITICAL)
        expect(page.locator("#headline")).to_contain_text("2 alerts need attention now")


def watch(records: Records, lifts: int, link: int | None) -> None:
    """Register lifts and write their state as a monitor that is running does; without `link` no monitor ever wrote."""
    now_ns = time.time_ns()
    records.put_lifts([facts(f"L{row:03}") for row in range(lifts)], by=Actor.named("test"), now_ns=now_ns)
    if link is not None:
        links = np.full(lifts, link, dtype=np.int8)
        records.put_live(table(lifts, link=links, last_seen_ns=np.full(lifts, now_ns)).encode(), {}, now_ns)


@pytest.mark.parametrize(
    ("lifts", "link", "sentence"),
    [
        (0, ONLINE, "No lift is watched yet"),
        (0, None, "No lift is watched yet"),
        (3, None, "Nothing is known now: no monitor is writing"),
        (3, NEVER_SEEN, "No lift was heard yet"),
        (3, ONLINE, "All is well: nobody is needed"),
    ],
)
def test_all_is_well_is_shown_only_of_lifts_that_are_online(
    browser: Browser, tmp_path: Path, lifts: int, link: int | None, sentence: str
) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    open_timeseries(tmp_path / "series").close()
    with Records.open(url) as records:
        watch(records, lifts, link)
    served_stores = Settings(lambda: Records.open(url), lambda: open_timeseries(tmp_path / "series", writable=False))
    with served(served_stores) as address, looking(browser, address) as watched:
        page = watched.open("/")
        expect(page.locator("#headline")).to_have_text(sentence)


def test_a_monitor_that_stopped_is_not_called_well(browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    open_timeseries(tmp_path / "series").close()
    with Records.open(url) as records:
        records.put_lifts([facts("L000")], by=Actor.named("test"), now_ns=1)
        records.put_live(table(1).encode(), {}, time.time_ns() - 600 * S_NS)
    stopped = Settings(lambda: Records.open(url), lambda: open_timeseries(tmp_path / "series", writable=False))
    with served(stopped) as address, looking(browser, address, language="zh") as watched:
        page = watched.open("/")
        expect(page.locator("#headline")).to_have_text("目前状况不明：监测系统没有更新")
        page = watched.open("/lifts/L000")
        expect(page.locator("#subline")).to_have_text("电梯状态不明：监测程序未运行")
        expect(page.locator("#blind")).to_contain_text("未受监测：其分区的监测程序未运行：请启动")
        page.goto(f"{address}/lifts/L000?lang=en")
        expect(page.locator("#subline")).to_have_text("The state of this lift is not known: its monitor is not running")
        public = {lang: httpx.get(f"{address}/code/L000?lang={lang}", timeout=60).text for lang in ("en", "zh")}
    assert "The state of this lift is not known just now" in public["en"]
    assert "目前无法得知本电梯的状态" in public["zh"]


def test_times_of_a_lift_are_in_its_zone_on_its_page_and_in_the_inbox(
    browser: Browser, settings: Settings, records: Records
) -> None:
    context = browser.new_context(timezone_id="America/New_York", locale="en-GB")
    with served(settings) as address:
        page = context.new_page()
        page.goto(f"{address}/lifts/L001")
        page.wait_for_selector("#link[data-link=live]")
        expect(page.locator("#zone")).to_have_text("Times in Asia/Hong_Kong")
        expect(page.locator("#subline")).to_contain_text("last 09:46:40")  # 01:46:40 UTC
        for shown in page.locator("time[title]").all():
            assert shown.get_attribute("title").endswith("GMT+8"), shown.get_attribute("title")  # type: ignore[union-attr]
        page.goto(f"{address}/alerts")
        expect(page.locator("#pane .meta").last).to_contain_text("Times in Asia/Hong_Kong")
        expect(page.locator("#list time").first).to_have_attribute("title", "9 Sept 2001, 09:45:40 GMT+8")
        page.evaluate("localStorage.setItem('liftwatch.name', 'Ann')")
        page.locator("#list a").nth(1).click()
        expect(page.locator("#pane h2")).to_contain_text("L002")
        page.keyboard.press("z")
        page.locator(".act-form button.main").click()
        expect(page.locator(".act-answer")).to_contain_text("GMT+8")
        httpx.get(f"{address}/healthz", timeout=60).raise_for_status()
        page.goto(address)
        expect(page.locator("#subline")).to_contain_text("GMT-")  # a page over several zones names the zone it shows
    context.close()
