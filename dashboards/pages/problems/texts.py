"""Problems of forms in the language of the page: the label of each field, then what is wrong and the remedy.

The sentences are those of the registry and of the API, which are English; `sentences` has their translations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dashboards.api.refused.texts import from_templates
from dashboards.http.problem import Problem, field_error
from dashboards.pages import translations
from dashboards.pages.problems.duty_sentences import DUTY_SENTENCES
from dashboards.pages.problems.field_sentences import FIELD_SENTENCES
from dashboards.pages.problems.incident_sentences import INCIDENT_SENTENCES
from dashboards.pages.problems.request_sentences import REQUEST_SENTENCES
from dashboards.pages.problems.sentences import SENTENCES

FIELDS_NAMED = 3
EVERY_SENTENCE = (
    *SENTENCES[:-1],
    *INCIDENT_SENTENCES,
    *REQUEST_SENTENCES,
    *FIELD_SENTENCES,
    *DUTY_SENTENCES,
    SENTENCES[-1],
)
"""The last one, of a fault and its remedy, matches most of them."""
_PART = re.compile(r"([a-z_]+)(?:\[(\d+)\])?")


def problem_texts(problem: Problem, language: str) -> list[str]:
    """Return the sentences of a problem: one for each field, or one in all where no field is named."""
    texts = translations.catalogue(language)
    if problem.status_code == 412:
        return [texts["organisations.changed"]]
    if not problem.field_errors:
        return [translated_detail(str(problem.detail), language)]
    return [
        texts["problem.field"].format(
            field=_label(each["field"], texts), detail=translated_detail(each["detail"], language)
        )
        for each in problem.field_errors
    ]


def in_language(problem: Problem, language: str) -> Problem:
    """Return a problem of the API with its title and its sentences in a language; fields keep their names."""
    if language == translations.ENGLISH:
        return problem
    title = translated_detail(problem.title, language)
    errors = [field_error(each["field"], translated_detail(each["detail"], language)) for each in problem.field_errors]
    texts = translations.catalogue(language)
    of_fields = "".join(
        texts["problem.field"].format(field=_labelled(each["field"], texts), detail=each["detail"])
        for each in errors[:FIELDS_NAMED]
    )
    detail = of_fields or translated_detail(str(problem.detail), language)
    return Problem(problem.status_code, problem.slug, detail, errors, _headers(problem), title)


def _headers(problem: Problem) -> dict[str, str] | None:
    return None if problem.headers is None else dict(problem.headers)


def _labelled(field: str, texts: Mapping[str, str]) -> str:
    """Return the name of a field as in the request, with its label where it has one."""
    label = _label(field, texts)
    return field if label == field else f"{field}（{label}）"


def _label(field: str, texts: Mapping[str, str]) -> str:
    """Return the label of a field, as `steps[0].every_s`, by the labels of its parts."""
    for key in (f"field.{field}", f"fact.{field}"):
        if key in texts:
            return texts[key]
    parts = [_PART.fullmatch(part) for part in field.split(".")]
    if not all(parts):
        return field
    found = [(texts.get(f"field.{part[1]}", part[1]), part[2]) for part in parts if part is not None]
    return " · ".join(name if number is None else f"{name} {int(number) + 1}" for name, number in found)


def translated_detail(detail: str, language: str) -> str:
    """Return an English sentence in a language; a sentence without a translation stays English."""
    return detail if language != "zh" else from_templates(detail, EVERY_SENTENCE) or detail
