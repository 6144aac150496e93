"""The HTML of the pages without a browser: languages, errors, escaping, and no inline script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from dashboards.pages import routes as pages
from dashboards.pages import translations
from dashboards.pages.public_status import public_status
from detectors.catalogue import RULES
from registry.lift_facts import name_in_language
from telemetry.wire.parsed import REASONS
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import HOSTILE, fill

ROOT = Path(pages.__file__).parent
PATHS = (
    "/",
    "/refused",
    "/changes",
    "/lifts/L001",
    "/alerts",
    "/alerts/none",
    "/incidents",
    "/code/L001",
    "/code/none",
)
PERSON = {"accept": "text/html"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Client(create_app(fill(tmp_path_factory.mktemp("pages"), 8)), base_url="http://localhost") as asking:
        yield asking


@pytest.mark.parametrize(
    ("requested", "remembered", "accepted", "chosen"),
    [
        ("zh", "en", "en", "zh"),
        (None, "zh", "en", "zh"),
        ("xx", None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "fr, en;q=0.7, zh;q=0.9", "zh"),
        (None, None, "zh;q=0", "en"),
        (None, None, ";;;q=,,zh;q=high", "en"),
        (None, None, None, "en"),
    ],
)
def test_the_language_of_the_url_precedes_the_cookie_and_the_cookie_the_browser(
    requested: str | None, remembered: str | None, accepted: str | None, chosen: str
) -> None:
    assert translations.choose_language(requested, remembered, accepted) == chosen


def test_every_text_has_every_language_and_the_same_placeholders() -> None:
    assert set(translations.languages()) >= {"en", "zh"}
    for key, by_language in translations.all_texts().items():
        assert by_language.keys() == set(translations.languages()), key
        assert all(text.strip() for text in by_language.values()), key
        places = [set(re.findall(r"\{\w+\}", text)) - {"{n}"} for text in by_language.values()]
        assert all(others == places[0] for others in places), key


def test_every_text_key_of_templates_and_scripts_is_in_the_catalogue() -> None:
    known = translations.catalogue("en")
    sources = [*ROOT.glob("templates/*.html"), *ROOT.glob("static/js/*.js")]
    called = re.compile(r"\btranslate\([\"']([\w.-]+)[\"'][,)]")
    named = {key for source in sources for key in called.findall(source.read_text("utf-8"))}
    assert len(named) > 100
    assert named - known.keys() == set()


def test_chinese_texts_use_chinese_punctuation() -> None:
    wrong = {
        key: text for key, text in translations.catalogue("zh").items() if re.search(r"[\u4e00-\u9fff}] ?[,;?!]", text)
    }
    assert wrong == {}


def test_every_quantity_that_a_rule_shows_as_evidence_has_a_name() -> None:
    sentences = [rule.sentence[language] for rule in RULES for language in translations.languages()]
    shown = {name for sentence in sentences for _, name, _, _ in Formatter().parse(sentence) if name}
    quantities = {name for name in shown if "limit" not in name}
    assert len(quantities) > 10
    assert {f"evidence.{name}" for name in quantities} - translations.catalogue("zh").keys() == set()


def test_every_reason_of_a_refusal_has_a_name_and_a_remedy() -> None:
    reasons = {*REASONS, "not-its-lift", "unregistered", "unjudgeable"}
    texts = translations.catalogue("zh")
    assert {f"{what}.{reason}" for what in ("reason", "remedy") for reason in reasons} - texts.keys() == set()


def test_singular_and_plural_differ() -> None:
    translate = translations.translator("en")
    assert translate("fleet.sub", n=1) == "1 lift watched"
    assert translate("fleet.sub", n=2) == "2 lifts watched"


def test_a_bilingual_name_is_halved_and_any_other_is_unchanged() -> None:
    assert name_in_language("翠湖3号梯 · Green Lake 3", "zh") == "翠湖3号梯"
    assert name_in_language("翠湖3号梯 · Green Lake 3", "en") == "Green Lake 3"
    assert name_in_language("Green Lake 3 · 翠湖3号梯", "zh") == "翠湖3号梯"
    assert name_in_language("Tower A · Lift 3", "zh") == "Tower A · Lift 3"
    assert name_in_language("一期 · 二期 · Phase", "zh") == "一期 · 二期 · Phase"


@pytest.mark.parametrize("path", PATHS)
def test_no_page_contains_inline_script_or_style(client: TestClient, path: str) -> None:
    html = client.get(path, headers=PERSON).text
    assert not re.search(r"<style|\sstyle=|\son\w+=", html.replace(HOSTILE, ""))
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL):
        assert "application/json" in attributes or not body.strip()
    assert "default-src 'self'" in client.get(path).headers["content-security-policy"]


def test_an_unknown_path_is_a_page_for_a_browser_and_a_problem_for_a_program(client: TestClient) -> None:
    page = client.get("/lifts/none", headers=PERSON)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert "There is nothing here" in page.text
    other = client.get("/nothing", headers=PERSON)
    assert (other.status_code, "There is nothing here" in other.text) == (404, True)
    problem = client.get("/api/v1/lifts/none", headers=PERSON)
    assert problem.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("lift_id", ["..%2f..%2fetc", "%3Cscript%3E", "a" * 65, "L001%00"])
def test_a_path_with_an_invalid_lift_id_is_not_found(client: TestClient, lift_id: str) -> None:
    answer = client.get(f"/code/{lift_id}", headers=PERSON)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_hostile_names_are_escaped_in_pages(client: TestClient) -> None:
    for path in ("/lifts/L003", "/code/L003"):
        html = client.get(path).text
        assert "<img" not in html
        assert "{{7*7}}" in html


def test_the_public_page_shows_help_and_no_technical_detail(client: TestClient) -> None:
    html = client.get("/code/L001").text
    assert "Please take the stairs" in html
    assert 'href="tel:+85223456789"' in html
    for text in ("overspeed", "m/s", "Firm", "Garden Road", "critical", "Asia/Hong_Kong", "d1"):
        assert text not in html.split("<main")[1], text


def test_no_script_parses_text_as_markup() -> None:
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(.style"
    )
    sources = {source.name: source.read_text("utf-8") for source in ROOT.glob("static/js/*.js")}
    assert len(sources) > 10
    assert {name: ways.findall(text) for name, text in sources.items() if ways.search(text)} == {}


@pytest.mark.parametrize("status", [401, 403, 404, 421, 500, 503])
@pytest.mark.parametrize("language", translations.languages())
def test_every_error_has_a_page(language: str, status: int) -> None:
    app = FastAPI()

    @app.get("/x", response_model=None)
    def wrong(request: Request) -> Response:
        return pages.error_page(request, status)

    page = TestClient(app).get(f"/x?lang={language}")
    assert (page.status_code, f"{status}" in page.text) == (status, True)


@pytest.mark.parametrize(
    ("state", "rules", "status_key"),
    [
        ("blind", [], "unsure"),
        ("normal", [], "well"),
        ("minor", [], "well"),
        ("major", [], "looking"),
        ("inspection", [], "looking"),
        ("offline", [], "unsure"),
        ("critical", ["overspeed"], "looking"),
        ("critical", ["overspeed", "entrapment-at-level"], "helping"),
    ],
)
def test_the_public_page_has_one_status_sentence_for_each_state(state: str, rules: list[str], status_key: str) -> None:
    lift = {"state": state, "latest": {"blind": None}, "open_alerts": [{"rule": rule} for rule in rules]}
    assert public_status(lift) == status_key
    for language in translations.languages():
        assert translations.translator(language)(f"code.{status_key}") != translations.translator(language)(
            f"code.{status_key}.more"
        )


def test_the_public_page_loads_itself_again(client: TestClient) -> None:
    assert client.get("/code/L001").headers["refresh"] == "30"


def test_the_public_page_needs_no_script(client: TestClient) -> None:
    assert "<script" not in client.get("/code/L001").text


def test_the_fault_panel_exists_only_in_a_demonstration(client: TestClient) -> None:
    assert 'id="fault"' in client.get("/lifts/L001").text
    router = pages.pages(lambda lift_id: client.get(f"/api/v1/lifts/{lift_id}").json(), demo=False)
    plain = FastAPI()
    plain.include_router(router)
    assert 'id="fault"' not in TestClient(plain).get("/lifts/L001").text


def test_the_chosen_language_is_remembered(client: TestClient) -> None:
    assert '<html lang="zh-Hans">' in client.get("/?lang=zh").text
    assert '<html lang="zh-Hans">' in client.get("/").text
    assert '<html lang="en">' in client.get("/?lang=en").text


def test_the_link_to_the_other_language_keeps_the_query(client: TestClient) -> None:
    html = client.get("/?q=a%26b&lang=en").text
    assert 'href="?q=a%26b&amp;lang=zh"' in html
