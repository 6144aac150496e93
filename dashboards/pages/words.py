"""Every text a person reads, in each language, from one file (`words.toml`).

A text is found by its key; `{name}` in it is filled from the arguments; `one|many` is chosen by the argument `n`.
The pages speak the languages that have a `language.name`; a text that lacks one of them is shown in English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

ENGLISH = "en"
COOKIE = "lang"
HAN = re.compile(r"[\u3400-\u9fff]")


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return all texts by key and language."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def languages() -> tuple[str, ...]:
    """Return the languages that the pages speak."""
    return tuple(texts()["language.name"])


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return all texts of one language by key."""
    return {key: by_language.get(language, by_language[ENGLISH]) for key, by_language in texts().items()}


def phrase(text: str, **values: object) -> str:
    """Return `text` with its form for `n` chosen and its names filled in."""
    one, many, *_ = (*text.split("|"), text)
    chosen = one if "|" not in text or values.get("n") == 1 else many
    return re.sub(r"\{(\w+)\}", lambda name: str(values.get(name[1], name[0])), chosen)


def speaker(language: str) -> Callable[..., str]:
    """Return a function from key and values to a text of `language`."""
    by_key = catalogue(language)
    return lambda key, **values: phrase(by_key[key], **values)


def own_half(text: str, language: str) -> str:
    """Return the reader's half of a name that is written in both languages (`中文 · English`), else the name."""
    halves = text.split(" · ")
    chinese = [bool(HAN.search(half)) for half in halves]
    if sorted(chinese) != [False, True]:
        return text
    return halves[chinese.index(language == "zh")]


def choose(asked: str | None, kept: str | None, accepted: str | None) -> str:
    """Return the language to speak: what the address asks for, else what was kept, else what the browser prefers."""
    for language in (asked, kept):
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
