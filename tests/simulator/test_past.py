"""The drawn past of a fleet: its trips keep to the facts of their lifts, and a trouble changes its own lift alone."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.scenarios.past import DAY_S, DOOR, S_NS, SILENCE, STALL, PastRows, Trouble, past_day
from simulator.scenarios.scenario import START
from telemetry.streams import CLOSED

LIFTS = fleet(20, 7)
DAY_NS = int(START.replace(hour=0).timestamp()) * S_NS
TROUBLES = [
    Trouble(3, STALL, DAY_NS + 36_000 * S_NS, 1500.0),
    Trouble(5, DOOR, DAY_NS + 40_000 * S_NS, 120.0),
    Trouble(7, SILENCE, DAY_NS + 50_000 * S_NS, 1800.0),
]


def drawn(troubles: list[Trouble]) -> dict[str, PastRows]:
    return {rows.stream: rows for rows in past_day(LIFTS, DAY_NS, troubles, seed=1)}


def of_lift(rows: PastRows, lift: int, from_s: float = 0.0, to_s: float = DAY_S) -> tuple[np.ndarray, PastRows]:
    """Return the seconds of the day and the rows of a lift in a part of the day."""
    t_s = (rows.t_ns - DAY_NS) / S_NS
    own = (rows.lift == lift) & (t_s >= from_s) & (t_s < to_s)
    return t_s[own], rows._replace(
        lift=rows.lift[own], t_ns=rows.t_ns[own], channels={k: v[own] for k, v in rows.channels.items()}
    )


@pytest.fixture(scope="module")
def day() -> dict[str, PastRows]:
    return drawn(TROUBLES)


def test_rows_are_in_the_order_of_lift_and_time_and_within_the_day(day: dict[str, PastRows]) -> None:
    for rows in day.values():
        steps = np.diff(rows.lift), np.diff(rows.t_ns)
        assert ((steps[0] > 0) | ((steps[0] == 0) & (steps[1] >= 0))).all(), rows.stream
        assert (rows.t_ns >= DAY_NS).all()
        assert (rows.t_ns < DAY_NS + DAY_S * S_NS).all()


def test_no_car_is_faster_than_rated_or_outside_its_shaft(day: dict[str, PastRows]) -> None:
    for number, lift in enumerate(LIFTS):
        _, speed = of_lift(day["speed"], number)
        _, position = of_lift(day["displacement"], number)
        assert np.abs(speed.channels["v"]).max() <= (lift.rated_speed_mps or 0) + 1e-9
        assert position.channels["z"].min() >= lift.floors[0].height_m - 1e-6
        assert position.channels["z"].max() <= lift.floors[-1].height_m + 1e-6


def test_a_trip_covers_the_way_between_two_landings(day: dict[str, PastRows]) -> None:
    t_s, position = of_lift(day["displacement"], 0)
    _, speed = of_lift(day["speed"], 0)
    v, z = speed.channels["v"], position.channels["z"]
    moving = (np.abs(v[:-1]) > 0.2) & (np.abs(v[1:]) > 0.2) & (np.diff(t_s) < 1.5)
    gone_m = np.diff(z)[moving]
    expected_m = ((v[:-1] + v[1:]) / 2 * np.diff(t_s))[moving]
    assert gone_m == pytest.approx(expected_m, abs=0.25), "but for a corner of the profile between two samples"
    landings = np.array([floor.height_m for floor in LIFTS[0].floors])
    assert np.abs(z[v == 0][:, None] - landings).min(axis=1).max() < 1e-6


def test_in_a_stall_the_car_stands_between_floors_behind_a_closed_door(day: dict[str, PastRows]) -> None:
    _, position = of_lift(day["displacement"], 3, 36_001, 37_500)
    low, high = LIFTS[3].floors[1].height_m, LIFTS[3].floors[2].height_m
    assert position.channels["z"] == pytest.approx((low + high) / 2)
    before_s, door = of_lift(day["door"], 3, 0, 37_500)
    assert door.channels["state"][-1] == CLOSED
    assert before_s[-1] < 36_000
    assert of_lift(day["infrared"], 3, 36_000, 37_500)[0].size == 0


def test_a_faulty_door_reverses_and_a_silent_lift_sends_nothing(day: dict[str, PastRows]) -> None:
    states = of_lift(day["door"], 5, 40_000, 40_120)[1].channels["state"]
    assert len(states) > 30
    assert CLOSED not in states
    assert all(of_lift(rows, 7, 50_000, 51_800)[0].size == 0 for rows in day.values())


def test_a_trouble_changes_its_own_lift_alone() -> None:
    with_troubles, without = drawn(TROUBLES), drawn([])
    for stream in ("speed", "displacement"):
        for number in set(range(len(LIFTS))) - {3, 5, 7}:
            mine, other = of_lift(with_troubles[stream], number), of_lift(without[stream], number)
            assert mine[0].tolist() == other[0].tolist()
