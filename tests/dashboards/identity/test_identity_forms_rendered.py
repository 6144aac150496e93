"""The forms of accounts, people and organisations in a real browser, on a desk and on a phone, in both languages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from registry.lift_facts import LiftFacts
from registry.people import Person
from registry.roles import OrganisationKind, Role
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.identity.accounts import BY, Accounts
from tests.dashboards.identity.test_identity_rendered import sign_in

pytestmark = pytest.mark.browser

SCREENS = pytest.mark.parametrize(
    ("width", "language", "theme"), [(1440, "en", "light"), (390, "zh", "dark")], ids=["desk", "phone"]
)


@pytest.fixture(name="world", scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Accounts]]:
    folder: Path = tmp_path_factory.mktemp("forms")
    settings = replace(fill(folder, 8), demo=False)
    with settings.open_records() as records, served(settings) as address:
        yield address, Accounts(records)


def require_sound(page: Page, where: str) -> None:
    """Fail where the page is wider than the screen, or not accessible."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert (where, wide, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]) == (where, 0, [])


def person_of(accounts: Accounts, login: str) -> Person:
    """Return the account with a login."""
    return next(each for each in accounts.records.people() if each.login == login)


def press(page: Page, form: str, button: str = "button") -> None:
    """Send the form with an address that ends so, and wait for the page that follows."""
    with page.expect_navigation():
        page.locator(f"form[action$='{form}'] {button}").first.click()


@SCREENS
def test_a_person_is_invited_gets_roles_and_is_disabled(
    browser: Browser, world: tuple[str, Accounts], width: int, language: str, theme: str
) -> None:
    address, accounts = world
    login, firm = f"new-{language}", accounts.firm.organisation_id
    with looking(browser, address, width=width, language=language, theme=theme) as watched:
        page = sign_in(watched, "admin", "/people")
        invite = page.locator("form[action='/people'][method=post]")
        invite.locator("[name=name]").fill("新人 · New Person")
        invite.locator("[name=login]").fill("boss")
        invite.locator("[name=organisation]").select_option(firm)
        invite.locator("[name=role]").select_option("mechanic")
        invite.locator("button").click()
        expect(page.locator(".problem[role=alert]")).to_be_visible()
        expect(invite.locator("[name=name]")).to_have_value("新人 · New Person")
        require_sound(page, "refused")
        watched.complaints.clear()  # the browser itself notes the status 409
        invite.locator("[name=login]").fill(login)
        with page.expect_navigation():
            invite.locator("button").click()
        assert page.locator("#secret").input_value().startswith(f"{address}/welcome?code=")
        expect(page.locator("h1")).to_have_text({"en": "New Person", "zh": "新人"}[language])
        require_sound(page, "invited")
        made = person_of(accounts, login)
        assert [(each.organisation.organisation_id, each.role) for each in made.memberships] == [(firm, Role.MECHANIC)]

        page.goto(f"{address}/people/{made.person_id}")
        page.locator("form[action$='/role'] [name=role]").first.select_option("dispatcher")
        press(page, "/role")
        expect(page.locator("#did")).to_be_visible()
        adding = page.locator("form[action$='/role']").last
        adding.locator("[name=organisation]").select_option(accounts.other.organisation_id)
        adding.locator("[name=role]").select_option("viewer")
        with page.expect_navigation():
            adding.locator("button").click()
        assert {each.role for each in person_of(accounts, login).memberships} == {Role.DISPATCHER, Role.VIEWER}
        press(page, "/role", "button[name=remove]")
        assert len(person_of(accounts, login).memberships) == 1
        press(page, "/link")
        assert page.locator("#secret").input_value().startswith(f"{address}/welcome?code=")
        page.goto(f"{address}/people/{made.person_id}")
        press(page, "/disabled")
        assert person_of(accounts, login).is_disabled
        require_sound(page, "disabled")
        press(page, "/disabled")
        assert not person_of(accounts, login).is_disabled


@SCREENS
def test_an_organisation_is_added_described_merged_and_closed(
    browser: Browser, world: tuple[str, Accounts], width: int, language: str, theme: str
) -> None:
    address, accounts = world
    name, merged = f"City {language}", f"Old {language}"
    old = accounts.records.add_organisation({"name": merged, "kind": OrganisationKind.AUTHORITY}, BY, time.time_ns())
    with looking(browser, address, width=width, language=language, theme=theme) as watched:
        page = sign_in(watched, "admin", "/organisations")
        adding = page.locator("form[action='/organisations']")
        adding.locator("[name=kind]").select_option("authority")
        adding.locator("[name=name]").fill(name)
        with page.expect_navigation():
            adding.locator("button").click()
        details = page.locator("form[action$='/details']")
        for field, text in (
            ("districts", f"d-{language}, d8"),
            ("duty_telephone", "+86 571 8888 0000"),
            ("name_zh", "市局"),
            ("reason", "as the city decided"),
        ):
            details.locator(f"[name={field}]").fill(text)
        details.locator("[name=second_person]").check()
        press(page, "/details", "button.main")
        expect(page.locator("#did")).to_be_visible()
        require_sound(page, "described")
        found = accounts.named(name)
        assert (found.kind, set(found.districts)) == (OrganisationKind.AUTHORITY, {f"d-{language}", "d8"})
        assert (found.duty_telephone, found.settings.second_person) == ("+86 571 8888 0000", True)

        page.locator("form[action$='/merge'] [name=other]").fill("nobody")
        press(page, "/merge")
        expect(page.locator(".problem[role=alert]")).to_be_visible()
        require_sound(page, "refused")
        watched.complaints.clear()  # the browser itself notes the status 404
        page.goto(f"{address}/organisations/{found.organisation_id}")
        page.locator("form[action$='/merge'] [name=other]").fill(merged)
        press(page, "/merge")
        closed = next(each for each in accounts.records.organisations() if each.organisation_id == old.organisation_id)
        assert closed.closed_ns is not None
        accounts.records.change_organisation(found.organisation_id, {"districts": ()}, BY, time.time_ns())
        page.reload()
        press(page, "/closed")
        assert accounts.named(name).closed_ns is not None
        press(page, "/closed")
        assert accounts.named(name).closed_ns is None


@SCREENS
def test_an_own_account_makes_and_revokes_a_token_chooses_a_language_and_signs_out(
    browser: Browser, world: tuple[str, Accounts], width: int, language: str, theme: str
) -> None:
    address, accounts = world
    login = f"own-{language}"
    accounts.add(login, accounts.firm, Role.MECHANIC)
    accounts.records.put_lift(LiftFacts("L001", "d1", maintenance_firm="Firm"), BY, time.time_ns())
    with looking(browser, address, width=width, language=language, theme=theme) as watched:
        page = sign_in(watched, login, "/account")
        page.locator("form[action='/account/token'] [name=name]").fill("a screen in the hall")
        press(page, "/account/token")
        token = page.locator("#secret").input_value()
        require_sound(page, "token")
        answer = page.request.get(f"{address}/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.ok
        press(page, "/account/revoke")
        person = person_of(accounts, login)
        assert accounts.records.tokens(person.person_id) == []
        other = {"en": "zh", "zh": "en"}[language]
        page.locator("form[action='/account/language'] select").select_option(other)
        press(page, "/account/language")
        expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-Hans"}[other])
        press(page, "/sign-out", "button.main")
        page.goto(f"{address}/account")
        expect(page.locator("input[name=password]")).to_be_visible()
