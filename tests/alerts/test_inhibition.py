"""Alerts that are inhibited by the open alert of their cause (contract, section 3)."""

from __future__ import annotations

from alerts.book import on_cause_over
from detectors.rule import CRITICAL, MINOR
from tests.alerts.lift_alerts import Lift
from tests.alerts.rules import DOOR, MOVED, OFFLINE, OVERSPEED, POWER, STOP, T0, S


def test_an_alert_that_follows_from_a_loss_of_power_is_inhibited(lift: Lift) -> None:
    lift.find(POWER, "on", 10)
    lift.find(STOP, "on", 30, onset_s=12)
    assert (lift[STOP].inhibited_by, lift[POWER].inhibited_by) == ("power-loss", None)


def test_an_alert_that_began_well_before_its_cause_is_not_inhibited(lift: Lift) -> None:
    lift.find(POWER, "on", 20)
    lift.find(DOOR, "on", 130, onset_s=10)
    assert lift[DOOR].inhibited_by is None


def test_a_critical_alert_is_never_inhibited(lift: Lift) -> None:
    lift.find(POWER, "on", 10)
    lift.find(MOVED, "on", 20)
    lift.find(OVERSPEED, "on", 30, MINOR)
    lift.find(OVERSPEED, "on", 31, CRITICAL)
    assert (lift[MOVED].inhibited_by, lift[OVERSPEED].inhibited_by) == (None, None)


def test_power_explains_silence_and_not_the_other_way_round(lift: Lift) -> None:
    lift.find(POWER, "on", 10)
    lift.find(OFFLINE, "on", 400)
    assert lift[OFFLINE].inhibited_by == "power-loss"
    other = Lift()
    other.find(OFFLINE, "on", 400)
    other.find(POWER, "on", 500)
    assert other[POWER].inhibited_by is None


def test_an_alert_that_outlives_its_cause_is_released(lift: Lift) -> None:
    lift.find(POWER, "on", 10)
    lift.find(STOP, "on", 30)
    assert on_cause_over(lift[STOP], [lift[POWER]], T0 + 40 * S) is None
    lift.find(POWER, "off", 50)
    change = on_cause_over(lift[STOP], [lift[POWER]], T0 + 50 * S)
    assert change is not None
    assert change.transition is not None
    assert (change.alert.inhibited_by, change.transition.kind) == (None, "released")


def test_an_alert_that_cleared_before_its_cause_is_not_released(lift: Lift) -> None:
    lift.find(POWER, "on", 10)
    lift.find(STOP, "on", 30)
    lift.find(STOP, "off", 40)
    lift.find(POWER, "off", 50)
    assert lift[STOP].inhibited_by == "power-loss"
    assert on_cause_over(lift[STOP], [lift[POWER]], T0 + 50 * S) is None
