"""The fast path and the validating one agree: what both take is the same to the bit, and what the validating one
refuses the fast one never takes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.streams import STREAMS, UNJUDGEABLE, Entry
from telemetry.wire.decode import decode, decode_validating
from tests.telemetry import documents
from tests.telemetry.wire import assert_same, columns, entry

GROUPS, GROUP = 150, 40


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_both_paths_agree_on_messages_that_are_nearly_right(form: str) -> None:
    random = Random(f"two paths, {form}")
    taken = refused = 0
    for _ in range(GROUPS):
        entries = [nearly_right(random, form, position) for position in range(1, GROUP + 1)]
        fast, validated = decode(entries), decode_validating(entries, {one.position for one in entries})
        if columns(fast) != columns(validated) or fast.refusals != validated.refusals:
            for one in entries:  # decoded alone each shows which it is
                assert_same(decode([one]), decode_validating([one], {one.position}), one)
        assert_same(fast, validated)
        taken += len(fast.messages.lift_id)
        refused += len(fast.refusals)
    assert min(taken, refused) > GROUPS * GROUP / 5


def nearly_right(random: Random, form: str, position: int) -> Entry:
    """Return a message that is right, or wrong in a place or two."""
    stream = random.choice((*STREAMS, "bundle", "bundle"))
    tree = documents.message(random, stream)
    for _ in range(random.choice([0, 1, 1, 1, 2])):
        documents.hurt(random, tree)
    payload = documents.as_json(tree) if form == "json" else documents.as_cbor(random, tree)
    return entry(payload, stream, position)


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\xa2" + tail), max_size=4))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_bytes_raise(payloads: list[bytes]) -> None:
    entries = [entry(payload, position=position) for position, payload in enumerate(payloads, start=1)]
    decoded = decode(entries)
    assert len(decoded.refusals) + len(decoded.messages.lift_id) == len(payloads)
    assert not [one for one in decoded.refusals if one.reason == UNJUDGEABLE]
