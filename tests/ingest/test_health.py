"""Health kept beside judging: a day after its end, on change, and unknown for lifts that are not judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
import pytest

from ingest.health.keeper import CATCH_UP_DAYS, HealthKeeper
from ingest.health.reckoning import HealthReckoning
from registry.actor import Actor
from registry.duty.civil_time import instant_of
from registry.facts import LiftFacts
from store.records.repository import HealthDay, Records
from store.series.connect import open_timeseries
from store.series.timeseries import Points, Readings, TimeSeries, TimeSeriesUnavailable
from telemetry.ride_fields import TRIP
from tests.alerts.rules import STOP, occurrence
from tests.dashboards.sample_fleet import table

ANN = Actor.named("ann")
ZONE = "Asia/Shanghai"
DAY = 737_000
HOUR_NS = 3600 * 1_000_000_000
TRIPS = 20
LIFTS = tuple(LiftFacts(f"H-{k}", "north", rated_speed_mps=1.75, timezone=ZONE) for k in range(4))


@pytest.fixture
def series(tmp_path: Path) -> Iterator[TimeSeries]:
    opened = open_timeseries(tmp_path / "series")
    yield opened
    opened.close()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        opened.put_lifts(LIFTS, ANN, 1)
        yield opened


def write_day(series: TimeSeries, day: int, close_s: dict[str, float]) -> None:
    """Write the trips of a local day of each lift."""
    names = list(close_s)
    lift = np.repeat(np.arange(len(names)), TRIPS).astype(np.int32)
    rng = np.random.default_rng(day)
    fields = {name: np.full(len(lift), np.nan) for name in TRIP}
    fields["door_close_s"] = np.repeat(list(close_s.values()), TRIPS) * np.exp(0.05 * rng.normal(size=len(lift)))
    fields["stop_error_m"] = 0.003 * rng.normal(size=len(lift))
    t_ns = instant_of(day, 8 * 60, ZONE) + np.tile(np.arange(TRIPS), len(names)) * 60_000_000_000
    series.write([Points("trip", lift, names, ["north"] * len(names), t_ns, fields)])


def keeper_at(records: Records, series: TimeSeries, day: int, hours: float = 1.0) -> HealthKeeper:
    """Return a keeper whose clock shows an hour of a local day."""
    now_ns = instant_of(day, 0, ZONE) + int(hours * HOUR_NS)
    return HealthKeeper(records, lambda: series, clock=lambda: now_ns)


def keep(keeper: HealthKeeper) -> None:
    while keeper.round():
        pass


class Clocked(HealthKeeper):
    """A keeper whose clock is set by the test."""

    def __init__(self, records: Records, series: TimeSeries) -> None:
        super().__init__(records, lambda: series, clock=lambda: self.now_ns)
        self.set(DAY)

    def set(self, day: int) -> None:
        """Set the clock to one hour of a local day."""
        self.now_ns = instant_of(day, 60, ZONE)


class BrokenTrips:
    """A time series in which the rows of H-0 cannot be read; of the others there are none."""

    def readings(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> Readings:
        if lift_id == "H-0":
            raise ValueError("a broken row")
        return Readings(np.empty(0, dtype=np.int64))


class AwayTrips:
    """A time series that does not answer."""

    def readings(self, lift_id: str, stream: str, from_ns: int, to_ns: int) -> Readings:
        raise TimeSeriesUnavailable("away")


def days_of(records: Records, lift_id: str) -> list[int]:
    return [one.day - DAY for one in records.health_days(lift_id, 0)]


def documents(records: Records) -> dict[str, Any]:
    return {one.lift_id: orjson.loads(one.document) for one in records.healths_since(0)}


def put_live(records: Records, last_trip_ns: int = 0, **blind: str) -> None:
    """Store the picture of a monitor that hears all lifts but those that are blind."""
    ids = [facts.lift_id for facts in LIFTS]
    reasons = np.array([blind.get(lift_id.replace("-", ""), "") for lift_id in ids], dtype="U16")
    trips_ns = np.full(len(ids), last_trip_ns)
    picture = table(len(ids), lift_id=np.array(ids), blind=reasons, last_trip_ns=trips_ns)
    records.put_live(picture.encode(), {}, 1)


def test_a_door_that_slows_from_day_to_day_costs_health_and_the_others_keep_theirs(
    records: Records, series: TimeSeries
) -> None:
    put_live(records)
    for k in range(CATCH_UP_DAYS):
        slow = 3.0 * np.exp(0.04 * max(0, k - 14))
        write_day(series, DAY + k, {"H-0": 3.0, "H-1": slow, "H-2": 3.2})
    keep(keeper_at(records, series, DAY + CATCH_UP_DAYS))
    found = documents(records)
    assert found["H-0"]["health"] == found["H-2"]["health"] == 100
    assert found["H-1"]["health"] < 90
    (trend,) = found["H-1"]["trends"]
    assert trend["measure"] == "door_close_s"
    assert abs(trend["now"] - 5.2) < 0.6
    assert found["H-1"]["reason"]["zh"].startswith("门系统：关门时间 3")
    days = records.health_days("H-1", 0)
    assert [one.day for one in days] == list(range(DAY, DAY + CATCH_UP_DAYS))
    assert days[0].score == 100.0
    assert days[-1].score == found["H-1"]["health"]


def test_a_day_is_reckoned_after_its_end_and_once(records: Records, series: TimeSeries) -> None:
    put_live(records)
    write_day(series, DAY, {"H-0": 3.0})
    keep(keeper_at(records, series, DAY, hours=23.0))
    assert DAY not in {one.day for one in records.health_days("H-0", DAY)}
    second = keeper_at(records, series, DAY + 1)
    keep(second)
    assert [one.day for one in records.health_days("H-0", DAY)] == [DAY]
    counted = second.counts["health_days"]
    keep(second)
    keep(keeper_at(records, series, DAY + 1, hours=2.0))
    assert second.counts["health_days"] == counted
    assert [one.day for one in records.health_days("H-0", DAY)] == [DAY]


def test_days_are_caught_up_with_from_the_first_trip_on(records: Records, series: TimeSeries) -> None:
    put_live(records)
    write_day(series, DAY - CATCH_UP_DAYS - 2, {"H-0": 3.0, "H-1": 3.0})
    for day in (-9, -3):
        write_day(series, DAY + day, {"H-0": 3.0})
    keep(keeper_at(records, series, DAY))
    assert days_of(records, "H-0") == list(range(-9, 0))
    assert days_of(records, "H-1") == [-1]
    write_day(series, DAY + 7, {"H-0": 3.0})
    keep(keeper_at(records, series, DAY + 12))
    assert days_of(records, "H-0") == [*range(-9, 0), *range(7, 12)]
    assert days_of(records, "H-1") == [-1, 11]


def test_an_alert_changes_the_health_at_once_and_the_same_health_is_not_stored_again(
    records: Records, series: TimeSeries
) -> None:
    put_live(records)
    keeper = keeper_at(records, series, DAY)
    keep(keeper)
    before = {one.lift_id: one.version for one in records.healths_since(0)}
    keep(keeper_at(records, series, DAY))
    assert {one.lift_id: one.version for one in records.healths_since(0)} == before
    records.judge(position=1, occurrences=[occurrence(STOP, "on", 10, lift_id="H-0")], now_ns=1)
    keep(keeper)
    found = documents(records)["H-0"]
    assert (found["health"], found["grade"]) == (50, "orange")
    after = {one.lift_id: one.version for one in records.healths_since(0)}
    assert {lift_id for lift_id in after if after[lift_id] != before[lift_id]} == {"H-0"}


def test_lifts_that_are_not_judged_have_no_health(records: Records, series: TimeSeries) -> None:
    keep(keeper_at(records, series, DAY))
    assert {(one["health"], one["unknown"]) for one in documents(records).values()} == {(None, "never-seen")}
    put_live(records, H1="late")
    keep(keeper_at(records, series, DAY))
    found = documents(records)
    assert (found["H-1"]["health"], found["H-1"]["unknown"], found["H-1"]["grade"]) == (None, "blind", None)
    assert (found["H-0"]["health"], found["H-0"]["grade"]) == (100, "blue")
    silent = [one.score for one in records.health_days("H-1", 0)]
    assert set(silent) == {None}


def test_a_clock_that_was_ahead_leaves_the_real_days_and_no_others(records: Records, series: TimeSeries) -> None:
    put_live(records)
    keeper = Clocked(records, series)
    keep(keeper)
    assert days_of(records, "H-0") == [-1]
    keeper.set(DAY + 400)
    keep(keeper)
    assert days_of(records, "H-0") == [-1, 399]
    keeper.set(DAY)
    keep(keeper)
    assert days_of(records, "H-0") == [-1]
    assert {one.at_ns for one in records.healths_since(0)} == {keeper.now_ns}
    keeper.set(DAY + 1)
    keep(keeper)
    assert days_of(records, "H-0") == [-1, 0]


def test_days_that_are_not_over_are_deleted_at_the_start(records: Records, series: TimeSeries) -> None:
    put_live(records)
    keep(keeper_at(records, series, DAY + 400))
    keep(keeper_at(records, series, DAY))
    assert days_of(records, "H-0") == [-1]


def test_a_clock_ahead_of_the_trips_of_the_fleet_owes_no_day(records: Records, series: TimeSeries) -> None:
    trip_ns = instant_of(DAY - 1, 18 * 60, ZONE)
    put_live(records, last_trip_ns=trip_ns)
    keeper = Clocked(records, series)
    for ahead in (0, 400):
        keeper.set(DAY + ahead)
        keep(keeper)
        assert days_of(records, "H-0") == [-1]


def test_a_lift_that_cannot_be_reckoned_is_logged_once_a_day_and_ends_no_health_of_others(
    records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    put_live(records)
    keeper = Clocked(records, cast("TimeSeries", BrokenTrips()))
    keep(keeper)
    keep(keeper)
    assert records.last_health_days() == {f"H-{k}": DAY - 1 for k in (1, 2, 3)}
    found = documents(records)
    assert {lift_id: one["unknown"] for lift_id, one in found.items()} == {"H-0": "failed"} | dict.fromkeys(
        ("H-1", "H-2", "H-3")
    )
    assert found["H-0"]["health"] is None
    assert "cannot be read" in found["H-0"]["reason"]["en"]
    assert len(caplog.records) == len(set(caplog.messages)) == keeper.counts["health_failures"] == CATCH_UP_DAYS


def test_a_present_health_that_cannot_be_reckoned_ends_no_health_of_others(
    records: Records, series: TimeSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_live(records)
    stored_days = Records.health_days

    def broken(self: Records, lift_id: str, from_day: int) -> list[HealthDay]:
        if lift_id == "H-0":
            raise ValueError("a broken row")
        return stored_days(self, lift_id, from_day)

    monkeypatch.setattr(HealthReckoning, "learn_norms", lambda *_: True)
    monkeypatch.setattr(Records, "health_days", broken)
    keep(Clocked(records, series))
    unknown = {lift_id: one["unknown"] for lift_id, one in documents(records).items()}
    assert unknown == {"H-0": "failed"} | dict.fromkeys(("H-1", "H-2", "H-3"))


def test_a_health_that_can_be_reckoned_again_is_known_again(records: Records, series: TimeSeries) -> None:
    put_live(records)
    keeper, broken = Clocked(records, series), BrokenTrips()
    keeper._reckoning._series = lambda: cast("TimeSeries", broken)
    keep(keeper)
    assert documents(records)["H-0"]["unknown"] == "failed"
    keeper._reckoning._series = lambda: series
    keeper.set(DAY + 1)
    keep(keeper)
    assert documents(records)["H-0"]["unknown"] is None


def test_health_changes_while_the_time_series_is_away(records: Records) -> None:
    put_live(records)
    keeper = Clocked(records, cast("TimeSeries", AwayTrips()))
    with pytest.raises(TimeSeriesUnavailable):
        keeper.round()
    assert documents(records)["H-0"]["health"] == 100


def test_a_round_without_time_left_reads_one_lift_for_the_norms(
    records: Records, series: TimeSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_live(records)
    keep(keeper_at(records, series, DAY))
    learned: list[str] = []
    stored_days = Records.health_days

    def counted(self: Records, lift_id: str, from_day: int) -> list[HealthDay]:
        learned.append(lift_id)
        return stored_days(self, lift_id, from_day)

    monkeypatch.setattr(Records, "health_days", counted)
    reckoning = HealthReckoning(records, lambda: series)
    lifts = {facts.lift_id: facts for facts in LIFTS}
    reads = []
    while not reckoning.learn_norms(lifts, DAY, end_s=0.0):
        reads.append(len(learned))
    assert reads[:4] == [1, 2, 3, 4]
    assert learned == list(lifts)
