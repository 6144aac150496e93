"""The pages with live events: highlights, stable rows under the pointer, a lost connection, actions of people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from alerts.answers import Answer
from dashboards.api.context import Settings
from detectors.rule import CRITICAL, MINOR
from registry.actor import Actor
from store.records.repository import AuditFilter, Records
from tests.dashboards.browser_world import (
    fill,
    fire,
    looking,
    open_browser,  # noqa: F401
    served,
    write_live,
)
from tests.loopback import until

pytestmark = pytest.mark.browser

COUNT = 12


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve."""
    return fill(tmp_path, COUNT)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """The records as the monitor has them open."""
    with settings.open_records() as opened:
        yield opened


def row(page: Page, index: int) -> str:
    """Return the id of the lift in a row, counting from 0."""
    return page.locator(f".rows .row[aria-rowindex='{index + 2}'] .c-name small").inner_text().split(" ")[0]


def named(page: Page, name: str = "Ann") -> None:
    """Give a name, as someone did before."""
    page.evaluate("name => localStorage.setItem('liftwatch.name', name)", name)


def watch_glow(page: Page) -> None:
    """Have the page note every row that glows, and its animation: nobody else may look in those two seconds."""
    page.evaluate(
        """() => {
            window.glowed = [];
            new MutationObserver(() => {
                for (const row of document.querySelectorAll(".row.glow"))
                    window.glowed.push({text: row.textContent, animation: getComputedStyle(row).animationName});
            }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});
        }"""
    )


def test_a_changed_row_is_highlighted_for_two_seconds(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/")
        watch_glow(page)
        fire(records, "L006", 10, MINOR)
        until(lambda: page.evaluate("glowed.some(row => row.text.includes('L006'))"), "a row that glows")
        expect(page.locator(".row.glow", has_text="L006")).to_have_count(0)
        expect(page.locator(".row", has_text="L006").locator(".c-state")).to_have_text("MinorOverspeed")


def test_nothing_is_animated_with_reduced_motion(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        watched.page.emulate_media(reduced_motion="reduce")
        page = watched.open("/")
        watch_glow(page)
        fire(records, "L006", 10, MINOR)
        until(lambda: page.evaluate("glowed.some(row => row.text.includes('L006'))"), "a row that glows")
        assert {row["animation"] for row in page.evaluate("glowed")} == {"none"}


def test_rows_are_not_sorted_under_the_pointer(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/")
        page.locator(".rows .row[aria-rowindex='6']").hover()
        before = [row(page, index) for index in range(6)]
        fire(records, "L009", 10, CRITICAL)
        expect(page.locator("#reorder")).to_be_visible()
        assert [row(page, index) for index in range(6)] == before
        page.locator("#reorder").click()
        expect(page.locator(".rows .row[aria-rowindex='3'] .c-name small")).to_contain_text("L009")
        expect(page.locator("#reorder")).to_be_hidden()


def test_the_car_in_a_row_follows_its_readings(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/")
        car = page.locator(".row", has_text="L006").locator(".c-car")
        expect(car.locator(".floor")).to_have_text("Floor 0")
        write_live(records, COUNT, landing=np.full(COUNT, 2), direction=np.ones(COUNT), door=np.full(COUNT, 2.0))
        expect(car.locator(".floor")).to_have_text("Floor 2")
        expect(car.locator(".veiled")).to_have_text("Floor 2, going up, door open")


def test_a_lost_connection_is_shown_and_reconnects(browser: Browser, settings: Settings) -> None:
    with looking(browser, "") as watched:
        with served(settings) as address:
            watched.address, port = address, int(address.rsplit(":", 1)[1])
            page = watched.open("/")
        expect(page.locator("#link")).to_have_attribute("data-link", "lost")
        expect(page.locator("#lost")).to_contain_text("Trying again in")
        with served(settings, port):
            page.locator("#lost button").click()
            expect(page.locator("#link")).to_have_attribute("data-link", "live")
            expect(page.locator("#lost")).to_be_hidden()
            page.goto("about:blank")
        watched.complaints.clear()  # the browser itself notes each refused connection


def test_the_lift_page_shows_the_moving_car_and_its_open_door(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/lifts/L006")
        before = page.locator(".car").evaluate("node => node.style.transform")
        whole = np.ones(COUNT)
        write_live(records, COUNT, position_m=6.0 * whole, landing=np.full(COUNT, 2), door=2.0 * whole, presence=whole)
        expect(page.locator(".car")).to_have_attribute("data-door", "open")
        expect(page.locator(".car")).to_have_attribute("data-person", "yes")
        expect(page.locator(".landing.here b")).to_have_text("2")
        assert page.locator(".car").evaluate("node => node.style.transform") != before


def test_an_alert_appears_on_its_lift_without_a_reload(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/lifts/L006")
        expect(page.locator("#open")).to_contain_text("No open alerts")
        fire(records, "L006", 10, CRITICAL, speed_mps=2.30, limit_mps=2.01)
        expect(page.locator("#open a")).to_contain_text("2.30 m/s")
        expect(page.locator("#symbol use")).to_have_attribute("href", "#sym-critical")


def test_a_maintenance_window_is_set_and_ended_from_the_lift_page(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as mine, looking(browser, address) as other:
        fleet = other.open("/")
        named(mine.open("/"))
        page = mine.open("/lifts/L006")
        expect(page.locator("#in-works")).to_be_hidden()
        page.locator("#works summary").click()
        page.locator("#works [name=hours]").select_option("4")
        page.locator("#works [name=note]").fill("<b>ropes</b>")
        page.locator("#works .main").click()
        expect(page.locator("#works .set")).to_contain_text("In maintenance until")
        expect(page.locator("#works .set")).to_contain_text("set by Ann")
        expect(page.locator("#works .set")).to_contain_text("<b>ropes</b>")
        expect(page.locator("#in-works")).to_contain_text("In maintenance until")
        expect(fleet.locator(".row", has_text="L006").locator(".c-state")).to_contain_text("maintenance")
        page.reload()
        page.locator("#works .set button").click()
        expect(page.locator("#works summary")).to_be_visible()
        expect(page.locator("#in-works")).to_be_hidden()
        expect(fleet.locator(".row", has_text="L006").locator(".c-state")).to_have_text("Normal")
    done = [
        (each.by.name, each.action)
        for each in records.audit(AuditFilter(subject="L006", action="maintenance.")).items[:2]
    ]
    assert done == [("Ann", "maintenance.end"), ("Ann", "maintenance.set")]


def test_the_row_of_a_lift_shows_its_last_trip(browser: Browser, settings: Settings, records: Records) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/")
        trip = page.locator(".row", has_text="L006").locator(".c-trip")
        write_live(records, COUNT, last_trip_ns=np.full(COUNT, time.time_ns() - 150 * 10**9))
        expect(trip).to_have_text("2 min ago")
        write_live(records, COUNT, last_trip_ns=np.zeros(COUNT, dtype=np.int64))
        expect(trip).to_have_text("–")


def test_a_fault_is_injected_from_the_page(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/lifts/L006")
        page.locator("#fault [name=cause]").select_option("power-cut")
        page.locator("#fault button").click()
        expect(page.locator("#fault .answer")).to_contain_text("Sent")


def test_the_inbox_is_operated_by_keyboard_alone(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        expect(page.locator("#headline")).to_have_text("One alert needs attention now")
        expect(page.locator("#pane h2")).to_contain_text("Lift L001")
        expect(page.locator(".evidence")).to_contain_text("2.11 m/s, limit 2.01")
        page.keyboard.press("a")
        page.locator("dialog [name=name]").fill("Ann")
        page.keyboard.press("Enter")
        expect(page.locator(".act-answer")).to_contain_text("Acknowledged")
        expect(page.locator(".story li").first).to_contain_text("Acknowledged by Ann")
        page.keyboard.press("c")
        page.locator("textarea[name=note]").fill("<b>On my way</b>")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".story q")).to_have_text("<b>On my way</b>")
        page.keyboard.press("j")
        expect(page.locator("#list a[aria-current] b")).to_contain_text("L002")
        page.keyboard.press("k")
        expect(page.locator("#list a[aria-current] b")).to_contain_text("L001")
        page.keyboard.press("r")
        page.locator(".act-form [name=note]").fill("Governor checked")
        page.keyboard.press("Enter")
        expect(page.locator(".act-answer")).to_contain_text("Resolved")
        expect(page.locator("#list b", has_text="L001")).to_have_count(0)
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()


def test_assigning_and_shelving_are_undone_by_a_key(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        named(watched.open("/"))
        page = watched.open("/alerts")
        page.keyboard.press("j")
        expect(page.locator("#pane h2")).to_contain_text("Lift L002")
        page.keyboard.press("s")
        page.locator("[name=to]").fill("Bo")
        page.keyboard.press("Enter")
        expect(page.locator("#pane .meta").first).to_contain_text("with Bo")
        expect(page.locator(".story li").first).to_contain_text("Assigned to Bo by Ann")
        page.locator("#pane").focus()
        page.keyboard.press("u")
        expect(page.locator(".act-answer")).to_contain_text("Assigned to nobody")
        expect(page.locator(".story li").first).to_contain_text("Assigned to nobody by Ann")
        page.keyboard.press("z")
        page.locator("[name=hours]").focus()
        page.keyboard.press("Enter")
        page.locator(".act-form button.main").click()
        expect(page.locator("#pane .meta").first).to_contain_text("shelved until")
        expect(page.locator("[data-view=held] b")).to_have_text("1")
        page.locator("#pane").focus()
        page.keyboard.press("u")
        expect(page.locator(".act-answer")).to_contain_text("No longer shelved")
        expect(page.locator("[data-view=held] b")).to_have_text("0")


def test_a_shelved_alert_is_unshelved_by_the_same_key(browser: Browser, settings: Settings) -> None:
    with settings.open_records() as records:
        minor = fire(records, "L006", 10, MINOR)
        records.answer(
            minor, Answer("shelve", Actor.named("Bo"), until_ns=time.time_ns() + 3600 * 10**9), time.time_ns()
        )
    with served(settings) as address, looking(browser, address) as watched:
        named(watched.open("/"))
        page = watched.open(f"/alerts/{minor}?view=held")
        expect(page.locator("[data-deed=shelve]")).to_contain_text("Unshelve")
        page.locator("#pane").focus()
        page.keyboard.press("z")
        expect(page.locator(".act-answer")).to_contain_text("No longer shelved")
        expect(page.locator(".story li").first).to_contain_text("Shelving ended by Ann")
        expect(page.locator("[data-deed=shelve]")).to_contain_text("Shelve")


def test_a_refusal_is_shown_and_the_input_is_kept(
    browser: Browser,
    settings: Settings,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        named(watched.open("/"))
        page = watched.open("/alerts")
        page.keyboard.press("j")
        expect(page.locator("#pane h2")).to_contain_text("Lift L002")
        page.keyboard.press("r")
        page.locator(".act-form [name=note]").fill("looks fine to me")
        page.keyboard.press("Enter")
        expect(page.locator(".act-answer")).to_contain_text("Not done: Its condition still holds")
        expect(page.locator(".act-form [name=note]")).to_have_value("looks fine to me")
        watched.complaints.clear()  # the browser itself notes the status 409


@pytest.mark.parametrize(
    ("language", "refusal"),
    [("en", "Not done: it has changed meanwhile"), ("zh", "未完成：内容已有变更")],
)
def test_an_undo_does_not_overwrite_what_somebody_else_did_meanwhile(
    browser: Browser, settings: Settings, language: str, refusal: str
) -> None:
    with served(settings) as address, looking(browser, address, language=language) as watched:
        named(watched.open("/"))
        page = watched.open("/alerts")
        expect(page.locator("#pane h2")).to_contain_text("L001")
        page.keyboard.press("s")
        page.locator("[name=to]").fill("Bo")
        page.keyboard.press("Enter")
        expect(page.locator("#pane .meta").first).to_contain_text("Bo")
        alert = f"{address}/api/v1/alerts/{page.url.rsplit('/', 1)[1]}"
        httpx.post(f"{alert}/assign", json={"by": "Cy", "to": "Cy"}, timeout=60).raise_for_status()
        expect(page.locator("#pane .meta").first).to_contain_text("Cy")
        page.locator("#pane").focus()
        page.keyboard.press("u")
        expect(page.locator(".act-answer")).to_contain_text(refusal)
        assert httpx.get(alert, timeout=60).json()["assigned_to"] == "Cy"
        page.keyboard.press("s")  # what is shown by now is the newest
        page.locator("[name=to]").fill("Di")
        page.keyboard.press("Enter")
        expect(page.locator("#pane .meta").first).to_contain_text("Di")
        watched.complaints.clear()  # the browser itself notes the status 412


def test_a_critical_alert_offers_no_shelving(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        expect(page.locator("#pane h2")).to_contain_text("Lift L001")
        expect(page.locator("[data-deed=shelve]")).to_be_disabled()


def test_actions_of_others_appear_without_a_reload_and_keep_the_input(
    browser: Browser,
    settings: Settings,
    records: Records,
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        named(watched.open("/"))
        page = watched.open("/alerts")
        expect(page.locator("#pane h2")).to_contain_text("Lift L001")
        page.keyboard.press("c")
        page.locator("textarea[name=note]").fill("half a sen")
        alert_id = page.url.rsplit("/", 1)[1]
        httpx.post(
            f"{address}/api/v1/alerts/{alert_id}/assign", json={"by": "Bo", "to": "Bo"}, timeout=60
        ).raise_for_status()
        expect(page.locator("#pane .meta").first).to_contain_text("with Bo")
        expect(page.locator("#list a[aria-current] small")).to_contain_text("with Bo")
        expect(page.locator("textarea[name=note]")).to_have_value("half a sen")
        fire(records, "L010", 20, CRITICAL)
        expect(page.locator("#list b", has_text="L010")).to_be_visible()


def test_an_alert_is_a_page_of_its_own_on_a_phone(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address, width=390) as watched:
        page = watched.open("/alerts")
        expect(page.locator("#pane")).to_be_hidden()
        page.locator("#list a").first.click()
        expect(page.locator("#pane h2")).to_contain_text("Lift L001")
        expect(page.locator("#list")).to_be_hidden()
        page.go_back()
        expect(page.locator("#list")).to_be_visible()


def test_keyboard_shortcuts_can_be_disabled(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        expect(page.locator("#pane h2")).to_contain_text("Lift L001")
        page.keyboard.press("?")
        page.locator("#keys-on").uncheck()
        page.locator("#keys button").click()
        page.keyboard.press("j")
        expect(page.locator("#list a[aria-current] b")).to_contain_text("L001")
