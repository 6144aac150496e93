"""Series, events and trips out of a real store, as the contract writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from store.series.connect import open_timeseries
from store.series.timeseries import Points
from telemetry import instant
from tests.dashboards.applications import Client, create_app
from tests.dashboards.conftest import BASE
from tests.dashboards.sample_fleet import T0_NS

S_NS = 1_000_000_000
HERE = f"/api/v1/lifts/L001/series?from={instant.text(T0_NS)}&to={instant.text(T0_NS + 60 * S_NS)}"


TRIP = {
    name: np.array([value])
    for name, value in {
        "from_landing": 0, "to_landing": 2, "distance_m": 6, "duration_s": 4.5, "peak_mps": 1.5, "load_class": 1,
        "boundary_1_s": 1.25, "boundary_6_s": 4.5,
    }.items()
}  # fmt: skip


def points(measurement: str, t_s: np.ndarray, **fields: np.ndarray) -> Points:
    t_ns = T0_NS + (t_s * S_NS).astype(np.int64)
    return Points(measurement, np.zeros(len(t_s), dtype=np.int32), ["L001"], ["d1"], t_ns, fields)


@pytest.fixture
def asking(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """A program that asks about a minute in which L001 went from floor 0 to floor 2 and opened its door."""
    t_s = np.arange(0, 60, 0.5)
    z_m = np.clip((t_s - 10) * 1.5, 0, 6)
    v_mps = np.where((t_s > 10) & (t_s < 14), 1.5, 0.0)
    v_mps[7] = 9.9
    store = open_timeseries(tmp_path / "series")
    store.write([
        points("speed", t_s, v=v_mps),
        points("displacement", t_s, z=z_m),
        points("door", np.array([20.0, 22.5, 26.0]), state=np.array([1.0, 2.0, 3.0])),
        points("infrared", np.array([23.0, 24.0]), presence=np.array([1.0, np.nan]), curtain=np.array([np.nan, 0.0])),
        points("status", np.array([1.0]), online=np.array([1.0]), alarm=np.array([0.0]), mode=np.array([1.0]),
               power=np.array([0.0])),
        points("trip", np.array([10.0]), **TRIP),
    ])  # fmt: skip
    store.close()
    with Client(create_app(settings), base_url=BASE) as client:
        yield client


def test_a_spike_survives_the_reduction(asking: TestClient) -> None:
    series = asking.get(f"{HERE}&stream=speed&points=6").json()
    assert len(series["t"]) == len(series["v"]["max"]) <= 6
    assert max(value for value in series["v"]["max"] if value is not None) == 9.9
    assert series["bucket_s"] == 10.0
    assert series["t"][0] == "2001-09-09T01:46:40.000Z"


def test_an_empty_bucket_is_null(asking: TestClient) -> None:
    series = asking.get(HERE + "&stream=vibration&points=3").json()
    assert {"x", "y", "z"} <= series.keys()
    assert set(series["x"]["mean"]) == {None}


def test_events_have_the_values_of_the_contract(asking: TestClient) -> None:
    door = asking.get(f"{HERE}&stream=door").json()
    assert (door["state"], door["truncated"]) == (["opening", "open", "closing"], False)
    assert door["at"][1] == "2001-09-09T01:47:02.500Z"
    infrared = asking.get(f"{HERE}&stream=infrared").json()
    assert (infrared["presence"], infrared["curtain"]) == ([True, None], [None, False])
    status = asking.get(f"{HERE}&stream=status").json()
    assert (status["online"], status["alarm"], status["mode"]) == ([True], [False], ["inspection"])


def test_a_trip_names_its_floors(asking: TestClient) -> None:
    answer = asking.get(HERE.replace("series", "trips")).json()
    trip = answer["items"][0]
    assert (len(answer["items"]), answer["next"]) == (1, None)
    assert (trip["from_floor"], trip["to_floor"], trip["distance_m"], trip["ride_quality"]) == ("0", "2", 6.0, None)
    assert (trip["peak_speed_mps"], trip["direction"], trip["load_class"]) == (1.5, "up", "occupied")
    assert (trip["start"], trip["stop"]) == ("2001-09-09T01:46:50.000Z", "2001-09-09T01:46:54.500Z")
    assert trip["boundaries_s"] == [None, 1.25, None, None, None, None, 4.5]


def test_a_trip_that_judging_did_not_cut_is_none(asking: TestClient, tmp_path: Path) -> None:
    store, t_s = open_timeseries(tmp_path / "series"), np.arange(100, 160, 0.5)
    store.write([points("displacement", t_s, z=np.clip((t_s - 110) * 1.5, 0, 6))])
    until = instant.text(T0_NS + 200 * S_NS)
    answer = asking.get(f"/api/v1/lifts/L001/trips?from={instant.text(T0_NS)}&to={until}").json()
    assert [trip["to_floor"] for trip in answer["items"]] == ["2"]


def test_a_trip_of_a_month_before_last_is_listed_without_its_readings(asking: TestClient, tmp_path: Path) -> None:
    store = open_timeseries(tmp_path / "series")
    store.maintain(T0_NS + 85 * 86_400 * S_NS)
    assert asking.get(f"{HERE}&stream=displacement").json()["z"]["max"][0] in (None, 0.0)
    assert asking.get(HERE.replace("series", "trips")).json()["items"][0]["to_floor"] == "2"
    store.maintain(T0_NS + 92 * 86_400 * S_NS)
    assert asking.get(HERE.replace("series", "trips")).json()["items"] == []


@pytest.mark.parametrize("limit", [3, 100])
def test_pagination_loses_no_trip_between_two_pages(asking: TestClient, tmp_path: Path, limit: int) -> None:
    store = open_timeseries(tmp_path / "series")
    starts_s = np.arange(-5 * 86_400, 0, 17_000)
    for start_s in starts_s:
        store.write([points("trip", start_s + np.array([10.0]), **TRIP)])
    to_s = int(starts_s[1]) + 12 + 4 * 86_400  # a day's page ends in the middle of the second trip
    window = f"from={instant.text(T0_NS - 6 * 86_400 * S_NS)}&to={instant.text(T0_NS + to_s * S_NS)}"
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = asking.get(f"/api/v1/lifts/L001/trips?{window}&limit={limit}{cursor}").json()
        found += [trip["start"] for trip in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert found == sorted(set(found), reverse=True)
    assert len(found) == (starts_s + 10 < to_s).sum()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("series?stream=speed&from=2001-09-09T02:00:00Z&to=2001-09-09T01:00:00Z", "from"),
        ("series?stream=speed&points=10001", "points"),
        ("series", "stream"),
        ("trips?cursor=x", "cursor"),
    ],
)
def test_an_invalid_time_window_is_a_problem(asking: TestClient, asked: str, field: str) -> None:
    answer = asking.get(f"/api/v1/lifts/L001/{asked}")
    assert answer.status_code in (400, 422)
    assert answer.json()["errors"][0]["field"] == field


def test_the_default_time_window_is_the_last_hour(asking: TestClient) -> None:
    answer = asking.get("/api/v1/lifts/L001/series?stream=displacement").json()
    assert instant.parse(answer["to"]) - instant.parse(answer["from"]) == pytest.approx(3600 * S_NS, abs=60 * S_NS)


def test_an_unknown_lift_has_no_series(asking: TestClient) -> None:
    assert asking.get("/api/v1/lifts/NOBODY/series?stream=speed").status_code == 404
