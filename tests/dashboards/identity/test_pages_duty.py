"""The page of duty in a browser: made and changed without JSON, gaps shown, and the calls of a lift and an incident."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from alerts.escalation.policy import EscalationPolicy, EscalationStep
from registry.duty.civil_time import day_from_text
from registry.duty.roster import Roster, Rotation
from registry.ways import SMS
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.identity.accounts import BY, Accounts
from tests.dashboards.identity.test_identity_rendered import sign_in

pytestmark = pytest.mark.browser

WORKDAYS = frozenset(range(5))


class DutyWorld:
    """A served firm with a roster that has gaps, a policy, a person who can be called, and a rescue."""

    def __init__(self, accounts: Accounts, address: str) -> None:
        self.accounts, self.address, records = accounts, address, accounts.records
        firm, now_ns = accounts.firm.organisation_id, time.time_ns()
        people = (accounts.mechanic.person_id,), (accounts.boss.person_id,)
        days = Rotation("Days", people, day_from_text("2026-01-05"), "day", hand_over=(6 * 60, 14 * 60), until=22 * 60)
        records.add_roster(
            Roster("", firm, "Workshop", "Asia/Shanghai", (replace(days, weekdays=WORKDAYS),)), BY, now_ns
        )
        steps = EscalationStep(("on-duty",), 3, 60), EscalationStep(("role:manager", "everyone"))
        policy = EscalationPolicy("", firm, "Rescues", steps)
        records.add_policy(lambda _: (policy, []), firm, None, BY, now_ns)
        way = records.add_way(accounts.mechanic.person_id, SMS, "+8613912345678", None, BY, now_ns)
        (code,) = (each.notification.code for each in records.claim_notifications(now_ns, 1, 10))
        assert records.verify_way(accounts.mechanic.person_id, way.way_id, code or "", BY, now_ns)
        incident = records.report_by_call("L001", "entrapment", None, BY, now_ns)
        assert incident is not None
        self.incident_id = incident.id

    def pictured(self, page: Page, name: str) -> None:
        """Keep a picture of the page where a folder is named."""
        if folder := os.environ.get("LIFTWATCH_PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture(name="duty", scope="module")
def serve_duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DutyWorld]:
    settings = replace(fill(tmp_path_factory.mktemp("duty"), 8), demo=False, way_kinds=(SMS,))
    with settings.open_records() as records, served(settings) as address:
        yield DutyWorld(Accounts(records), address)


def fits(page: Page) -> None:
    """Require that a page is accessible and no wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize(("width", "language", "theme"), [(1440, "en", "light"), (390, "zh", "dark")])
def test_the_page_of_duty_is_accessible_and_fits(
    browser: Browser, duty: DutyWorld, width: int, language: str, theme: str
) -> None:
    with looking(browser, duty.address, width=width, language=language, theme=theme) as watched:
        page = sign_in(watched, "boss", "/duty")
        expect(page.locator(".roster .shift.gap").first).to_be_visible()
        expect(page.locator(".policy")).to_have_count(2)
        page.locator("#calls-form [name=lift_id]").fill("L001")
        page.locator("#calls-form button").click()
        expect(page.locator("#calls li").first).to_be_visible()
        fits(page)
        duty.pictured(page, f"duty-{width}-{language}")
        for name, button in (("roster", "#new-roster"), ("policy", "#new-policy")):
            page.locator(button).click()
            fits(page)
            duty.pictured(page, f"duty-{name}-{width}-{language}")
            page.keyboard.press("Escape")


def test_a_roster_and_an_override_are_made_and_changed_without_json(browser: Browser, duty: DutyWorld) -> None:
    with looking(browser, duty.address) as watched:
        page = sign_in(watched, "boss", "/duty")
        expect(page.locator(".roster")).to_have_count(1)
        page.locator("#new-roster").click()
        form = page.locator("dialog form")
        form.locator("[name=name]").fill("Nights")
        form.locator("[name=timezone]").fill("Mars")
        form.locator("[name=person]").select_option(label="Mechanic")
        form.locator("button.main").click()
        expect(form.locator(".problem")).to_contain_text("timezone")
        watched.complaints.clear()  # the browser itself notes the status 422
        form.locator("[name=timezone]").fill("Asia/Shanghai")
        form.locator("[name=starts_on]").fill("2026-01-05")
        form.locator("button.main").click()
        nights = page.locator(".roster", has_text="Nights")
        expect(nights.locator(".on-duty")).to_contain_text("Mechanic on duty now")
        nights.get_by_role("button", name="Override").click()
        form.locator("label", has_text="Boss").locator("[name=people]").check()
        form.locator("[name=from]").fill("2026-01-01T00:00")
        form.locator("[name=until]").fill("2026-12-31T00:00")
        form.locator("button.main").click()
        expect(nights.locator(".on-duty")).to_contain_text("Boss on duty now")
        nights.get_by_role("button", name="Remove").click()
        expect(nights.locator(".on-duty")).to_contain_text("Mechanic on duty now")
        nights.get_by_role("button", name="Send a test").click()
        expect(page.locator("#did")).to_contain_text("A test message goes to Mechanic")


def test_a_calendar_link_is_made_shown_once_and_ended(browser: Browser, duty: DutyWorld) -> None:
    with looking(browser, duty.address) as watched:
        page = sign_in(watched, "boss", "/duty")
        expect(page.locator(".roster .nobody", has_text="Boss")).to_contain_text("no verified way")
        page.locator(".roster", has_text="Workshop").get_by_role("button", name="Calendar links").click()
        dialog = page.locator("dialog")
        expect(dialog).to_contain_text("No link has been made.")
        dialog.locator("[name=person_id]").select_option(label="Mechanic")
        dialog.get_by_role("button", name="Make a link").click()
        expect(dialog.locator(".links li")).to_contain_text("Mechanic, made")
        url = dialog.locator(".notice a").inner_text()
        calendar = page.request.get(url)
        assert (calendar.status, "SUMMARY" in calendar.text()) == (200, True)
        duty.pictured(page, "duty-calendar-links")
        fits(page)
        dialog.get_by_role("button", name="End").click()
        expect(dialog).to_contain_text("No link has been made.")
        assert page.request.get(url).status == 404
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)


def test_what_is_wrong_in_a_form_is_told_in_the_language_of_the_page(browser: Browser, duty: DutyWorld) -> None:
    with looking(browser, duty.address, width=390, language="zh") as watched:
        page = sign_in(watched, "boss", "/duty")
        page.locator("#new-roster").click()
        form = page.locator("dialog form")
        form.locator("[name=name]").fill("夜班")
        form.locator("[name=timezone]").fill("+08:00")
        form.locator("button.main").click()
        expect(form.locator(".problem")).to_contain_text(
            "timezone（时区）：'+08:00' 是时差，不是时区；请填写 IANA 时区名"
        )
        expect(form.locator(".problem")).to_contain_text("rotations[0].turns（轮换 1 · 班次人员）：有 0 项；须为 1 到")
        watched.complaints.clear()  # the browser itself notes the status 422


def test_a_policy_is_told_in_words_and_edited_by_steps(browser: Browser, duty: DutyWorld) -> None:
    with looking(browser, duty.address) as watched:
        page = sign_in(watched, "boss", "/duty")
        card = page.locator(".policy", has_text="Rescues")
        expect(card.locator("li").first).to_have_text("whoever is on duty: 3 times, 1 min apart")
        card.get_by_role("button", name="Edit").click()
        form = page.locator("dialog form")
        form.locator("[name=times]").first.fill("2")
        form.locator("[name=severities][value=critical]").check()
        form.locator("summary").first.click()
        form.locator("[name=districts]").fill("d1, north")
        form.locator("[name=buildings]").fill("Garden Road 3\n 南京路 1 号")
        form.locator("[name=hours-from]").fill("18:00")
        form.locator("[name=hours-until]").fill("06:00")
        form.locator("summary").last.click()
        form.locator("[name=rounds]").fill("3")
        form.locator("[name=quiet-from]").fill("22:00")
        form.locator("[name=quiet-until]").fill("07:00")
        form.locator("[name=quiet-timezone]").fill("Asia/Shanghai")
        duty.pictured(page, "duty-policy-form")
        fits(page)
        form.locator("button.main").click()
        expect(card.locator("li").first).to_have_text("whoever is on duty: 2 times, 1 min apart")
        for told in ("About: Critical", "d1, north", "Garden Road 3, 南京路 1 号", "18:00–06:00", "22:00–07:00"):
            expect(card).to_contain_text(told)
        policy = duty.accounts.records.policies([duty.accounts.firm.organisation_id])[0]
        assert (policy.rounds, policy.quiet is not None, len(policy.match.buildings)) == (3, True, 2)


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh")])
def test_the_pane_of_an_incident_says_whom_to_call(
    browser: Browser, duty: DutyWorld, width: int, language: str
) -> None:
    with looking(browser, duty.address, width=width, language=language) as watched:
        page = sign_in(watched, "admin", f"/incidents/{duty.incident_id}")
        expect(page.locator(".p-guide .duty")).to_contain_text("Workshop")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        duty.pictured(page, f"incident-{width}-{language}")
        page.goto(f"{duty.address}/lifts/L001")
        expect(page.locator("#calls li").first).to_be_visible()
        page.locator("#calls").scroll_into_view_if_needed()
        duty.pictured(page, f"lift-{width}-{language}")
