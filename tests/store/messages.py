"""Sample messages of every form, as a broker delivers them, for tests of storing and replaying."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from telemetry.streams import Entry
from telemetry.wire import encode

T0_MS = 1_000_000_000_000  # 2001-09-09
HUM = {"dt": 1000 / 2560, "a": np.sin(np.arange(2560, dtype=np.float32))}
WAVE = np.sin(np.arange(300, dtype=np.float32)).reshape(3, 100)


def sample_entries(seconds: int = 6, lifts: int = 3) -> list[Entry]:
    """Return the messages of some lifts in these seconds, each lift in a form of its own, with odd and refused ones."""
    messages: list[tuple[str, bytes, bool]] = [("north/L0/status", b'{"online": false}', True)]
    for second in range(seconds):
        messages += [one for lift in range(lifts) for one in of_second(f"L{lift}", second, lift % 3)]
        messages.append(("north/gate-1/gateway", gateway(second), False))
    return entries(messages)


def of_second(lift_id: str, second: int, form: int) -> list[tuple[str, bytes, bool]]:
    t = T0_MS + 1000 * second + 0.25
    speed, place = encode.speed(100, np.full(10, 0.1 * second)), encode.displacement(250, [3.0, 3.1, None, 3.3])
    head = {"seq": 10 * second, "boot": "b1", "t": t}
    if form == 0:
        door = encode.door([0, 40.125], ["opening", "open"])
        whole = head | {"speed": speed, "displacement": place, "door": door, "vibration": encode.vibration(10, WAVE)}
        whole |= {"infrared": {"presence": True}, "machine": HUM}
        return [(f"north/{lift_id}/bundle", encode.to_cbor(whole), False)]
    parts: list[tuple[str, dict[str, Any]]] = [
        ("speed", speed),
        ("displacement", place),
        ("infrared", {"at": [1, 1], "presence": [None, True], "curtain": [False, None]}),
        ("vibration", {"dt": 1000 / 3, "x": [0.1, None], "y": [0.2, 0.3], "z": [0.4, 0.5]}),
        ("vibration", {"x": [0.1], "y": [0.2], "z": [0.4]}),
        ("machine", HUM),
        ("status", {"power": "battery", "heartbeat_s": 30.5}),
    ]
    return [
        (f"north/{lift_id}/{stream}", encode.to_json(head | {"seq": 10 * second + k} | body), stream == "status")
        for k, (stream, body) in enumerate(parts)
    ] + [(f"north/{lift_id}/speed", b'{"seq": "what"}', False)]


def gateway(second: int) -> bytes:
    inner = {"seq": second, "t": T0_MS + 1000 * second, "speed": {"dt": 100, "v": [0.0, 0.1]}}
    return encode.to_json({"lifts": {"L7": inner, "L8": inner, "L9": inner | {"t": "noon"}}})


def entries(messages: Sequence[tuple[str, bytes, bool]]) -> list[Entry]:
    return [
        Entry(k + 1, (T0_MS + 900_000 + k) * 1_000_000 + 7, f"lift/v1/{where}", payload, retained)
        for k, (where, payload, retained) in enumerate(messages)
    ]
