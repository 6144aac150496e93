"""The rules on a simulated world: each fires for its causes, and none fires for a healthy fleet."""

from __future__ import annotations

import pytest

from simulator.buildings.fleet import building_of, fleet
from simulator.buildings.groups import GROUP_LIMIT
from simulator.faults.cause_table import CAUSES
from simulator.faults.labels import Label
from simulator.faults.symptom_table import BY_SLUG as BY_SYMPTOM
from simulator.world.world import World
from tests.simulator.recorded_world import MORNING, NIGHT, START_NS
from tests.simulator.rule_findings import fired_rules, first_firing_s

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
    "door-obstructed": 100.0,
    "motor-run-limit": 60.0,
    "power-loss": 2.0,
    "offline": 360.0,
}
"""How long it takes from the first symptom until a rule fires; the others fire at once."""


def test_no_rule_fires_in_a_healthy_morning_not_even_in_a_busy_group_of_eight() -> None:
    building, facts = building_of(range(40), seed=5), fleet(40, seed=5)
    world = World(facts, 5, START_NS, hour=MORNING)
    assert fired_rules(facts, world, 900) == {}
    group = next(world.cars.group[b] for b in building if building.count(b) == GROUP_LIMIT)
    journeys = world.cars.passengers.journeys.columns()
    assert ((journeys["group"] == group) & (journeys["left_s"] < 600)).sum() > 150


@pytest.mark.parametrize("hour", [12.0, 17.0])
def test_no_rule_fires_in_a_busy_group_of_eight(hour: float) -> None:
    building = building_of(range(2_000), seed=5)
    first = next(b for b in building if building.count(b) == GROUP_LIMIT)
    facts = fleet(first + GROUP_LIMIT, seed=5)[first:]
    world = World(facts, 5, START_NS, first=first, hour=hour)
    assert fired_rules(facts, world, 600) == {}
    assert world.cars.passengers.journeys.made > 150


HOLD_S = {
    "entrapment-off-level": 31.0,
    "entrapment-at-level": 91.0,
    "stop-outside-zone": 16.0,
    "emergency-stop": 0.6,
    "overspeed": 2.4,
    "falls-too-fast": 0.5,
    "door-close-fault": 21.0,
    "door-open-fault": 11.0,
    "door-opened-running": 0.5,
    "door-cycling": 46.0,
    "door-held-open": 121.0,
    "door-obstructed": 101.0,
    "motor-run-limit": 61.0,
    "power-loss": 3.0,
    "offline": 361.0,
}
"""How long a symptom has to last until its rule must fire; the others have no hold time."""
TESTED_RULES = (
    "alarm-button", "door-close-fault", "door-cycling", "door-held-open", "door-obstructed", "door-open-fault",
    "door-opened-running", "emergency-stop", "entrapment-at-level", "entrapment-off-level", "motor-run-limit",
    "offline", "overspeed", "overspeed-up", "overtravel-bottom", "overtravel-top", "power-loss",
    "start-door-open", "stop-outside-zone", "unintended-movement",
)  # fmt: skip
TESTED_CAUSES = [
    slug for slug, cause in CAUSES.items() if set(cause.rules) & set(TESTED_RULES) and cause.default_s <= 600
]


Findings = tuple[dict[int, dict[str, float]], list[Label]]


@pytest.fixture(scope="session")
def findings() -> Findings:
    """When each rule first fired on each lift, and the labels, of one night in which each cause strikes `LIFTS` lifts
    of its own."""
    causes, facts = [CAUSES[slug] for slug in TESTED_CAUSES], fleet(LIFTS * len(TESTED_CAUSES), seed=5)
    assert not any(cause.whole_building for cause in causes), "its lifts would not be its own"
    world = World(facts, 5, START_NS, hour=NIGHT)
    for k, lift in enumerate(facts):
        world.inject(lift.lift_id, TESTED_CAUSES[k // LIFTS])
    return first_firing_s(facts, world, max(int(cause.default_s + 3 * cause.onset_delay_s) + 60 for cause in causes))


@pytest.mark.parametrize("slug", TESTED_CAUSES)
def test_the_rules_of_a_causes_symptoms_fire_in_time(slug: str, findings: Findings) -> None:
    cause, (delays_s, labels), first = CAUSES[slug], findings, TESTED_CAUSES.index(slug) * LIFTS
    due = {
        (label.lift, rule)
        for label in labels
        if label.lift in range(first, first + LIFTS) and label.symptom in (*cause.symptoms, *cause.may_show)
        for rule in BY_SYMPTOM[label.symptom].rules
        if rule in TESTED_RULES
        and label.symptom_end_s - label.symptom_onset_s >= HOLD_S.get(label.symptom, HOLD_S.get(rule, 0.0))
    }
    assert {rule for _, rule in due} or slug in ("network-cut", "vandals-jump")
    assert {(k, rule) for k, rule in due if rule not in delays_s.get(k, {})} == set()
    late = [(k, rule) for k, rule in due if delays_s[k][rule] > DELAY_S.get(rule, 0.0) + SLACK_S]
    assert late == []
