"""Pages of sign-in, account, people and organisations in a real browser: accessible, fitting, used by keyboard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboards.api.context import DeviceActions
from registry.devices import CERTIFICATE, GATEWAY, LIFT, Credential, Device
from registry.devices import PASSWORD as PASSWORD_KIND
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
    "devices": "/devices", "devices-none": "/devices?state=expired", "device": "/devices/GW-7",
}  # fmt: skip


@pytest.fixture(name="world", scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Accounts]]:
    folder: Path = tmp_path_factory.mktemp("identity")
    actions = DeviceActions(
        new_password=lambda name: (Credential(PASSWORD_KIND, f"$7$hash of {name}"), f"password of {name}"),
        apply=lambda records: None,
        hindrance=lambda: None,
    )
    settings = replace(fill(folder, 8), demo=False, devices=actions)
    with settings.open_records() as records, served(settings) as address:
        now_ns = time.time_ns()
        ends = Credential(CERTIFICATE, None, "1F", "AB:" * 31 + "CD", now_ns + 20 * 24 * 3600 * 1_000_000_000)
        gateway = Device("GW-7", GATEWAY, tuple(f"L00{number}" for number in range(6)), ends)
        terminals = [Device(f"L00{number}", LIFT, (f"L00{number}",), Credential(PASSWORD_KIND)) for number in (6, 7)]
        records.add_devices([gateway, *terminals], BY, now_ns)
        records.revoke_devices(["L006"], BY, now_ns)
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


def test_an_invited_person_sets_a_password_by_the_link_in_a_browser(
    browser: Browser, world: tuple[str, Accounts]
) -> None:
    address, accounts = world
    records, now_ns = accounts.records, time.time_ns()
    code = records.add_link(accounts.stranger.person_id, now_ns * 2, BY, now_ns)
    with looking(browser, address) as watched:
        page = watched.page
        page.goto(f"{address}/welcome?code={code}")
        for field in ("password", "again"):
            page.locator(f"input[name={field}]").fill("another quiet battery")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        expect(page.locator("#who")).to_have_text("Stranger")


def test_a_password_is_copied_by_its_button(browser: Browser, world: tuple[str, Accounts]) -> None:
    address, _ = world
    with looking(browser, address) as watched:
        page = sign_in(watched, "admin", "/devices")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator("summary").first.click()
        page.locator("form:has(input[value=lift]) input[name=device_id]").fill("L001")
        page.keyboard.press("Enter")
        page.locator("[data-copies]").click()
        expect(page.locator("[data-copies]")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "password of L001"


def test_a_file_fills_the_text_of_an_import_and_its_passwords_are_saved(
    browser: Browser, world: tuple[str, Accounts]
) -> None:
    address, _ = world
    with looking(browser, address) as watched:
        page = sign_in(watched, "admin", "/devices")
        page.locator("summary").nth(1).click()
        content = b"device_id,lifts\nGW-8,L002;L003\nL004,\n"
        chosen = {"name": "devices.csv", "mimeType": "text/csv", "buffer": content}
        page.locator("input[type=file]").set_input_files(files=[chosen])  # type: ignore[list-item]
        expect(page.locator("#csv")).to_have_value(content.decode())
        page.locator("form:has(#csv) button").click()
        with page.expect_download() as saved:
            page.locator("[data-saves]").click()
        assert saved.value.suggested_filename == "passwords.csv"
        text = Path(saved.value.path()).read_text("utf-8")
        assert text == "device_id,password\nGW-8,password of GW-8\nL004,password of L004\n"
