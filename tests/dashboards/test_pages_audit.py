"""The page of the audit log in a browser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from registry.actor import Actor
from store.records.repository import AuditSubject, Records
from tests.dashboards.browser_world import HOSTILE, S_NS, fill, looking, open_browser, served  # noqa: F401
from tests.dashboards.sample_fleet import T0_NS, facts

pytestmark = pytest.mark.browser

ANN = Actor("Ann", "person:7", "Firm A", "manager", "192.0.2.7")
LATER_NS = T0_NS + 400 * 24 * 3600 * S_NS


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = fill(tmp_path_factory.mktemp("audit"), 8)
    with settings.open_records() as records:
        act(records)
    with served(settings) as at:
        yield at


def act(records: Records) -> None:
    """Sixty refused sign-ins, and after them a new lift, and a change of one of its facts by Ann."""
    for minute in range(60):
        by = Actor.named(HOSTILE)
        records.write_audit(LATER_NS + minute * 60 * S_NS, by, "session.begin", [AuditSubject("x")], "refused")
    records.put_lift(facts("NEW-1"), Actor.named("import"), LATER_NS + 3601 * S_NS)
    records.patch_lift("NEW-1", {"rated_speed_mps": 2.5}, ANN, LATER_NS + 3602 * S_NS)


@pytest.mark.parametrize(
    ("width", "language", "did", "value"),
    [
        (1440, "en", "changed facts of a lift", "Rated speed: 1.75 → 2.5"),
        (390, "zh", "修改了电梯资料", "额定速度：1.75 → 2.5"),
    ],
)
def test_actions_are_shown_newest_first_with_actor_subject_and_changed_values(
    browser: Browser, address: str, width: int, language: str, did: str, value: str
) -> None:
    with looking(browser, address, width=width, language=language, theme="dark") as watched:
        page = watched.open("/audit?who=person%3A7")
        row = page.locator("#list > li")
        expect(row).to_have_count(1)
        expect(row.locator("p").first).to_have_text(re.compile(f"{did}$"))
        expect(row).to_contain_text("Firm A")
        expect(row).to_contain_text("192.0.2.7")
        expect(row.locator(".values")).to_have_text(value)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_values_are_shown_on_demand_and_names_never_as_markup(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/audit?action=lift.&lift_id=NEW-1")
        put = page.locator("#list > li").nth(1)
        expect(put.locator(".values")).to_be_hidden()
        put.locator("summary").click()
        expect(put.locator(".values")).to_contain_text("Number: NEW-1")
        page = watched.open("/audit?outcome=refused&action=session.")
        expect(page.locator("#list > li a").first).to_have_text(HOSTILE)
        assert page.locator("#list img").count() == 0


def test_the_address_holds_the_filter_back_undoes_it_and_older_rows_follow(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/audit?action=session.")
        expect(page.locator("#list > li")).to_have_count(50)
        expect(page.locator("#headline")).to_have_text("More than 50 actions, the newest first")
        page.locator("#more").click()
        expect(page.locator("#list > li")).to_have_count(60)
        page.locator("[name=outcome]").select_option("done")
        expect(page.locator(".plate h2")).to_have_text("No action in this selection")
        assert page.url.endswith("/audit?action=session.&outcome=done")
        page.go_back()
        expect(page.locator("#list > li")).to_have_count(50)
        page.locator("#clear").click()
        page.get_by_role("link", name="Ann").click()
        expect(page.locator("[name=who]")).to_have_value("person:7")


def test_the_csv_of_a_page_has_the_rows_of_its_filter(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/audit?who=Ann&lift_id=NEW-1")
        expect(page.locator("#list > li")).to_have_count(1)
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Download CSV").click()
            document = downloading.value.path().read_text(encoding="utf-8")
    table = list(csv.DictReader(io.StringIO(document, newline="")))
    assert [(row["action"], row["by"], row["after"]) for row in table] == [
        ("lift.patch", "Ann", '{"rated_speed_mps":2.5}')
    ]
