"""What the lifts' terminals send: one bundle for each lift and second, alone or in a gateway's envelope, and statuses.

The law: `seq` of a lift goes up by one with each of its messages since its `boot`, in the order they are sent. A lift
at rest with a still door may say one sample a second (`idle_hz` 1) instead of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cbor2
import numpy as np
from numpy.typing import NDArray

from simulator.fleet import ESTATE_LIFTS
from simulator.sensors import SAMPLE_HZ
from simulator.vibration import WAVE_HZ
from simulator.world import Second, World
from telemetry import encode
from telemetry.cbor_rows import Column, Rows, map_head
from telemetry.facts import LiftFacts
from telemetry.streams import CLOSED, DOOR_STATES, OPEN, topic

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

FORMS = ("json", "cbor", "gateway")
GATEWAY_LIFTS = ESTATE_LIFTS
NS = 1_000_000_000
STILL_MPS = 0.02
STILL_S = 2
"""A car is at rest for its terminal once every reading has stayed below this speed for so many whole seconds."""


class Packet(NamedTuple):
    """One MQTT message; `bundles` is how many lifts' seconds it holds. `sender` is the first lift of those that speak
    in it, `sent_ns` when they do."""

    topic: str
    payload: bytes
    retain: bool
    bundles: int
    sender: int = 0
    sent_ns: int = 0


def together(form: str) -> int:
    """Return how many lifts speak in one message."""
    if form not in FORMS:
        raise ValueError(f"form: {form!r} is not one of {', '.join(FORMS)}")
    return GATEWAY_LIFTS if form == "gateway" else 1


class Spoken(NamedTuple):
    """What is said of one second, a row for each bundle: the lift, its count, and how often it says its samples."""

    second: Second
    lift: I64
    seq: I64
    t_ms: I64
    samples: I64


class Terminals:
    """The terminals of a world's lifts, and how far each has counted."""

    def __init__(self, facts: Sequence[LiftFacts], form: str, start_ns: int, idle_hz: int = SAMPLE_HZ) -> None:
        self.together, self.form, self.idle_hz = together(form), form, idle_hz
        self._id = [lift.lift_id for lift in facts]
        self._district = [lift.district for lift in facts]
        self._start_s = start_ns // NS
        self._seq = np.zeros(len(facts), dtype=np.int64)
        self._boots = np.zeros(len(facts), dtype=np.int64)
        self._door = np.full(len(facts), CLOSED)
        self._still_s = np.zeros(len(facts), dtype=np.int64)
        self._key = [cbor2.dumps(name) for name in self._id]
        self._boot = [b""] * len(facts)
        self._topic = [topic(district, name, "bundle") for district, name in zip(self._district, self._id, strict=True)]
        self._status_topic = [where.replace("bundle", "status") for where in self._topic]
        self._rows: dict[tuple[int, bool], Rows] = {}

    def offline(self, lift: int) -> Packet:
        """Return what the broker is to say when a lift is gone."""
        return Packet(self._status_topic[lift], encode.to_json({"online": False}), True, 0, lift)

    def say(self, world: World, second: Second) -> list[Packet]:
        """Return all that is said of this second, in the order in which it is sent: a status before its bundle."""
        self._restart(second)
        statuses = [self._status(world, second, lift) for lift in second.status]
        spoken = self._count(second)
        bundles: Callable[[Spoken], list[Packet]] = self._json if self.form == "json" else self._cbor
        packets = statuses + (self._gateways(spoken) if self.form == "gateway" else bundles(spoken))
        return sorted(packets, key=lambda packet: packet.sent_ns)

    def _restart(self, second: Second) -> None:
        """Count anew where a terminal has started again."""
        for lift in np.flatnonzero(second.boots != self._boots).tolist():
            self._boot[lift] = cbor2.dumps("boot") + cbor2.dumps(self._boot_text(second, lift))
            self._seq[lift] = 0
        self._boots = second.boots

    def _count(self, second: Second) -> Spoken:
        """Count the bundles of those that speak."""
        lift = np.flatnonzero(~second.silent)
        self._seq[lift] += 1
        samples = np.where(self._still(second)[lift], self.idle_hz, SAMPLE_HZ)
        return Spoken(second, lift, self._seq[lift], second.t_ns[lift] // 1_000_000, samples)

    def _still(self, second: Second) -> Bools:
        """Tell which cars have been at rest, with a door that does not move, for as long as a terminal asks for."""
        heard = np.flatnonzero(np.diff(second.door.first))
        self._door[heard] = second.door.values[second.door.first[heard + 1] - 1, 0]
        moves = (np.abs(second.v_mps) > STILL_MPS).any(axis=1) | ((self._door != CLOSED) & (self._door != OPEN))
        moves[heard] |= np.diff(second.door.first)[heard] > 1
        self._still_s = np.where(moves, 0, self._still_s + 1)
        return self._still_s > STILL_S

    def _boot_text(self, second: Second, lift: int) -> str:
        return f"{self._start_s}.{second.boots[lift]}"

    def _status(self, world: World, second: Second, lift: int) -> Packet:
        """Return a lift's status, retained; its last will has neither seq nor t."""
        said: dict[str, Any] = world.status(lift)
        t_ns = int(second.t_ns[lift])
        if not second.silent[lift]:
            self._seq[lift] += 1
            seq, boot = int(self._seq[lift]), self._boot_text(second, lift)
            said = {"seq": seq, "boot": boot, "t": t_ns // 1_000_000, **said}
        return Packet(self._status_topic[lift], encode.to_json(said), True, 0, self._sender(lift), t_ns + NS)

    def _sender(self, lift: int) -> int:
        return lift // self.together * self.together

    def _json(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each bundle."""
        second, v, z = spoken.second, spoken.second.v_mps.tolist(), spoken.second.z_m.tolist()
        packets = []
        for lift, seq, t_ms, samples in zip(*(column.tolist() for column in spoken[1:]), strict=True):
            bundle: dict[str, Any] = {"seq": seq, "boot": self._boot_text(second, lift), "t": t_ms}
            step = SAMPLE_HZ // samples
            bundle["speed"] = encode.speed(1000 // samples, v[lift][::step])
            bundle["displacement"] = encode.displacement(1000 // samples, z[lift][::step])
            if second.vibration_mps2 is not None:
                bundle["vibration"] = encode.vibration(1000 // WAVE_HZ, second.vibration_mps2[lift])
            payload = encode.to_json(bundle | _events(second, lift))
            packets.append(Packet(self._topic[lift], payload, False, 1, lift, int(second.t_ns[lift]) + NS))
        return packets

    def _cbor(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each bundle."""
        t_ns = spoken.second.t_ns
        return [
            Packet(self._topic[lift], bundle, False, 1, lift, int(t_ns[lift]) + NS)
            for lift, bundle in zip(spoken.lift.tolist(), self._maps(spoken), strict=True)
        ]

    def _gateways(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each gateway of which a lift speaks."""
        packets, bundles, lifts = [], self._maps(spoken), spoken.lift
        first = np.flatnonzero(np.r_[True, np.diff(lifts // self.together) > 0]) if len(lifts) else lifts
        for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(lifts)], strict=True):
            some, sender = lifts[begin:end].tolist(), self._sender(int(lifts[begin]))
            inner = b"".join([part for k, lift in enumerate(some, begin) for part in (self._key[lift], bundles[k])])
            payload = map_head(1) + cbor2.dumps("lifts") + map_head(len(some)) + inner
            where = topic(self._district[sender], f"gateway-{sender // self.together + 1}", "gateway")
            sent_ns = int(spoken.second.t_ns[sender]) + NS
            packets.append(Packet(where, payload, False, len(some), sender, sent_ns))
        return packets

    def _maps(self, spoken: Spoken) -> list[bytes]:
        """Return each bundle as a map in CBOR."""
        second, inner = spoken.second, [b""] * len(spoken.lift)
        waves = second.vibration_mps2
        for samples in np.unique(spoken.samples).tolist():
            row = np.flatnonzero(spoken.samples == samples)
            lift, step = spoken.lift[row], SAMPLE_HZ // samples
            columns = {"v": second.v_mps[lift, ::step], "z": second.z_m[lift, ::step]}
            if waves is not None:
                columns |= {axis: waves[lift, k] for k, axis in enumerate(("vx", "vy", "vz"))}
            made = self._layout(samples, waves is not None).encode(seq=spoken.seq[row], t=spoken.t_ms[row], **columns)
            for k, one in zip(row.tolist(), made, strict=True):
                inner[k] = one
        fields = 5 if waves is None else 6
        eventful = np.flatnonzero((np.diff(second.door.first) + np.diff(second.infrared.first))[spoken.lift])
        events = {k: _events(second, int(spoken.lift[k])) for k in eventful.tolist()}
        plain = map_head(fields)
        return [
            (map_head(fields + len(events[k])) if k in events else plain)
            + self._boot[lift]
            + inner[k]
            + (encode.to_cbor(events[k])[1:] if k in events else b"")
            for k, lift in enumerate(spoken.lift.tolist())
        ]

    def _layout(self, samples: int, waves: bool) -> Rows:
        """Return the layout of bundles with so many samples."""
        if (samples, waves) not in self._rows:
            count = min(samples, SAMPLE_HZ)
            entries: dict[str, Any] = {
                "seq": Column("seq", ">u4"),
                "t": Column("t", ">u8"),
                "speed": encode.speed(1000 // samples, Column("v", "<f8", count)),
                "displacement": encode.displacement(1000 // samples, Column("z", "<f8", count)),
            }
            if waves:
                axes = {axis: Column(f"v{axis}", "<f4", WAVE_HZ) for axis in "xyz"}
                entries["vibration"] = {"dt": 1000 // WAVE_HZ, **axes}
            self._rows[samples, waves] = Rows(entries)
        return self._rows[samples, waves]


def _events(second: Second, lift: int) -> dict[str, Any]:
    """Return what door and infrared of a lift say of this second, where they say anything."""
    streams: dict[str, Any] = {}
    door, infrared = second.door.of(lift), second.infrared.of(lift)
    if door:
        streams["door"] = encode.door(door[0], [DOOR_STATES[state] for (state,) in door[1]])
    if infrared:
        presence, curtain = (list(map(bool, column)) for column in zip(*infrared[1], strict=True))
        streams["infrared"] = {"at": infrared[0], "presence": presence, "curtain": curtain}
    return streams
