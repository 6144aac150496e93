"""Every page in a real browser: accessible (axe), fitting the width, small, and without requests to other hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.dashboards.browser_world import (
    HOSTILE,
    WINDOW,
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)

pytestmark = pytest.mark.browser

COUNT = 300
WEIGHT_LIMIT_BYTES, MAP_LIMIT_BYTES = 300_000, 750_000
"""The map has a library of 450 kB, which no other page loads."""
SHIFT_LIMIT = 0.03  # of the screen, times how far; 0.1 is commonly called good
MEASURE_SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifted += entry.value; })
    .observe({ type: 'layout-shift', buffered: true });"""
PAGES = {
    "fleet": "/",
    "fleet-empty": "/?q=nothing-like-this",
    "lift": f"/lifts/L001?{WINDOW}",
    "lift-without-facts": "/lifts/L005",
    "lift-in-maintenance": "/lifts/L007",
    "lift-blind": "/lifts/L008",
    "incidents": "/incidents",
    "incidents-over": "/incidents?view=over",
    "inbox": "/alerts",
    "inbox-empty": "/alerts?view=mine",
    "audit": "/audit",
    "refused": "/refused",
    "public": "/code/L001",
    "public-report": "/code/L001/report",
    "code-sheets": "/code-sheets?q=Garden Road 4",
    "map": "/map",
    "offline": "/offline",
    "missing": "/lifts/none",
}
MAIN = ("fleet", "lift", "inbox", "public")
VIEWS = [(width, language, theme) for width in (1440, 390) for language in ("en", "zh") for theme in ("light", "dark")]
FEW = [(1440, "en", "light"), (390, "zh", "dark")]
REST = [(1440, "en", "dark"), (1440, "zh", "light"), (390, "en", "light")]
"""In the other views every width, language and theme occurs with every other."""
SHOWN = [
    pytest.param(name, *view, marks=[pytest.mark.long] * (view in REST or (name not in MAIN and view == FEW[-1])))
    for name in PAGES
    for view in (VIEWS if name in MAIN else FEW)
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a fleet of 300 is served."""
    with served(fill(tmp_path_factory.mktemp("fleet"), COUNT)) as at:
        yield at


@pytest.mark.parametrize(("name", "width", "language", "theme"), SHOWN)
def test_a_page_is_accessible_and_fits_and_transfers_little(
    browser: Browser,
    address: str,
    name: str,
    width: int,
    language: str,
    theme: str,
) -> None:
    with looking(browser, address, width=width, language=language, theme=theme) as watched:
        page = watched.open(PAGES[name])
        page.wait_for_load_state("load")
        if name == "missing":
            watched.complaints.clear()  # the browser itself notes the status 404
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        weight = watched.weight_bytes()
        assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    assert wide == 0
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]] == []
    assert weight < (MAP_LIMIT_BYTES if name == "map" else WEIGHT_LIMIT_BYTES)


@pytest.mark.parametrize("path", ["/", f"/lifts/L001?{WINDOW}", "/alerts", "/incidents"])
def test_touch_targets_are_large_enough_on_a_phone(browser: Browser, address: str, path: str) -> None:
    with looking(browser, address, width=390) as watched:
        page = watched.open(path)
        small = page.evaluate(
            """() => [...document.querySelectorAll('button, select, input, .bar a, .chip')].filter((node) => {
                const box = node.getBoundingClientRect();
                return box.width && (box.height < 43.5 || box.width < 43.5) && node.type !== 'checkbox';
            }).map((node) => node.outerHTML)"""
        )
    assert small == []


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["/", f"/lifts/L001?{WINDOW}", "/alerts", "/incidents", "/map", "/offline"])
def test_the_layout_does_not_shift_when_data_arrives(browser: Browser, address: str, path: str, width: int) -> None:
    with looking(browser, address, width=width) as watched:
        watched.page.add_init_script(MEASURE_SHIFTS)
        page = watched.open(path)
        page.wait_for_load_state("load")
        assert page.evaluate("window.shifted") < SHIFT_LIMIT


def test_hostile_names_are_shown_as_text(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/?q=L003")
        expect(page.locator(".rows .c-name a").first).to_have_text(HOSTILE)
        page = watched.open("/lifts/L003")
        expect(page.locator("h1")).to_contain_text(HOSTILE)
        expect(page.locator("#facts")).to_contain_text(HOSTILE)
        for path in ("/alerts", "/incidents"):
            page = watched.open(path)
            expect(page.locator("#list")).to_contain_text(HOSTILE)
        assert page.locator("main img").count() == 0
        assert page.title() != "owned"


def test_the_most_urgent_lift_comes_first_and_is_marked_without_colour(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/")
        first = page.locator(".rows .row[aria-rowindex='2']")
        expect(first).to_contain_text("Lift L001")
        expect(first.locator(".c-state")).to_have_text("CriticalOverspeed")
        expect(first.locator(".c-state use")).to_have_attribute("href", "#sym-critical")
        expect(page.locator("#headline")).to_contain_text("Lift L001: Overspeed for ")


def test_a_filter_is_kept_in_the_url(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/")
        page.locator("[data-state=minor]").click()
        expect(page.locator(".rows .row:visible")).to_have_count(2)
        page.locator("[name=q]").fill("L002")
        expect(page.locator(".rows .row:visible")).to_have_count(1)
        page.wait_for_url("**/?state=minor&q=L002")
        page.reload()
        expect(page.locator(".rows .row:visible")).to_have_count(1)
        expect(page.locator("[data-state=minor]")).to_have_attribute("aria-pressed", "true")


def test_silence_is_shown_with_the_time_of_the_last_reading(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/lifts/L001")
        expect(page.locator("#subline")).to_contain_text("No readings for")
        expect(page.locator("#subline")).to_contain_text("last 09:46:40")  # Hong Kong, not this machine


def test_a_lift_is_drawn_with_its_floors_and_its_car(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open(f"/lifts/L001?{WINDOW}")
        expect(page.locator(".landing b")).to_have_text(["0", "1", "2", "3"])
        expect(page.locator(".car")).to_have_attribute("data-door", "closed")
        expect(page.locator(".chart canvas")).to_have_count(5)
        expect(page.locator(".chart .note:visible")).to_have_count(0)
        expect(page.locator("[data-reading=speed]")).to_have_text("0.00 m/s, rated 1.75")


def test_one_cross_hair_is_shared_by_all_five_charts(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open(f"/lifts/L001?{WINDOW}")
        expect(page.locator(".chart canvas")).to_have_count(5)
        page.locator(".u-over").first.hover(position={"x": 100, "y": 40})
        for chart in page.locator(".chart output").all():
            expect(chart).not_to_be_empty()
        expect(page.locator(".chart output").nth(2)).to_contain_text("curtain clear")


def test_dragging_zooms_and_the_time_range_is_kept_in_the_url(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/lifts/L001")
        expect(page.locator(".chart canvas")).to_have_count(5)
        expect(page.locator("[data-step=follow]")).to_have_attribute("aria-pressed", "true")
        box = page.locator(".u-over").first.bounding_box()
        assert box
        page.mouse.move(box["x"] + 100, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 300, box["y"] + 20, steps=5)
        page.mouse.up()
        page.wait_for_url("**from=*")
        expect(page.locator("[data-step=follow]")).to_have_attribute("aria-pressed", "false")
        page.locator("[data-range='1h']").click()
        page.wait_for_url("**?range=1h")
        expect(page.locator("[data-step=follow]")).to_have_attribute("aria-pressed", "true")


def test_the_time_range_moves_and_zooms_by_keyboard(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open(f"/lifts/L001?{WINDOW}")
        page.locator("#charts").focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**from=2001-09-09T01%3A38%3A40.000Z**")
        page.keyboard.press("+")
        page.wait_for_url("**from=2001-09-09T01%3A40%3A10.000Z**")


def test_rules_that_are_not_judged_show_the_facts_they_need(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/lifts/L005")
        expect(page.locator(".notjudged")).to_contain_text("needs Rated speed")


def test_the_language_switches_on_the_same_page(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/?state=minor")
        page.locator("[data-lang=zh]").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        page.wait_for_url("**/?state=minor")
        expect(page.locator(".c-state span").first).to_have_text("一般")


def test_every_control_is_reached_by_keyboard(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.locator(".rows a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/lifts/L001")
