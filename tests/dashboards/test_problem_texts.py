"""Problems of the forms of people, organisations and devices in Chinese: every sentence has a translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic_core import PydanticKnownError

from dashboards.api.refused.texts import from_templates
from dashboards.http.problem import REMEDIES, Problem, field_error, invalid_request
from dashboards.pages import translations
from dashboards.pages.problems.texts import EVERY_SENTENCE, in_language, problem_texts
from tests.dashboards.test_refusal_texts import holes, parts

ROOT = Path(__file__).parents[2]
FOLDERS = ("dashboards", "alerts")
SOURCES = (
    *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))),
    *(
        ROOT / name
        for name in (
            "registry/ways.py", "registry/organisations.py", "registry/people.py", "registry/devices.py",
            "registry/device_csv.py", "registry/fact_checks.py", "registry/lift_facts.py",
            "registry/duty/roster_checks.py", "registry/duty/public_holidays.py", "store/records/outbox/ways.py",
            "store/records/identity/accounts.py", "store/records/identity/organisations.py",
            "store/records/identity/people.py", "store/records/identity/sessions.py",
            "store/records/identity/administrators.py",
            "store/records/changes/second_person.py", "store/records/page.py", "store/records/incidents/actions.py",
            "store/records/duty/policies.py", "commands/wiring/broker_files.py",
        )
    ),
)  # fmt: skip
"""Every module that raises problems, and those whose errors become problems."""
SENTENCES_OF = {"Problem": (2,), "forbidden": (0,), "field_error": (1,), "InvalidFact": (0, 1), "FieldError": (1, 2),
                "TooManyWays": (0,), "TooManyTokens": (0,), "_invalid": (1,),
                "NameTaken": (0,), "LastAdministrator": (0,), "FactsError": (0,), "pattern": (1,),
                "self.fail": (1, 2), "reader.fail": (1, 2), "inner.fail": (1, 2), "invalid_field": (1,),
                "Refused": (1,), "NotDecidable": (1,), "BadCursor": (0,), "unavailable": (0,), "not_found": (0,),
                "NotUtf8": (0,), "too_many": (0,), "_too_many": (0,)}  # fmt: skip
"""The calls that make errors, and which of their arguments are sentences."""
BEGINNINGS = ("unavailable",)
"""The calls whose sentence is followed by the reason."""
BUILT = "detail"
"""The variable that holds the sentence of a problem which is too long for its call."""


def sentences() -> Iterator[str]:
    """Yield every sentence of an error in the sources, with a name in place of each value."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            for call, expression in _expressions(node):
                text = "".join(parts(expression))
                if text.replace("value", "").strip("; :."):
                    yield f"{text}: value" if call in BEGINNINGS else text


def _expressions(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the expressions of sentences of a node, each with its call."""
    if isinstance(node, ast.Call):
        call = ast.unparse(node.func)
        for place in SENTENCES_OF.get(call, ()):
            if place < len(node.args):
                yield call, node.args[place]
    is_built = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == BUILT
    if is_built and isinstance(node.value, ast.Constant | ast.JoinedStr):
        yield BUILT, node.value


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_every_sentence_of_an_error_is_translated(sentence: str) -> None:
    translated = from_templates(sentence, EVERY_SENTENCE)
    assert translated is not None
    assert not any(part in translated for part in (" the ", " is ", " a "))


def test_the_sources_have_sentences() -> None:
    assert len(set(sentences())) > 200


ERRORS_OF_PYDANTIC: dict[str, dict[str, Any]] = {
    "string_type": {}, "bool_type": {}, "int_type": {}, "int_parsing": {}, "float_type": {}, "float_parsing": {},
    "finite_number": {}, "list_type": {}, "dict_type": {}, "model_attributes_type": {},
    "literal_error": {"expected": "'a' or 'b'"}, "greater_than_equal": {"ge": 1}, "less_than_equal": {"le": 9},
    "greater_than": {"gt": 1}, "less_than": {"lt": 9}, "string_too_short": {"min_length": 2},
    "string_too_long": {"max_length": 9}, "string_pattern_mismatch": {"pattern": "^[a-z]+$"},
    "too_short": {"field_type": "List", "min_length": 1, "actual_length": 0},
    "too_long": {"field_type": "List", "max_length": 9, "actual_length": 10},
}  # fmt: skip
"""The kinds of errors that bodies and queries of the API can have, each with its values."""


@pytest.mark.parametrize("kind", ERRORS_OF_PYDANTIC)
def test_every_error_of_a_field_that_pydantic_finds_is_translated(kind: str) -> None:
    message = PydanticKnownError(kind, ERRORS_OF_PYDANTIC[kind] or None).message()  # type: ignore[arg-type]
    assert from_templates(message, EVERY_SENTENCE) is not None, message


def test_every_sentence_of_the_framework_is_translated() -> None:
    for _, sentence in REMEDIES.values():
        assert from_templates(sentence, EVERY_SENTENCE) is not None, sentence


def test_a_problem_of_any_origin_is_in_the_language_of_the_reader(client: TestClient) -> None:
    for method, path, more in (
        ("GET", "/api/v1/nothing", {}),
        ("GET", "/api/v1/lifts/NOBODY", {}),
        ("GET", "/api/v1/lifts?cursor=x", {}),
        ("GET", "/api/v1/lifts?limit=x", {}),
        ("PUT", "/api/v1/lifts", {}),
        ("POST", "/api/v1/lifts", {"content": "{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/api/v1/lifts/import", {"content": "{", "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/api/v1/lifts", {"json": {}, "headers": {"Origin": "http://elsewhere.example"}}),
        ("GET", "/api/v1/lifts", {"headers": {"Authorization": "Bearer lw_x"}}),
        ("GET", "/api/v1/lifts", {"headers": {"Host": "elsewhere.example"}}),
        ("PATCH", "/api/v1/lifts/L001", {"json": {"name": "x"}, "headers": {"If-Match": '"old"'}}),
    ):
        more["headers"] = {"Accept-Language": "zh", **more.get("headers", {})}
        answer = client.request(method, path, **more)
        document = answer.json()
        assert answer.status_code >= 400, path
        for text in (document["title"], document["detail"], *(each["detail"] for each in document.get("errors", ()))):
            assert re.search("[\u4e00-\u9fff]", text), (method, path, text)


@pytest.mark.parametrize("speed", ["x", 99])
def test_a_problem_in_chinese_keeps_the_names_of_fields_and_names_units_in_chinese(
    client: TestClient, speed: object
) -> None:
    answer = client.patch("/api/v1/lifts/L001", json={"rated_speed_mps": speed}, headers={"Accept-Language": "zh"})
    assert re.findall("[a-z_]{2,}", answer.json()["detail"]) == ["rated_speed_mps"]
    assert "以米每秒为单位" in answer.json()["detail"]


def test_a_problem_in_chinese_names_a_field_with_its_label() -> None:
    problem = in_language(invalid_request([field_error("until", "is missing")]), "zh")
    assert (problem.detail, problem.field_errors[0]["field"]) == ("until（截止时间）：未填写。", "until")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 421, 422, 429, 500, 503, 507])
def test_the_title_of_every_problem_is_translated(status: int) -> None:
    assert re.search("[\u4e00-\u9fff]", in_language(Problem(status, "x", "x"), "zh").title)


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
