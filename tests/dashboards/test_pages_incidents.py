"""The inbox of incidents in a browser: the order of work, its keys, the watch, live events, and a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboards.api.context import Settings
from detectors.rule import CRITICAL
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.browser_world import (
    fill,
    fire,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.loopback import until

pytestmark = pytest.mark.browser

ANN = Actor.named("Ann")
UNDO_AT_ONCE = """() => {
    window.answer = '';
    const box = document.querySelector('.act-answer');
    new MutationObserver((_, observer) => {
        const undo = box.querySelector('button');
        if (!undo) return;
        observer.disconnect();
        window.answer = box.textContent;
        undo.click();
    }).observe(box, { childList: true });
}"""
"""Have the page press its button of undoing when it appears: a loaded machine may take longer than the 10 seconds."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve, with three incidents."""
    return fill(tmp_path, 12)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """The records as the monitor has them open."""
    with settings.open_records() as opened:
        yield opened


def report(records: Records, lift_id: str = "L006") -> str:
    """Report by telephone that somebody is inside a lift; return the id of the incident."""
    incident = records.report_by_call(lift_id, "entrapment", "13800000000", ANN, time.time_ns())
    assert incident is not None
    return incident.id


def named(page: Page) -> None:
    page.evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")


def test_a_rescue_is_worked_by_keys_and_its_closing_can_be_undone(
    browser: Browser, settings: Settings, records: Records
) -> None:
    report(records)
    with served(settings) as address, looking(browser, address) as watched:
        named(watched.open("/"))
        page = watched.open("/incidents")
        expect(page.locator("#headline")).to_contain_text("In one incident somebody may be inside")
        expect(page.locator("#pane h2")).to_contain_text("Lift L006: somebody may be shut in at floor 0")
        expect(page.locator(".p-guide")).to_contain_text("+852 2345 6789")
        expect(page.locator(".steps li")).to_have_count(5)
        page.keyboard.press("a")
        expect(page.locator(".clock .reached", has_text="Acknowledged")).to_have_count(1)
        for stage in ("dispatched", "on-site"):
            page.keyboard.press("g")
            page.locator(".act-form [name=stage]").select_option(stage)
            page.keyboard.press("Control+Enter")
            expect(page.locator(".act-form form")).to_have_count(0)
        page.keyboard.press("r")
        expect(page.locator(".act-form")).to_contain_text("Somebody may still be inside.")
        page.locator(".act-form [name=reason]").select_option("repaired")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".act-answer")).to_contain_text("Not done: Somebody may still be inside")
        watched.complaints.clear()  # the browser itself notes the status 409
        page.locator(".act-form [name=reason]").select_option("released")
        page.evaluate(UNDO_AT_ONCE)
        page.keyboard.press("Control+Enter")
        until(lambda: "Closed." in page.evaluate("window.answer"), "the closing")
        expect(page.locator(".act-answer")).to_have_text("Open as before.")
        expect(page.locator(".story li").first).to_contain_text("Closing undone by Ann")


def test_a_critical_incident_comes_on_top_at_once_and_is_counted(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/incidents?severity=minor")
        page.locator("#list").hover()
        report(records)
        expect(page.locator("#headline")).to_contain_text("somebody may be inside")
        expect(page).to_have_title("(2) Inbox · Liftwatch")
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("%3E2%3C"))
        page.locator("#clear").click()
        expect(page.locator("#list b").first).to_contain_text("Lift L006")


def test_critical_incidents_are_counted_and_announced_on_other_pages(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        watched.page.add_init_script(
            "window.tones = 0; const start = OscillatorNode.prototype.start;"
            "OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };"
        )
        named(watched.open("/"))
        watched.open("/incidents").locator("#watch").click()
        for path in ("/duty", "/"):
            page = watched.open(path)
            expect(page.locator("#criticals")).to_have_text("\xa01")
        expect(page.locator("#critical-note")).to_have_text("Critical incidents that wait for somebody: 1")
        page.locator("h1").click()  # a page may make a sound only after a click in it
        report(records)
        expect(page.locator("#criticals")).to_have_text("\xa02")
        expect(page).to_have_title("(2) Fleet · Liftwatch")
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("%3E2%3C"))
        until(lambda: page.evaluate("window.tones") == 3, "the sound")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("#critical-note a").click()
        expect(page.locator("#headline")).to_contain_text("somebody may be inside")


def test_the_watch_sounds_until_everything_critical_is_acknowledged(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        watched.page.add_init_script(
            "window.tones = 0; const start = OscillatorNode.prototype.start;"
            "OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };"
        )
        named(watched.open("/"))
        page = watched.open("/incidents")
        page.locator("#watch").click()
        expect(page.locator("#watch")).to_have_attribute("aria-pressed", "true")
        until(lambda: page.evaluate("window.tones") == 3, "the sound")
        fire(records, "L009", 4, CRITICAL, speed_mps=2.2, limit_mps=2.01)
        until(lambda: page.evaluate("window.tones") == 6, "the sound")
        for lift in ("L001", "L009"):
            page.locator("#list a", has_text=lift).click()
            expect(page.locator("#pane h2")).to_contain_text(lift)
            page.locator("[data-deed=ack]").click()
            expect(page.locator("#list li.seen", has_text=lift)).to_have_count(1)
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/static/icon.svg")


def test_a_hidden_page_on_watch_announces_new_incidents_and_a_lost_connection(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        watched.page.add_init_script(
            "window.shown = []; Object.defineProperty(document, 'hidden', { get: () => window.isHidden ?? false });"
            "window.Notification = class { constructor(title) { shown.push(title); } addEventListener() {} };"
            "Notification.permission = 'granted';"
        )
        watched.page.clock.install()
        page = watched.open("/incidents")
        page.locator("#watch").click()
        page.evaluate("() => { window.isHidden = true; document.dispatchEvent(new Event('visibilitychange')); }")
        page.clock.fast_forward(70_000)
        fire(records, "L009", 4, CRITICAL, speed_mps=2.2, limit_mps=2.01)
        until(lambda: any("L009" in title for title in page.evaluate("shown")), "the notification")
        page.evaluate("() => { window.EventSource = class { addEventListener() {} close() {} }; }")
        page.evaluate("() => { window.dispatchEvent(new Event('offline')); }")
        page.clock.fast_forward(25_000)
        lost = "No connection since"
        until(lambda: any(title.startswith(lost) for title in page.evaluate("shown")), "the notification of the loss")


def test_filters_and_the_view_are_in_the_address(browser: Browser, settings: Settings, records: Records) -> None:
    report(records)
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/incidents?kind=entrapment")
        expect(page.locator("#list b")).to_have_count(1)
        page.locator("[name=q]").fill("no such lift")
        expect(page.locator("#list")).to_contain_text("No incident matches these filters")
        page.locator("#clear").click()
        expect(page.locator("#list b")).to_have_count(4)
        page.locator("[data-view=over]").click()
        expect(page).to_have_url(f"{address}/incidents?view=over")
        expect(page.locator("#list")).to_contain_text("No incident is over yet")


def test_an_incident_is_a_page_of_its_own_on_a_phone(browser: Browser, settings: Settings, records: Records) -> None:
    name = report(records)
    with served(settings) as address, looking(browser, address, width=390, language="zh") as watched:
        page = watched.open("/incidents")
        page.locator("#list a").first.click()
        expect(page).to_have_url(f"{address}/incidents/{name}")
        expect(page.locator("#pane h2")).to_contain_text("疑似有人被困于 0 层")
        expect(page.locator("#list")).to_be_hidden()
        report(records, "L007")
        expect(page.locator("#arrived")).to_contain_text("另有 2 起危急事件待处理")
        page.locator("#arrived").click()
        expect(page.locator("#pane h2")).to_contain_text("L007")
        page.locator(".back").click()
        expect(page.locator("#arrived")).to_be_hidden()
        expect(page.locator("#list")).to_be_visible()


def test_every_critical_incident_is_counted_and_listed_among_many(browser: Browser, tmp_path: Path) -> None:
    settings = fill(tmp_path, 230)
    with settings.open_records() as records:
        for row in range(9, 219):
            report(records, f"L{row:03}")
        with served(settings) as address, looking(browser, address) as watched:
            page = watched.open("/incidents")
            expect(page.locator("#headline")).to_contain_text("In 210 incidents somebody may be inside")
            for shown in (100, 200):
                expect(page.locator("#list a")).to_have_count(shown)
                page.locator("#more").click()
            expect(page.locator("#list a")).to_have_count(213)  # with the three of the sample fleet
            assert page.title().startswith("(211)")
