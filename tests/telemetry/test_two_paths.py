"""The usual path and the careful one agree about everything: what they take is the same to the bit, and what the
careful one refuses the usual one never takes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.decode import decode, decode_carefully
from telemetry.streams import STREAMS
from tests.telemetry import documents
from tests.telemetry.wire import assert_same, entry

DOCUMENTS = 6_000


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_both_paths_agree_on_messages_that_are_nearly_right(form: str) -> None:
    random = Random(f"two paths, {form}")
    taken = refused = 0
    for _ in range(DOCUMENTS):
        stream = random.choice((*STREAMS, "bundle", "bundle"))
        tree = documents.message(random, stream)
        for _ in range(random.choice([0, 1, 1, 1, 2])):
            documents.hurt(random, tree)
        payload = documents.as_json(tree) if form == "json" else documents.as_cbor(random, tree)
        entries = [entry(payload, stream)]
        usual = decode(entries)
        assert_same(usual, decode_carefully(entries, {1}), payload)
        taken += len(usual.messages.lift_id)
        refused += len(usual.refusals)
    assert min(taken, refused) > DOCUMENTS / 5


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\xa2" + tail), max_size=4))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_bytes_raise(payloads: list[bytes]) -> None:
    entries = [entry(payload, position=position) for position, payload in enumerate(payloads, start=1)]
    decoded = decode(entries)
    assert len(decoded.refusals) + len(decoded.messages.lift_id) == len(payloads)
