"""Bad messages of every kind: run as a program, decodes 100 000 of them among good ones and prints the result.

It is a process of its own, so that its resident memory is the decoder's: also what C code holds, which no Python
allocator sees.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np

from telemetry.streams import STREAMS, Entry, topic
from telemetry.wire import encode
from telemetry.wire.decode import decode
from tests.telemetry import documents
from tests.telemetry.wire import ARRIVED_NS, T_MS

BAD = 100_000
GROUP = 1_000
GOOD_EVERY = 10
LIFTS = 50
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
    """Return the bundle of a good lift's second; its `seq` is the number."""
    v, z = np.full(10, number % 7, dtype=np.float32), np.arange(10, dtype=np.float32)
    message = encode.bundle(
        number, T_MS + 1000 * (number // LIFTS), speed=encode.speed(100, v), displacement=encode.displacement(100, z)
    )
    form = encode.to_json if number % 2 else encode.to_cbor
    return Entry(0, ARRIVED_NS, topic("hangzhou", f"G{number % LIFTS}", "bundle"), form(message))


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


def mixed(random: Random) -> Iterator[Entry]:
    """Yield bad messages without end, and a good one after every so many."""
    samples = [good(number) for number in range(50)]
    position = number = 0
    while True:
        for _ in range(GOOD_EVERY):
            position += 1
            yield bad(random, samples)._replace(position=position)
        position += 1
        yield good(number)._replace(position=position)
        number += 1


def resident_kb(pid: int | str = "self", kind: str = "VmRSS") -> int:
    """Return a process's resident memory as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(f"{kind}:")).split()[1])


def main() -> None:
    """Decode, and print as JSON: which good bundles were decoded, why others were refused, memory after each group."""
    entries, reasons, resident = mixed(Random("hostile")), Counter[str](), list[int]()
    seqs: list[int] = []
    speeds = 0
    for _ in range(BAD // GROUP):
        decoded = decode(list(islice(entries, GROUP + GROUP // GOOD_EVERY)))
        is_good = np.array([lift_id.startswith("G") for lift_id in decoded.messages.lift_id])
        seqs += decoded.messages.seq[is_good].tolist()
        speeds += int(is_good[decoded.samples["speed"].message].sum())
        reasons.update(refusal.reason for refusal in decoded.refusals)
        resident.append(resident_kb())
    json.dump({"seqs": seqs, "speeds": speeds, "reasons": reasons, "resident_kb": resident}, sys.stdout)


if __name__ == "__main__":
    main()
