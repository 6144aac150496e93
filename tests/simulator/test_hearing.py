"""The rules, held against a world that knows nothing of them: each hears its causes, and none hears a healthy fleet."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from simulator.causes import CAUSES
from simulator.fleet import fleet
from simulator.world import World
from tests.simulator.hearing import first_heard_s, rules_heard
from tests.simulator.story import MORNING, NIGHT, START_NS

LIFTS = 6
SLACK_S = 2.0
BRAKING_S = 2.0
DELAY_S = {
    "entrapment-off-level": BRAKING_S + 30.0,
    "entrapment-at-level": 90.0,
    "stop-outside-zone": BRAKING_S + 15.0,
    "emergency-stop": BRAKING_S,
    "overspeed": 2.0,
    "door-close-fault": 20.0,
    "door-open-fault": 10.0,
    "door-cycling": 45.0,  # five cycles of this world's doors
    "door-held-open": 120.0,
    "offline": 360.0,
}
"""How long it takes from the first symptom until a rule speaks; the others speak at once."""


def test_no_rule_hears_anything_in_a_healthy_morning() -> None:
    facts = fleet(40, seed=5)
    assert rules_heard(facts, World(facts, 5, START_NS, hour=MORNING), 900) == {}


HEARD = [slug for slug, cause in CAUSES.items() if set(cause.rules) & set(BY_SLUG)]


@pytest.mark.parametrize("slug", HEARD)
def test_a_cause_is_heard_in_time_by_the_rules_that_its_row_names(slug: str) -> None:
    cause, facts = CAUSES[slug], fleet(LIFTS, seed=3)
    expected = {rule for rule in cause.rules if rule in BY_SLUG}
    world = World(facts, 3, START_NS, hour=NIGHT)
    for lift in facts:
        world.inject(lift.lift_id, slug)
    heard = first_heard_s(facts, world, int(cause.default_s + 3 * cause.soon_s) + 60)
    deaf = {k: expected - set(heard.get(k, ())) for k in range(LIFTS) if expected - set(heard.get(k, ()))}
    assert deaf == {}
    times = [(k, rule, heard[k][rule]) for k in heard for rule in expected]
    assert [late for late in times if late[2] > DELAY_S.get(late[1], 0.0) + SLACK_S] == []
