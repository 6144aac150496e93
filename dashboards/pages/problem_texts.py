"""Problems of forms in the language of the page: the label of each field, then what is wrong and the remedy.

The sentences are those of the registry and of the API, which are English; `problem_sentences` has their translations.
"""

from __future__ import annotations

from dashboards.api.refused.texts import chinese
from dashboards.http.problem import Problem
from dashboards.pages import translations
from dashboards.pages.problem_sentences import SENTENCES


def problem_texts(problem: Problem, language: str) -> list[str]:
    """Return the sentences of a problem: one for each field, or one in all where no field is named."""
    texts = translations.catalogue(language)
    if problem.status_code == 412:
        return [texts["organisations.changed"]]
    if not problem.field_errors:
        return [translated_detail(str(problem.detail), language)]
    return [
        texts["problem.field"].format(
            field=texts.get(f"field.{each['field']}", each["field"]), detail=translated_detail(each["detail"], language)
        )
        for each in problem.field_errors
    ]


def translated_detail(detail: str, language: str) -> str:
    """Return an English sentence in a language; a sentence without a translation stays English."""
    return detail if language != "zh" else chinese(detail, SENTENCES) or detail
