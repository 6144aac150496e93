"""Code sheets: an independent decoder reads the codes of the page as it prints, and the scope holds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Browser

from commands.configuration_file import read
from dashboards.api.context import Settings
from dashboards.pages.code_sheets import LABELS_MOST, LABELS_ON_PAGE
from store.records.repository import AuditFilter, Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import HOSTILE, fill, looking, open_browser, served  # noqa: F401
from tests.dashboards.identity.accounts import Accounts

COUNT = 300
A4_PX = {"width": 719, "height": 1046}
"""The printable area of A4 with margins of 10 mm, at 96 dots an inch."""
LOCAL = '<p class="problem">These codes lead to this machine'


@pytest.fixture(scope="module", name="served_fleet")
def settings_of_fleet(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return fill(tmp_path_factory.mktemp("fleet"), COUNT)


@pytest.fixture(name="client")
def asking(served_fleet: Settings) -> Iterator[TestClient]:
    with Client(create_app(served_fleet), base_url="http://lifts.localhost:8080") as client:
        yield client


def addresses(html: str) -> list[str]:
    """Return the addresses that the labels of a page print below their codes, without their proofs."""
    return [each.partition("?")[0] for each in printed(html)]


def printed(html: str) -> list[str]:
    """Return the whole addresses below the codes."""
    return [part.split("<")[0] for part in html.split('<p class="address">')[1:]]


@pytest.mark.browser
def test_every_printed_code_leads_to_the_public_page_of_its_lift(browser: Browser, served_fleet: Settings) -> None:
    with (
        served(replace(served_fleet, public_url="https://lifts.example")) as address,
        looking(browser, address) as seen,
    ):
        page = seen.open("/code-sheets?q=Garden Road 4")
        below = page.locator(".address").all_text_contents()
        page.set_viewport_size(A4_PX)
        page.emulate_media(media="print", color_scheme="dark")
        drawn = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    read_codes = {found.text for found in zxingcpp.read_barcodes(drawn)}
    lifts = {f"https://lifts.example/code/L{row:03}" for row in range(4, COUNT, 10)}
    assert read_codes == set(below)
    assert {each.partition("?")[0] for each in read_codes} == lifts
    assert len(read_codes) == 2 * len(lifts), "one for the car, another for the machine room"


@pytest.mark.browser
def test_a_printed_page_holds_its_labels_whole(browser: Browser, served_fleet: Settings) -> None:
    with served(served_fleet) as address, looking(browser, address) as seen:
        page = seen.open("/code-sheets?q=Garden Road")
        page.set_viewport_size(A4_PX)
        page.emulate_media(media="print")
        boxes = page.evaluate(
            "[...document.querySelectorAll('.code-label')].map((node) => { const box = node.getBoundingClientRect();"
            "return [box.left, box.top, box.right, box.bottom, node.scrollHeight - node.clientHeight]; })"
        )
        assert page.locator(".bar").is_hidden()
        assert page.locator("form").is_hidden()
        pages = page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
    assert len(boxes) == LABELS_MOST
    assert all(right <= A4_PX["width"] and cut <= 0 for _, _, right, _, cut in boxes)
    assert {len([1 for box in boxes if box[1] == top]) for top in {box[1] for box in boxes}} == {2}
    assert pages == LABELS_MOST // LABELS_ON_PAGE


def test_the_address_begins_as_configured_and_else_as_that_of_the_request(
    client: TestClient, served_fleet: Settings
) -> None:
    assert addresses(client.get("/code-sheets?lift_id=L007").text) == ["http://lifts.localhost:8080/code/L007"] * 2
    named = replace(served_fleet, public_url="https://lifts.example")
    with Client(create_app(named), base_url="http://localhost") as other:
        html = other.get("/code-sheets?lift_id=L007").text
    assert addresses(html) == ["https://lifts.example/code/L007"] * 2
    assert LOCAL not in html


def test_codes_that_lead_to_a_loopback_address_are_said_to(client: TestClient) -> None:
    assert LOCAL in client.get("/code-sheets?lift_id=L007").text


def test_a_label_speaks_every_language_and_shows_its_telephone(client: TestClient) -> None:
    html = client.get("/code-sheets?lift_id=L004").text
    assert '<p class="what" lang="zh-Hans">电梯编号</p>' in html
    assert "call +852\u00a02345\u00a06789" in html
    assert "拨打 +852\u00a02345\u00a06789" in html
    assert "翠湖天地3号梯 · Green Lake Terrace, Lift 3" in html


def test_hostile_names_are_escaped_on_a_label(client: TestClient) -> None:
    html = client.get("/code-sheets?lift_id=L003").text
    assert HOSTILE not in html
    assert "{{7*7}}" in html


def test_all_labels_of_a_large_fleet_are_reached_page_by_page(client: TestClient) -> None:
    found: list[str] = []
    following, pages = "?place=car", 0
    while following:
        html = client.get("/code-sheets" + following).text
        found, pages = found + addresses(html), pages + 1
        following = html.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert [each.rpartition("/")[2] for each in found] == [f"L{row:03}" for row in range(COUNT)]
    assert pages == 3


def test_labels_of_a_place_alone_are_a_choice_of_the_page(client: TestClient) -> None:
    both = client.get("/code-sheets?lift_id=L007").text
    assert '<a href="?lift_id=L007&amp;place=car">Car</a>' in both
    car, room = (client.get(f"/code-sheets?lift_id=L007&place={place}").text for place in ("car", "machine-room"))
    assert printed(car) + printed(room) == printed(both)
    assert ('<p class="what place" lang="zh-Hans">轿厢</p>' in car, "机房</p>" in car) == (True, False)
    assert client.get("/code-sheets?place=roof").status_code == 422


@pytest.mark.parametrize("query", ["?q=nothing-like-this", "?district=d7"])
def test_without_a_lift_that_matches_the_page_says_so(client: TestClient, query: str) -> None:
    html = client.get("/code-sheets" + query).text
    assert "No lift matches" in html
    assert 'id="print"' not in html


@pytest.mark.parametrize(("query", "status"), [("?lift_id=none", 404), ("?lift_id=a/b", 422), ("?state=odd", 422)])
def test_a_lift_that_does_not_exist_is_not_found_and_a_wrong_filter_is_refused(
    client: TestClient, query: str, status: int
) -> None:
    assert client.get("/code-sheets" + query).status_code == status


@pytest.mark.parametrize("url", ["lifts.example", "ftp://lifts.example", "https://lifts.example/path"])
def test_a_public_url_that_is_no_beginning_of_an_address_is_refused(tmp_path: Path, url: str) -> None:
    path = tmp_path / "liftwatch.toml"
    path.write_text(f'[dashboards]\npublic_url = "{url}"\n', encoding="utf-8")
    with pytest.raises(Exception, match=r"dashboards\.public_url"):
        read(path, {})


def test_an_organisation_prints_codes_of_its_own_lifts_alone_and_a_mechanic_none_that_proves(
    settings: Settings, records: Records
) -> None:
    accounts = Accounts(records)
    mechanic, boss = (accounts.token(person, accounts.firm) for person in (accounts.mechanic, accounts.boss))
    with Client(create_app(settings), base_url="http://localhost") as client:
        plain = client.get("/code-sheets", headers=mechanic).text
        assert printed(plain) == ["http://localhost/code/L001"]
        assert "proves no arrival" in plain
        proving = client.get("/code-sheets", headers=boss).text
        assert addresses(proving) == ["http://localhost/code/L001"] * 2
        assert [records.place_of_label("L001", each.partition("label=")[2]) for each in printed(proving)] == [
            "car", "machine-room",
        ]  # fmt: skip
        assert client.get("/code-sheets?lift_id=L002", headers=boss).status_code == 404
    (row,) = records.audit(AuditFilter(action="label.print")).items
    assert (row.by.name, row.lift_id, "machine-room" in str(row.detail)) == ("Boss", "L001", True)
