"""Plans of calls: steps in time, acknowledgement, quiet hours, gaps, and clocks that jump."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.escalation.facts import CallProgress
from alerts.escalation.plan import plan
from alerts.escalation.policy import EscalationStep, IncidentMatch
from alerts.escalation.preview import preview
from registry.duty.hours import WeeklyHours
from registry.roles import OrganisationKind
from tests.alerts.escalation.duty_book import NOON_NS, PEOPLE, S_NS, Exchange, a_book, a_policy, a_roster, an_incident

FIRST = EscalationStep(("roster:first",), times=3, every_s=60)
SECOND = EscalationStep(("roster:second",), times=1, every_s=120)
LAST = EscalationStep(("role:manager",), times=2, every_s=60)
NIGHT = WeeklyHours("UTC", 22 * 60, 6 * 60)


def test_steps_follow_each_other_and_repeat_until_somebody_acknowledges() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, SECOND, LAST, repeat_from=2)))
    assert exchange.history(700) == [
        (0, ["ada"]), (60, ["ada"]), (120, ["ada"]), (180, ["ben"]), (300, ["dee"]), (360, ["dee"]),
        (420, ["ben"]), (540, ["dee"]), (600, ["dee"]), (660, ["ben"]),
    ]  # fmt: skip
    exchange.facts = replace(exchange.facts, acknowledged_ns=NOON_NS + 700 * S_NS)
    assert exchange.at(780) == []
    exchange.facts = replace(exchange.facts, closed_ns=NOON_NS + 900 * S_NS)
    assert (exchange.at(100_000), exchange.next_s) == ([], None)


def test_calls_about_a_critical_incident_begin_in_time_and_go_on_after_the_rounds() -> None:
    exchange = Exchange(a_book(a_policy(SECOND, rounds=1, delay_s=86_400)))
    assert [after_s for after_s, _ in exchange.history(500)] == [180, 300, 420]
    assert preview(exchange.book, exchange.facts, NOON_NS).first_s == 180


def test_calls_about_a_critical_incident_are_at_most_ten_minutes_apart() -> None:
    rare = replace(a_policy(SECOND, rounds=None), steps=(replace(SECOND, times=2, every_s=36_000),))
    assert [after_s for after_s, _ in Exchange(a_book(rare)).history(2000)] == [0, 600, 1200, 1800]
    assert [after_s for after_s, _ in Exchange(a_book(rare), severity="major").history(2000)] == [0]


def test_a_critical_incident_outside_the_hours_of_every_policy_is_called_about_by_the_default_policy() -> None:
    at_night = IncidentMatch(hours=WeeklyHours("UTC", 22 * 60, 23 * 60))
    exchange = Exchange(a_book(a_policy(SECOND, match=at_night)))
    assert exchange.at(0) == ["ada", "ben"]
    assert exchange.history(120)[-1][0] == 120


def test_rounds_end() -> None:
    exchange = Exchange(a_book(a_policy(SECOND, LAST, rounds=2)), severity="major")
    assert [after_s for after_s, _ in exchange.history(10_000)] == [0, 120, 180, 240, 360, 420]
    assert exchange.next_s is None
    assert exchange.at(20_000) == []


def test_an_acknowledged_incident_that_nobody_acts_on_is_called_about_again() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, LAST, idle_s=600)))
    assert exchange.at(0) == ["ada"]
    exchange.facts = replace(exchange.facts, acknowledged_ns=NOON_NS + 30 * S_NS)
    assert (exchange.at(60), exchange.next_s) == ([], 630)
    exchange.facts = replace(exchange.facts, last_activity_ns=NOON_NS + 100 * S_NS)
    assert (exchange.at(630), exchange.next_s) == ([], 700)
    assert exchange.history(820)[-2:] == [(760, ["ada"]), (820, ["ada"])]
    never = Exchange(a_book(a_policy(FIRST, idle_s=None)), severity="major", acknowledged_ns=NOON_NS)
    assert (never.at(10**7), never.next_s) == ([], None)


@pytest.mark.parametrize("idle_s", [None, 86_400])
def test_a_critical_incident_that_nobody_acts_on_is_called_about_again_whatever_a_stored_policy_says(
    idle_s: int | None,
) -> None:
    exchange = Exchange(a_book(a_policy(FIRST, idle_s=idle_s)), acknowledged_ns=NOON_NS)
    assert (exchange.at(0), exchange.next_s) == ([], 1800)
    assert exchange.at(1800) == ["ada"]


def test_a_clock_set_forward_across_ten_steps_calls_each_person_once() -> None:
    steps = [EscalationStep((f"person:{each}",), every_s=60) for each in ("ada", "ben", "cai", "dee", "ada") * 2]
    exchange = Exchange(a_book(a_policy(*steps, repeat_from=9)))
    assert exchange.at(0) == ["ada"]
    assert sorted(exchange.at(3 * 3600 + 30)) == ["ada", "ben", "cai", "dee"]
    assert exchange.at(3 * 3600 + 31) == []
    assert exchange.next_s == 3 * 3600 + 60
    assert len(exchange.at(3 * 3600 + 60)) == 1


def test_what_is_overdue_from_the_first_round_is_not_lost_in_later_rounds() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, LAST, repeat_from=2)))
    assert exchange.at(86_400) == ["ada", "dee"]


def test_a_clock_set_back_goes_on_at_the_pace_of_the_policy() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, LAST)))
    exchange.history(3600)
    keys = {each.key for each in exchange.last.calls}
    assert exchange.at(600) == []
    assert exchange.next_s is not None
    assert 600 < exchange.next_s <= 660
    made = exchange.history(1200)
    assert exchange.at(600) == []
    again = [exchange.at(after_s) for after_s in range(660, 1000, 60)]
    assert (bool(made), all(again)) == (True, True)
    assert not keys & {each.key for each in exchange.last.calls}


def test_an_incident_opened_before_the_clock_was_set_back_is_called_about() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, delay_s=30)), since_ns=NOON_NS + 600 * S_NS)
    assert [exchange.at(after_s) for after_s in (0, 15, 30, 60, 90)] == [[], [], ["ada"], [], ["ada"]]


def test_a_progress_of_an_earlier_release_goes_on() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, LAST)))
    exchange.progress = CallProgress(NOON_NS, NOON_NS + 60 * S_NS)
    assert exchange.at(90) == []
    assert exchange.progress == CallProgress(NOON_NS, NOON_NS + 60 * S_NS, NOON_NS, "p:0")
    assert (exchange.next_s, exchange.at(120)) == (120, ["ada"])


def test_a_gap_is_shown_and_the_last_step_is_called() -> None:
    rosters = (a_roster("first", "ada", hand_over=(20 * 60,), until=22 * 60), a_roster("second", "ben"))
    exchange = Exchange(a_book(a_policy(FIRST, SECOND, LAST), rosters=rosters))
    assert exchange.at(0) == ["dee"]
    assert [(each.reason, each.name) for each in exchange.last.missed] == [("gap", "first")]
    assert exchange.last.calls[0].instead
    assert [exchange.at(after_s) for after_s in (60, 120, 180)] == [["dee"], ["dee"], ["ben"]]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("person:mute", "no-ways"), ("person:gone", "left"), ("roster:gone", "no-roster"), ("role:viewer", "nobody")],
)
def test_a_target_that_nobody_answers_for_is_shown_and_the_last_step_is_called(target: str, reason: str) -> None:
    exchange = Exchange(a_book(a_policy(EscalationStep((target,)), LAST)))
    assert exchange.at(0) == ["dee"]
    assert [each.reason for each in exchange.last.missed] == [reason]


def test_everybody_is_called_where_the_last_step_reaches_nobody_either() -> None:
    exchange = Exchange(a_book(a_policy(EscalationStep(("person:mute",)))))
    assert exchange.at(0) == ["ada", "ben", "cai", "dee"]


def test_nobody_with_ways_is_shown_and_asked_for_again() -> None:
    exchange = Exchange(a_book(a_policy(FIRST), callees={"mute": PEOPLE["mute"]}))
    assert (exchange.at(0), exchange.next_s) == ([], 60)
    assert {each.reason for each in exchange.last.missed} == {"left"}


def test_quiet_hours_hold_everything_but_a_critical_incident() -> None:
    policy = a_policy(FIRST, SECOND, quiet=NIGHT)
    late_s = 10.5 * 3600
    opened_ns = NOON_NS + int(late_s * S_NS)
    held = Exchange(a_book(policy), severity="major", since_ns=opened_ns)
    assert (held.at(late_s), held.next_s) == ([], 18 * 3600)
    assert (held.at(18 * 3600), held.next_s) == (["ada"], 18 * 3600 + 60)
    critical = Exchange(a_book(policy), since_ns=opened_ns)
    assert critical.at(late_s) == ["ada"]


@pytest.mark.parametrize(
    ("match", "facts", "is_used"),
    [
        (IncidentMatch(), {}, True),
        (IncidentMatch(kinds=frozenset({"unsafe"})), {}, False),
        (IncidentMatch(severities=frozenset({"critical"})), {}, True),
        (IncidentMatch(districts=frozenset({"d2"})), {}, False),
        (IncidentMatch(buildings=frozenset({"North"})), {}, False),
        (IncidentMatch(buildings=frozenset({"North"})), {"building": "North"}, True),
        (IncidentMatch(hours=NIGHT), {}, False),
        (IncidentMatch(hours=NIGHT), {"since_ns": NOON_NS + 11 * 3600 * S_NS}, True),
    ],
)
def test_the_first_policy_that_matches_is_used(match: IncidentMatch, facts: dict[str, Any], is_used: bool) -> None:
    own = a_policy(EscalationStep(("person:cai",)), match=match)
    other = a_policy(EscalationStep(("person:ben",)), policy_id="q")
    exchange = Exchange(a_book(own, other), **facts)
    assert exchange.at(12 * 3600) == (["cai"] if is_used else ["ben"])


def test_calls_happen_without_configuration() -> None:
    exchange = Exchange(a_book(rosters=()))
    assert exchange.at(0) == ["ada", "ben", "cai", "dee"]
    on_duty = Exchange(a_book())
    assert on_duty.history(430) == [
        *[(after_s, ["ada", "ben"]) for after_s in (0, 60, 120)],
        *[(after_s, ["ada", "ben", "cai", "dee"]) for after_s in (180, 240, 300)],
        (360, ["ada", "ben", "cai", "dee"]),
    ]
    assert Exchange(a_book(), severity="minor").at(0) == []


def test_an_insurer_is_called_by_its_own_policies_alone() -> None:
    book = replace(a_book(), kind=OrganisationKind.INSURER)
    assert plan(book, an_incident(), None, NOON_NS).calls == ()
    own = replace(book, policies=(a_policy(EscalationStep(("everyone",))),))
    assert len(plan(own, an_incident(), None, NOON_NS).calls) == 4


def test_a_policy_goes_on_with_another_one() -> None:
    own = a_policy(FIRST, then="q")
    other = a_policy(SECOND, LAST, policy_id="q", repeat_from=2)
    nights = IncidentMatch(hours=NIGHT)
    exchange = Exchange(a_book(own, replace(other, match=nights)))
    assert [called for _, called in exchange.history(500)] == [
        ["ada"], ["ada"], ["ada"], ["ben"], ["dee"], ["dee"], ["dee"], ["dee"],
    ]  # fmt: skip


def test_a_ring_of_policies_that_is_stored_ends() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, then="q"), a_policy(SECOND, policy_id="q", then="p")))
    assert exchange.at(0) == ["ada"]


def test_a_changed_policy_begins_at_its_first_step() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, LAST)))
    keys = set()
    for after_s in (0, 60, 120, 180):
        assert exchange.at(after_s)
        keys |= {each.key for each in exchange.last.calls}
    exchange.book = a_book(a_policy(replace(FIRST, every_s=600), LAST, revision=1))
    assert (exchange.at(190), exchange.next_s) == (["ada"], 790)
    assert not keys & {each.key for each in exchange.last.calls}
    assert exchange.at(191) == []


def test_a_change_of_the_policy_that_follows_begins_at_the_first_step() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, then="q"), a_policy(LAST, policy_id="q")))
    assert exchange.history(180)[-1] == (180, ["dee"])
    exchange.book = a_book(a_policy(FIRST, then="q"), a_policy(SECOND, policy_id="q", revision=1))
    assert (exchange.at(190), exchange.next_s) == (["ada"], 250)


def test_a_policy_changed_after_its_last_round_calls_whom_it_names_now() -> None:
    exchange = Exchange(a_book(a_policy(FIRST, rounds=1, delay_s=30)), severity="major")
    exchange.history(3600)
    exchange.book = a_book(a_policy(SECOND, rounds=1, delay_s=30, revision=1))
    assert exchange.at(3600) == ["ben"]
    assert (exchange.at(3601), exchange.next_s) == ([], None)


STEPS = st.builds(
    EscalationStep,
    st.lists(st.sampled_from([f"person:{each}" for each in PEOPLE] + ["on-duty"]), min_size=1, max_size=2).map(tuple),
    st.integers(1, 4),
    st.integers(30, 300),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(STEPS, min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 200), st.none() | st.integers(1, 3),
    st.lists(st.floats(0.1, 900), min_size=1, max_size=30),
)  # fmt: skip
def test_however_often_it_is_asked_every_call_is_made_once_and_nobody_twice_within_a_repeat(
    steps: list[EscalationStep], repeat_from: int, delay_s: int, rounds: int | None, pauses_s: list[float]
) -> None:
    policy = a_policy(*steps, repeat_from=min(repeat_from, len(steps)), delay_s=delay_s, rounds=rounds)
    end_s = sum(pauses_s)
    by_plan = Exchange(a_book(policy)).history(end_s)
    often, after_s, seen = Exchange(a_book(policy)), 0.0, []
    for pause_s in [0.0, *pauses_s]:
        after_s += pause_s
        if called := often.at(after_s):
            seen.append((after_s, set(called)))
            assert len(called) == len(often.last.calls) == len({each.key for each in often.last.calls})
    assert {one for _, called in seen for one in called} == {one for _, called in by_plan for one in called}
    assert len(seen) <= len(by_plan)


def test_a_preview_shows_the_first_round() -> None:
    book = a_book(a_policy(FIRST, LAST, delay_s=30))
    seen = preview(book, an_incident(acknowledged_ns=5), NOON_NS)
    assert [(after_s, [each.callee.name for each in made.calls]) for after_s, made in seen.plans] == [
        (30, ["Ada"]), (90, ["Ada"]), (150, ["Ada"]), (210, ["Dee"]), (270, ["Dee"]),
    ]  # fmt: skip
    assert (seen.is_repeated, seen.first_s) == (True, 30)
    assert preview(book, an_incident(severity="trend"), NOON_NS).plans != ()
    assert preview(a_book(), an_incident(severity="trend"), NOON_NS).plans == ()


def test_a_preview_of_a_policy_that_quiet_hours_always_interrupt_ends() -> None:
    book = a_book(a_policy(FIRST, delay_s=20 * 3600, quiet=NIGHT))
    assert preview(book, an_incident(severity="major"), NOON_NS).first_s is None
