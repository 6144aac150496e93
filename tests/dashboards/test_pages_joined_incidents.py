"""The inbox in a browser: telephone calls, merging, splitting and linking, and the closing of what is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from alerts.book import Occurrence
from dashboards.api.context import Settings
from detectors.catalogue import BY_SLUG
from detectors.rule import MINOR, Finding
from registry.actor import Actor
from store.records.repository import IncidentFilter, Records
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.sample_fleet import T0_NS

pytestmark = pytest.mark.browser

ANN = Actor.named("Ann")
STOP = BY_SLUG["stop-outside-zone"]
S_NS = 1_000_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve, with three incidents."""
    return fill(tmp_path, 12)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    with settings.open_records() as opened:
        yield opened


def judged(records: Records, lift_id: str, position: int, *kinds: str) -> None:
    """Raise a minor alert of a lift, and clear it where the kinds say so."""
    for step, kind in enumerate(kinds):
        at_ns = T0_NS + (position + step) * S_NS
        finding = Finding(0, STOP.slug, kind, MINOR, at_ns, at_ns, False, {})
        found = Occurrence(lift_id, "d1", finding, STOP, at_ns)
        records.judge(position=position + step, occurrences=[found], now_ns=at_ns)


def accessible(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh")])
def test_a_telephone_call_is_entered_by_the_address_or_by_the_scanned_code(
    browser: Browser, settings: Settings, records: Records, width: int, language: str
) -> None:
    with served(settings) as address, looking(browser, address, width=width, language=language) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open("/incidents")
        page.keyboard.press("n")
        form = page.locator("dialog[open]")
        form.locator("[name=lift]").fill("garden road 1")  # L001 and L011
        form.locator("[name=what][value=entrapment]").check()
        page.keyboard.press("Enter")
        expect(form.locator(".problem")).to_be_visible()
        expect(form.locator(".found button")).to_have_count(2)
        accessible(page)
        form.locator(".found button", has_text="L011").click()
        form.locator("[name=callback]").fill("+86 571 8888 0000")
        page.keyboard.press("Enter")
        expect(form).to_have_count(0)
        expect(page.locator("#pane h2")).to_contain_text("L011")
        expect(page.locator(".p-guide a[href='tel:+8657188880000']")).to_be_visible()
        page.locator(".back").click() if width < 900 else None
        page.keyboard.press("n")
        form.locator("[name=lift]").fill(f"{address}/code/L011")
        form.locator("[name=what][value=nuisance]").check()
        form.locator(".main").click()
        expect(form).to_have_count(0)
        expect(page.locator(".story li")).to_have_count(2)
    (found,) = records.incidents(IncidentFilter(lift_id=("L011",))).items
    assert (found.incident.kind, found.incident.entries) == ("entrapment", 2)


def test_incidents_are_merged_split_and_linked_by_keys(browser: Browser, settings: Settings, records: Records) -> None:
    judged(records, "L006", 10, "on")
    judged(records, "L009", 20, "on")
    (kept,) = records.incidents(IncidentFilter(lift_id=("L006",))).items
    with served(settings) as address, looking(browser, address) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open(f"/incidents/{kept.incident.id}")
        expect(page.locator(".p-others")).to_contain_text("no alert that could be split off")
        expect(page.locator("[data-deed=split]")).to_be_disabled()
        page.keyboard.press("m")
        page.locator(".act-form [type=search]").fill("l009")
        expect(page.locator(".choices label")).to_have_count(1)
        page.locator(".choices label", has_text="L009").locator("[name=other]").check()
        page.keyboard.press("Control+Enter")
        expect(page.locator(".act-answer")).to_contain_text("Merged into this incident.")
        expect(page.locator(".alerts-of li")).to_have_count(2)
        page.keyboard.press("x")
        accessible(page)
        page.locator(".act-form [name=alert]").first.check()
        page.keyboard.press("Control+Enter")
        expect(page.locator(".linked li")).to_have_count(1)
        expect(page.locator(".alerts-of li")).to_have_count(1)
        page.keyboard.press("l")
        page.locator(".act-form [type=search]").fill("L001")
        page.locator(".choices label", has_text="L001").locator("[name=other]").check()
        page.keyboard.press("Control+Enter")
        expect(page.locator(".linked li")).to_have_count(2)
        expect(page.locator(".linked")).to_contain_text("Lift L001")


def test_what_is_over_is_closed_at_once_and_the_closing_is_undone(
    browser: Browser, settings: Settings, records: Records
) -> None:
    for place, lift_id in enumerate(("L005", "L006", "L009")):
        judged(records, lift_id, 10 + 2 * place, "on", "off")
    judged(records, "L010", 20, "on")
    records.report_by_call("L008", "entrapment", None, ANN, time.time_ns())
    with served(settings) as address, looking(browser, address) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open("/incidents")
        expect(page.locator("#many")).to_have_text("Close 3 that are over …")
        page.keyboard.press("e")
        form = page.locator("dialog[open]")
        expect(form.locator(".many li")).to_have_count(3)
        accessible(page)
        form.locator(".many [type=checkbox]").first.uncheck()
        form.locator(".main").click()
        expect(page.locator("#many-done")).to_contain_text("2 incidents closed.")
        page.keyboard.press("u")
        expect(page.locator("#many-done")).to_contain_text("2 incidents are open as before.")
        expect(page.locator("#many")).to_have_text("Close 3 that are over …")
    closed = records.incidents(IncidentFilter(state=("closed",))).items
    assert closed == []
