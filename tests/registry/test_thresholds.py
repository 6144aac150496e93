"""Every fact on which the judgement of a rule depends is a threshold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.catalogue import RULES
from detectors.rule_files.columns import FACTS, OF_LANDINGS, needs_of
from registry.facts import NEEDS, FleetFacts, LiftFacts
from registry.thresholds import THRESHOLD_FACTS, changes_threshold, with_facts_of


def test_every_fact_that_a_rule_needs_is_a_threshold() -> None:
    needed = {need for rule in RULES for need in rule.needs} | set(needs_of([*FACTS, *OF_LANDINGS]))
    assert needed == set(NEEDS)
    assert needed <= set(THRESHOLD_FACTS)


def test_every_column_of_facts_that_rules_compare_with_is_a_threshold() -> None:
    of_fact = {"landings_m": "floors", "top_m": "floors", "barometer": "position_source"}
    columns = {of_fact.get(name, name) for name in FleetFacts.__dataclass_fields__ if name != "lacking"}
    assert columns == set(THRESHOLD_FACTS)


@pytest.mark.parametrize(("before", "after"), [("tape", "barometer"), ("barometer", "absolute")])
def test_another_source_of_the_position_changes_a_threshold(before: str, after: str) -> None:
    lift = LiftFacts("A17", "north", position_source=before)
    changed = replace(lift, position_source=after, name="Tower")
    assert changes_threshold(lift, changed)
    assert with_facts_of(lift, changed, THRESHOLD_FACTS) == replace(lift, name="Tower")
    assert not changes_threshold(lift, replace(lift, name="Tower"))
