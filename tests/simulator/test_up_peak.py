"""The parts of the up-peak formula, and simulated groups that agree with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.up_peak import BOUND, PeakBuilding, UpPeak, measure, write
from simulator.buildings import round_trip

SMALL_GRID = (
    PeakBuilding(10, 1.0, 630.0, 4),
    PeakBuilding(14, 1.6, 1000.0, 6),
    PeakBuilding(20, 1.75, 1275.0, 8),
    PeakBuilding(30, 2.5, 1600.0, 8),
)


@pytest.fixture(scope="session")
def simulated() -> list[UpPeak]:
    return measure(SMALL_GRID, 2_000)


@pytest.mark.parametrize("row", range(len(SMALL_GRID)), ids=lambda row: "-".join(map(str, SMALL_GRID[row])))
def test_round_trip_and_handling_capacity_are_those_of_the_formula(simulated: list[UpPeak], row: int) -> None:
    one = simulated[row]
    assert one.trips >= 35
    assert abs(one.rtt_error) < BOUND
    assert abs(one.standard_error) < BOUND
    assert abs(one.carried_error) < BOUND
    assert one.people_simulated == pytest.approx(one.people_planned, rel=0.04)


def test_one_table_a_page_and_a_plot_are_written(simulated: list[UpPeak], tmp_path: Path) -> None:
    write(simulated, tmp_path)
    assert len((tmp_path / "up-peak.csv").read_text().splitlines()) == 1 + len(SMALL_GRID)
    assert "| all | all |" in (tmp_path / "up-peak.md").read_text()
    assert (tmp_path / "up-peak.png").stat().st_size > 10_000


@pytest.mark.parametrize(("floors", "people"), [(10, 7), (16, 10), (30, 17)])
def test_stops_and_highest_reversal_floor_equal_a_simulation(floors: int, people: int) -> None:
    wanted = np.random.default_rng(5).integers(1, floors + 1, size=(40_000, people))
    stops = (np.diff(np.sort(wanted, axis=1), axis=1) > 0).sum(axis=1) + 1
    n, p = np.array(float(floors)), np.array(float(people))
    assert round_trip.probable_stops(n, p) == pytest.approx(stops.mean(), rel=0.01)
    assert round_trip.highest_reversal_floor(n, p) == pytest.approx(wanted.max(axis=1).mean(), rel=0.01)


@pytest.mark.parametrize(("floors", "people"), [(10, 6.72), (16, 10.0), (30, 17.1)])
def test_flights_at_rated_speed_make_the_standard_formula(floors: int, people: float) -> None:
    floor_s, ramps_s = 1.9, 2.7
    way = np.abs(np.arange(floors + 1)[:, None] - np.arange(floors + 1))
    flights_s = round_trip.flights_s(people, way * floor_s + ramps_s * (way > 0))
    standard_s = round_trip.round_trip_s(
        np.array(float(floors)), np.array(people), np.array(floor_s), np.array(ramps_s), 0.0
    )
    assert flights_s == pytest.approx(standard_s, rel=1e-12)
