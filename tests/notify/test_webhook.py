"""The messages of a webhook, what ends a delivery, and the pauses between its attempts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.ways.http_post import HttpClient, ReceiverAnswer
from notify.ways.sender import SendResult, permanent, try_again
from notify.webhook import FAULT_S, GIVE_UP_S, PAUSE_LIMIT_S, Endpoint, is_given_up, matches, message_body, pause_s
from tests.alerts.rules import T0

ALERT = {"rule": "alarm-button", "severity": "major", "district": "north", "inhibited_by": None}


@pytest.mark.parametrize(
    ("endpoint", "matched"),
    [
        (Endpoint("a", "http://x", "s"), True),
        (Endpoint("a", "http://x", "s", severities=("critical",)), False),
        (Endpoint("a", "http://x", "s", severities=("critical", "major")), True),
        (Endpoint("a", "http://x", "s", districts=("south",)), False),
        (Endpoint("a", "http://x", "s", districts=("south", "north")), True),
        (Endpoint("a", "http://x", "s", kinds=("entrapment",)), False),
        (Endpoint("a", "http://x", "s", kinds=("entrapment", "alarm-call")), True),
    ],
)
def test_an_endpoint_gets_its_severities_districts_and_kinds(endpoint: Endpoint, matched: bool) -> None:
    assert matches(endpoint, ALERT) is matched


def test_an_inhibited_alert_is_sent_to_no_endpoint() -> None:
    assert not matches(Endpoint("a", "http://x", "s"), ALERT | {"inhibited_by": "power-loss"})


@pytest.mark.parametrize("status", [500, 502, 503, 599, 408, 425, 429])
def test_what_may_pass_is_tried_again(status: int) -> None:
    outcome = HttpClient().outcome(ReceiverAnswer(status))
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, False)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422, 451])
def test_what_somebody_must_repair_is_a_fault(status: int) -> None:
    outcome = HttpClient().outcome(ReceiverAnswer(status))
    assert (outcome.result, outcome.is_fault, outcome.reason) == (SendResult.TRY_AGAIN, True, f"HTTP {status}")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_was_taken_is_taken(status: int) -> None:
    assert HttpClient().outcome(ReceiverAnswer(status)).result is SendResult.DELIVERED


def test_a_fault_is_given_up_after_an_hour_an_absence_after_a_day_and_no_address_at_once() -> None:
    assert not is_given_up(try_again("HTTP 404", is_fault=True), FAULT_S - 1)
    assert is_given_up(try_again("HTTP 404", is_fault=True), FAULT_S)
    assert not is_given_up(try_again("HTTP 503"), GIVE_UP_S - 1)
    assert is_given_up(try_again("HTTP 503"), GIVE_UP_S)
    assert is_given_up(permanent("not an address"), 0)


def test_the_message_is_the_alert_and_its_transition() -> None:
    message = json.loads(message_body(7, "acknowledged", T0, "ann", None, '{"id": "x", "summary": {"zh": "快"}}'))
    assert message == {
        "type": "alert.acknowledged",
        "timestamp": "2001-01-01T00:00:00.000Z",
        "data": {"id": "x", "summary": {"zh": "快"}},
        "transition": {"id": 7, "kind": "acknowledged", "by": "ann", "note": None, "to": None},
    }


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(-1e9, 1e12))
def test_a_pause_is_inside_its_bound_and_keeps_to_what_was_asked(attempt: int, chance: float, asked: float) -> None:
    pause = pause_s(attempt, chance, asked)
    assert min(max(asked, 0.0), PAUSE_LIMIT_S) <= pause <= PAUSE_LIMIT_S
    assert pause_s(attempt, chance) <= pause_s(attempt + 1, chance)


def test_the_pauses_bound_doubles() -> None:
    assert [pause_s(attempt, 0.5) for attempt in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]


def test_a_secret_is_not_in_what_is_printed() -> None:
    assert "whsec" not in repr(Endpoint("a", "http://x", "whsec_c2VjcmV0"))
