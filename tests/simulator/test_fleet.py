"""The facts of simulated lifts."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pytest

from simulator.buildings.fleet import ESTATE_LIFTS, OLD_DAYS, RATED_SPEED_SHARES, TODAY, building_of, fleet
from telemetry.streams import DISTRICT_PATTERN, LIFT_ID_PATTERN

UNKNOWN_FACTS = ["gateway_id", "speed_source", "bearing_balls", "bearing_ratio", "bearing_contact_deg"]


def test_a_lift_is_the_same_in_a_larger_fleet() -> None:
    assert fleet(130, seed=5)[:33] == fleet(33, seed=5)


def test_another_seed_is_another_fleet() -> None:
    assert fleet(20, seed=5) != fleet(20, seed=6)


def test_every_lift_has_valid_facts() -> None:
    lifts = fleet(500, seed=11)
    assert len({lift.lift_id for lift in lifts}) == 500
    for lift in lifts:
        assert LIFT_ID_PATTERN.fullmatch(lift.lift_id)
        assert DISTRICT_PATTERN.fullmatch(lift.district)
        heights = [floor.height_m for floor in lift.floors]
        assert heights[0] == 0
        assert np.diff(heights).min() >= 2.8
        assert len({floor.label for floor in lift.floors}) == len(heights) >= 6
        assert [name for name in lift.__slots__ if getattr(lift, name) is None] == UNKNOWN_FACTS


def test_rated_speeds_have_the_mix_of_their_buildings_age_and_type() -> None:
    lifts = fleet(6000, seed=2)
    oldest: dict[int, int] = defaultdict(int)
    building = building_of(range(len(lifts)), seed=2)
    for lift, first in zip(lifts, building, strict=True):
        oldest[first] = max(oldest[first], (TODAY - date.fromisoformat(str(lift.installed_on))).days)
    speeds = defaultdict(list)
    for lift, first in zip(lifts, building, strict=True):
        speeds[lift.building_type, oldest[first] > OLD_DAYS].append(lift.rated_speed_mps)
    for kind, shares in RATED_SPEED_SHARES.items():
        for speed, share in shares.items():
            assert np.mean(np.array(speeds[kind]) == speed) == pytest.approx(share, abs=0.08), (kind, speed)


def test_rated_speeds_span_those_of_a_large_citys_register() -> None:
    low, high = np.percentile([lift.rated_speed_mps for lift in fleet(4000, seed=2)], [5, 95])
    assert low <= 0.51
    assert 3.0 <= high <= 4.0


def test_lifts_of_one_building_are_of_its_age_or_have_been_renewed() -> None:
    lifts = fleet(2000, seed=3)
    ages = defaultdict(set)
    for lift, first in zip(lifts, building_of(range(len(lifts)), seed=3), strict=True):
        ages[first].add((TODAY - date.fromisoformat(str(lift.installed_on))).days)
    assert np.mean([len(days) == 1 for days in ages.values() if max(days) <= OLD_DAYS]) > 0.95
    assert any(len(days) > 1 for days in ages.values())


def test_the_lifts_of_a_gateway_share_a_district() -> None:
    lifts = fleet(200, seed=9)
    for first in range(0, 200, ESTATE_LIFTS):
        assert len({lift.district for lift in lifts[first : first + ESTATE_LIFTS]}) == 1


@pytest.mark.parametrize("n", [0, -1, 10**9])
def test_an_impossible_fleet_is_refused_by_name(n: int) -> None:
    with pytest.raises(ValueError, match="lifts: "):
        fleet(n, seed=1)
