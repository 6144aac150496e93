"""Groups joined and cut: each message keeps its values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from telemetry.groups import joined, only
from telemetry.wire.decode import decode
from tests.store.messages import sample_entries
from tests.telemetry.wire import assert_same


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_groups_joined_are_what_one_group_would_have_been(size: int) -> None:
    entries = sample_entries()
    parts = [decode(entries[k : k + size]) for k in range(0, len(entries), size)]
    assert_same(joined(parts), decode(entries))


def test_the_messages_of_one_lift_equal_those_decoded_alone() -> None:
    entries = sample_entries()
    whole = decode(entries)
    for lift_id in set(whole.messages.lift_id):
        kept = only(whole, np.array([name == lift_id for name in whole.messages.lift_id]))
        assert set(kept.messages.lift_id) == {lift_id}
        if lift_id in ("L0", "L1", "L2"):
            own = [entry for entry in entries if f"/{lift_id}/" in entry.topic]
            alone = decode(own)
            assert_same(kept, replace(alone, refusals=whole.refusals))


def test_keeping_all_changes_nothing() -> None:
    whole = decode(sample_entries())
    assert only(whole, np.ones(len(whole.messages.seq), dtype=np.bool_)) is whole
    assert len(only(whole, np.zeros(len(whole.messages.seq), dtype=np.bool_)).messages.seq) == 0
