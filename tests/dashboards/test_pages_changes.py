"""The page of changes that can hide a danger, in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from registry.actor import Actor
from registry.roles import OrganisationKind
from registry.scope import OPEN_SCOPE
from store.records.changes.change_request import DECIDE_WITHIN_NS, organisation_change
from store.records.repository import WantedChange
from tests.dashboards.browser_world import HOSTILE, fill, looking, open_browser, served  # noqa: F401
from tests.dashboards.scope_of_test import ScopeOfTest, sign_in

pytestmark = pytest.mark.browser

FLOORS = [{"label": "1", "height_m": 0}, {"label": "2", "height_m": 4.2}]


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which Eve of the authority is signed in, with a change that waits and one that has expired."""
    settings = fill(tmp_path_factory.mktemp("changes"), 8)
    ada, now_ns = Actor("Ada", "person:1", "Firm 1", "manager", None), time.time_ns()
    with settings.open_records() as records:
        old = WantedChange("L003", "d1", "facts", {"rated_speed_mps": 9.0}, reason=HOSTILE)
        records.request_change(old, ada, now_ns - DECIDE_WITHIN_NS, None)
        city = records.add_organisation({"name": "市局 · City", "kind": OrganisationKind.AUTHORITY}, ada, now_ns)
        districts = organisation_change(city, {"districts": ("d1", "d2")}, None, "joined")
        records.request_change(districts, ada, now_ns, None)
        records.request_change(
            WantedChange("L001", "d1", "facts", {"floors": FLOORS}, reason="plate"), ada, now_ns, None
        )
    with served(settings, prepare=ScopeOfTest.add_to) as at:
        yield at
    ScopeOfTest.scope = OPEN_SCOPE


@pytest.mark.parametrize(("width", "language", "approve"), [(1440, "en", "Approve"), (390, "zh", "批准")])
def test_a_second_person_approves_a_change_that_waits(
    browser: Browser, address: str, width: int, language: str, approve: str
) -> None:
    floors = {"en": "Floors: 1: 0 m, 2: 4.2 m", "zh": "楼层数：1: 0 m, 2: 4.2 m"}
    with looking(browser, address, width=width, language=language) as watched:
        sign_in("Eve", OrganisationKind.AUTHORITY)
        page = watched.open("/changes")
        first = page.locator("#list > li").first
        expect(first).to_contain_text(floors[language])
        expect(page.locator("#zone")).to_contain_text(page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone"))
        expect(first).to_contain_text("Ada · Firm 1")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        first.get_by_role("button", name=approve).click()
        expect(first).to_have_attribute("data-state", "applied")
        expect(first).to_contain_text("Eve")
        page.locator("#states a").nth(4).click()
        expect(page.locator("#list > li")).to_have_count(1)
        expect(page.locator("#list > li")).to_contain_text(HOSTILE)


@pytest.mark.parametrize(
    ("width", "language", "what", "values"),
    [
        (1440, "en", "Change of an organisation City", "Districts: none → d1, d2"),
        (390, "zh", "变更单位 市局", "辖区：无 → d1, d2"),
    ],
)
def test_a_change_of_an_organisation_names_it_and_what_is_replaced(
    browser: Browser, address: str, width: int, language: str, what: str, values: str
) -> None:
    with looking(browser, address, width=width, language=language) as watched:
        sign_in("Eve", OrganisationKind.OPERATOR)
        page = watched.open("/changes")
        second = page.locator("#list > li").nth(1)
        expect(second).to_contain_text(what)
        expect(second).to_contain_text(values)
        expect(second.locator("a"), "who may not open the organisation's page").to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
