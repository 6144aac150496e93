"""The texts of the pages in every language, from `translations.toml`.

A text is found by its key; `{name}` is replaced by the argument of that name; `one|many` is selected by the argument
`n`. The pages support the languages that have a `language.name`; a text that lacks a language is shown in English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

ENGLISH = "en"
COOKIE = "lang"


@cache
def all_texts() -> Mapping[str, Mapping[str, str]]:
    """Return all texts by key and language."""
    return tomllib.loads(Path(__file__).with_name("translations.toml").read_text(encoding="utf-8"))


def languages() -> tuple[str, ...]:
    """Return the languages that the pages support."""
    return tuple(all_texts()["language.name"])


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return all texts of one language by key."""
    return {key: by_language.get(language, by_language[ENGLISH]) for key, by_language in all_texts().items()}


def format_text(text: str, **values: object) -> str:
    """Return `text` with its form for `n` selected and its placeholders replaced."""
    one, many, *_ = (*text.split("|"), text)
    chosen = one if "|" not in text or values.get("n") == 1 else many
    return re.sub(r"\{(\w+)\}", lambda name: str(values.get(name[1], name[0])), chosen)


def translator(language: str) -> Callable[..., str]:
    """Return a function from a key and values to the text in `language`."""
    by_key = catalogue(language)
    return lambda key, **values: format_text(by_key[key], **values)


def choose_language(requested: str | None, remembered: str | None, accepted: str | None) -> str:
    """Return the language of a page: that of the URL, else that of the cookie, else the browser's preference."""
    for language in (requested, remembered):
        if language in languages():
            return language
    ranked = []
    for place, entry in enumerate((accepted or "").split(",")):
        tag, _, quality = entry.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        ranked.append((-weight, place, tag.strip().lower()[:2]))
    return next((tag for weight, _, tag in sorted(ranked) if tag in languages() and weight < 0), ENGLISH)
