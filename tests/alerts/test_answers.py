"""Answers of people to alerts: acknowledging, comments, resolving and shelving (contract, section 3)."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.alert import CLOSED
from alerts.answers import SHELVE_LIMIT_NS, Refused
from alerts.book import on_time
from detectors.rule import CRITICAL, MINOR
from tests.alerts.lift_alerts import Lift
from tests.alerts.rules import MOVED, OVERSPEED, STOP, T0, S

HOUR = 3600 * S


def test_the_same_answer_again_changes_nothing(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    for kind, more in (("ack", {}), ("assign", {"to": "bob"}), ("shelve", {"until_ns": T0 + HOUR})):
        assert lift.answer(STOP, kind, 11, **more) is not None
        assert lift.answer(STOP, kind, 12, **more) is None
    lift.find(STOP, "off", 13)
    assert lift.answer(STOP, "resolve", 14) is None  # acknowledged and cleared: closed by itself
    assert lift.answer(STOP, "ack", 15) is None


def test_each_comment_is_added_even_to_a_closed_alert(lift: Lift) -> None:
    lift.find(MOVED, "on", 10)
    lift.answer(MOVED, "resolve", 11)
    for _ in range(2):
        change = lift.answer(MOVED, "comment", 12, note="rope changed")
        assert change is not None
        assert change.transition is not None
        assert (change.transition.note, change.transition.by) == ("rope changed", "ann")


@pytest.mark.parametrize(
    ("kind", "more"), [("ack", {}), ("assign", {"to": "bob"}), ("shelve", {"until_ns": T0 + HOUR})]
)
def test_a_closed_alert_takes_no_more_than_comments(lift: Lift, kind: str, more: dict[str, Any]) -> None:
    lift.find(MOVED, "on", 10)
    lift.answer(MOVED, "resolve", 11)
    with pytest.raises(Refused, match="closed"):
        lift.answer(MOVED, kind, 12, **more)


def test_an_alert_whose_rule_is_judged_no_more_can_be_resolved_while_it_fires(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    with pytest.raises(Refused, match="condition still holds"):
        lift.answer(STOP, "resolve", 11)
    lift.answer(STOP, "resolve", 12, is_unjudged=True)
    assert lift[STOP].state == CLOSED


def test_a_critical_alert_is_never_shelved(lift: Lift) -> None:
    lift.find(MOVED, "on", 10)
    with pytest.raises(Refused, match="never shelved"):
        lift.answer(MOVED, "shelve", 11, until_ns=T0 + HOUR)


@pytest.mark.parametrize("until_ns", [T0, T0 + 10 * S, T0 + 10 * S + SHELVE_LIMIT_NS + 1])
def test_shelving_ends_in_the_future_and_within_eight_hours(lift: Lift, until_ns: int) -> None:
    lift.find(STOP, "on", 10)
    with pytest.raises(Refused, match="at most 8 hours"):
        lift.answer(STOP, "shelve", 10, until_ns=until_ns)


def test_a_shelved_alert_is_inhibited_until_its_time_runs_out(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.answer(STOP, "shelve", 10, until_ns=T0 + 10 * S + SHELVE_LIMIT_NS)
    assert lift[STOP].inhibited_by == "shelved"
    over_ns = T0 + 10 * S + SHELVE_LIMIT_NS
    assert on_time(lift[STOP], (), over_ns - 1) is None
    change = on_time(lift[STOP], (), over_ns)
    assert change is not None
    assert (change.alert.inhibited_by, change.alert.shelved_until_ns) == (None, None)


def test_a_person_ends_a_shelving_and_ending_it_again_changes_nothing(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    assert lift.answer(STOP, "unshelve", 11) is None
    lift.answer(STOP, "shelve", 12, until_ns=T0 + HOUR)
    change = lift.answer(STOP, "unshelve", 13)
    assert change is not None
    assert change.transition is not None
    assert (change.transition.kind, change.transition.by) == ("unshelved", "ann")
    assert (change.alert.inhibited_by, change.alert.shelved_until_ns) == (None, None)
    assert lift.answer(STOP, "unshelve", 14) is None


def test_a_shelved_alert_that_becomes_critical_is_unshelved(lift: Lift) -> None:
    lift.find(OVERSPEED, "on", 10, MINOR)
    lift.answer(OVERSPEED, "shelve", 11, until_ns=T0 + HOUR)
    lift.find(OVERSPEED, "on", 12, CRITICAL)
    assert (lift[OVERSPEED].inhibited_by, lift[OVERSPEED].shelved_until_ns) == (None, None)


def test_a_shelved_alert_that_returns_is_still_shelved_while_its_time_runs(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.answer(STOP, "shelve", 11, until_ns=T0 + 60 * S)
    lift.find(STOP, "off", 20)
    lift.find(STOP, "on", 50)
    assert lift[STOP].inhibited_by == "shelved"
    lift.find(STOP, "off", 55)
    lift.find(STOP, "on", 65)
    assert (lift[STOP].inhibited_by, lift[STOP].shelved_until_ns) == (None, None)
