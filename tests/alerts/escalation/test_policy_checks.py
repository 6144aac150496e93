"""Escalation policies as JSON: what is accepted comes back the same, every error names its field and a remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.escalation.policy_checks import Nameable, policy_document, read_policy
from tests.alerts.escalation.duty_book import a_policy

POLICY: dict[str, Any] = {
    "name": "Nights",
    "match": {
        "kinds": ["entrapment", "unsafe"], "severities": ["major"], "districts": ["d1"], "buildings": ["North"],
        "hours": {"timezone": "Asia/Shanghai", "from": "18:00", "until": "08:00", "weekdays": ["mon", "sun"]},
    },
    "steps": [
        {"targets": ["on-duty", "roster:r1"], "times": 3, "every_s": 60},
        {"targets": ["person:ada", "role:manager", "everyone"], "times": 1, "every_s": 180},
    ],
    "delay_s": 30, "repeat_from": 2, "rounds": 5, "idle_s": "never",
    "quiet": {"timezone": "UTC", "from": "22:00", "until": "06:00", "weekdays": ["mon"]},
    "then": None,
}  # fmt: skip
KNOWN = Nameable({"r1"}, {"ada"}, (a_policy(policy_id="p"), a_policy(policy_id="q", then="p")))


def errors_of(changes: dict[str, Any]) -> list[str]:
    """Return the errors of the policy with these changes."""
    return [str(each) for each in read_policy({**POLICY, **changes}, "p", "firm", KNOWN)[1]]


def test_a_policy_is_read_as_it_is_written() -> None:
    policy, errors = read_policy(POLICY, "p", "firm", KNOWN)
    assert errors == []
    assert policy_document(policy) == POLICY


def step(**more: Any) -> dict[str, Any]:
    """Return a policy of one step."""
    return {"steps": [{"targets": ["on-duty"], **more}], "repeat_from": 1}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": None}, "name: is missing; give one"),
        ({"steps": [], "repeat_from": 1}, "steps: is empty, so nobody would be called; give at least one step"),
        (step(targets=[]), "steps[0].targets: has 0 entries; give 1 to 20"),
        (step(targets=["boss"]), "steps[0].targets: 'boss' is not a target; write one of on-duty, everyone, roster:…"),
        (step(targets=["roster:r2"]), "steps[0].targets: 'r2' is no roster of the organisation; choose one"),
        (step(targets=["person:eve"]), "steps[0].targets: 'eve' is nobody of the organisation; choose one"),
        (step(targets=["role:boss"]), "steps[0].targets: 'boss' is no role; choose one that is listed"),
        (step(times=0), "steps[0].times: 0 is out of range; write the number of calls from 1 to 60"),
        (step(every_s=5), "steps[0].every_s: 5 is out of range; write seconds from 30 to 86400"),
        (step(wait=5), "steps[0].wait: is not known; write some of targets, times, every_s"),
        ({"repeat_from": 3}, "repeat_from: 3 is out of range; write the number of a step from 1 to 2"),
        ({"idle_s": 5}, "idle_s: 5 is out of range; write seconds, or 'never' from 60 to 604800"),
        ({"match": []}, "match: a list is not an object; write an object with fields"),
        ({"match": {"kinds": ["fire"]}}, "match.kinds: 'fire' is not known; write one of entrapment, alarm-call"),
        ({"match": {"kind": "unsafe"}}, "match.kind: is not known; write some of kinds, severities"),
        ({"quiet": {"from": "22:00", "until": "06:00"}}, "quiet.timezone: is missing; give one"),
        ({"quiet": {"timezone": "UTC", "from": "22:00", "until": "22:00"}}, "quiet.until: is the same time as from"),
        ({"then": "x"}, "then: 'x' is not known; write one of p, q"),
        ({"then": "q", "rounds": None, "repeat_from": 1}, "then: leads back: Nights → Q → Nights; choose a policy"),
        ({"then": "p", "rounds": None, "repeat_from": 1}, "then: leads back: Nights → Nights; choose a policy"),
    ],
)
def test_an_error_names_the_field_and_a_remedy(changes: dict[str, Any], error: str) -> None:
    (found,) = errors_of(changes)
    assert found.startswith(error)


LONG_IDLE = (
    "idle_s: leaves an acknowledged critical incident alone for too long; write at most 1800, or leave critical"
    " incidents out of match.severities"
)


@pytest.mark.parametrize("idle_s", ["never", 1801])
@pytest.mark.parametrize("match", [None, {}, {"severities": ["major", "critical"]}])
def test_a_policy_never_leaves_an_acknowledged_critical_incident_alone(
    idle_s: int | str, match: dict[str, Any] | None
) -> None:
    assert errors_of({"match": match, "idle_s": idle_s}) == [LONG_IDLE]
    assert errors_of({"match": match, "idle_s": 1800}) == []
    assert errors_of({"match": {"severities": ["major", "minor"]}, "idle_s": idle_s}) == []


def test_a_policy_that_goes_on_with_another_has_no_rounds_of_its_own() -> None:
    _, errors = read_policy({**POLICY, "then": "p"}, "n", "firm", KNOWN)
    assert [str(each) for each in errors] == [
        "then: takes the place of rounds and repeat_from; leave those two out, or this one"
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*POLICY]), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_anything_is_answered_with_errors_of_fields(value: Any) -> None:
    errors = read_policy(value, "p", "firm", KNOWN)[1]
    assert errors
    assert all(each.wrong and each.remedy for each in errors)
