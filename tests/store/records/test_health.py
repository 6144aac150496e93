"""The health of lifts in the records: the present one by version, the days, and what it is reckoned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alerts.incidents.actions import IncidentAction
from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.monitors.health import DAYS_KEPT
from store.records.repository import HealthDay, HealthRecord, Records
from telemetry.instant import DAY_NS
from tests.alerts.rules import STOP, T0, occurrence

ANN = Actor.named("ann")


def record(lift_id: str, score: float | None = 90.0) -> HealthRecord:
    return HealthRecord(lift_id, "north", T0, score, "blue", "{}")


def day(number: int, lift_id: str = "a") -> HealthDay:
    return HealthDay(lift_id, number, np.array([1.5, np.nan]), 80.0, "yellow", {"door": 80.0, "ride": None})


def test_readers_get_the_healths_that_are_newer_than_what_they_have(records: Records) -> None:
    records.put_health([record("a"), record("b")])
    first, second = records.healths_since(0)
    assert [one.lift_id for one in (first, second)] == ["a", "b"]
    records.put_health([record("a", None)])
    (newer,) = records.healths_since(second.version)
    assert (newer.lift_id, newer.score) == ("a", None)
    assert len(records.healths_since(0)) == 2


def test_days_are_kept_in_order_once_each_and_not_for_ever(records: Records) -> None:
    records.put_health([], [day(1000), day(1001), day(1001), day(1000, "b")])
    first, second = records.health_days("a", 1000)
    assert (first.day, second.day, second.parts) == (1000, 1001, {"door": 80.0, "ride": None})
    assert second.measures[0] == 1.5
    assert np.isnan(second.measures[1])
    assert records.last_health_days() == {"a": 1001, "b": 1000}
    records.put_health([], [day(1001 + later) for later in range(1, DAYS_KEPT)])
    assert [one.day for one in records.health_days("a", 0)] == [1001 + later for later in range(DAYS_KEPT)]
    assert records.last_health_days()["b"] == 1000


def test_a_day_of_a_wrong_clock_costs_the_oldest_day_at_most_and_is_deleted_by_name(records: Records) -> None:
    records.put_health([], [*(day(1000 + later) for later in range(DAYS_KEPT)), day(9000), day(9000, "b")])
    assert [one.day for one in records.health_days("a", 0)] == [*range(1001, 1000 + DAYS_KEPT), 9000]
    records.delete_health_days({"a": 1000 + DAYS_KEPT})
    assert records.last_health_days() == {"a": 999 + DAYS_KEPT, "b": 9000}


def test_open_alerts_and_recent_ones_are_those_of_a_health(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(STOP, "on", 10, lift_id="a")], now_ns=T0)
    found = records.alerts_for_health(["a", "b"], T0 + DAY_NS, T0 + 2 * DAY_NS)
    assert [(one.lift_id, one.rule, one.is_open) for one in found] == [("a", STOP.slug, True)]
    records.judge(position=2, occurrences=[occurrence(STOP, "off", 20, lift_id="a")], now_ns=T0)
    assert records.alerts_for_health(["a"], T0 + DAY_NS, T0 + 2 * DAY_NS) == []
    (over,) = records.alerts_for_health(["a"], T0, T0 + DAY_NS)
    assert not over.is_open


def test_a_repair_is_the_closing_of_an_incident_as_repaired(records: Records) -> None:
    for lift_id, reason in (("a", "repaired"), ("b", "false-alarm")):
        incident = records.report_by_call(lift_id, "out-of-order", None, ANN, T0)
        assert incident is None  # not registered
        records.put_lifts([LiftFacts(lift_id, "north")], ANN, T0)
        incident = records.report_by_call(lift_id, "out-of-order", None, ANN, T0)
        assert incident is not None
        records.act_on_incident(incident.id, IncidentAction("close", ANN, reason=reason), T0 + 5)
    assert records.repairs(["a", "b"]) == {"a": [T0 + 5]}


def test_a_deleted_lift_leaves_no_health(records: Records) -> None:
    records.put_lifts([LiftFacts("a", "north")], ANN, T0)
    records.put_health([record("a")], [day(1000)])
    records.delete_lift("a", ANN, T0)
    assert (records.healths_since(0), records.last_health_days()) == ([], {})


def test_subscribers_get_the_end_of_a_health_where_the_lift_has_none_any_more(records: Records) -> None:
    records.put_lifts([LiftFacts("a", "north")], ANN, T0)
    records.put_health([record("a"), record("b")])
    records.put_health([replace(record("a"), district="south")])
    assert announced(records) == [("b", "north", "{}"), ("a", "south", "{}"), ("a", "north", "")]
    records.put_health([record("a")])
    assert announced(records) == [("b", "north", "{}"), ("a", "north", "{}"), ("a", "south", "")]
    records.delete_lift("a", ANN, T0)
    assert announced(records) == [("b", "north", "{}"), ("a", "south", ""), ("a", "north", "")]
    records.put_lifts([LiftFacts("a", "north")], ANN, T0)
    records.put_health([record("a")])
    assert announced(records) == [("b", "north", "{}"), ("a", "south", ""), ("a", "north", "{}")]


def announced(records: Records) -> list[tuple[str, str, str]]:
    """Return lift, district and document of the announcements, read one at a time."""
    found, version = [], 0
    while newer := records.health_announcements_since(version, 1):
        version = newer[0].version
        found.append((newer[0].lift_id, newer[0].district, newer[0].document))
    return found


def test_a_health_that_was_reckoned_before_a_deletion_is_not_stored_after_it(records: Records) -> None:
    records.put_lifts([LiftFacts("a", "north"), LiftFacts("b", "north")], ANN, T0)
    records.put_health([record("a"), record("b")], [day(1000)])
    assert records.delete_lift("a", ANN, T0)
    records.put_health([record("a"), record("b")], [day(1001)])
    assert [one.lift_id for one in records.healths_since(0)] == ["b"]
    assert records.last_health_days() == {}
    newest = {one.lift_id: one.document for one in records.health_announcements_since(0, 10)}
    assert newest == {"a": "", "b": "{}"}, "what is retained is cleared"
    records.put_lift(LiftFacts("a", "north"), ANN, T0)
    records.put_health([record("a")])
    assert {one.lift_id for one in records.healths_since(0)} == {"a", "b"}
