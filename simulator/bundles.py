"""What the lifts' terminals send: one bundle for each lift and second, alone or in a gateway's envelope, and statuses.

The law: `seq` of a lift goes up by one with each of its messages since its `boot`, in the order they are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from simulator.fleet import ESTATE_LIFTS
from simulator.sensors import SAMPLE_HZ
from simulator.vibration import WAVE_HZ
from simulator.world import Second, World
from telemetry import encode
from telemetry.facts import LiftFacts
from telemetry.streams import DOOR_STATES, topic

FORMS = ("json", "cbor", "gateway")
GATEWAY_LIFTS = ESTATE_LIFTS


class Packet(NamedTuple):
    """One MQTT message; `bundles` is how many lifts' seconds it holds."""

    topic: str
    payload: bytes
    retain: bool
    bundles: int


class Terminals:
    """The terminals of a world's lifts, and how far each has counted."""

    def __init__(self, facts: Sequence[LiftFacts], form: str, start_ns: int) -> None:
        if form not in FORMS:
            raise ValueError(f"form: {form!r} is not one of {', '.join(FORMS)}")
        self.together = GATEWAY_LIFTS if form == "gateway" else 1
        self._encode = encode.to_json if form == "json" else encode.to_cbor
        self._id = [lift.lift_id for lift in facts]
        self._district = [lift.district for lift in facts]
        self._seq = [0] * len(facts)
        self._boots = [0] * len(facts)
        self._start_s = start_ns // 1_000_000_000

    def status(self, world: World, second: Second, lift: int) -> Packet:
        """Return a lift's status, retained; its last will has neither seq nor t."""
        said: dict[str, Any] = world.status(lift)
        if not second.silent[lift]:
            said = {**self._head(second, lift), **said}
        return Packet(topic(self._district[lift], self._id[lift], "status"), encode.to_json(said), True, 0)

    def offline(self, lift: int) -> Packet:
        """Return what the broker is to say when a lift is gone."""
        return Packet(topic(self._district[lift], self._id[lift], "status"), encode.to_json({"online": False}), True, 0)

    def packets(self, second: Second, lifts: Sequence[int]) -> Iterator[Packet]:
        """Yield the bundles of these lifts (of a gateway's whole group, where there are gateways)."""
        heard = [lift for lift in lifts if not second.silent[lift]]
        if self.together == 1:
            for lift in heard:
                to = topic(self._district[lift], self._id[lift], "bundle")
                yield Packet(to, self._encode(self._bundle(second, lift)), False, 1)
        elif heard:
            to = topic(self._district[heard[0]], f"gateway-{heard[0] // self.together + 1}", "gateway")
            envelope = encode.gateway({self._id[lift]: self._bundle(second, lift) for lift in heard})
            yield Packet(to, self._encode(envelope), False, len(heard))

    def _head(self, second: Second, lift: int) -> dict[str, Any]:
        """Count this message."""
        boots = int(second.boots[lift])
        if boots != self._boots[lift]:
            self._boots[lift], self._seq[lift] = boots, 0
        self._seq[lift] += 1
        return {
            "seq": self._seq[lift],
            "boot": f"{self._start_s}.{boots}",
            "t": int(second.t_ns[lift]) // 1_000_000,
        }

    def _bundle(self, second: Second, lift: int) -> dict[str, Any]:
        streams: dict[str, Any] = {
            "speed": encode.speed(1000 // SAMPLE_HZ, second.v_mps[lift]),
            "displacement": encode.displacement(1000 // SAMPLE_HZ, second.z_m[lift]),
        }
        door, infrared = second.door.of(lift), second.infrared.of(lift)
        if door:
            streams["door"] = encode.door(door[0], [DOOR_STATES[state] for (state,) in door[1]])
        if infrared:
            presence, curtain = (list(map(bool, column)) for column in zip(*infrared[1], strict=True))
            streams["infrared"] = {"at": infrared[0], "presence": presence, "curtain": curtain}
        if second.vibration_mps2 is not None:
            streams["vibration"] = encode.vibration(1000 // WAVE_HZ, second.vibration_mps2[lift])
        return self._head(second, lift) | streams
