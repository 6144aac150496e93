"""The catalogue of rules: it is the contract's list, a wrong row is refused by name, and a language is data alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

from evaluation.bars import BARS
from registry.catalogue import GROUPS, BadCatalogue, catalogue, entry, parse

ROOT = Path(__file__).parents[2]
ROW = """
[overspeed]
code = "F08"
severities = ["minor", "critical"]
group = "life-safety"
name.en = "Overspeed"
"""
IN_GERMAN = """
import json
from alerts.book import on_finding
from dashboards.pages.routes import pages
from detectors.catalogue import BY_SLUG
from detectors.rule import MINOR, Finding
from fastapi import FastAPI
from fastapi.testclient import TestClient

finding = Finding(0, "overspeed", "on", MINOR, 1, 2, False, {"speed_mps": 2.11, "limit_mps": 2.01})
change = on_finding(
    None, finding, rule=BY_SLUG["overspeed"], lift_id="L1", district="centre", noticed_ns=3, causes=[]
)
app = FastAPI()
app.include_router(pages(lambda lift_id: None))
print(json.dumps([change.alert.summary, TestClient(app).get("/?lang=de").text]))
"""


def test_the_catalogue_is_the_list_of_the_contract() -> None:
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    listed = sorted(re.findall(r"\| (F\d\d) `([a-z-]+)` ", page))
    assert len(listed) == 42
    ours = [(rule.code, rule.slug) for rule in catalogue().values()]
    assert [pair for pair in ours if pair[0].startswith("F")] == listed  # a rule of one's own has another letter


def test_every_rule_has_a_name_in_both_languages_of_the_pages() -> None:
    assert {rule.slug for rule in catalogue().values() if not {"en", "zh"} <= rule.name.keys()} == set()


def test_the_sentences_of_a_rule_show_the_same_evidence_in_every_language() -> None:
    for rule in catalogue().values():
        shown = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in rule.sentence.values()]
        assert all(names == shown[0] for names in shown), rule.slug


def test_every_group_has_a_bar_but_the_rest() -> None:
    assert {*BARS, "other"} == set(GROUPS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("code =", "cod ="), "overspeed.code: is missing; must be a text such as F08"),
        (("group =", "grup = 1\ngroup ="), "overspeed.grup: no such key; did you mean group?"),
        (("name.en", "name.zh"), "overspeed.name: {'zh': 'Overspeed'} must be a text for each language, English among"),
        (('"Overspeed"', "7"), "overspeed.name: {'en': 7} must be a text for each language"),
        (('"minor", "critical"', '"critical", "minor"'), "overspeed.severities: ['critical', 'minor'] must be a list"),
        (('"minor", "critical"', ""), "overspeed.severities: [] must be a list of trend, minor, major, critical"),
        (('"life-safety"', '"lifesafety"'), "overspeed.group: 'lifesafety' must be one of life-safety"),
        (("group =", "always_judged = 1\ngroup ="), "overspeed.always_judged: 1 must be true or false"),
        (("group =", "expected_after_s = -1\ngroup ="), "overspeed.expected_after_s: -1 must be a number of seconds"),
        (("group =", "incident = 'stuck'\ngroup ="), "overspeed.incident: 'stuck' must be one of entrapment"),
        (("[overspeed]", "overspeed = 1\n[x]"), "overspeed: a key outside of a rule's table"),
        (("\n[", ROW.replace("[overspeed]", "[underspeed]") + "["), "overspeed.code: F08 is the code of underspeed"),
    ],
)
def test_a_wrong_row_is_refused_by_slug_and_key(change: tuple[str, str], message: str) -> None:
    assert parse(ROW)["overspeed"].severities == ("minor", "critical")
    with pytest.raises(BadCatalogue, match=re.escape(message)):
        parse(ROW.replace(*change))


def test_a_rule_that_is_not_there_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(BadCatalogue, match=r"overspeeed: no such rule in .*; did you mean overspeed\?"):
        entry("overspeeed")


def add(file: Path, after: str, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(after, after + text, 1), encoding="utf-8")


def test_a_language_is_added_to_the_data_alone(tmp_path: Path) -> None:
    """The alert's summary and the pages have it; a text that lacks it is shown in English."""
    for room in ("registry", "dashboards"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    more = 'name.de = "Übergeschwindigkeit"\nsentence.de = "Fährt mit {speed_mps:.2f} m/s"\n'
    add(tmp_path / "registry/catalogue.toml", 'name.en = "Overspeed"\n', more)
    translations = tmp_path / "dashboards/pages/translations.toml"
    add(translations, '"language.name" = { ', 'de = "Deutsch", ')
    add(translations, '"language.tag" = { ', 'de = "de", ')
    add(translations, '"shell.inbox" = { ', 'de = "Eingang", ')
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", IN_GERMAN], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    summary, page = json.loads(ran.stdout)
    assert summary["de"] == "Fährt mit 2.11 m/s"
    assert summary.keys() == {"en", "zh", "de"}
    assert '<html lang="de">' in page
    assert all(text in page for text in ("Eingang", "Übergeschwindigkeit", "Ascending overspeed", ">中文</a>"))
