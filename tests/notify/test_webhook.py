"""The messages of a webhook, what ends a delivery, and the pauses between its attempts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.webhook import DELIVERED, PAUSE_LIMIT_S, REJECTED, Endpoint, classify, matches, message_body, pause_s
from tests.alerts.rules import T0

ALERT = {"severity": "major", "district": "north", "inhibited_by": None}


@pytest.mark.parametrize(
    ("endpoint", "matched"),
    [
        (Endpoint("a", "http://x", "s"), True),
        (Endpoint("a", "http://x", "s", severities=("critical",)), False),
        (Endpoint("a", "http://x", "s", severities=("critical", "major")), True),
        (Endpoint("a", "http://x", "s", districts=("south",)), False),
        (Endpoint("a", "http://x", "s", districts=("south", "north")), True),
    ],
)
def test_an_endpoint_gets_its_severities_and_districts(endpoint: Endpoint, matched: bool) -> None:
    assert matches(endpoint, ALERT) is matched


def test_an_inhibited_alert_is_sent_to_no_endpoint() -> None:
    assert not matches(Endpoint("a", "http://x", "s"), ALERT | {"inhibited_by": "power-loss"})


@pytest.mark.parametrize("status", [None, 500, 502, 503, 599, 408, 425, 429])
def test_what_may_pass_is_tried_again(status: int | None) -> None:
    assert classify(status) == "passing"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422, 451])
def test_what_the_endpoint_will_never_take_is_not_tried_again(status: int) -> None:
    assert classify(status) == REJECTED


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_was_taken_is_taken(status: int) -> None:
    assert classify(status) == DELIVERED


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
