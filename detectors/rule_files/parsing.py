"""A rule file (TOML) as rules: every key is checked, and an error names line and column.

[slow-start]                       the slug, as in alerts and on pages
code = "X01"
table = "trips"                    rows, trips, features or arrivals
severity = "minor"
when = "peak_mps < 0.5 * rated_speed_mps AND ABS(distance_m) > 6"
readings = 2
name.en = "Slow start"
sentence.en = "Greatest speed {peak_mps:.2f} m/s"
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from detectors.rule import UNTIMED, Level, Rule
from detectors.rule_files.columns import COLUMNS, names_of, needs_of
from detectors.rule_files.condition import ConditionDetector
from detectors.rule_files.expression import BadExpression, Expression, condition, quantity
from detectors.rule_files.places import KeyPlaces
from registry.catalogue import CHECKS, SEVERITIES, KeyCheck, closest

RULES_LIMIT = 200
NAME_LIMIT, SENTENCE_LIMIT = 80, 400
TIME_LIMIT_S, COUNT_LIMIT = 7 * 86_400.0, 1000
EVIDENCE_LIMIT = 12
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CODE = re.compile(r"[A-EG-Z][A-Z0-9]{1,7}")
QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,39}")
FORMAT = re.compile(r"(\.\d)?[f%]?")
"""The formats of numbers in a sentence: no width, with which a short text would make a long one."""


class BadRuleFile(ValueError):
    """A rule file cannot be used: one line for each fault, `NAME:line:column: slug.key: what and the remedy`."""


def _text(limit: int) -> Callable[[Any], bool]:
    return lambda value: (
        CHECKS["name"][0](value)
        and all(len(text) <= limit and text.isprintable() and text.strip() for text in value.values())
    )


def _between(low: float, high: float, kinds: tuple[type, ...] = (int, float)) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds and math.isfinite(value) and low <= value <= high


_EXPRESSION: KeyCheck = (lambda value: isinstance(value, str), "an expression in quotes")
_TIME: KeyCheck = (_between(0, TIME_LIMIT_S), f"seconds from 0 to {TIME_LIMIT_S:.0f}")
_COUNT: KeyCheck = (_between(1, COUNT_LIMIT, (int,)), f"a whole number from 1 to {COUNT_LIMIT}")
KEYS: Mapping[str, KeyCheck] = {
    "code": (
        lambda value: isinstance(value, str) and CODE.fullmatch(value) is not None,
        "2 to 8 capitals and digits that begin with another letter than F, such as X01",
    ),
    "table": (lambda value: value in COLUMNS, f"one of {', '.join(COLUMNS)}"),
    "severity": (lambda value: value in SEVERITIES, f"one of {', '.join(SEVERITIES)}"),
    "when": _EXPRESSION,
    "clear": _EXPRESSION,
    "evidence": (
        lambda value: (
            isinstance(value, dict)
            and len(value) <= EVIDENCE_LIMIT
            and all(QUANTITY.fullmatch(name) and isinstance(text, str) for name, text in value.items())
        ),
        f"at most {EVIDENCE_LIMIT} names in small letters, each with an expression in quotes",
    ),
    "hold_s": _TIME,
    "clear_s": _TIME,
    "fold_s": _TIME,
    "readings": _COUNT,
    "clear_readings": _COUNT,
    "by_hand": CHECKS["always_judged"],
    "always_judged": CHECKS["always_judged"],
    "incident": CHECKS["incident"],
    "codes": CHECKS["codes"],
    "name": (_text(NAME_LIMIT), f"a line of at most {NAME_LIMIT} characters for each language, English among them"),
    "sentence": (
        _text(SENTENCE_LIMIT),
        f"a line of at most {SENTENCE_LIMIT} characters for each language, English among them",
    ),
}
NEEDED = ("code", "table", "severity", "when", "name", "sentence")


def parse(text: str, file_name: str) -> tuple[Rule, ...]:
    """Return the rules of a file; raise BadRuleFile with all its faults."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        line, column = where.groups() if where and where[1] else (text.count("\n") + 1, 1)
        raise BadRuleFile(f"{file_name}:{line}:{column}: not TOML: {str(error).partition(' (at ')[0]}") from None
    except RecursionError:
        raise BadRuleFile(f"{file_name}:1:1: not a rule file: values nested too deeply") from None
    if len(tables) > RULES_LIMIT:
        raise BadRuleFile(f"{file_name}:1:1: {len(tables)} rules; a file may have {RULES_LIMIT}")
    reading, rules = _Reading(file_name, KeyPlaces(text)), list[Rule]()
    for slug, row in tables.items():
        if (rule := reading.rule(slug, row)) is not None:
            rules.append(rule)
    for name in ("slug", "code"):
        reading.refuse_twice(rules, name)
    if reading.faults:
        raise BadRuleFile("\n".join(reading.faults))
    return tuple(rules)


class _Reading:
    """The reading of one file, which collects its faults."""

    def __init__(self, file_name: str, places: KeyPlaces) -> None:
        self.faults: list[str] = []
        self._file_name, self._places = file_name, places

    def rule(self, slug: str, row: Any) -> Rule | None:
        """Return a rule, or None and note its faults."""
        before = len(self.faults)
        if not isinstance(row, dict):
            self._fault(slug, "", "a key outside of a rule's table; tables begin with [slug]")
            return None
        if not SLUG.fullmatch(slug) or len(slug) > 48:
            self._fault(slug, "", "a slug is small letters and digits joined by single hyphens, at most 48 characters")
        self._check_keys(slug, row)
        if len(self.faults) > before:
            return None
        detector = self._detector(slug, row)
        if detector is None:
            return None
        self._check_sentences(slug, row["sentence"], {name for name, _ in detector.evidence})
        self._check_times(slug, row)
        if len(self.faults) > before:
            return None
        return _rule(slug, row, detector)

    def refuse_twice(self, rules: list[Rule], name: str) -> None:
        """Note a fault where two rules have the same slug or code."""
        seen: dict[str, str] = {}
        for rule in rules:
            value = getattr(rule, name)
            if (first := seen.setdefault(value, rule.slug)) != rule.slug:
                self._fault(rule.slug, name, f"{value} is the {name} of {first}")

    def _check_keys(self, slug: str, row: Mapping[str, Any]) -> None:
        for key in NEEDED:
            if key not in row:
                self._fault(slug, "", f"{key} is missing; must be {KEYS[key][1]}")
        for key, value in row.items():
            if key not in KEYS:
                self._fault(slug, key, f"no such key{closest(key, KEYS)}")
            elif not KEYS[key][0](value):
                self._fault(slug, key, f"{value!r:.80} must be {KEYS[key][1]}")

    def _detector(self, slug: str, row: Mapping[str, Any]) -> ConditionDetector | None:
        """Return the detector of the row's expressions, or None and note their faults."""
        before, columns = len(self.faults), names_of(row["table"])
        when = self._expression(slug, "when", row["when"], columns, condition)
        clear = self._expression(slug, "clear", row["clear"], columns, condition) if "clear" in row else None
        texts = row.get("evidence", {name: name for name in when.columns} if when else {})
        evidence = {
            name: self._expression(slug, f"evidence.{name}", text, columns, quantity) for name, text in texts.items()
        }
        if when is None or len(self.faults) > before:
            return None
        return ConditionDetector(
            row["table"], when, clear, tuple((name, each) for name, each in evidence.items() if each)
        )

    def _expression(
        self, slug: str, key: str, text: str, columns: tuple[str, ...], parse_as: Callable[..., Expression]
    ) -> Expression | None:
        try:
            return parse_as(text, columns)
        except BadExpression as error:
            self._fault(slug, key, str(error), text, error.at)
            return None

    def _check_sentences(self, slug: str, sentences: Mapping[str, str], evidence: set[str]) -> None:
        for language, sentence in sentences.items():
            key = f"sentence.{language}"
            try:
                parts = list(Formatter().parse(sentence))
            except ValueError as error:
                self._fault(slug, key, f"{error}; write {{{{ and }}}} for brackets themselves")
                continue
            for _, name, layout, conversion in parts:
                if name is not None and name not in evidence:
                    self._fault(slug, key, f"{{{name:.40}}} is no evidence{closest(name, dict.fromkeys(evidence))}")
                elif name is not None and (conversion or not FORMAT.fullmatch(layout or "")):
                    self._fault(slug, key, f"{{{name}:{layout:.20}}}: write a format such as {{{name}:.2f}}")

    def _check_times(self, slug: str, row: Mapping[str, Any]) -> None:
        for key in ("hold_s", "clear_s"):
            if row["table"] in UNTIMED and row.get(key, 0) > 0:
                count = "readings" if key == "hold_s" else "clear_readings"
                self._fault(slug, key, f"over {row['table']} no time can be counted; use {count}")

    def _fault(self, slug: str, key: str, text: str, expression: str = "", at: int = 0) -> None:
        line, column = self._places.find(slug, key, expression, at)
        name = "".join(letter if letter.isprintable() else "?" for letter in f"{slug}.{key}".rstrip("."))
        self.faults.append(f"{self._file_name}:{line}:{column}: {name:.100}: {text}")


def _rule(slug: str, row: Mapping[str, Any], detector: ConditionDetector) -> Rule:
    is_timed = row["table"] in ("rows", "arrivals")
    level = Level(
        SEVERITIES.index(row["severity"]),
        hold_s=row.get("hold_s", 0.0),
        readings=row.get("readings", 2 if is_timed else 1),
        clear_s=row.get("clear_s", 0.0),
        clear_readings=row.get("clear_readings", 2 if is_timed else 1),
        by_hand=row.get("by_hand", False),
    )
    return Rule(
        code=row["code"],
        slug=slug,
        detector=detector,
        levels=(level,),
        name=row["name"],
        sentence=row["sentence"],
        always_judged=row.get("always_judged", False),
        needs=needs_of(detector.columns),
        fold_s=row.get("fold_s", 60.0),
        codes=row.get("codes", {}),
        table=row["table"],
        incident=row.get("incident"),
    )
