"""The life of an alert, fact by fact (contract, section 3)."""

from __future__ import annotations

import pytest

from alerts.alert import CLEARED, CLOSED, FIRING, alert_id
from alerts.answers import Refused
from alerts.book import on_time
from detectors.rule import CRITICAL, MAJOR, MINOR
from tests.alerts.lift_alerts import Lift
from tests.alerts.rules import MOVED, OVERSPEED, OVERTRAVEL, STOP, T0, S

HOUR = 3600 * S


def test_a_condition_that_holds_is_a_firing_alert_with_its_own_onset(lift: Lift) -> None:
    lift.find(STOP, "on", 25, onset_s=10, evidence={"speed_mps": 0.014, "odd": float("nan")})
    alert = lift[STOP]
    assert (alert.state, alert.severity, alert.onset_ns, alert.noticed_ns) == (
        FIRING,
        "major",
        T0 + 10 * S,
        T0 + 26 * S,
    )
    assert (alert.evidence, alert.codes) == ({"speed_mps": 0.014}, {"gbt24476": "04"})
    assert alert.summary == {"en": "at 0.01 m/s, limit –", "zh": "速度 0.01 米/秒"}


def test_an_alerts_name_comes_from_lift_rule_and_onset_alone() -> None:
    names = {alert_id("a", "b", 1), alert_id("a", "b", 2), alert_id("a", "c", 1), alert_id("ab", "", 1)}
    assert (len(names), alert_id("lift-1", "overspeed", T0)) == (4, "gwkodcuyofygxlaz")


def test_a_clear_condition_clears_and_a_resolve_closes(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.find(STOP, "off", 40)
    assert (lift[STOP].state, lift[STOP].cleared_ns) == (CLEARED, T0 + 40 * S)
    lift.answer(STOP, "resolve", 50)
    assert (lift[STOP].state, lift[STOP].closed_by, lift.transitions) == (
        CLOSED,
        "ann",
        ["fired", "cleared", "resolved"],
    )


def test_resolving_while_the_condition_holds_is_refused(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    with pytest.raises(Refused, match="condition still holds") as refused:
        lift.answer(STOP, "resolve", 11)
    assert refused.value.reason == "condition-holds"


def test_a_rule_that_clears_by_hand_alone_fires_until_it_is_resolved(lift: Lift) -> None:
    lift.find(MOVED, "on", 10)
    lift.find(MOVED, "off", 20)
    lift.answer(MOVED, "ack", 30)
    assert lift[MOVED].state == FIRING
    lift.answer(MOVED, "resolve", 40)
    assert lift[MOVED].state == CLOSED


def test_an_acknowledged_alert_closes_as_it_clears(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.answer(STOP, "ack", 12)
    lift.find(STOP, "off", 40)
    assert (lift[STOP].state, lift[STOP].closed_by, lift.transitions[-1]) == (CLOSED, None, "cleared")


def test_acknowledging_a_cleared_alert_closes_it(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.find(STOP, "off", 40)
    lift.answer(STOP, "ack", 50)
    assert (lift[STOP].state, lift.transitions[-1]) == (CLOSED, "acknowledged")


def test_silence_does_not_clear_an_alert(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    assert on_time(lift[STOP], (), T0 + 1000 * HOUR) is None


@pytest.mark.parametrize(("again_s", "count", "same"), [(41, 2, True), (100, 2, True), (100.001, 1, False)])
def test_a_condition_that_returns_within_the_fold_time_is_the_same_alert(
    lift: Lift, again_s: float, count: int, same: bool
) -> None:
    lift.find(STOP, "on", 10)
    first = lift[STOP].id
    lift.find(STOP, "off", 40)
    lift.find(STOP, "on", again_s)
    assert (lift[STOP].count, lift[STOP].id == first, lift[STOP].cleared_ns) == (count, same, None)


def test_the_fold_is_measured_to_the_onset_not_to_the_end_of_the_hold_time(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.find(STOP, "off", 40)
    lift.find(STOP, "on", 110, onset_s=95)
    assert lift[STOP].count == 2


def test_an_alert_that_closed_by_itself_folds_and_stays_acknowledged(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.answer(STOP, "ack", 12)
    lift.find(STOP, "off", 40)
    lift.find(STOP, "on", 50)
    assert (lift[STOP].state, lift[STOP].count, lift[STOP].acknowledged) == (FIRING, 2, True)


def test_a_resolved_alert_does_not_fold(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.find(STOP, "off", 40)
    lift.answer(STOP, "resolve", 41)
    first = lift[STOP].id
    lift.find(STOP, "on", 50)
    assert (lift[STOP].id != first, lift[STOP].count, lift.transitions[-1]) == (True, 1, "fired")


def test_a_condition_that_goes_on_after_its_resolve_is_a_new_alert_of_its_own(lift: Lift) -> None:
    lift.find(MOVED, "on", 10)
    first = lift[MOVED].id
    lift.answer(MOVED, "resolve", 12)
    lift.find(MOVED, "on", 20, onset_s=10)
    assert (lift[MOVED].state, lift[MOVED].onset_ns, lift[MOVED].id != first) == (FIRING, T0 + 20 * S, True)


def test_severity_rises_while_open_and_never_falls(lift: Lift) -> None:
    lift.find(OVERTRAVEL, "on", 10, MINOR, evidence={"speed_mps": 1.0})
    lift.find(OVERTRAVEL, "on", 20, MAJOR, evidence={"speed_mps": 2.0})
    lift.find(OVERTRAVEL, "off", 30, MAJOR)
    assert (lift[OVERTRAVEL].severity, lift[OVERTRAVEL].state) == ("major", FIRING)
    assert (lift[OVERTRAVEL].evidence, lift.transitions) == ({"speed_mps": 2.0}, ["fired", "raised"])


def test_a_lower_level_that_opens_later_does_not_take_the_evidence_away(lift: Lift) -> None:
    lift.find(OVERTRAVEL, "on", 10, MAJOR, evidence={"speed_mps": 2.0})
    change = lift.find(OVERTRAVEL, "on", 20, MINOR, evidence={"speed_mps": 1.0})
    assert change is not None
    assert (change.transition, lift[OVERTRAVEL].evidence) == (None, {"speed_mps": 2.0})


def test_an_alert_of_two_levels_clears_when_both_are_shut(lift: Lift) -> None:
    lift.find(OVERTRAVEL, "on", 10, MINOR)
    lift.find(OVERTRAVEL, "on", 20, MAJOR)
    lift.find(OVERTRAVEL, "off", 30, MINOR)
    assert lift[OVERTRAVEL].state == FIRING
    lift.find(OVERTRAVEL, "off", 31, MAJOR)
    assert lift[OVERTRAVEL].state == CLEARED


def test_two_levels_that_open_at_one_instant_both_count(lift: Lift) -> None:
    lift.find(OVERSPEED, "on", 10, MINOR)
    lift.find(OVERSPEED, "on", 10, CRITICAL)
    assert (lift[OVERSPEED].severity, lift[OVERSPEED].by_hand) == ("critical", True)
    assert lift.find(OVERSPEED, "on", 10, MINOR) is None


def test_a_rise_is_to_be_acknowledged_anew(lift: Lift) -> None:
    lift.find(OVERSPEED, "on", 10, MINOR)
    lift.answer(OVERSPEED, "ack", 11)
    lift.find(OVERSPEED, "on", 12, CRITICAL)
    assert not lift[OVERSPEED].acknowledged


def test_a_level_by_hand_keeps_the_alert_when_the_other_level_is_shut(lift: Lift) -> None:
    lift.find(OVERSPEED, "on", 10, MINOR)
    lift.find(OVERSPEED, "on", 12, CRITICAL)
    lift.find(OVERSPEED, "off", 20, MINOR)
    assert lift[OVERSPEED].state == FIRING
    lift.answer(OVERSPEED, "resolve", 30)
    assert lift[OVERSPEED].state == CLOSED


def test_what_comes_again_while_an_alert_by_hand_fires_changes_nothing_but_its_peak(lift: Lift) -> None:
    lift.find(MOVED, "on", 10, evidence={"speed_mps": 0.4, "limit_mps": 0.3})
    first = lift[MOVED]
    for at_s, kind, speed_mps in ((20, "on", 0.2), (30, "off", 0.0), (40, "on", 0.3)):
        lift.find(MOVED, kind, at_s, evidence={"speed_mps": speed_mps, "limit_mps": 9.9})
    kept = ("id", "state", "count", "onset_ns", "noticed_ns", "cleared_ns", "evidence", "summary")
    assert [getattr(lift[MOVED], name) for name in kept] == [getattr(first, name) for name in kept]
    lift.find(MOVED, "on", 50, evidence={"speed_mps": 0.9, "limit_mps": 9.9})
    assert (lift[MOVED].evidence, lift.transitions) == ({"speed_mps": 0.9, "limit_mps": 0.3}, ["fired"])


def test_the_end_of_a_condition_leaves_an_alert_by_hand_and_its_return_after_a_resolve_is_a_new_one(lift: Lift) -> None:
    lift.find(MOVED, "on", 10)
    first = lift[MOVED].id
    lift.find(MOVED, "off", 12)
    lift.answer(MOVED, "resolve", 20)
    lift.find(MOVED, "on", 21)
    assert (lift[MOVED].id != first, lift[MOVED].onset_ns, lift[MOVED].count) == (True, T0 + 21 * S, 1)


def test_an_earlier_finding_is_a_repeat(lift: Lift) -> None:
    lift.find(STOP, "on", 10)
    lift.find(STOP, "off", 40)
    assert lift.find(STOP, "on", 10) is None
    assert lift.find(STOP, "off", 40) is None
    assert lift.find(STOP, "on", 39) is None


def test_a_clear_without_an_alert_is_nothing(lift: Lift) -> None:
    assert lift.find(STOP, "off", 10) is None


def test_a_finding_of_no_known_kind_is_our_mistake(lift: Lift) -> None:
    with pytest.raises(AssertionError, match="on, off or more"):
        lift.find(STOP, "maybe", 10)


def test_evidence_that_grows_while_an_alert_fires_is_kept_without_a_transition(lift: Lift) -> None:
    lift.find(MOVED, "on", 10, evidence={"speed_mps": 0.4, "limit_mps": 0.3})
    change = lift.find(MOVED, "more", 11, evidence={"speed_mps": 0.9})
    assert change is not None
    assert change.transition is None
    assert lift[MOVED].evidence == {"speed_mps": 0.9, "limit_mps": 0.3}
    assert lift[MOVED].summary["en"] == "at 0.90 m/s, limit 0.30"
    assert lift.find(MOVED, "more", 11, evidence={"speed_mps": 0.9}) is None
    resolved = lift.answer(MOVED, "resolve", 20)
    assert resolved is not None
    assert resolved.alert.evidence["speed_mps"] == 0.9


def test_evidence_that_grows_after_a_person_resolved_the_alert_changes_nothing(lift: Lift) -> None:
    lift.find(MOVED, "on", 10, evidence={"speed_mps": 0.4})
    lift.answer(MOVED, "resolve", 20)
    assert lift.find(MOVED, "more", 21, evidence={"speed_mps": 0.9}) is None
