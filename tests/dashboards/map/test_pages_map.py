"""The map in a browser: points and clusters, the list, tiles of an archive, accessibility, and no other address."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from dashboards.api.context import Settings
from dashboards.api.map.outlines import read_outlines
from dashboards.api.map.settings import BaseTiles, MapSettings
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.map.test_outlines import document
from tests.dashboards.map.tile_archive import raster_archive, vector_archive
from tests.dashboards.sample_fleet import T0_NS
from tests.loopback import until

pytestmark = pytest.mark.browser

BY = Actor.named("Ann")
COUNT = 12


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve, all but L006 at one place or near it, with an outline and an archive of tiles."""
    made = fill(tmp_path, COUNT)
    with made.open_records() as records:
        for row in range(COUNT):
            lift = records.lift(f"L{row:03}")
            assert lift is not None
            where = {} if row == 6 else {"lat": 30.5 + (row > 8), "lon": 120.8}
            records.put_lift(replace(lift.facts, **where), BY, T0_NS)
    (tmp_path / "world.pmtiles").write_bytes(raster_archive())
    outlines = read_outlines(document(district="d0", name="北区 · North"))
    return replace(
        made, map=MapSettings(outlines, BaseTiles("raster", file=tmp_path / "world.pmtiles", attribution="© Us"))
    )


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """The records as the monitor has them open."""
    with settings.open_records() as opened:
        yield opened


def has_green(page: Page) -> bool:
    """Return whether the map shows the colour of the tile, paler than it is."""
    image = Image.open(io.BytesIO(page.locator("#map").screenshot())).convert("RGB")
    counted = image.getcolors(image.width * image.height) or []
    return any(n > 1000 and green > red + 15 and green > blue + 15 for n, (red, green, blue) in counted)


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh")])
def test_the_map_is_accessible_and_fits_and_draws_tiles_of_the_own_server(
    browser: Browser, settings: Settings, width: int, language: str
) -> None:
    with served(settings) as address, looking(browser, address, width=width, language=language) as watched:
        page = watched.open("/map")
        expect(page.locator("#subline")).to_contain_text(
            {"en": "11 lifts on the map", "zh": "地图上有 11 部电梯"}[language]
        )
        expect(page.locator(".map-source")).to_have_text("© Us")
        until(lambda: has_green(page), "the tile")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]] == []


def test_the_list_has_every_lift_and_says_which_is_not_on_the_map(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/map")
        expect(page.locator("#list li")).to_have_count(COUNT)
        expect(page.locator("#list li").first).to_contain_text("Lift L001")
        expect(page.locator("#list li", has_text="L006")).to_contain_text("not on the map")
        expect(page.locator("#subline")).to_contain_text("1 lift has no coordinates and is only in the list")


def test_an_incident_appears_on_the_map_and_its_link_opens_it(
    browser: Browser, settings: Settings, records: Records
) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/map?district=d0")
        expect(page.locator("#headline")).to_have_text("No lift is critical")
        incident = records.report_by_call("L010", "entrapment", None, BY, time.time_ns())
        assert incident is not None
        expect(page.locator("#headline")).to_have_text("One lift needs someone now")
        expect(page.locator("#list li").first).to_contain_text("Lift L010Critical · Person may be trapped")
        page.locator("#list a", has_text="L010").click()
        page.wait_for_url(f"**/incidents/{incident.id}")


def test_filters_are_in_the_address_and_back_undoes_them(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/map?q=L004")
        expect(page.locator("#list li")).to_have_count(1)
        page.locator("[name=district]").select_option(label="North")
        page.wait_for_url("**/map?q=L004&district=d0**")
        page.locator("[name=q]").fill("")
        expect(page.locator("#list li")).to_have_count(6)
        page.go_back()
        expect(page.locator("#list li")).to_have_count(1)


def test_lifts_at_one_place_are_listed_by_a_click(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/map?q=Firm 1#18/31.5/120.8")
        until(lambda: has_green(page), "the map")
        box = page.locator("#map").bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#place h2")).to_have_text("2 lifts at this place")
        page.locator("#place a", has_text="L009").click()
        page.wait_for_url("**/lifts/L009")


def test_a_browser_that_cannot_draw_still_has_the_list(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        watched.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        page = watched.open("/map")
        expect(page.locator("#map-failed")).to_contain_text("cannot draw the map")
        expect(page.locator("#list li")).to_have_count(COUNT)
        watched.complaints.clear()


def test_a_district_has_the_name_of_its_outline_on_other_pages_too(browser: Browser, settings: Settings) -> None:
    with settings.open_records() as records:
        records.patch_lift("L000", {"maintenance_firm": "安达电梯 · Anda Lifts", "address": None}, BY, T0_NS)
    for language, district, firm in (("en", "North", "Anda Lifts"), ("zh", "北区", "安达电梯")):
        with served(settings) as address, looking(browser, address, language=language) as watched:
            page = watched.open("/?q=L000")
            expect(page.locator("[name=district] option[value=d0]")).to_have_text(district)
            expect(page.locator(".rows .c-name small").first).to_have_text(f"L000 · {district}")
            expect(page.locator(".rows .c-firm a").first).to_have_text(firm)
            page = watched.open("/lifts/L000")
            expect(page.locator(".crumb")).to_contain_text(f"L000 · {district}")


def test_vector_tiles_are_drawn_with_the_names_of_places(browser: Browser, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "world.pmtiles").write_bytes(vector_archive())
    vector = replace(settings.map, tiles=BaseTiles("vector", file=tmp_path / "world.pmtiles"), outlines=())
    with served(replace(settings, map=vector)) as address, looking(browser, address, language="zh") as watched:
        page = watched.open("/map#3/0/0")
        until(lambda: colours(page, "#map") > 30, "the water and the name")
        assert page.locator("#map-failed").is_hidden()
        expect(page.locator("#headline")).to_have_text("1 部电梯需要立即处理")


def test_a_critical_lift_without_coordinates_is_in_the_headline(browser: Browser, settings: Settings) -> None:
    with settings.open_records() as records:
        records.patch_lift("L001", {"lat": None}, BY, T0_NS)
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/map")
        expect(page.locator("#subline")).to_contain_text("2 lifts have no coordinates")
        expect(page.locator("#headline")).to_have_text("One lift needs someone now")


def colours(page: Page, box: str) -> int:
    """Return how many colours a part of the page has: letters have many."""
    image = Image.open(io.BytesIO(page.locator(box).screenshot())).convert("RGB")
    return len(image.getcolors(image.width * image.height) or [])
