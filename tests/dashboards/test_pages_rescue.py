"""A rescue in the reading pane: its timers, call-outs by form, what telemetry proposes, and the sill difference."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from alerts.incidents.rescue import RescuePoint, RescueTimes
from dashboards.api.context import Settings
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)

pytestmark = pytest.mark.browser

ANN = Actor.named("Ann")
SENTENCES = """async () => {
    const { sillSentence } = await import('/static/js/rescue.js');
    const last_seen = new Date().toISOString(), floors = [{ label: '1', height_m: 0 }, { label: '2', height_m: 3 }];
    const say = (facts, position_m, at = last_seen) => sillSentence({ facts, latest: { position_m, last_seen: at } });
    return [
        ...[0.2, 1.2, 3.6, 3.61].map((position_m) => say({ floors }, position_m)),
        say({ floors }, 0, '2001-01-01T00:00:00Z'),
        say({ floors, position_source: 'barometer' }, 0), sillSentence({ facts: null, latest: null }),
    ];
}"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fleet of twelve, with a rescue point, where somebody is to have answered in a tenth of a second."""
    points = (RescuePoint("North", phone="+86 572 1", lat=22.3, lon=114.2),)
    return replace(fill(tmp_path, 12), rescue_times=RescueTimes(0.1, 1800), rescue_points=points)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    with settings.open_records() as opened:
        yield opened


GAPS_OF_LABELS = """Math.min(...[...document.querySelectorAll('.act-form label')].map((label) =>
  label.getBoundingClientRect().top - label.previousElementSibling.getBoundingClientRect().bottom))"""
"""The smallest distance of a label of a form to what stands above it, in pixels."""


def test_a_rescue_from_the_call_out_to_the_arrival(browser: Browser, settings: Settings, records: Records) -> None:
    incident = records.report_by_call("L006", "entrapment", None, ANN, time.time_ns())
    assert incident is not None
    with served(settings) as address, looking(browser, address) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open(f"/incidents/{incident.id}")
        expect(page.locator(".clock .late small")).to_contain_text("late")
        expect(page.locator(".clock .ahead small")).to_contain_text("left")
        records.advance_rescues(settings.rescue_times, time.time_ns())
        expect(page.locator(".p-rescue")).to_contain_text("Nobody took the rescue up in time")
        page.keyboard.press("d")
        expect(page.locator(".act-form [name=who]")).to_have_value("North")
        page.keyboard.press("Control+Enter")
        row = page.locator(".call-outs li")
        expect(row).to_contain_text("No answer yet")
        row.get_by_role("button", name="No answer").click()
        page.keyboard.press("Control+Enter")
        expect(row).to_contain_text("Did not answer")
        expect(page.locator(".story")).to_contain_text("Did not answer: North by Ann")
        row.get_by_role("button", name="They come").click()
        page.locator(".act-form [name=place]").fill("North yard")
        page.keyboard.press("Control+Enter")
        expect(row).to_contain_text("from North yard")
        expect(page.locator(".story")).to_contain_text("Accepted: North by Ann")
        expect(page.locator(".voice")).to_contain_text("您好")
        page.locator(".voice summary").click()
        expect(page.locator(".voice [lang=en] li").first).to_contain_text("Your call has reached us")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_a_stage_is_entered_for_one_of_several_lifts(browser: Browser, settings: Settings, records: Records) -> None:
    one, other = (records.report_by_call(each, "entrapment", None, ANN, time.time_ns()) for each in ("L006", "L009"))
    assert one is not None
    assert other is not None
    records.merge_incidents(one.id, other.id, ANN, time.time_ns())
    with served(settings) as address, looking(browser, address) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open(f"/incidents/{one.id}")
        rows = page.locator(".lifts-of li")
        expect(rows).to_have_count(2)
        row = rows.filter(has_text="L009")
        row.get_by_role("button", name="Released").click()
        expect(page.locator(".act-form [name=lift_id]")).to_have_value("L009")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        page.keyboard.press("Control+Enter")
        expect(row.get_by_role("button")).to_have_count(0)
        expect(row).to_contain_text("Released")
        expect(rows.first).to_contain_text("L006")
        expect(rows.first.get_by_role("button")).to_have_count(3)
        expect(page.locator(".clock .ahead", has_text="Released")).to_have_count(1)
        expect(page.locator(".story")).to_contain_text("Released: Lift L009 by Ann")
        page.keyboard.press("b")
        assert page.evaluate(GAPS_OF_LABELS) >= 8
        page.locator(".act-form [name=note]").fill("the wrong car")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".story")).to_contain_text("Taken back: Released: Lift L009 by Ann")
        expect(page.locator(".story")).to_contain_text("the wrong car")
        expect(row.get_by_role("button", name="Released")).to_have_count(1)
        expect(page.locator("[data-deed=retract]")).to_be_hidden()


def test_doors_are_opened_up_to_the_sill_difference_alone(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        said = watched.open("/incidents").evaluate(SENTENCES)
    assert ["may be opened" in each for each in said] == [True, False, True, False, False, False, False]
    assert "0.20 m above landing 1" in said[0]
    assert "0.61 m above landing 2, limit 0.60 m: do not open" in said[3]
    assert all("not known" in each for each in said[4:])
