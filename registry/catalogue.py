"""The catalogue of rules as data: names, sentences, codes and severities of rules.

`catalogue.toml` beside this module is the only place of names, sentences, codes and severities. A rule's own
module adds its detector and levels. A row that lacks a key, or has one too many, is an error that names both.
Rules of an operator's own are added as the command starts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from registry.incident_kinds import INCIDENT_KINDS

SEVERITIES = ("trend", "minor", "major", "critical")
GROUPS = ("life-safety", "door-and-levelling", "trend", "other")


class BadCatalogue(ValueError):
    """The catalogue has no such rule, or a row of it is wrong: names the slug, the key, and what it may be."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One rule of the catalogue; the keys are explained at the head of `catalogue.toml`."""

    slug: str
    code: str
    severities: tuple[str, ...]
    group: str
    name: Mapping[str, str]
    sentence: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    always_judged: bool = False
    sensing: bool = False
    expected_after_s: float = 0.0
    incident: str | None = None


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) and text for text in value.values())


def _severities(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value == [one for one in SEVERITIES if one in value]


KeyCheck = tuple[Callable[[Any], bool], str]
"""Whether a value fits, and what it must be."""
CHECKS: dict[str, KeyCheck] = {
    "code": (lambda value: isinstance(value, str) and bool(value), "a text such as F08"),
    "severities": (_severities, f"a list of {', '.join(SEVERITIES)}, each once and in this order"),
    "group": (lambda value: value in GROUPS, f"one of {', '.join(GROUPS)}"),
    "name": (lambda value: _texts(value) and "en" in value, "a text for each language, English among them"),
    "sentence": (lambda value: _texts(value) and "en" in value, "a text for each language, English among them"),
    "codes": (_texts, "a text for each table of codes"),
    "always_judged": (lambda value: isinstance(value, bool), "true or false"),
    "sensing": (lambda value: isinstance(value, bool), "true or false"),
    "expected_after_s": (lambda value: type(value) in (int, float) and value >= 0, "a number of seconds"),
    "incident": (lambda value: value in INCIDENT_KINDS, f"one of {', '.join(INCIDENT_KINDS)}"),
}
NEEDED = ("code", "severities", "group", "name")


def parse(text: str) -> dict[str, CatalogueEntry]:
    """Return the rules of a catalogue by slug, in its order; raise BadCatalogue where a row is wrong."""
    entries = {slug: _entry(slug, row) for slug, row in tomllib.loads(text).items()}
    slug_of: dict[str, str] = {}
    for slug, entry in entries.items():
        if slug_of.setdefault(entry.code, slug) != slug:
            raise BadCatalogue(f"{slug}.code: {entry.code} is the code of {slug_of[entry.code]}")
    return entries


def _entry(slug: str, row: Any) -> CatalogueEntry:
    if not isinstance(row, dict):
        raise BadCatalogue(f"{slug}: a key outside of a rule's table; tables begin with [slug]")
    for key in NEEDED:
        if key not in row:
            raise BadCatalogue(f"{slug}.{key}: is missing; must be {CHECKS[key][1]}")
    for key, value in row.items():
        if key not in CHECKS:
            raise BadCatalogue(f"{slug}.{key}: no such key{closest(key, CHECKS)}")
        fits, wanted = CHECKS[key]
        if not fits(value):
            raise BadCatalogue(f"{slug}.{key}: {value!r} must be {wanted}")
    return CatalogueEntry(slug=slug, **{**row, "severities": tuple(row["severities"])})


_own: dict[str, CatalogueEntry] = {}


def catalogue() -> Mapping[str, CatalogueEntry]:
    """Return the rules of `catalogue.toml` by slug, F01 first, and then those that the command has added."""
    return {**shipped(), **_own} if _own else shipped()


def add_own(entries: Iterable[CatalogueEntry]) -> None:
    """Make these the rules of the operator's own, in place of those before; the command does so once, as it starts.

    Raise BadCatalogue where a slug or a code is one of `catalogue.toml`, or stands twice.
    """
    own: dict[str, CatalogueEntry] = {}
    for entry_ in entries:
        for other in (*shipped().values(), *own.values()):
            if entry_.slug == other.slug or entry_.code == other.code:
                what = "slug" if entry_.slug == other.slug else "code"
                raise BadCatalogue(f"{entry_.slug}.{what}: {getattr(entry_, what)} is the {what} of {other.slug}")
        own[entry_.slug] = entry_
    _own.clear()
    _own.update(own)


@cache
def shipped() -> Mapping[str, CatalogueEntry]:
    """Return the rules of `catalogue.toml` by slug."""
    return parse(resources.files("registry").joinpath("catalogue.toml").read_text(encoding="utf-8"))


def entry(slug: str) -> CatalogueEntry:
    """Return the rule of that slug; raise BadCatalogue where there is none."""
    try:
        return catalogue()[slug]
    except KeyError:
        raise BadCatalogue(f"{slug}: no such rule in registry/catalogue.toml{closest(slug, catalogue())}") from None


def closest(name: str, known: Mapping[str, object]) -> str:
    """Return a hint at the known name that is most like `name`, "" where none is."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
