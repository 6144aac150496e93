"""The page of refused messages, and the refusals on a lift's page, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from store.records.repository import Records
from telemetry.batch import Refusal
from tests.dashboards.browser_world import HOSTILE, S_NS, fill, looking, open_browser, served  # noqa: F401
from tests.dashboards.sample_fleet import T0_NS

pytestmark = pytest.mark.browser

DETAIL = "the payload begins with the byte 0x3c: send a JSON object or a CBOR map"
HEX = bytes.fromhex("a26373657101ff")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = fill(tmp_path_factory.mktemp("refused"), 8)
    with settings.open_records() as records:
        refuse(records)
    with served(settings) as at:
        yield at


def refuse(records: Records) -> None:
    """Refuse two messages of L001, one of L002 and sixty whose topic names no lift, an hour apart, the last at T0."""
    messages = [(f"lift/v1/anji/{HOSTILE}", "topic", b"{}", "")] * 60
    messages += [("lift/v1/d1/L002/bundle", "syntax", HEX, "L002"), ("lift/v1/d1/L001/Speed", "stream", b"{}", "L001")]
    messages += [("lift/v1/d1/L001/bundle", "syntax", HOSTILE.encode() + b"x" * 9000, "L001")]
    refused = [
        Refusal(reason, DETAIL, topic, payload, T0_NS + (k - 62) * 3600 * S_NS, 100 + k, lift_id, lift_id)
        for k, (topic, reason, payload, lift_id) in enumerate(messages)
    ]
    records.judge(position=1000, occurrences=[], now_ns=T0_NS, refusals=refused)


@pytest.mark.parametrize(("width", "language", "name"), [(1440, "en", "Neither JSON nor CBOR"), (390, "zh", "JSON")])
def test_refused_messages_are_shown_newest_first_with_reason_topic_and_remedy(
    browser: Browser, address: str, width: int, language: str, name: str
) -> None:
    with looking(browser, address, width=width, language=language, theme="dark") as watched:
        page = watched.open("/refused")
        first = page.locator("#list > li").first
        expect(first.locator("b")).to_contain_text(name)
        expect(first.locator("code")).to_have_text("lift/v1/d1/L001/bundle")
        expect(page.locator("#list > li")).to_have_count(50)
        page.locator("#more").click()
        expect(page.locator("#list > li")).to_have_count(63)
        expect(page.locator("#more")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_payload_is_shown_as_text_or_hex_bounded_and_never_as_markup(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/refused?reason=syntax")
        text, octets = page.locator("#list > li").nth(0), page.locator("#list > li").nth(1)
        text.locator("summary").click()
        expect(text.locator("pre")).to_contain_text(HOSTILE)
        shown = text.locator("pre").inner_text()
        assert shown.endswith("…")
        assert len(shown) < 4200
        octets.locator("summary").click()
        expect(octets.locator("pre")).to_have_text("a2 63 73 65 71 01 ff")
        assert page.locator("#list img").count() == 0
        expect(page).to_have_title("(1) Refused messages · Liftwatch")  # after the count of critical incidents


def test_the_address_holds_the_filter_and_back_undoes_it(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/refused?reason=syntax")
        expect(page.locator("#list > li")).to_have_count(2)
        page.get_by_role("link", name="only L001").click()
        expect(page.locator("#headline")).to_have_text("L001: One message refused")
        assert page.url.endswith("/refused?reason=syntax&lift_id=L001")
        expect(page.locator("[name=lift_id]")).to_have_value("L001")
        page.go_back()
        expect(page.locator("#list > li")).to_have_count(2)
        page.locator("#clear").click()
        expect(page.locator("#headline")).to_have_text("More than 50 messages refused, the newest first")
        assert page.url.endswith("/refused")


def test_a_time_filters_and_an_empty_list_links_to_other_times(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/refused?from=2001-09-09T00:30:00Z&to=2001-09-09T01:30:00Z")
        expect(page.locator("#list > li code")).to_have_text(["lift/v1/d1/L001/Speed"])
        page.locator("[name=lift_id]").fill("L007")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(".plate h2")).to_have_text("Nothing was refused")


def test_times_are_in_the_zone_of_each_messages_lift_and_the_filter_in_that_of_its_lift(
    browser: Browser, address: str
) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/refused?lift_id=L001&from=2001-09-09T00:30:00.000Z")
        first = page.locator("#list > li").first.locator("time").first
        expect(first).to_have_text(re.compile(r"09:46:40 (GMT\+8|HKT)"))
        expect(page.locator("#zone")).to_contain_text("Asia/Hong_Kong")
        expect(page.locator("[name=from]")).to_have_value("2001-09-09T08:30")
        page.locator("[name=from]").fill("2001-09-09T09:00")
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url("**from=2001-09-09T01%3A00%3A00.000Z")
        expect(page.locator("#list > li")).to_have_count(1)
        page.goto(f"{address}/refused")
        expect(page.locator("#list > li").first.locator("time").first).to_have_text(
            re.compile(r"09:46:40 (GMT\+8|HKT)")
        )


def test_the_detail_of_a_refusal_is_in_the_language_of_the_page(browser: Browser, address: str) -> None:
    with looking(browser, address, language="zh") as watched:
        detail = watched.open("/refused?lift_id=L001").locator("#list .detail").first
        expect(detail).to_have_text("消息内容以字节 0x3c 开头：请发送 JSON 对象或 CBOR 映射")


def test_a_lifts_page_shows_its_own_refusals_with_the_remedy_and_leads_to_them(browser: Browser, address: str) -> None:
    with looking(browser, address) as watched:
        page = watched.open("/lifts/L001")
        lines = page.locator("#refused li")
        expect(lines).to_have_count(2)
        expect(lines.first).to_contain_text("Send one JSON object")
        page.locator("#refused").get_by_role("link").click()
        expect(page.locator("#headline")).to_have_text("L001: 2 messages refused")
    with looking(browser, address) as watched:
        page = watched.open("/lifts/L005")
        expect(page.locator("#facts dd").first).to_be_visible()
        expect(page.locator("#refused")).to_be_hidden()
