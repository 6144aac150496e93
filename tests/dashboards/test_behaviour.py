"""Behaviour in the API and on the page of a lift: what, when, and the evidence of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from dashboards.api.context import Settings
from store.series.connect import open_timeseries
from store.series.timeseries import Points
from telemetry import instant
from telemetry.behaviour_fields import FIELDS, FIELDS_OF
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import looking, open_browser, served  # noqa: F401
from tests.dashboards.conftest import BASE
from tests.dashboards.sample_fleet import T0_NS

S_NS = 1_000_000_000
HERE = f"/api/v1/lifts/L001/behaviour?from={instant.text(T0_NS - 3600 * S_NS)}&to={instant.text(T0_NS + S_NS)}"
VISIT = (1500.0, 1200.0, 3.0, 1.0, 4.0, np.nan, float(0b101), 0.0)


@pytest.fixture
def behaved(settings: Settings, tmp_path: Path) -> Settings:
    """L001 was overloaded while its door was blocked, both from the same instant, and visited before."""
    rows = np.full((2, len(FIELDS)), np.nan)
    rows[0, [FIELDS.index(name) for name in FIELDS_OF["maintenance-visit"]]] = VISIT
    for kind, values in (("door-blocking", (70.0, 21.5, 0.0, 2.0)), ("overload", (12.0, 2.0))):
        rows[1, [FIELDS.index(name) for name in FIELDS_OF[kind]]] = values
    store = open_timeseries(tmp_path / "series")
    at_ns = T0_NS + np.array([-1800, -60]) * S_NS
    fields = {name: rows[:, place] for place, name in enumerate(FIELDS)}
    store.write([Points("behaviour", np.zeros(2, np.int32), ["L001"], ["d1"], at_ns, fields)])
    store.close()
    return settings


def test_observations_have_their_evidence_newest_first(behaved: Settings) -> None:
    with Client(create_app(behaved), base_url=BASE) as client:
        items = client.get(HERE).json()["items"]
        assert [one["kind"] for one in items] == ["overload", "door-blocking", "maintenance-visit"]
        assert items[1]["evidence"] == {"duration_s": 70.0, "blocked_s": 21.5, "reversals": 0.0}
        assert (items[1]["floors"], items[2]["floors"]) == (["2"], ["0", "2"])
        assert items[2]["evidence"]["alarm_presses"] is None
        assert instant.parse(items[2]["stop"]) - instant.parse(items[2]["start"]) == 1500 * S_NS
        assert [one["kind"] for one in client.get(f"{HERE}&kind=overload").json()["items"]] == ["overload"]
        assert client.get(f"{HERE}&kind=dancing").status_code == 422


def test_pages_split_observations_of_one_instant(behaved: Settings) -> None:
    with Client(create_app(behaved), base_url=BASE) as client:
        kinds, cursor = [], ""
        while cursor is not None:
            page = client.get(f"{HERE}&limit=1{cursor}").json()
            kinds += [one["kind"] for one in page["items"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert kinds == ["overload", "door-blocking", "maintenance-visit"]
        assert client.get(f"{HERE}&cursor=x").status_code == 400


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_the_page_of_a_lift_lists_behaviour(browser: Browser, behaved: Settings, language: str, width: int) -> None:
    text = {"en": "Floor 2: open for", "zh": "2 层：开门"}[language]
    with served(behaved) as address, looking(browser, address, language=language, width=width) as watched:
        page = watched.open("/")
        page.route("**/behaviour?*", lambda route: route.continue_(url=f"{address}{HERE}"))
        page.goto(f"{address}/lifts/L001")
        expect(page.locator("#behaviour li")).to_have_count(3)
        expect(page.locator("#behaviour")).to_contain_text(text)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []
    assert watched.complaints == []
