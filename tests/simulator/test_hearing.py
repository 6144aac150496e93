"""The rules, held against a world that knows nothing of them: each hears its causes, and none hears a healthy fleet."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from simulator.faults import CAUSES
from simulator.fleet import fleet
from simulator.world import World
from tests.simulator.hearing import rules_heard
from tests.simulator.story import MORNING, NIGHT, START_NS

LIFTS = 6


def test_no_rule_hears_anything_in_a_healthy_morning() -> None:
    facts = fleet(40, seed=5)
    assert rules_heard(facts, World(facts, 5, START_NS, hour=MORNING), 900) == {}


HEARD = [slug for slug, cause in CAUSES.items() if set(cause.rules) & set(BY_SLUG)]


@pytest.mark.parametrize("slug", HEARD)
def test_a_cause_is_heard_by_the_rules_that_its_row_names(slug: str) -> None:
    cause, facts = CAUSES[slug], fleet(LIFTS, seed=3)
    expected = {rule for rule in cause.rules if rule in BY_SLUG}
    world = World(facts, 3, START_NS, hour=NIGHT)
    for lift in facts:
        world.inject(lift.lift_id, slug)
    heard = rules_heard(facts, world, int(cause.default_s + 3 * cause.soon_s) + 60)
    deaf = {k: expected - set(heard[k]) for k in range(LIFTS) if expected - set(heard[k])}
    assert deaf == {}
