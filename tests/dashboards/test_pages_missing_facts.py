"""Every page with every fact missing: a lift of which little or nothing is registered has its pages too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from dashboards.api.context import Settings
from detectors.rule import CRITICAL
from registry.actor import Actor
from registry.facts import Floor, LiftFacts
from store.records.repository import Records
from store.series.connect import open_timeseries
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import fire, looking, open_browser, served  # noqa: F401
from tests.dashboards.sample_fleet import T0_NS, table

WHOLE = LiftFacts(
    "WHOLE", "d1", name="Lift", address="Road 1", lat=22.3, lon=114.2, timezone="Asia/Hong_Kong", building_type="home",
    manufacturer="M", model="X", installed_on="2001-01-01", rated_speed_mps=1.75, rated_load_kg=1000.0,
    floors=(Floor("G", 0.0), Floor("1", 3.0)), door_type="centre", door_width_mm=900.0, roping="2:1",
    sheave_diameter_m=0.4, owner="O", maintenance_firm="F", insurer="I", insured_until="2002-01-01",
    last_inspection_on="2001-01-01", next_inspection_due_on="2002-01-01", emergency_phone="+852 2345 6789",
    speed_source="encoder", bearing_balls=8, bearing_ratio=0.2, bearing_contact_deg=15.0,
)  # fmt: skip
OPTIONAL = [fact.name for fact in fields(LiftFacts) if fact.default is not MISSING]
WITHOUT = {f"NO-{name}": name for name in OPTIONAL}
LIFTS = [*WITHOUT, "BARE", "NEVER-SEEN", "UNREGISTERED"]
PATHS = (
    "/",
    "/?q=L",
    "/lifts/{}",
    "/lifts/{}/ride-quality",
    "/code/{}",
    "/alerts",
    "/alerts/{}",
    "/refused",
    "/refused?lift_id={}",
)
PERSON = {"accept": "text/html"}


def fill(folder: Path) -> Settings:
    """Write lifts that each lack a fact, a bare one, one that was never seen and one that is not registered."""
    url, series = f"sqlite:///{folder}/records.db", folder / "series"
    defaults = {fact.name: fact.default for fact in fields(LiftFacts)}
    seen = [lift_id for lift_id in LIFTS if lift_id != "NEVER-SEEN"]
    with Records.open(url) as records:
        lifts = [replace(WHOLE, lift_id=lift_id, **{name: defaults[name]}) for lift_id, name in WITHOUT.items()]
        records.put_lifts(
            [*lifts, LiftFacts("BARE", "d1"), LiftFacts("NEVER-SEEN", "d1")], by=Actor.named("test"), now_ns=T0_NS
        )
        columns: dict[str, Any] = {"lift_id": np.array(seen), "district": np.array(["d1"] * len(seen))}
        records.put_live(table(len(seen), **columns).encode(), {}, T0_NS)
        fire(records, "BARE", 1, CRITICAL, speed_mps=2.11, limit_mps=2.01)
        fire(records, "UNREGISTERED", 2, CRITICAL)
    open_timeseries(series).close()
    return Settings(open_records=lambda: Records.open(url), open_series=lambda: open_timeseries(series, writable=False))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Records of lifts that lack facts."""
    return fill(tmp_path_factory.mktemp("missing"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """A browser that asks for pages."""
    with Client(create_app(settings), base_url="http://localhost", headers=PERSON) as asking:
        yield asking


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("lift_id", LIFTS)
def test_every_page_answers_whichever_fact_is_missing(
    client: TestClient, lift_id: str, path: str, language: str
) -> None:
    answer = client.get(path.format(lift_id), params={"lang": language})
    assert answer.status_code == 200
    assert "None" not in answer.text


@pytest.mark.parametrize("lift_id", LIFTS)
def test_the_api_answers_whichever_fact_is_missing(client: TestClient, lift_id: str) -> None:
    lift = f"/api/v1/lifts/{lift_id}"
    span = "from=2001-09-09T01:40:00Z&to=2001-09-09T01:50:00Z"
    streams = [f"{lift}/series?stream={name}&{span}" for name in ("speed", "displacement", "vibration", "door")]
    answers = [client.get(path) for path in (lift, f"{lift}/trips?{span}", *streams)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)


def test_the_public_page_names_the_zone_of_its_time(client: TestClient) -> None:
    assert re.search(r"As of \d\d:\d\d, UTC\+8<", client.get("/code/NO-floors?lang=en").text)
    assert re.search(r"As of \d\d:\d\d, UTC<", client.get("/code/BARE?lang=en").text)


@pytest.mark.browser
@pytest.mark.parametrize("lift_id", ["NO-timezone", "NO-floors", "BARE", "NEVER-SEEN", "UNREGISTERED"])
def test_the_charts_are_drawn_whichever_fact_is_missing(browser: Browser, settings: Settings, lift_id: str) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open(f"/lifts/{lift_id}")
        expect(page.locator("#charts .note:visible")).to_have_count(5)
        expect(page.locator("#charts .u-wrap")).to_have_count(5)
        zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        expected = "Asia/Hong_Kong" if lift_id == "NO-floors" else f"{zone}, the browser's zone: the lift has none"
        expect(page.locator("#zone")).to_have_text(f"Times in {expected}")
        expect(page.locator("#range")).to_contain_text("Asia/Hong_Kong" if lift_id == "NO-floors" else zone)


@pytest.mark.browser
def test_the_inbox_shows_alerts_of_lifts_without_facts(browser: Browser, settings: Settings) -> None:
    with served(settings) as address, looking(browser, address) as watched:
        page = watched.open("/alerts")
        for lift_id in ("BARE", "UNREGISTERED"):
            page.locator("#list a", has_text=lift_id).click()
            expect(page.locator("#pane h2")).to_contain_text(lift_id)
            expect(page.locator("#pane .small-charts .note:visible")).to_have_count(4)
            expect(page.locator("#pane .meta").last).to_contain_text("the browser's zone: the lift has none")
