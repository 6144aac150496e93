"""Pages of sign-in, account, people and organisations in a real browser: accessible, fitting, used by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.browser_world import (
    Watched,
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.identity.accounts import BY, HASH, PASSWORD, Accounts

pytestmark = pytest.mark.browser

PATHS = {
    "sign-in": "/sign-in", "welcome": "/welcome?code=gone", "account": "/account", "people": "/people",
    "person": "/people/{person}", "organisations": "/organisations", "organisation": "/organisations/{firm}",
}  # fmt: skip


@pytest.fixture(name="world", scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Accounts]]:
    folder: Path = tmp_path_factory.mktemp("identity")
    settings = fill(folder, 8)
    with settings.open_records() as records, served(replace(settings, demo=False)) as address:
        yield address, Accounts(records)


def sign_in(watched: Watched, login: str, then: str) -> Page:
    """Open a page that needs an account, and sign in on the way there."""
    page = watched.page
    page.goto(watched.address + then)
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(watched.address + then)
    return page


@pytest.mark.parametrize(("width", "language", "theme"), [(1440, "en", "light"), (390, "zh", "dark")])
def test_identity_pages_are_accessible_and_fit(
    browser: Browser, world: tuple[str, Accounts], width: int, language: str, theme: str
) -> None:
    address, accounts = world
    with looking(browser, address, width=width, language=language, theme=theme) as watched:
        page = watched.page
        for name, path in PATHS.items():
            where = path.format(person=accounts.mechanic.person_id, firm=accounts.firm.organisation_id)
            if name == "account":
                sign_in(watched, "admin", where)
            else:
                page.goto(address + where)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            assert wide == 0, name
            assert [(name, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        watched.complaints[:] = [each for each in watched.complaints if "410" not in each]


def test_a_signed_in_person_acts_by_name_and_an_ended_session_leads_to_sign_in(
    browser: Browser, world: tuple[str, Accounts]
) -> None:
    address, accounts = world
    with looking(browser, address) as watched:
        page = sign_in(watched, "admin", "/lifts/L007")
        page.wait_for_selector("#link[data-link=live]")
        expect(page.locator("#who")).to_have_text("Admin")
        accounts.records.set_password(accounts.admin.person_id, "", BY, accounts.now_ns)
        page.wait_for_url("**/sign-in?next=%2Flifts%2FL007")
        watched.complaints.clear()  # the browser itself notes the status 401
        accounts.records.set_password(accounts.admin.person_id, HASH, BY, accounts.now_ns)
