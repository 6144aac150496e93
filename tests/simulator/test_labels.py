"""Labels equal a plain loop over the noise-free state, however the fleet is cut."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.faults import labels
from simulator.faults.car_causes import CAR
from simulator.faults.cause import FAULT, FORMS, GROWING, INTERMITTENT, SUDDEN
from simulator.faults.cause_table import BY_NUMBER, CAUSES, InvalidFaultRequest
from simulator.faults.door_causes import DOOR
from simulator.faults.labels import Label
from simulator.faults.schedule import DURATION_LIMITS, YEAR_S, FaultRequest, Schedule
from simulator.faults.symptom_table import BY_SLUG, SYMPTOMS
from simulator.maths.calendar import DAY_S, Calendar
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from simulator.world.world import World
from tests.simulator.naive_symptoms import NAIVE, WHILE_IMPAIRED, WHILE_MOVING, naive
from tests.simulator.recorded_world import MORNING, NIGHT, START_NS

FAULTS = {slug: cause for slug, cause in CAUSES.items() if cause.kind == "fault"}

LIFTS = 12


def plan_of(slugs: list[str], lifts: int, **more: object) -> list[FaultRequest]:
    """Plan these causes, one after the other, for as many lifts."""
    return [FaultRequest(f"sim-{k + 1:05d}", slugs[k % len(slugs)], 5.0 + k, **more) for k in range(lifts)]  # type: ignore[arg-type]


def lived(w: World, seconds: int) -> list[Label]:
    found = [label for _ in range(seconds) for label in w.step().labels]
    return found + w.unfinished()


def in_order(rows: list[Label], first: int = 0) -> list[tuple[object, ...]]:
    """Return rows as they would be written, sorted, without the range that they were lived in."""
    written = [labels.row(row, f"sim-{first + row.lift + 1:05d}", Calendar(START_NS)) for row in rows]
    return sorted(tuple(map(str, row.values())) for row in written)


BLOCK = 40
"""How many lifts have faults of one form where the forms share a world: two estates, so whole buildings."""
Rows = list[tuple[object, ...]]


@pytest.fixture(scope="session")
def cuts() -> list[Rows]:
    """The labels of one world, a block of lifts for each form: of the whole, and of its parts, simulated anew."""
    lifts, plan = BLOCK * len(FORMS), list[FaultRequest]()
    for k in range(lifts):
        form, at = FORMS[k // BLOCK], k % BLOCK
        how = {"form": form, "for_s": 90.0, "growth_days": 60.0 / DAY_S}
        plan.append(FaultRequest(f"sim-{k + 1:05d}", list(FAULTS)[at % len(FAULTS)], 5.0 + at, **how))
    facts = fleet(lifts, seed=4)

    def of(first: int, last: int) -> Rows:
        w = World(facts[first:last], 4, START_NS, first=first, hour=MORNING, plan=plan, faults_per_lift_hour=4.0)
        return in_order(lived(w, 200), first)

    return [of(0, lifts), sorted([*of(0, lifts // 2), *of(lifts // 2, lifts)])]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_gives_the_same_labels_however_the_fleet_is_cut(form: str, cuts: list[Rows]) -> None:
    first = BLOCK * FORMS.index(form)
    own = {f"sim-{k + 1:05d}" for k in range(first, first + BLOCK)}
    whole, parted = ([row for row in rows if row[0] in own] for rows in cuts)
    assert parted == whole
    assert len({row[1] for row in whole}) >= 30


PASSENGER_SYMPTOMS = {
    "person-shut-in-off-level",
    "person-shut-in-at-level",
    "door-does-not-open",
    "runs-empty",
    "doorway-blocked",
}
DOORS = set(NAIVE) - set(WHILE_MOVING) - set(WHILE_IMPAIRED)
SPOILT = {
    "presence-stuck": PASSENGER_SYMPTOMS,
    "presence-dead": PASSENGER_SYMPTOMS,
    "curtain-dirty": PASSENGER_SYMPTOMS,
    "curtain-dead": PASSENGER_SYMPTOMS,
    "door-sensor-stuck": DOORS,
}
"""Sensors of these lifts report people, curtain and door wrongly; the plain loop reads sensors."""


def showing(slug: str) -> bool:
    """Return whether the symptom of a condition is there without a ride, which by night nobody may take."""
    return not set(WHILE_IMPAIRED).isdisjoint(FAULTS[slug].symptoms)


ALONE = [slug for slug, cause in FAULTS.items() if not cause.whole_building]


@pytest.mark.parametrize("part", range(len(ALONE) // LIFTS + 1))
def test_labels_equal_a_plain_loop_over_the_noise_free_state(part: int) -> None:
    slugs = (ALONE * 2)[part * LIFTS :][:LIFTS]
    hour = (
        NIGHT if any(FAULTS[slug].effect for slug in slugs) else MORNING
    )  # acts send for their rides, conditions wait for somebody's
    plan = plan_of(slugs, LIFTS, form=SUDDEN, for_s=110.0, severity=0.7)
    facts = fleet(LIFTS, 3)
    labels, true = naive(World(facts, 3, START_NS, hour=hour, plan=plan), 200)
    compared = 0
    for lift, of in ((lift, [la for la in labels if la.lift == lift]) for lift in range(LIFTS)):
        onset_s, end_s = of[0].onset_s, of[0].end_s
        for slug, (_, _, after_s) in NAIVE.items():
            if slug in SPOILT.get(slugs[lift], ()):
                continue
            spans = [(max(begin, onset_s), end) for begin, end in true[lift][slug] if end > onset_s + 0.1]
            due = [span for span in spans if span[1] - span[0] > after_s - 1e-6 and span[0] < end_s]
            labelled = sorted((la.symptom_onset_s, la.symptom_end_s) for la in of if la.symptom == slug)
            labelled = [span for span in labelled if span[0] < end_s]
            assert len(labelled) == len(due), (slugs[lift], slug, labelled, due)
            assert np.allclose(labelled, due, atol=0.21) if due else True, (slugs[lift], slug)
            compared += len(due)
    shown = [FAULTS[slug] for slug in slugs if hour == MORNING or FAULTS[slug].effect or showing(slug)]
    assert compared >= len(shown)


def test_the_plain_loop_defines_every_symptom() -> None:
    assert set(NAIVE) == set(BY_SLUG)


def test_a_symptom_begins_with_its_fault_or_later_and_a_row_names_the_rules_of_its_symptom() -> None:
    w = World(fleet(20, 3), 3, START_NS, hour=NIGHT, plan=plan_of(list(FAULTS), 20, for_s=60.0))
    for label in lived(w, 300):
        row = labels.row(label, "sim-00001", Calendar(START_NS))
        assert row["event"] == f"sim-00001/{label.number}"
        assert label.symptom is None or label.symptom_onset_s >= label.onset_s
        assert row["rules"] == list(label.cause.rules if label.symptom is None else BY_SLUG[label.symptom].rules)
        assert 0 <= row["severity"] <= 1  # type: ignore[operator]


INTERMITTENT_S, GROWTH_S, GROWING_S = 1200.0, 900.0, 1600.0


@pytest.fixture(scope="module")
def lasting() -> list[Label]:
    """The labels of one long morning: `LIFTS` lifts have intermittent faults, the next ones a fault that grows."""
    intermittent = ["door-obstruction", "car-stalled-between-floors"]
    growing = plan_of(["door-open-button-stuck"], LIFTS, form=GROWING, for_s=GROWING_S, growth_days=GROWTH_S / DAY_S)
    plan = [
        *plan_of(intermittent, LIFTS, form=INTERMITTENT, for_s=INTERMITTENT_S),
        *(replace(one, lift_id=f"sim-{LIFTS + k + 1:05d}") for k, one in enumerate(growing)),
    ]
    return lived(World(fleet(2 * LIFTS, 3), 3, START_NS, hour=MORNING, plan=plan), round(GROWING_S) + 400)


@pytest.mark.long
def test_an_intermittent_fault_is_one_event_with_several_labels(lasting: list[Label]) -> None:
    rows = [row for row in lasting if row.lift < LIFTS]
    assert {(row.lift, row.number) for row in rows} == {(k, 1) for k in range(LIFTS)}
    times = [len([row for row in rows if row.lift == lift]) for lift in range(LIFTS)]
    assert min(times) >= 2
    assert {round(row.end_s - row.onset_s) for row in rows} == {INTERMITTENT_S}


@pytest.mark.long
def test_a_growing_effect_becomes_more_frequent_until_functional_failure(lasting: list[Label]) -> None:
    for lift in range(LIFTS, 2 * LIFTS):
        mine = [row for row in lasting if row.lift == lift and row.symptom == "door-stays-open"]
        failure_s = mine[0].functional_failure_s
        assert failure_s is not None
        assert failure_s - mine[0].onset_s == pytest.approx(GROWTH_S)
        assert any(row.symptom_end_s > failure_s + 500 for row in mine)


def test_severity_and_onset_are_drawn_unless_given() -> None:
    w = World(fleet(LIFTS, 3), 3, START_NS, hour=NIGHT, plan=plan_of(["network-cut"], LIFTS, severity=0.25))
    assert {row.severity for row in lived(w, 30)} == {0.25}
    plan = [FaultRequest(f"sim-{k + 1:05d}", "network-cut", (10.0, 200.0), for_s=5.0) for k in range(LIFTS)]
    rows = lived(World(fleet(LIFTS, 3), 3, START_NS, plan=plan), 240)
    assert len({row.severity for row in rows}) == len({row.onset_s for row in rows}) == LIFTS
    assert all(10 <= row.onset_s <= 201 for row in rows)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("cause", {"cause": "bad-luck"}),
        ("form", {"form": "sometimes"}),
        ("severity", {"severity": 1.5}),
        ("for_s", {"for_s": 0.0}),
        ("growth_days", {"growth_days": -1.0}),
        ("onset_s", {"onset_s": (5.0, 1.0)}),
    ],
)
def test_an_impossible_fault_request_is_refused_by_field(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidFaultRequest, match=f"^{field}: "):
        FaultRequest(**{"lift_id": "sim-00001", "cause": "power-cut", **wrong})  # type: ignore[arg-type]


def test_every_cause_has_defined_symptoms_and_one_of_the_three_forms() -> None:
    for cause in FAULTS.values():
        assert set(cause.symptoms) <= set(BY_SLUG)
        assert cause.form in (SUDDEN, INTERMITTENT, GROWING)
    assert len(BY_SLUG) == len(SYMPTOMS)


def test_every_rule_of_the_catalogue_has_a_symptom_and_a_cause_that_shows_it() -> None:
    catalogue = Path(__file__).parents[2] / "docs" / "contract.md"
    slugs = set(re.findall(r"F\d\d `([a-z-]+)`", catalogue.read_text(encoding="utf-8")))
    assert len(slugs) == 42
    assert {rule for symptom in SYMPTOMS for rule in symptom.rules} == slugs
    assert {rule for cause in FAULTS.values() for rule in cause.rules} == slugs


def test_the_page_on_the_world_lists_every_symptom() -> None:
    page = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8")
    for symptom in SYMPTOMS:
        rules = ", ".join(f"`{rule}`" for rule in symptom.rules) or "-"
        assert f"| `{symptom.slug}` | {symptom.en} | {rules} |" in page


def test_failure_rates_add_up_to_those_of_real_fleets() -> None:
    stops = [cause for cause in (*CAR, *DOOR) if cause.effect is not None and not cause.effect.alarm]
    a_year = sum(cause.rate_per_year for cause in stops)
    shut_in = sum(c.rate_per_year for c in FAULTS.values() if {s for s in c.symptoms if s.startswith("person-shut-in")})
    assert 0.5 < a_year < 2.0
    assert 0.4 < sum(cause.rate_per_year for cause in stops if cause in DOOR) / a_year < 0.6
    assert 0.04 < shut_in < 0.16


def test_causes_occur_at_their_own_rates() -> None:
    w = World(fleet(200, 6), 6, START_NS, hour=NIGHT, hazard=3000.0)
    faults = {(row.lift, row.number): row.cause for row in lived(w, 300)}
    a_year = sum(cause.rate_per_year for cause in FAULTS.values() if cause.kind == FAULT)
    assert 0.5 < len(faults) / (a_year * 200 * 3000 * 300 / YEAR_S) < 1.5
    assert sum(cause.slug == "network-cut" for cause in faults.values()) > len(faults) / 10


def test_a_large_building_loses_its_mains_no_more_often_than_a_small_one() -> None:
    alone, together = np.arange(400), np.arange(400) // 8 * 8
    only_cuts = np.array([cause.slug == "building-power-cut" for cause in BY_NUMBER[1:]]) * 1e-3
    row = {f"sim-{k:05d}": k for k in range(400)}
    cuts = []
    for building in (alone, together):
        schedule = Schedule([], row, alone, building, 4, only_cuts)
        cuts.append(sum(1 for second in range(3000) for _ in schedule.due(float(second))))
    assert cuts[0] == pytest.approx(400 * 1e-3 * 3000, rel=0.15)
    assert cuts[1] == pytest.approx(cuts[0], rel=0.3)


def test_a_power_cut_strikes_all_lifts_of_a_building_and_no_other() -> None:
    plan = [FaultRequest(f"sim-{k:05d}", "building-power-cut", 60.0) for k in (1, 2)]  # neighbours: it fails once
    w = World(fleet(40, 3), 3, START_NS, hour=MORNING, plan=plan)
    rows = lived(w, 120)
    struck = {row.lift for row in rows}
    assert len({(row.lift, row.number) for row in rows}) == len(struck)
    assert struck == set(np.flatnonzero(w.cars.groups.of == w.cars.groups.of[0]))
    assert (w.cars.battery == np.isin(np.arange(40), sorted(struck))).all()


def test_a_sudden_fault_lasts_as_drawn_around_its_default_and_a_stated_length_is_kept() -> None:
    row, every = {f"sim-{k:05d}": k for k in range(400)}, np.arange(400)
    schedule = Schedule([], row, every, every // 4 * 4, 4, np.zeros(len(BY_NUMBER) - 1))

    def for_s(cause: str, **more: object) -> list[float]:
        return [schedule.draw(FaultRequest(lift_id, cause, **more)).for_s for lift_id in row]  # type: ignore[arg-type]

    default_s = CAUSES["power-cut"].default_s
    lasts_s = np.array(for_s("power-cut"))
    assert len(set(lasts_s)) > 350
    assert np.median(lasts_s) == pytest.approx(default_s, rel=0.1)
    assert np.percentile(lasts_s, 95) == pytest.approx(2.17 * default_s, rel=0.15)
    assert DURATION_LIMITS[0] * default_s <= lasts_s.min() < lasts_s.max() <= DURATION_LIMITS[1] * default_s
    assert set(for_s("power-cut", for_s=90.0)) == {90.0}
    assert set(for_s("long-dwell")) == {CAUSES["long-dwell"].default_s}
    cut = schedule.add(FaultRequest("sim-00001", "building-power-cut"))
    assert len(cut) == 4
    assert len({fault.for_s for fault in cut}) == 1


def test_a_terminal_without_mains_runs_on_its_battery_and_then_goes_offline() -> None:
    w = World(
        fleet(4, 3), 3, START_NS, hour=NIGHT, plan=[FaultRequest("sim-00001", "building-power-cut", 5.0, for_s=300.0)]
    )
    lived(w, 10)
    w.cars.battery_ends_s[0] -= 3590.0 + 10_800.0 * (1 - w.cars.severity[0])
    seconds = [w.step() for _ in range(30)]
    silent = [bool(second.silent[0]) for second in seconds]
    assert silent.index(True) in range(1, 15)
    assert 0 in seconds[silent.index(True)].status
    assert w.status(0) == {"online": False}


def test_a_scenario_may_have_the_hazards_of_a_real_fleet() -> None:
    scene = Simulation(Scenario(lifts=200, seed=6, hours=0.05, hazard=4000.0), START_NS)
    for _ in range(180):
        scene.step()
    scene.ended_labels += scene.world.unfinished()
    assert len({label["event"] for label in scene.labels()}) > 10
