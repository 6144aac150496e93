"""The catalogue's rules and the operator's own, with the thresholds that `[rules.<slug>]` changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from commands.errors import Unusable, nearest
from commands.wiring.own_rules import own_rules
from configuration import Configuration
from detectors.catalogue import BY_SLUG, RULES
from detectors.rule import UNTIMED, Rule
from registry.catalogue import SEVERITIES

TIMES = ("hold_s", "clear_s")
SHARED = {("overspeed-up", "dangerous"): "overspeed"}
"""Thresholds that a rule takes from another rule: with two values, a speed between them would raise no alert."""


def tuned_rules(settings: Configuration, files: Iterable[Path] = ()) -> tuple[Rule, ...]:
    """Return the catalogue's rules and one's own, those of `files` too, with the thresholds of the configuration."""
    rules = (*RULES, *own_rules(settings, files))
    known = {rule.slug for rule in rules}
    for slug in settings.rules:
        if slug not in known:
            raise Unusable(f"rules.{slug}: no such rule{nearest(slug, known)}")
    return tuple(tuned(rule, _changes(settings, rule.slug)) for rule in rules)


def changed_thresholds(settings: Configuration) -> dict[str, float]:
    """Return the thresholds that differ from the catalogue's, as `slug.name`."""
    return {
        f"{slug}.{name}": value
        for slug, changes in settings.rules.items()
        for name, value in changes.items()
        if slug in BY_SLUG and tuned(BY_SLUG[slug], {name: value}) != BY_SLUG[slug]
    }


def _changes(settings: Configuration, slug: str) -> dict[str, float]:
    """Return the changes of a rule's thresholds, with those that it shares with another rule."""
    changes = dict(settings.rules.get(slug, {}))
    for (sharing, name), owner in SHARED.items():
        if slug == sharing and name in changes:
            raise Unusable(f"rules.{slug}.{name}: set rules.{owner}.{name} instead, which holds for both rules")
        if slug == sharing and name in settings.rules.get(owner, {}):
            changes[name] = settings.rules[owner][name]
    return changes


def tuned(rule: Rule, changes: Mapping[str, float]) -> Rule:
    """Return `rule` with other thresholds of its detector, and other `{severity}_hold_s` and `{severity}_clear_s`."""
    times = {f"{SEVERITIES[level.severity]}_{name}" for level in rule.levels for name in TIMES}
    detector, known = with_thresholds(rule.detector, changes)
    for name in changes:
        if name not in known | times:
            raise Unusable(f"rules.{rule.slug}.{name}: no such threshold{nearest(name, known | times)}")
    levels = tuple(
        dataclasses.replace(level, **{name: changes.get(f"{severity}_{name}", getattr(level, name)) for name in TIMES})
        for level, severity in ((level, SEVERITIES[level.severity]) for level in rule.levels)
    )
    for level in levels if rule.table in UNTIMED else ():
        for name in TIMES:
            if getattr(level, name) > 0.0:
                key = f"rules.{rule.slug}.{SEVERITIES[level.severity]}_{name}"
                raise Unusable(f"{key}: must be 0: no time is counted over {rule.table}, so the rule would never fire")
    return dataclasses.replace(rule, detector=detector, levels=levels)


def with_thresholds(detector: Any, changes: Mapping[str, float]) -> tuple[Any, set[str]]:
    """Return `detector` with other values for its numbers, and the names of its numbers.

    The numbers of a compiled recurrence stand in a named tuple of their own, `limits` of the emergency stop.
    """
    known, values = set(), {}
    for field in dataclasses.fields(detector):
        value = getattr(detector, field.name)
        if field.type in ("float", "int"):
            known.add(field.name)
            values[field.name] = changes.get(field.name, value)
        elif hasattr(value, "_asdict"):
            known |= set(value._fields)
            values[field.name] = value._replace(**{name: changes[name] for name in value._fields if name in changes})
    return dataclasses.replace(detector, **values), known
