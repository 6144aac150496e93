"""Ride quality: each value beside its limit, with a verdict in words; what was not measured is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from dashboards.api.context import Settings
from dashboards.api.readings.ride_limits import ride_limits
from registry.facts import LiftFacts
from store.series.connect import open_timeseries
from telemetry import instant
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import looking, open_browser, points, served  # noqa: F401
from tests.dashboards.conftest import BASE
from tests.dashboards.sample_fleet import T0_NS

S_NS = 1_000_000_000
WINDOW = f"from={instant.text(T0_NS - 300 * S_NS)}&to={instant.text(T0_NS)}"


@pytest.fixture
def measured(settings: Settings, tmp_path: Path) -> Settings:
    """Two trips of L001: with vibration that is beyond a limit, and with the door alone."""
    store = open_timeseries(tmp_path / "series")
    starts_s = np.array([60.0, 160.0])
    ends = {
        "from_landing": np.zeros(2),
        "to_landing": np.full(2, 2.0),
        "distance_m": np.full(2, 6.0),
        "duration_s": np.full(2, 5.0),
        "load_class": np.array([1.0, 0.0]),
        "boundary_0_s": np.full(2, -3.4),
        "boundary_6_s": np.full(2, 5.0),
    }
    store.write([
        points("trip", starts_s, **ends, stop_error_m=np.array([-0.004, 0.012]), door_open_s=np.array([2.2, 2.3])),
        points("feature", starts_s[:1], pp_x_mps2=np.array([0.25]), a95_x_mps2=np.array([0.1]),
               accel_mps2=np.array([0.8]), shock_ratio_1=np.array([5.0]), shock_m_1=np.array([3.2])),
    ])  # fmt: skip
    store.close()
    return settings


def test_a_trip_has_what_was_measured_of_it_and_the_limits_of_its_lift(measured: Settings) -> None:
    with Client(create_app(measured), base_url=BASE) as client:
        answer = client.get(f"/api/v1/lifts/L001/trips?{WINDOW}").json()
    later, earlier = answer["items"]
    assert (later["stop_error_m"], later["ride_quality"]) == (0.012, None)
    assert (earlier["stop_error_m"], earlier["door_open_s"], earlier["dwell_s"]) == (-0.004, 2.2, None)
    quality = earlier["ride_quality"]
    assert (quality["pp_x_mps2"], quality["pp_y_mps2"]) == (0.25, None)
    assert quality["shocks"] == [{"position_m": 3.2, "ratio": 5.0}]
    assert answer["limits"]["pp_x_mps2"] == {"most": 0.2, "least": None}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"peak_speed_mps": None, "accel_a95_mps2": None, "door_open_s": None}),
        ({"rated_speed_mps": 1.0}, {"peak_speed_mps": 1.05, "accel_a95_mps2": None}),
        ({"rated_speed_mps": 1.75}, {"accel_a95_mps2": 0.5}),
        ({"rated_speed_mps": 2.5}, {"accel_a95_mps2": 0.7}),
        ({"door_type": "centre", "door_width_mm": 800.0}, {"door_open_s": 3.2}),
        ({"door_type": "side", "door_width_mm": 1050.0}, {"door_close_s": 4.9}),
        ({"door_type": "side", "door_width_mm": 1500.0}, {"door_close_s": None}),
    ],
)
def test_limits_follow_from_facts(facts: dict[str, float | str], expected: dict[str, float | None]) -> None:
    limits = ride_limits(LiftFacts("L1", "d1", **facts))  # type: ignore[arg-type]
    found = {name: (limits[name].most or limits[name].least) if name in limits else None for name in expected}
    assert found == expected


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_the_report_says_what_is_beyond_its_limit_and_what_was_not_measured(
    browser: Browser, measured: Settings, language: str, width: int
) -> None:
    words = {
        "en": ("beyond the limit", "not measured", "Error of the stop", "occupied", "the stop"),
        "zh": ("超出限值", "未测量", "平层误差", "载人", "停止"),
    }[language]
    with served(measured) as address, looking(browser, address, language=language, width=width) as watched:
        page = watched.page
        page.clock.set_fixed_time(T0_NS / 1e9)
        page.goto(f"{address}/lifts/L001/ride-quality")
        rows = page.locator("#limits tbody tr")
        expect(rows).to_have_count(15)
        expect(rows.filter(has_text="0.250")).to_contain_text(words[0])
        expect(rows.nth(8)).to_contain_text(words[1])
        expect(page.locator("#verdict")).to_contain_text(words[2])
        expect(page.locator("#trips tbody tr")).to_have_count(2)
        expect(page.locator("#trips tbody tr").nth(1)).to_contain_text(words[3])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []
        page.route("**/trips?*", lambda route: route.continue_(url=f"{address}/api/v1/lifts/L001/trips?{WINDOW}"))
        page.goto(f"{address}/lifts/L001")
        expect(page.locator("#trips tbody tr")).to_have_count(2)
        expect(page.locator("#quality")).to_contain_text(words[3])
        boundaries = page.locator("#quality table").nth(1).locator("tbody tr")
        expect(boundaries).to_have_count(7)
        expect(boundaries.first).to_contain_text("3.4 s")
        expect(boundaries.nth(5)).to_contain_text(words[4])
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "with a wide table of trips"
