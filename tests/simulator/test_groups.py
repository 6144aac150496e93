"""Lift groups: dispatching, collective control, and ranges that cut through a building."""

from __future__ import annotations

import numpy as np
import pytest

from registry.facts import Floor, LiftFacts
from simulator.buildings.fleet import ESTATE_LIFTS, building_of, fleet, neighbours
from simulator.buildings.groups import GROUP_LIMIT, Groups
from simulator.buildings.passengers import DOWN, EMPTY_SLOT, UP
from simulator.buildings.stop_times import REVERSAL_SHARE, SENT_BACK_LIMIT
from simulator.cars import collective_control, dispatcher
from simulator.cars.state import REST, RUN
from simulator.world.world import World
from telemetry.streams import CLOSING, OPENING
from tests.simulator.recorded_world import START_NS, world

SEED = 1
PITCH_M = 3.5


def tower(lifts: int, floors: int = 20) -> World:
    """Return a quiet office of so many lifts; nobody comes by himself."""
    landings = tuple(Floor(str(k), k * PITCH_M) for k in range(floors))
    facts = LiftFacts("tower", "north", building_type="office", rated_speed_mps=1.75, floors=landings)
    w = World([facts] * lifts, SEED, START_NS, hour=10.0, buildings=[0] * lifts)
    w.cars.arrivals.next_s[:] = np.inf
    return w


def stand(w: World, floors: list[int]) -> None:
    """Put the cars at rest at these floors."""
    cars, every = w.cars, np.arange(len(floors))
    cars.floor[:] = cars.target[:] = floors
    cars.trajectories.z[:] = cars.lifts.height(every, cars.floor)
    cars.phase[:], cars.due_s[:], cars.heading[:] = REST, np.inf, 0


def call(w: World, origin: int, target: int) -> None:
    """Let one person of 75 kg come to a landing now."""
    one = np.array([0])
    at = (one, w._begin_s[:1], np.array([origin]), np.array([target]), np.array([75.0]))
    w.cars.passengers.arrive(*at)


def test_a_call_goes_to_the_car_that_is_there_first() -> None:
    w = tower(3)
    stand(w, [0, 9, 19])
    call(w, 12, 3)
    w.step()
    assert w.cars.hall_call[:, DOWN, 12].tolist() == [False, True, False]
    assert w.cars.hall_call.sum() == 1


def test_a_running_car_stops_for_a_new_call_ahead_of_it() -> None:
    w = tower(1)
    stand(w, [19])
    call(w, 15, 0)
    stops = []
    for _ in range(90):
        w.step()
        if w.cars.phase[0] == RUN and w.cars.riders[0] and w.cars.target[0] == 0 and not stops:
            call(w, 5, 0)
            stops.append("called")
        if stops and w.cars.target[0] == 5:
            stops.append("diverted")
            break
    assert stops == ["called", "diverted"]
    journeys = w.cars.passengers.journeys
    while journeys.made < 2:
        w.step()
        assert w.seconds < 300
    assert len(set(journeys.columns()["left_s"] // 10)) == 1, "both leave at the terminal, together"


def test_a_car_serves_all_calls_upwards_before_any_downwards() -> None:
    w = tower(1)
    stand(w, [0])
    for origin, target in ((4, 0), (2, 8), (6, 12), (10, 0)):
        call(w, origin, target)
    journeys = w.cars.passengers.journeys
    while journeys.made < 4:
        w.step()
        assert w.seconds < 400
    columns = journeys.columns()
    order = columns["origin"][np.argsort(columns["boarded_s"])]
    assert order.tolist() == [2, 6, 10, 4]


def test_a_queue_longer_than_a_car_holds_calls_a_second_car() -> None:
    w = tower(4)
    stand(w, [0, 5, 9, 15])
    for _ in range(25):
        call(w, 2, 12)
    for _ in range(4):
        w.step()
    assert w.cars.hall_call[:, UP, 2].sum() == 3


def test_the_calls_of_a_car_out_of_service_go_to_the_others() -> None:
    w = tower(2)
    stand(w, [8, 0])
    call(w, 19, 0)
    w.step()
    assert w.cars.hall_call[0, DOWN, 19]
    w.cars.homing[0] = True  # as one that was stuck goes home
    w.step()
    assert w.cars.hall_call[:, DOWN, 19].tolist() == [False, True]


def test_estimated_arrival_follows_the_path_of_collective_control() -> None:
    w = tower(1)
    stand(w, [5])
    cars, one = w.cars, np.array([[0]])
    cars.heading[0] = 1
    cars.car_call[0, 10] = True
    speed, stop_s = cars.lifts.rated_mps[0], cars.lifts.stop_s[0]

    def floors(sense: int, floor: int, stops: int) -> float:
        eta_s = dispatcher.estimated_arrival_s(cars, one, np.array([sense]), np.array([floor]), w._begin_s)[0, 0]
        return float((eta_s - stops * stop_s) * speed / PITCH_M)

    assert floors(1, 8, 0) == pytest.approx(3)
    assert floors(1, 12, 1) == pytest.approx(7)
    assert floors(-1, 8, 1) == pytest.approx(5 + 2)
    assert floors(1, 3, 1) == pytest.approx(5 + 7)


def test_full_collective_control_turns_only_when_nothing_is_left_ahead() -> None:
    w = tower(1)
    stand(w, [5])
    cars, one, none = w.cars, np.array([0]), np.zeros((1, 2), dtype=np.bool_)
    cars.heading[0] = 1
    cars.car_call[0, 3] = cars.hall_call[0, DOWN, 9] = True
    collective_control.choose_direction(cars, one, none)
    assert cars.heading[0] == 1
    assert collective_control.next_stop(cars, one, np.array([6]), np.array([1])) == 9
    cars.hall_call[0, DOWN, 9] = False
    collective_control.choose_direction(cars, one, none)
    assert cars.heading[0] == -1
    assert collective_control.next_stop(cars, one, np.array([4]), np.array([-1])) == 3


def test_groups_have_one_to_eight_cars_and_never_straddle_estates() -> None:
    building = building_of(range(6_000), SEED)
    sizes = {building.count(b) for b in set(building)}
    assert sizes == set(range(1, GROUP_LIMIT + 1))
    assert all(b // ESTATE_LIFTS == k // ESTATE_LIFTS for k, b in enumerate(building))
    lifts = fleet(6_000, SEED)
    assert all(lifts[b].floors == lifts[k].floors and lifts[b].lat == lifts[k].lat for k, b in enumerate(building))


def test_neighbours_are_the_rest_of_the_buildings_that_a_range_cuts() -> None:
    building, lifts = building_of(range(400), SEED), fleet(400, SEED)
    for first, n in ((3, 1), (17, 5), (100, 60), (41, 300)):
        beside = neighbours(first, n, SEED)
        cut = set(building[first : first + n])
        assert sorted([*beside, *range(first, first + n)]) == [k for k in range(400) if building[k] in cut]
        assert all(lifts[k] == fact for k, fact in beside.items())


def test_a_group_is_refused_that_is_too_large() -> None:
    with pytest.raises(ValueError, match="buildings: a group has at most 8 lifts"):
        Groups(np.zeros(9, dtype=np.int64), np.arange(9))


def test_a_building_of_lifts_with_different_floors_is_refused() -> None:
    with pytest.raises(ValueError, match="buildings: 2 names for 3 lifts"):
        World(fleet(3, SEED), SEED, START_NS, buildings=[0, 0])
    short, tall = (
        LiftFacts("x", "north", rated_speed_mps=1.0, floors=(Floor("1", 0.0), Floor("2", m))) for m in (3, 4)
    )
    with pytest.raises(ValueError, match="buildings: the lifts of a building have the same floors"):
        World([short, tall], SEED, START_NS, buildings=[0, 0])


def test_a_lift_is_simulated_alone_as_beside_the_others_of_its_building() -> None:
    building = building_of(range(2_000), SEED)
    first = next(b for b in building if building.count(b) == GROUP_LIMIT)
    facts = fleet(first + GROUP_LIMIT, SEED)[first:]
    more = {"hour": 8.0, "faults_per_lift_hour": 10.0}
    whole = World(facts, SEED, START_NS, first=first, **more)
    alone = [World([facts[k]], SEED, START_NS, first=first + k, **more) for k in (0, 3, 7)]
    for _ in range(240):
        together, single = whole.step(), [w.step() for w in alone]
        for k, second in zip((0, 3, 7), single, strict=True):
            assert np.array_equal(second.v_mps[0], together.v_mps[k])
            assert np.array_equal(second.z_m[0], together.z_m[k])
            assert second.door.of(0) == together.door.of(k)
            assert second.infrared.of(0) == together.infrared.of(k)
            assert [label.onset_s for label in second.labels] == [
                label.onset_s for label in together.labels if label.lift == k
            ]
    assert whole.cars.passengers.journeys.made > 10
    assert all(len(w) == 1 and len(w.cars.phase) == GROUP_LIMIT for w in alone)


def test_doors_are_sent_back_as_often_as_the_hour_is_busy_and_never_three_times_in_a_row() -> None:
    share = {}
    for hour in (8.0, 10.0):
        w = world(lifts=60, seed=8, hour=hour)
        closings = back = 0
        for _ in range(400):
            before = w.cars.reopenings.copy()
            second = w.step()
            closings += int((second.door.values == CLOSING).sum())
            back += int((w.cars.reopenings > before).sum())
            assert w.cars.reopenings.max() <= SENT_BACK_LIMIT
        share[hour] = back / closings
    assert REVERSAL_SHARE[0] < share[10.0] < share[8.0] < REVERSAL_SHARE[1]


def test_a_car_about_to_arrive_opens_although_its_passengers_are_gone() -> None:
    w = tower(2)
    stand(w, [0, 19])
    call(w, 6, 0)
    while w.cars.phase[0] != RUN:
        w.step()
    w.cars.passengers.state[0] = EMPTY_SLOT
    w.cars.passengers.waiting[0] = 0
    opened = False
    for _ in range(30):
        opened |= bool((w.step().door.values == OPENING).any())
    assert opened
    assert w.cars.floor[0] == 6
