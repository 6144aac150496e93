"""The rules' thresholds: changed by the configuration, and refused by name where there is no such rule or threshold."""

from __future__ import annotations

import pytest

from commands.errors import Unusable
from commands.wiring.rules import changed_thresholds, tuned_rules
from configuration import Configuration
from detectors.catalogue import BY_SLUG
from detectors.rule import CRITICAL, Rule
from detectors.rules.braking.emergency_stop import EmergencyStop, HardBraking
from detectors.rules.overspeed import OverspeedUp
from registry.catalogue import SEVERITIES


def test_thresholds_of_a_rule_can_be_set_and_misspelt_ones_are_named() -> None:
    def tuned(**changes: float) -> Rule:
        settings = Configuration.model_validate({"rules": {"overspeed": changes}})
        return next(rule for rule in tuned_rules(settings) if rule.slug == "overspeed")

    rule = tuned(dangerous=1.3, critical_hold_s=2.0)
    assert rule.detector.dangerous == 1.3  # type: ignore[attr-defined]
    assert [level.hold_s for level in rule.levels if level.severity == CRITICAL] == [2.0]
    with pytest.raises(Unusable, match="did you mean dangerous"):
        tuned(dangerus=1.3)
    with pytest.raises(Unusable, match="no such rule; did you mean overspeed"):
        tuned_rules(Configuration.model_validate({"rules": {"overspede": {}}}))


@pytest.mark.parametrize("slug", ["underspeed", "harsh-ride"])
def test_a_hold_time_over_trips_and_rides_is_refused_as_no_clock_runs_there(slug: str) -> None:
    key = f"{SEVERITIES[BY_SLUG[slug].levels[0].severity]}_hold_s"
    settings = Configuration.model_validate({"rules": {slug: {key: 5.0}}})
    with pytest.raises(Unusable, match=rf"rules\.{slug}\.{key}: must be 0"):
        tuned_rules(settings)


def test_both_rules_of_overspeed_have_one_dangerous_limit() -> None:
    lower = tuned_rules(Configuration.model_validate({"rules": {"overspeed": {"dangerous": 1.1}}}))
    up = next(rule for rule in lower if rule.slug == "overspeed-up")
    assert up.detector == OverspeedUp(dangerous=1.1)
    with pytest.raises(Unusable, match=r"rules\.overspeed-up\.dangerous: set rules\.overspeed\.dangerous instead"):
        tuned_rules(Configuration.model_validate({"rules": {"overspeed-up": {"dangerous": 1.2}}}))


def test_only_thresholds_that_differ_from_the_catalogues_are_changed() -> None:
    rules = {"overspeed": {"dangerous": 1.3}, "entrapment-off-level": {"critical_clear_s": 10.0}}
    assert changed_thresholds(Configuration.model_validate({"rules": rules})) == {"overspeed.dangerous": 1.3}


def test_the_thresholds_of_a_compiled_recurrence_can_be_changed() -> None:
    settings = Configuration.model_validate({"rules": {"emergency-stop": {"brake_mps2": 1.8}}})
    (rule,) = [rule for rule in tuned_rules(settings) if rule.slug == "emergency-stop"]
    assert rule.detector == EmergencyStop(HardBraking(brake_mps2=1.8))
