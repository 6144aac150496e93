"""The pauses between tries stay under a bound that doubles, and are spread evenly below it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.backoff import Backoff, pause_s


def test_the_bound_doubles_up_to_the_limit() -> None:
    assert [pause_s(failures, 1.0, 10.0, 0.5) for failures in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.integers(0, 1_000_000), st.floats(0.001, 60), st.floats(0.001, 3600), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_negative_nor_above_its_limit(
    failures: int, first_s: float, limit_s: float, chance: float
) -> None:
    assert 0.0 <= pause_s(failures, first_s, limit_s, chance) <= limit_s


def test_pauses_are_drawn_from_zero_up(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.0, 0.25, 0.75])
    monkeypatch.setattr(random, "random", lambda: next(draws))
    backoff = Backoff(1.0, 60.0)
    assert [backoff.pause_s() for _ in range(3)] == [0.0, 0.5, 3.0]


def test_a_success_brings_the_shortest_pause_back() -> None:
    backoff = Backoff(1.0, 60.0)
    for _ in range(8):
        backoff.pause_s()
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.pause_s() < 1.0
