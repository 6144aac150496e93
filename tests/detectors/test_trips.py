"""Trips are cut where a car leaves one landing and comes to rest at another."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.observe import tables
from detectors.observe.trips import TripTable
from registry.facts import FleetFacts
from telemetry.arrays import F64, I64
from telemetry.batch import readings
from tests.detectors.world import Script, batch, facts_of, healthy, tower

LANDINGS_M = np.arange(10) * 3.0


def cut_trips(t_ns: I64, v_mps: F64, z_m: F64, landings_m: F64) -> TripTable:
    """Return the trips of one lift out of its readings; `landings_m` may be empty or NaN."""
    lift = np.zeros(len(t_ns), dtype=np.int32)
    return tables.step(tables.start(1), readings(lift, t_ns, v_mps=v_mps, z_m=z_m), facts_with(landings_m))[1].trips


def facts_with(landings_m: F64) -> FleetFacts:
    """Return the facts of one lift with landings only."""
    unknown, no = np.full(1, np.nan), np.zeros(1, dtype=np.bool_)
    landings = np.append(landings_m, np.nan)[None, :]
    return FleetFacts(unknown, unknown, landings, unknown, no, no, {})


def there_and_back() -> Script:
    return Script(z_m=3.0).rest(5.0).ride(15.0).rest(6.0).ride(9.0).rest(6.0).ride(9.02, accel=0.2).rest(5.0)


def trips(script: Script, landings_m: NDArray[np.float64] = LANDINGS_M, **feed: object) -> TripTable:
    rows = script.rows(**feed)  # type: ignore[arg-type]
    return cut_trips(rows["t_ns"], rows["v_mps"], rows["z_m"], landings_m)


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("v_mps",), ("z_m",)], ids="+".join)
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_two_rides_are_two_trips_and_relevelling_is_none(streams: tuple[str, ...], dt_s: float) -> None:
    found = trips(there_and_back(), streams=streams, dt_s=dt_s)
    assert np.allclose(found.distance_m, [12.0, -6.0], atol=0.2)
    assert np.allclose(found.peak_mps, [1.75, 1.75], atol=0.1 if dt_s < 1.0 else 0.6)


def test_floors_are_the_nearest_landings_and_unknown_without_them() -> None:
    found = trips(there_and_back())
    assert (found.from_landing.tolist(), found.to_landing.tolist()) == ([1, 5], [5, 3])
    assert trips(there_and_back(), np.array([np.nan])).to_landing.tolist() == [-1, -1]
    assert trips(there_and_back(), streams=("v_mps",)).from_landing.tolist() == [-1, -1]


def test_a_trip_lasts_from_leaving_rest_to_rest() -> None:
    found = trips(there_and_back(), noise=0.0)
    assert (found.start_ns[0] - 978_307_200_000_000_000) / 1e9 == pytest.approx(5.0, abs=0.5)
    assert (found.stop_ns[0] - found.start_ns[0]) / 1e9 == pytest.approx(12.0 / 1.75 + 1.75 / 0.8 + 0.8, abs=0.7)


def test_a_trip_that_is_cut_off_by_the_window_is_left_out() -> None:
    assert len(trips(Script(z_m=3.0).ride(15.0).rest(6.0))) == 0
    assert len(trips(Script(z_m=3.0).rest(6.0).ride(15.0))) == 0


def test_a_wild_sample_is_no_peak() -> None:
    rows = there_and_back().rows()
    rows["v_mps"][[20, 90]] = 9.9
    found = cut_trips(rows["t_ns"], rows["v_mps"], rows["z_m"], LANDINGS_M)
    assert np.allclose(found.peak_mps, [1.75, 1.75], atol=0.1)


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_a_position_that_jumps_at_a_standing_car_is_no_trip(dt_s: float) -> None:
    rows = Script(z_m=3.0).rest(30.0).rows(dt_s=dt_s)
    rows["z_m"][len(rows["z_m"]) // 2 :] += 3.0
    assert len(cut_trips(rows["t_ns"], rows["v_mps"], rows["z_m"], LANDINGS_M)) == 0


@pytest.mark.parametrize(("stream", "value"), [("z_m", 3.0), ("v_mps", 0.0)])
def test_a_car_whose_position_or_speed_stands_still_makes_no_trip(stream: str, value: float) -> None:
    rows = there_and_back().rows()
    rows[stream][:] = value
    assert len(cut_trips(rows["t_ns"], rows["v_mps"], rows["z_m"], LANDINGS_M)) == 0


def test_a_trip_with_a_hole_in_it_is_as_long_as_its_positions_are_apart() -> None:
    rows = there_and_back().rows()
    seen = (rows["t_ns"] < rows["t_ns"][0] + 7_000_000_000) | (rows["t_ns"] > rows["t_ns"][0] + 12_000_000_000)
    found = cut_trips(rows["t_ns"][seen], rows["v_mps"][seen], rows["z_m"][seen], LANDINGS_M)
    assert np.allclose(found.distance_m, [12.0, -6.0], atol=0.2)
    assert (found.from_landing.tolist(), found.to_landing.tolist()) == ([1, 5], [5, 3])


def test_an_empty_series_has_no_trips() -> None:
    nothing = np.empty(0)
    assert len(cut_trips(nothing.astype(np.int64), nothing, nothing, LANDINGS_M)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_table_of_trips_and_the_rows_count_the_same_trips(seed: int) -> None:
    rows = healthy(seed, trips=5).rows(seed=seed)
    found = cut_trips(rows["t_ns"], rows["v_mps"], rows["z_m"], LANDINGS_M)
    assert len(found) == int(tables.step(tables.start(1), batch([rows]), facts_of([tower()]))[1].rows.trips[-1]) == 5
