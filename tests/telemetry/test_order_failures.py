"""Messages that cannot be put in order by a mistake of ours: left out as if they had never come, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.order import sequence
from telemetry.order.sequence import Sequencer
from telemetry.streams import Entry
from tests.telemetry.sequences import FOREVER_NS, assert_sorted, bundle_at, decoded_with_lifts, joined, vibration
from tests.telemetry.test_sequence import conversations


@contextmanager
def poisonous(positions: set[int]) -> Iterator[None]:
    """Fail after the records and rows of all messages of a step have changed, if a message is at one of `positions`."""
    process = sequence.process

    def brittle(lifts: Any, messages: Any, order: Any, *more: Any) -> None:
        process(lifts, messages, order, *more)
        if not positions.isdisjoint(messages["position"][order].tolist()):
            raise ZeroDivisionError("broken on purpose")

    with patch.object(sequence, "process", brittle):
        yield


@given(conversations(), st.sets(st.integers(1, 25), min_size=1, max_size=5), st.integers(1, 25))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_the_rows_are_those_without_the_messages_that_fail(entries: list[Entry], poison: set[int], width: int) -> None:
    groups = [entries[at : at + width] for at in range(0, len(entries), width)]
    kept = [group for cut in groups if (group := [entry for entry in cut if entry.position not in poison])]
    calm, failed = Sequencer(), list[int]()
    expected = [calm.step(*decoded_with_lifts(group))[0] for group in kept] + [calm.idle(FOREVER_NS)]
    found, disturbed = [], Sequencer()
    with poisonous(poison):
        for group in groups:
            decoded, lift = decoded_with_lifts(group)
            found.append(disturbed.step_leaving_out(decoded, lift)[0])
            failed += decoded.messages.position[list(disturbed.failed)].tolist()
            assert len(disturbed.repeated) == len(disturbed.stepped) == len(lift)
            assert_sorted(found[-1])
    found.append(disturbed.idle(FOREVER_NS))
    assert set(failed) == poison & {entry.position for entry in entries}
    for name, column in joined(expected).items():
        np.testing.assert_array_equal(joined(found)[name], column, err_msg=name)
    for kind in ("waveforms", "machine"):
        assert sorted(vibration(found, kind)) == sorted(vibration(expected, kind))
    assert {name: each.tolist() for name, each in disturbed.counts().items()} == {
        name: [*each.tolist(), *[0] * (len(disturbed.counts()[name]) - len(each))]
        for name, each in calm.counts().items()
    }


def test_a_step_that_raises_has_changed_nothing() -> None:
    sequencer = Sequencer()
    sequencer.step(*decoded_with_lifts([bundle_at(1, 0)]))
    before = sequencer.snapshot()
    with poisonous({2}), pytest.raises(ZeroDivisionError):
        sequencer.step(*decoded_with_lifts([bundle_at(2, 1), bundle_at(3, 2)]))
    after = sequencer.snapshot()
    assert all(repr(after[name]) == repr(before[name]) for name in before)
