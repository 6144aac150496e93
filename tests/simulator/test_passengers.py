"""Passengers arrive by the hour, reach their targets, and are never lost."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from simulator.buildings import stop_times
from simulator.buildings.fleet import building_of, fleet
from simulator.buildings.passengers import EMPTY_SLOT, NO_PASSENGER, RIDING, SLOTS, WAITING
from simulator.buildings.round_trip import CAPACITY_FACTOR
from simulator.buildings.traffic import DAILY_TRAFFIC, OFFICE, RESIDENTIAL, UP_PEAK
from simulator.cars.state import FAULT_ACTIVE, REST
from simulator.world.world import World
from telemetry.arrays import F64
from telemetry.streams import CLOSING, OPEN
from tests.simulator.recorded_world import MORNING, NIGHT, START_NS, live, longest_s, world

EVENING = 17.0
BODY_LIMIT_KG = 130.0
SEED = 1


def one_building(lifts: int, **more: object) -> World:
    """Return the world of the first building that has so many lifts."""
    plan = building_of(range(2_000), SEED)
    first = next(b for b in plan if plan.count(b) == lifts)
    facts = fleet(first + lifts, SEED)[first:]
    return World(facts, SEED, START_NS, first=first, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [RESIDENTIAL, OFFICE])
@pytest.mark.parametrize("hour", [3.0, 8.0, 12.0, 17.0])
def test_arrivals_have_the_intensity_of_the_hour(kind: int, hour: float) -> None:
    kinds, people = np.array([kind]), np.array([1000.0])
    parties = DAILY_TRAFFIC.rate_per_s(kinds, people, np.array([hour])) * 300
    sizes = DAILY_TRAFFIC.party_size(np.full(20_000, kind), np.random.default_rng(3).random(20_000))
    assert parties * sizes.mean() == pytest.approx(10 * DAILY_TRAFFIC.intensity[kind, int(hour)], rel=0.02)


@pytest.mark.parametrize("kind", [RESIDENTIAL, OFFICE])
@pytest.mark.parametrize("hour", [8.0, 12.0, 17.0])
def test_journeys_have_the_shares_of_the_hour(kind: int, hour: float) -> None:
    n, lobby = 30_000, 2
    random = np.random.default_rng(4)
    shares = np.cumsum([0, 0, 0, 0.1, 0.4, 0.2, 0.3])
    origin, target = DAILY_TRAFFIC.journey(
        np.full(n, kind), np.full(n, hour), np.tile(shares, (n, 1)), np.full(n, lobby), tuple(random.random((4, n)))
    )
    assert (origin != target).all()
    assert (origin <= lobby).mean() == pytest.approx(DAILY_TRAFFIC.incoming[kind, int(hour)], abs=0.01)
    assert (target <= lobby).mean() == pytest.approx(DAILY_TRAFFIC.outgoing[kind, int(hour)], abs=0.01)
    homes = target[(origin == lobby)]
    assert (homes == 4).mean() == pytest.approx(0.4, abs=0.02)
    assert (origin[origin <= lobby] < lobby).mean() == pytest.approx(DAILY_TRAFFIC.basement, abs=0.02)


PEAK_S = 1500


@dataclasses.dataclass
class Peak:
    """A morning, its arrivals in the first 1 200 seconds, and the ways that riders still had to go in the first 500."""

    world: World
    expected: float
    parties: int
    ahead_m: F64


@pytest.fixture(scope="module")
def peak() -> Peak:
    w = world(lifts=80, seed=8, hour=MORNING)
    arrivals, groups = w.cars.arrivals, len(w.cars.groups)
    expected = arrivals.traffic.rate_per_s(arrivals.kind, arrivals.people, np.full(groups, MORNING)) * 1200
    parties, ahead_m = 0, list[F64]()
    for second in range(PEAK_S):
        seen = arrivals.next_s.copy()
        w.step()
        parties += int((arrivals.next_s != seen).sum()) if second < 1200 else 0
        if second < 500:
            ahead_m.append(still_ahead_m(w))
    return Peak(w, float(expected.sum()), parties, np.concatenate(ahead_m))


def still_ahead_m(w: World) -> F64:
    """Return how far the target of each rider of a moving car is from where the car will stop, along its way."""
    cars, people = w.cars, w.cars.passengers
    group, slot = np.nonzero(people.state == RIDING)
    car = people.car[group, slot]
    _, v, _ = cars.trajectories.at(np.arange(len(cars.phase)), w._begin_s)
    displacement_m = cars.lifts.height(car, people.target[group, slot]) - cars.trajectories.end_m[car]
    return (np.sign(v[car]) * displacement_m)[np.abs(v[car]) > 0.3]


def test_arrivals_are_a_poisson_process_in_each_building(peak: Peak) -> None:
    assert peak.parties == pytest.approx(peak.expected, rel=0.1)


@pytest.fixture(scope="module")
def runs_a_day() -> dict[int, float]:
    """How often a lift of each kind of building runs in a day."""
    runs = Counter[int]()
    for hour in range(1, 24, 2):
        w = world(lifts=60, seed=8, hour=float(hour), offices=0.4)
        kinds = w.cars.lifts.kind[:60]
        for second in range(600):
            before = w.cars.trajectories.t[0].copy()
            w.step()
            runs.update(kinds[(w.cars.trajectories.t[0] != before)[:60]].tolist() if second >= 200 else ())
    return {kind: runs[kind] * 18 / int((kinds == kind).sum()) for kind in (RESIDENTIAL, OFFICE)}


@pytest.mark.long
@pytest.mark.parametrize(("kind", "low", "high"), [(RESIDENTIAL, 80, 300), (OFFICE, 500, 1700)])
def test_lifts_run_as_often_in_a_working_day_as_real_ones(
    kind: int, low: int, high: int, runs_a_day: dict[int, float]
) -> None:
    """Homes have 80 to 300 runs a lift; an office's 400 000 a year are 1 600 on each of 250 working days."""
    assert low < runs_a_day[kind] < high


def test_arrivals_do_not_depend_on_the_cars() -> None:
    sound, broken = world(lifts=40, seed=8), world(lifts=40, seed=8)
    for k in range(40):
        broken.inject(f"sim-{k + 1:05d}", "door-open-button-stuck", 300.0)
    for _ in range(200):
        sound.step()
        broken.step()
    assert np.array_equal(sound.cars.arrivals.next_s, broken.cars.arrivals.next_s)
    assert broken.cars.passengers.journeys.made < sound.cars.passengers.journeys.made


@pytest.mark.parametrize("hour", [MORNING, EVENING])
def test_passengers_load_and_calls_agree_at_every_second(hour: float) -> None:
    w = world(lifts=40, seed=8, hour=hour, faults_per_lift_hour=4.0)
    cars, people = w.cars, w.cars.passengers
    for _ in range(400):
        w.step()
        group, slot = np.nonzero(people.state == RIDING)
        car, mass_kg = people.car[group, slot], people.mass_kg[group, slot]
        inside = cars.person_in_doorway[car] != slot  # who is just stepping through is counted when through
        leaving = ~inside & ~cars.entering[car]
        riders = np.bincount(car[inside | leaving], minlength=len(cars.phase))
        assert np.array_equal(riders, cars.riders)
        assert np.bincount(car[inside | leaving], mass_kg[inside | leaving], len(cars.phase)) == pytest.approx(
            cars.load_kg
        )
        assert (cars.group[car] == group).all()
        waiting = np.zeros_like(people.waiting)
        group, slot = np.nonzero(people.state == WAITING)
        origin, target = people.origin[group, slot], people.target[group, slot]
        np.add.at(waiting, (group, (target < origin).astype(int), origin), 1)
        assert np.array_equal(waiting, people.waiting)
    assert people.journeys.made > 100


@pytest.mark.parametrize("hour", [MORNING, 12.0, EVENING])
def test_a_car_never_carries_a_passenger_away_from_the_target(hour: float, peak: Peak) -> None:
    ahead_m = peak.ahead_m
    if hour != MORNING:
        w, seconds = world(lifts=60, seed=8, hour=hour), list[F64]()
        for _ in range(500):
            w.step()
            seconds.append(still_ahead_m(w))
        ahead_m = np.concatenate(seconds)
    assert ahead_m.min() > -0.1
    assert len(ahead_m) > 1000


def test_passengers_wait_longer_in_the_peak_and_reach_their_target(peak: Peak) -> None:
    waits = {}
    quiet = world(lifts=80, seed=8, hour=NIGHT)
    for _ in range(PEAK_S):
        quiet.step()
    for hour, w in ((NIGHT, quiet), (MORNING, peak.world)):
        journeys = w.cars.passengers.journeys.columns()
        waits[hour] = journeys["boarded_s"] - journeys["came_s"]
        assert (waits[hour] >= 0).all()
        assert (journeys["left_s"] - journeys["boarded_s"] > 5).all()
        assert (journeys["origin"] != journeys["target"]).all()
    assert len(waits[MORNING]) > 10 * len(waits[NIGHT])
    assert 10 < np.mean(waits[MORNING]) < 60
    assert np.percentile(waits[MORNING], 99) < 300


def test_a_car_is_filled_to_80_percent_and_the_next_car_takes_the_others() -> None:
    w = one_building(lifts=4, hour=MORNING, traffic=UP_PEAK)
    cars, fullest, left_behind = w.cars, np.zeros(4), 0
    for _ in range(900):
        w.step()
        fullest = np.maximum(fullest, cars.load_kg)
        left_behind += cars.passengers.waiting.sum() > 0
    assert (fullest <= CAPACITY_FACTOR * cars.lifts.rated_kg + BODY_LIMIT_KG / 2).all()
    assert (fullest > 0.7 * cars.lifts.rated_kg).all()
    assert left_behind > 800
    came = cars.passengers.journeys.columns()
    first_in_line = np.argsort(came["came_s"])
    boarded = came["boarded_s"][first_in_line]
    assert (boarded[1:] - boarded[:-1] > -60).all(), "nobody waits while others who came later are carried"


def test_passengers_without_a_slot_are_counted() -> None:
    crowd = dataclasses.replace(UP_PEAK, intensity=10 * UP_PEAK.intensity)
    w = one_building(lifts=1, hour=MORNING, traffic=crowd)
    people = w.cars.passengers
    while not people.turned_away.sum():
        w.step()
        assert w.seconds < 2_000
    assert (people.state != EMPTY_SLOT).sum() == SLOTS


def test_idle_cars_park_at_the_main_terminal_in_an_up_peak_and_spread_otherwise() -> None:
    for hour, spread in ((8.0, 0.0), (10.0, 0.2)):
        w = one_building(lifts=3, hour=hour)
        w.cars.arrivals.next_s[:] = np.inf
        for _ in range(150):
            w.step()
        assert (w.cars.phase == REST).all()
        away = (w.cars.floor - w.cars.lifts.lobby) / w.cars.lifts.floors
        assert np.ptp(away) >= spread
        assert away.min() == 0.0


@pytest.mark.parametrize("hour", [0.0, 4.0, 11.0, 22.0])
def test_fifty_lifts_run_at_any_hour(hour: float) -> None:
    story = live(world(lifts=50, seed=1, hour=hour), 300)
    assert (np.abs(story.v) > 0.1).any(axis=0).sum() >= 3


def test_passengers_who_waited_during_an_entrapment_board_afterwards() -> None:
    w = one_building(1, hour=NIGHT)
    one, cars = np.array([0]), w.cars
    w.inject(w._id[0], "controller-frozen-at-landing", 60.0)
    while cars.stage[0] != FAULT_ACTIVE:
        w.step()
    for _ in range(6):
        target = (cars.floor[one] + 2) % cars.lifts.floors[one]
        cars.passengers.arrive(one, w.begin_s, cars.floor[one], target, np.array([75.0]))
    while cars.stage[0] == FAULT_ACTIVE:
        w.step()
    before = cars.passengers.journeys.made
    story = live(w, 120)
    assert longest_s(story.door[:, 0] == OPEN) < 30
    assert cars.passengers.journeys.made - before >= 5


@pytest.mark.parametrize("share", ["HOLD_SHARE", "REVERSAL_SHARE"])
def test_only_passengers_hold_doors_or_send_them_back(monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    monkeypatch.setattr(stop_times, share, {"HOLD_SHARE": 1.0, "REVERSAL_SHARE": (1.0, 1.0)}[share])
    w = world(lifts=80, seed=8, hour=NIGHT)
    cars, people = w.cars, w.cars.passengers
    before, blocked, deserted = cars.presence, 0, 0
    for _ in range(1200):
        waited = people.waiting[cars.group, :, cars.floor].any(axis=1)
        w.step()
        waits = people.waiting[cars.group, :, cars.floor].any(axis=1) | waited
        stands = cars.curtain & (cars.person_in_doorway == NO_PASSENGER)
        assert not (stands & ~cars.presence & ~before & ~waits).any()
        before, blocked = cars.presence, blocked + int(stands.sum())
        deserted += int(((cars.door == CLOSING) & ~cars.presence).sum())
    assert blocked > 10
    assert deserted > 10
