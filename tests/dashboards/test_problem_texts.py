"""Problems of the forms of people, organisations and devices in Chinese: every sentence has a translation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.api.refused.texts import chinese
from dashboards.http.problem import Problem, field_error, invalid_request
from dashboards.pages import translations
from dashboards.pages.problems.texts import EVERY_SENTENCE, problem_texts
from tests.dashboards.test_refusal_texts import holes, parts

ROOT = Path(__file__).parents[2]
SOURCES = (
    "dashboards/sign_in/own_ways.py", "registry/ways.py", "store/records/outbox/ways.py",
    "dashboards/sign_in/administration.py", "dashboards/api/device_administration.py", "dashboards/pages/devices.py",
    "registry/organisations.py", "registry/people.py", "registry/devices.py", "registry/device_csv.py",
    "registry/fact_checks.py", "registry/duty/roster_checks.py", "registry/duty/public_holidays.py",
    "alerts/escalation/policy_checks.py", "dashboards/api/duty/policies.py", "dashboards/api/duty/rosters.py",
    "dashboards/api/duty/calendars.py", "store/records/identity/accounts.py", "store/records/identity/organisations.py",
    "store/records/identity/people.py", "store/records/identity/administrators.py", "commands/wiring/broker_files.py",
)  # fmt: skip
SENTENCES_OF = {"Problem": (2,), "forbidden": (0,), "field_error": (1,), "InvalidFact": (0, 1), "FieldError": (1, 2),
                "TooManyWays": (0,), "_invalid": (1,),
                "NameTaken": (0,), "LastAdministrator": (0,), "FactsError": (0,), "pattern": (1,),
                "self.fail": (1, 2), "reader.fail": (1, 2), "inner.fail": (1, 2), "invalid_field": (1,)}  # fmt: skip
"""The calls that make errors, and which of their arguments are sentences."""
CHECKS_OF_LIFTS = (
    "floors", "_landings", "_label", "_split", "_list", "_pair",
    "unknown_field",
)  # fmt: skip
"""Checks of facts that no form of these pages has."""


def sentences() -> Iterator[str]:
    """Yield every sentence of an error in the sources, with a name in place of each value."""
    for source in SOURCES:
        tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
        tree.body = [each for each in tree.body if getattr(each, "name", "") not in CHECKS_OF_LIFTS]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for place in SENTENCES_OF.get(ast.unparse(node.func), ()):
                    text = "".join(parts(node.args[place])) if place < len(node.args) else ""
                    if text.replace("value", "").strip("; :."):
                        yield text


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_every_sentence_of_an_error_is_translated(sentence: str) -> None:
    translated = chinese(sentence, EVERY_SENTENCE)
    assert translated is not None
    assert not any(part in translated for part in (" the ", " is ", " a "))


def test_the_sources_have_sentences() -> None:
    assert len(set(sentences())) > 50


def test_a_template_and_its_translation_have_the_same_holes() -> None:
    for english, translated in EVERY_SENTENCE:
        assert holes(english) == holes(translated), english


def test_every_field_that_an_error_names_has_a_label() -> None:
    texts = translations.catalogue("zh")
    named = {"kind", "name", "name_en", "name_zh", "districts", "telephones", "duty_telephone", "address", "settings",
             "login", "role", "organisation", "organisation_id", "is_disabled", "language", "lift", "gateway", "lifts",
             "device_id", "credential", "csv", "row", "confirm"}  # fmt: skip
    assert {f"field.{name}" for name in named} <= texts.keys()


def test_a_problem_is_one_sentence_for_each_field_with_the_label_of_the_page() -> None:
    problem = invalid_request(
        [field_error("name_en", "has 300 characters; write at most 200"), field_error("login", "?")]
    )
    assert problem_texts(problem, "en") == [
        "Name in English: has 300 characters; write at most 200.", "Login: ?.",
    ]  # fmt: skip
    assert problem_texts(problem, "zh")[0] == "英文名称：有 300 个字符；最多 200 个。"
    alone = Problem(409, "own-account", "You cannot disable your own account.")
    assert problem_texts(alone, "zh") == ["不能停用自己的账号。"]
    assert problem_texts(Problem(412, "changed-meanwhile", ""), "zh") == ["内容已被他人更改，请核对后再保存。"]
