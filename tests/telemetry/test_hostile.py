"""A hundred thousand bad messages among good ones: every good one arrives, every bad one is counted, memory is flat."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from telemetry import encode
from telemetry.decode import decode
from telemetry.said import REASONS
from telemetry.streams import STREAMS, Entry, topic
from tests.telemetry import documents
from tests.telemetry.wire import ARRIVED_NS, T_MS

BAD = 100_000
GROUP = 1_000
GOOD_EVERY = 10
WATCHED_TURNS = (20, 30)
GROWTH_LIMIT_BYTES = 8 << 20
TOPICS = (
    "lift/v1/hangzhou/HZ-1",
    "lift/v1/hangzhou/HZ-1/bundle/x",
    "lift/v1/hangzhou/HZ-1,a=b/bundle",
    'lift/v1/hangzhou/"} |> yield()/bundle',
    "lift/v1/hangzhou/<img src=x onerror=alert(1)>/bundle",
    "lift/v1/hangzhou/HZ-1/altitude",
    "x" * 40_000,
)
BOMBS = (
    b"[" * 200_000,
    b'{"a":' * 40_000,
    b'{"seq":' + b"9" * 200_000 + b"}",
    b'{"seq":1,"t":1e308,"v":1}',
    b'{"seq":1,"t":-1e308,"v":1}',
    b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xa1\x61v\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xa1\x61v\x5b\x00\x00\x7f\xff\xff\xff\xff\xff",
    b"\xbf" * 1000,
    b"\xa1\x61v" + b"\xd8\x55" * 100_000,
    b"\xa1\x61v\xd8\x23\x78\x09(a+)+(b+)",
    b"\x00" * 262_145,
)


def good(number: int) -> Entry:
    v, z = np.full(10, number % 7, dtype=np.float32), np.arange(10, dtype=np.float32)
    message = encode.bundle(number, T_MS, speed=encode.speed(100, v), displacement=encode.displacement(100, z))
    form = encode.to_json if number % 2 else encode.to_cbor
    return Entry(0, ARRIVED_NS, topic("hangzhou", f"G{number}", "bundle"), form(message))


def bad(random: Random, samples: list[Entry]) -> Entry:
    """Return one bad message: a topic, a bomb, a document with a wound, or a good payload with octets changed."""
    kind = random.random()
    if kind < 0.1:
        return random.choice(samples)._replace(topic=random.choice(TOPICS))
    if kind < 0.11:
        return Entry(0, ARRIVED_NS, topic("hangzhou", "B", "bundle"), random.choice(BOMBS))
    if kind < 0.3:
        stream = random.choice(STREAMS)
        tree = documents.message(random, stream)
        documents.hurt(random, tree)
        payload = documents.as_json(tree) if random.random() < 0.5 else documents.as_cbor(random, tree)
        return Entry(0, ARRIVED_NS, topic("hangzhou", "B", stream), payload)
    octets = bytearray(random.choice(samples).payload)
    for _ in range(random.randrange(1, 4)):
        octets[random.randrange(len(octets))] = random.randrange(256)
    cut = random.randrange(1, len(octets)) if random.random() < 0.3 else len(octets)
    return Entry(0, ARRIVED_NS, topic("hangzhou", "B", "bundle"), bytes(octets[:cut]))


def groups(random: Random) -> Iterator[list[Entry]]:
    samples = [good(number) for number in range(50)]
    number = position = 0
    for _ in range(BAD // GROUP):
        entries = []
        for turn in range(GROUP):
            entries.append(bad(random, samples))
            if turn % GOOD_EVERY == 0:
                entries.append(good(number))
                number += 1
        yield [each._replace(position=position + i) for i, each in enumerate(entries, start=1)]
        position += len(entries)


@pytest.mark.timeout(300)
def test_every_good_message_among_a_hundred_thousand_bad_ones_arrives_and_memory_is_flat() -> None:
    reasons: Counter[str] = Counter()
    expected = heard = grown = 0
    for turn, entries in enumerate(groups(Random("hostile"))):
        decoded = decode(entries)
        is_good = np.array([lift_id.startswith("G") for lift_id in decoded.messages.lift_id])
        lifts = [decoded.messages.lift_id[row] for row in np.flatnonzero(is_good)]
        assert lifts == [f"G{expected + i}" for i in range(GROUP // GOOD_EVERY)]
        expected += len(lifts)
        heard += int(is_good[decoded.samples["speed"].message].sum())
        reasons.update(refusal.reason for refusal in decoded.refusals)
        del decoded, entries
        if turn == WATCHED_TURNS[0]:
            tracemalloc.start()  # not all the while: it makes everything several times slower
        if turn == WATCHED_TURNS[1]:
            grown, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert heard == expected * 10
    assert set(reasons) <= set(REASONS)
    assert reasons.total() > BAD / 2
    assert 0 < grown < GROWTH_LIMIT_BYTES
