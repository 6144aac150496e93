"""Near misses raise nothing above minor, with all rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import RULES
from ingest.recordings.replaying import Replay, replay, wider
from registry.fact_checks import BAROMETER
from simulator.buildings.fleet import fleet
from simulator.cars.state import RUN
from simulator.faults.cause_table import CAUSES
from simulator.faults.near_misses import NEAR_MISSES, PARKED_OPEN, WEATHER
from simulator.faults.schedule import FaultRequest
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.fault_plan import fault_requests
from simulator.scenarios.library import read
from simulator.scenarios.scenario import Scenario, scenario_lifts
from simulator.world.world import World
from telemetry.batch import Decoded
from telemetry.streams import CLOSED, INSPECTION, NORMAL
from tests.simulator.recorded_world import NIGHT, START_NS, world

GRAVE = ("critical", "major")
LIFTS, LASTS_S = 4, 250.0


Raised = tuple[list[tuple[str, str]], list[dict[str, Any]]]


def raised(scenario: Scenario, counts: Counter[str] | None = None) -> Raised:
    """Return the grave alerts, each as its lift and its rule, and what truly happened; count that too where wanted."""
    scene = Simulation(scenario, scenario.start_ns)
    run = Replay(scene.facts, RULES, silence=True)
    seconds = decoded_seconds(scene) if counts is None else counting(scene, counts)
    alerts = {change.alert.id: change.alert for changes in replay(run, wider(seconds)) for change in changes}
    grave = [(alert.lift_id, alert.rule) for alert in alerts.values() if alert.severity in GRAVE]
    return grave, scene.labels()


ALONE: dict[str, dict[str, Any]] = {"children-jumping": {"vibration": True}, WEATHER: {"barometers": 1.0}}
"""Near misses that need a world of their own; so do those that come to whole buildings."""
ALONE |= {cause.slug: {} for cause in NEAR_MISSES if cause.whole_building}
TOGETHER = [cause.slug for cause in NEAR_MISSES if cause.slug not in (PARKED_OPEN, *ALONE)]


def raised_by(slugs: list[str], **more: Any) -> Raised:
    """Return what is raised where each of these near misses comes to `LIFTS` lifts of its own."""
    causes = [CAUSES[slug] for slug in slugs for _ in range(LIFTS)]
    faults = [
        {"cause": cause.slug, "lift": number, "spread_s": 20.0, "for_s": min(cause.default_s, LASTS_S)}
        for number, cause in enumerate(causes, 1)
    ]
    return raised(Scenario(lifts=len(faults), seed=7, hour=10.0, hours=0.12, faults=faults, **more))


@pytest.fixture(scope="session")
def together() -> Raised:
    """What is raised in one world of all near misses that any lift may have."""
    return raised_by(TOGETHER)


@pytest.mark.parametrize("slug", [*TOGETHER, *ALONE])
def test_a_near_miss_raises_nothing_above_minor(slug: str, request: pytest.FixtureRequest) -> None:
    grave, labels = raised_by([slug], **ALONE[slug]) if slug in ALONE else request.getfixturevalue("together")
    own = {label["lift_id"] for label in labels if label["cause"] == slug}
    assert len(own) == LIFTS
    assert {(label["cause"], label["kind"]) for label in labels if label["lift_id"] in own} == {(slug, "near-miss")}
    assert [alert for alert in grave if alert[0] in own] == []


def test_no_mechanic_gives_a_lift_back_to_service_while_it_runs_with_its_door_open() -> None:
    lifts = fleet(12, 7)
    plan = [FaultRequest(lift.lift_id, "inspection-run", 10.0 + k, for_s=6.0 + k) for k, lift in enumerate(lifts)]
    world = World(lifts, 7, START_NS, hour=10.0, plan=plan)
    crawled = np.zeros(12, dtype=np.bool_)
    for _ in range(300):
        world.step()
        runs_open = (world.cars.phase == RUN) & (world.cars.door != CLOSED)
        assert (world.cars.mode[runs_open] == INSPECTION).all()
        crawled |= runs_open
    assert crawled.all()
    assert (world.cars.mode == NORMAL).all()


def test_children_jump_in_cars_that_carry_them_and_swing_none_of_them_far() -> None:
    w = world(lifts=40, seed=7, hour=NIGHT)
    for k in range(len(w)):
        w.inject(f"sim-{k + 1:05d}", "children-jumping")
    jumped = np.zeros(len(w), dtype=np.bool_)
    for _ in range(90):
        w.step()
        jumps = w.cars.condition.jumping_kg > 0
        assert (w.cars.riders[jumps & ~jumped] > 0).all()
        jumped |= jumps
        swings = w.motion.lift[jumps[w.motion.lift]]
        bounce_m = np.ptp(w.motion.z_m - w.motion.drive_m, axis=1)[jumps[w.motion.lift]]
        assert bounce_m[w.cars.riders[swings] == 0].max(initial=0.0) < 0.03
        assert bounce_m.max(initial=0.0) < 0.06
    assert jumped.all()


@pytest.mark.long
def test_a_lift_that_is_set_to_park_with_its_door_open_raises_nothing_above_minor() -> None:
    grave, labels = raised(Scenario(lifts=LIFTS, seed=7, hour=10.0, hours=0.3, parked_open=1.0))
    assert {label["cause"] for label in labels} == {PARKED_OPEN}
    assert grave == []


NAMED = {
    "removal", "children-jumping", "long-dwell", "inspection-run", "fire-recall", "firefighter-operation",
    "maintenance-visit", WEATHER, "slow-boarding", "re-levelling-under-load", "short-trips", "night-idleness",
    PARKED_OPEN,
}  # fmt: skip


def test_every_near_miss_has_labels_of_its_name() -> None:
    assert {cause.slug for cause in NEAR_MISSES} >= NAMED


def test_every_near_miss_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8")
    assert [cause.slug for cause in NEAR_MISSES if f"| `{cause.slug}` |" not in page] == []


def test_the_evaluation_has_thirty_of_each_near_miss_and_wind_on_barometers_alone() -> None:
    asked = read("evaluation", {"trials": 0})
    facts = {lift.lift_id: lift for lift in scenario_lifts(asked)}
    plan = fault_requests(asked, list(facts.values()))
    counts = Counter(one.cause for one in plan)
    assert {slug: n for slug, n in counts.items() if slug != PARKED_OPEN} == {
        cause.slug: 30 for cause in NEAR_MISSES if cause.slug != PARKED_OPEN
    }
    assert {facts[one.lift_id].position_source for one in plan if one.cause == WEATHER} == {BAROMETER}
    assert {facts[one.lift_id].parks_door_open for one in plan if one.cause == PARKED_OPEN} == {True}


WORLDS: dict[str, dict[str, Any]] = {
    "weather on a barometer": {"barometers": 1.0, "hour": 10.0, "hours": 0.25},
    "re-levelling under load": {"hour": 8.3, "hours": 0.2, "lifts": 20, "seed": 2},
    "short trips that never reach rated speed": {"hour": 12.0, "hours": 0.2, "lifts": 20, "seed": 3},
    "night idleness": {"hour": 2.0, "hours": 0.5, "idle_hz": 1},
}


def counting(scene: Simulation, counts: Counter[str]) -> Iterator[Decoded]:
    """Yield the seconds of a world, and count what happens in it by itself."""
    world = scene.world
    cars, since = world.cars, np.zeros(len(world))
    before = cars.trajectories.t[0].copy()
    for decoded in decoded_seconds(scene):
        begun = np.flatnonzero(cars.trajectories.t[0] != before)
        begun = begun[begun < len(world)]
        before = cars.trajectories.t[0].copy()
        open_door = cars.door[begun] != CLOSED
        runs, peak_mps = begun[~open_door], np.abs(cars.trajectories.v).max(axis=0)
        counts["re-levellings"] += int(open_door.sum())
        counts["trips"] += len(runs)
        counts["short trips"] += int((peak_mps[runs] < 0.97 * cars.lifts.rated_mps[runs]).sum())
        since[begun] = world.seconds - 1
        counts["idle minutes"] = max(counts["idle minutes"], int((world.seconds - 1 - since).max() / 60))
        yield decoded


CONTAINS: dict[str, Callable[[Counter[str]], bool]] = {
    "weather on a barometer": lambda counts: counts["trips"] > 0,
    "re-levelling under load": lambda counts: counts["re-levellings"] >= 5,
    "short trips that never reach rated speed": lambda counts: 0.1 < counts["short trips"] / counts["trips"] < 0.6,
    "night idleness": lambda counts: counts["idle minutes"] >= 10,
}


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_without_faults_contains_its_situation_and_raises_nothing_above_minor(world: str) -> None:
    counts = Counter[str]()
    assert raised(Scenario(**({"lifts": LIFTS, "seed": 7} | WORLDS[world])), counts) == ([], [])
    assert CONTAINS[world](counts)
