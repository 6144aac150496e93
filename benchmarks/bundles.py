"""The bundles of the benchmarks: one lift and one second, 10 speeds, 10 positions, 3 x 100 vibrations, some events.

The numbers are drawn from a seed and resemble a car's, so that texts have the usual length and rules the usual work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from registry.facts import Floor, LiftFacts
from telemetry.streams import topic
from telemetry.wire import encode

READINGS = 10 + 10 + 300 + 3
"""In one bundle: speeds, positions, vibrations, and one each of door, presence and curtain."""
GATEWAY_LIFTS = 20
DISTRICT = "bench"
DECIMALS = 3
FIRST_SECOND = 1_000_000
"""Numbers this large keep their width during any benchmark, so that an encoded message can be restamped."""
STREAMS = ("speed", "displacement", "door", "infrared", "vibration")
PITCH_M, FLOORS, RATED_MPS = 3.0, 20, 1.75


def lift_id(i: int) -> str:
    """Return the name of the i-th lift."""
    return f"bench-{i:05d}"


def facts(lifts: int) -> list[LiftFacts]:
    """Return the registry's entries."""
    floors = tuple(Floor(str(k + 1), k * PITCH_M) for k in range(FLOORS))
    return [LiftFacts(lift_id(i), DISTRICT, rated_speed_mps=RATED_MPS, floors=floors) for i in range(lifts)]


def bundle(i: int, second: int, t_ms: int, *, typed: bool, vibrates: bool = True) -> dict[str, Any]:
    """Return the bundle of lift i in one second: it runs for 20 s, stands for 10 s with its door open."""
    random = np.random.default_rng((i, second))
    phase = (second + i) % 30
    speed = np.full(10, RATED_MPS if phase < 20 else 0.0) + random.normal(0, 0.005, 10)
    place = min(phase, 20) * RATED_MPS + np.arange(10) * 0.1 * (RATED_MPS if phase < 20 else 0.0)
    waves = random.normal(0, 0.03, (3, 100))
    arrays = [np.round(column, DECIMALS) for column in (speed, place + random.normal(0, 0.001, 10), waves)]
    if typed:
        arrays = [column.astype("<f4") for column in arrays]
    streams = {
        "speed": encode.speed(100, arrays[0]),
        "displacement": encode.displacement(100, arrays[1]),
        "door": {"state": ["closed" if phase < 20 else "open"]},
        "infrared": {"presence": [i % 2], "curtain": [0]},
    }
    if vibrates:
        streams["vibration"] = encode.vibration(10, arrays[2])
    return encode.bundle(second, t_ms, "1", **streams)


def messages(form: str, lifts: int, second: int, t_ms: int) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) of one second of the fleet as `json`, `cbor`, `gateway` or single `streams`."""
    if form == "gateway":
        for first in range(0, lifts, GATEWAY_LIFTS):
            some = range(first, min(first + GATEWAY_LIFTS, lifts))
            envelope = encode.gateway({lift_id(i): bundle(i, second, t_ms, typed=True) for i in some})
            yield topic(DISTRICT, f"gateway-{first:05d}", "gateway"), encode.to_cbor(envelope)
        return
    for i in range(lifts):
        body = bundle(i, second, t_ms, typed=form == "cbor")
        if form == "streams":
            yield from _single_streams(lift_id(i), body)
            continue
        payload = encode.to_cbor(body) if form == "cbor" else encode.to_json(body)
        yield topic(DISTRICT, lift_id(i), "bundle"), payload


def _single_streams(lift: str, body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) of each stream of a bundle as a message of its own."""
    for k, name in enumerate(STREAMS):
        head = {"seq": len(STREAMS) * body["seq"] + k, "t": body["t"], "boot": body["boot"]}
        yield topic(DISTRICT, lift, name), encode.to_json(head | body[name])


def restamped(payload: bytes, form: str, second: int, t0_ms: int) -> bytes:
    """Return a message that was encoded for `FIRST_SECOND` and `t0_ms`, restamped for a later second."""
    old, new = (FIRST_SECOND, t0_ms), (FIRST_SECOND + second, t0_ms + 1000 * second)
    if form == "json":
        return payload.replace(b'"seq":%d,"t":%d' % old, b'"seq":%d,"t":%d' % new, 1)
    return payload.replace(b"\x63seq\x1a%s\x61t\x1b%s" % stamp(*old), b"\x63seq\x1a%s\x61t\x1b%s" % stamp(*new))


def stamp(seq: int, t_ms: int) -> tuple[bytes, bytes]:
    """Return the two numbers as CBOR holds them after their heads."""
    return seq.to_bytes(4, "big"), t_ms.to_bytes(8, "big")
