"""The fleet page with ten thousand lifts: small first load, and every lift can be reached by scrolling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from detectors.rule import CRITICAL
from store.records.repository import Records
from tests.dashboards.browser_world import (
    fill,
    fire,
    looking,
    open_browser,  # noqa: F401
    served,
)

pytestmark = pytest.mark.browser

COUNT = 10_000
WEIGHT_LIMIT_BYTES = 300_000
ROWS_LIMIT = 60
NODES_LIMIT = 3_500
WIDTHS = [1440, 390]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Records]]:
    """Where a city is served, and its records."""
    settings = fill(tmp_path_factory.mktemp("city"), COUNT)
    with served(settings) as at, settings.open_records() as records:
        yield at, records


def is_bounded(page: Page) -> bool:
    """Whether few rows and few nodes exist, however many lifts there are."""
    nodes = page.evaluate("document.querySelectorAll('*').length")
    return page.locator(".rows .row").count() < ROWS_LIMIT and nodes < NODES_LIMIT


IN_SIGHT = """() => [...document.querySelectorAll('.rows .row:not([hidden])')]
    .map(row => [Number(row.getAttribute('aria-rowindex')), row.querySelector('.c-name small').textContent,
                 row.getBoundingClientRect()])
    .filter(([, , box]) => box.bottom > 150 && box.top < innerHeight)
    .sort(([one], [other]) => one - other)
    .map(([, text]) => text.split(' ')[0])"""


def shown(page: Page) -> list[str]:
    """Return the ids of the lifts in sight, from the top down, once they are read."""
    page.wait_for_function(f"() => {{ const ids = ({IN_SIGHT})(); return ids.length > 3 && ids.every(id => id); }}")
    ids: list[str] = page.evaluate(IN_SIGHT)
    return ids


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_view_transfers_little_and_shows_the_most_urgent_first(
    browser: Browser, world: tuple[str, Records], width: int
) -> None:
    with looking(browser, world[0], width=width) as watched:
        page = watched.open("/")
        expect(page.locator("#table")).to_have_attribute("aria-rowcount", str(COUNT + 1))
        page.wait_for_load_state("load")
        assert watched.weight_bytes() < WEIGHT_LIMIT_BYTES
        assert is_bounded(page)
        assert shown(page)[:3] == ["L001", "L008", "L9999"]  # critical, blind, silent


@pytest.mark.parametrize("width", WIDTHS)
def test_every_lift_is_reached_by_scrolling_and_passed_rows_are_released(
    browser: Browser, world: tuple[str, Records], width: int
) -> None:
    with looking(browser, world[0], width=width) as watched:
        page = watched.open("/?sort=lift_id")
        expect(page.locator("#table")).to_have_attribute("aria-rowcount", str(COUNT + 1))
        order = sorted(f"L{number:03}" for number in range(COUNT))
        for part in (0.01, 0.25, 0.5, 1.0, 0.3):
            page.evaluate("part => scrollTo(0, part * document.documentElement.scrollHeight)", part)
            seen = shown(page)
            first = order.index(seen[0])
            assert seen == order[first : first + len(seen)]
            assert abs(first / COUNT - part) < 0.02
            assert is_bounded(page)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_the_chip_of_lifts_that_are_not_judged_is_hatched_and_no_other(
    browser: Browser, world: tuple[str, Records]
) -> None:
    with looking(browser, world[0]) as watched:
        page = watched.open("/")
        expect(page.locator(".chip[data-state=blind]:not(.zero)")).to_have_count(1)
        hatched = page.locator(".chip[data-state]").evaluate_all(
            "chips => chips.filter(e => getComputedStyle(e).backgroundImage.includes('repeating-linear-gradient'))"
            ".map(e => e.dataset.state)"
        )
        assert hatched == ["blind"]


def test_a_lift_far_down_moves_up_when_it_becomes_urgent(browser: Browser, world: tuple[str, Records]) -> None:
    with looking(browser, world[0]) as watched:
        page = watched.open("/")
        expect(page.locator(".rows .row[aria-rowindex='2']")).to_contain_text("L001")
        fire(world[1], "L7777", 100, CRITICAL)
        expect(page.locator(".rows .row[aria-rowindex='3']")).to_contain_text("L7777")


def test_one_of_ten_thousand_lifts_is_found_by_a_part_of_its_id(browser: Browser, world: tuple[str, Records]) -> None:
    with looking(browser, world[0], width=390) as watched:
        page = watched.open("/")
        page.locator("[name=q]").fill("L4321")
        expect(page.locator(".rows .row:visible")).to_have_count(1)
        expect(page.locator(".rows .row:visible")).to_contain_text("L4321")
