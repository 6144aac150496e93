"""What terminals say, as MQTT messages: one bundle for each lift and second, alone or in a gateway's envelope.

The law: every form says the same. CBOR is made of columns, a second of the fleet at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import cbor2
import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.buildings.fleet import ESTATE_LIFTS
from simulator.physics.sensors import SAMPLE_HZ
from simulator.terminals.terminals import DISPLACEMENT, DOOR, INFRARED, MS, SPEED, VIBRATION, Spoken, Status, only
from telemetry.arrays import I64
from telemetry.streams import DOOR_STATES, MACHINE, MEASURED, topic
from telemetry.wire import encode
from telemetry.wire.cbor_rows import Column, Rows, envelope, map_head

FORMS = ("json", "cbor", "gateway", "streams")
GATEWAY_LIFTS = ESTATE_LIFTS


class Packet(NamedTuple):
    """One MQTT message; `bundles` is how many lifts' seconds it holds. `sender` is the lift whose connection it takes
    (of a gateway: ~ the first of its lifts), `sent_ns` when it is sent, or arrives."""

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


class Packer:
    """Makes packets of what these lifts' terminals say; `first` is how many lifts of the fleet come before them."""

    def __init__(self, facts: Sequence[LiftFacts], form: str, first: int = 0) -> None:
        self.form, self._together, self._first = form, together(form), first
        self._district = [lift.district for lift in facts]
        self._topic = [topic(lift.district, lift.lift_id, "bundle") for lift in facts]
        self._status_topic = [topic(lift.district, lift.lift_id, "status") for lift in facts]
        self._key = [cbor2.dumps(lift.lift_id) for lift in facts]
        self._layouts: dict[int, Rows] = {}

    def offline(self, lift: int) -> Packet:
        """Return what the broker is to say when a lift is gone."""
        return Packet(self._status_topic[lift], encode.to_json({"online": False}), True, 0, lift)

    def packets(self, spoken: Spoken) -> list[Packet]:
        """Return all that is said of a second, in the order in which it is sent."""
        bundles = {"json": self._json, "cbor": self._cbor, "gateway": self._gateways, "streams": self._streams}
        statuses = [self._status(status, spoken) for status in spoken.statuses]
        return sorted(statuses + bundles[self.form](spoken), key=lambda packet: packet.sent_ns)

    def _status(self, status: Status, spoken: Spoken) -> Packet:
        lift, seq, t_ns, sent_ns, said = status
        if seq >= 0:
            said = _head(seq, spoken.boot[lift], t_ns) | said
        return Packet(self._status_topic[lift], encode.to_json(said), True, 0, self._sender(lift, spoken), sent_ns)

    def _sender(self, lift: int, spoken: Spoken) -> int:
        """Return whose connection a lift speaks by: its own where it is cut from its gateway."""
        return lift if self.form != "gateway" or spoken.cut[lift] else ~(lift // self._together * self._together)

    def _json(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each bundle."""
        rows = zip(
            spoken.lift.tolist(), spoken.seq.tolist(), spoken.t_ns.tolist(), spoken.sent_ns.tolist(), strict=True
        )
        return [
            Packet(
                self._topic[lift],
                encode.to_json(_head(seq, spoken.boot[lift], t_ns) | _said(spoken, k)),
                False, 1, lift, sent_ns,
            )
            for k, (lift, seq, t_ns, sent_ns) in enumerate(rows)
        ]  # fmt: skip

    def _streams(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each stream of each bundle."""
        packets = []
        for k, (lift, t_ns, sent_ns) in enumerate(
            zip(spoken.lift.tolist(), spoken.t_ns.tolist(), spoken.sent_ns.tolist(), strict=True)
        ):
            for stream, body in _said(spoken, k).items():
                if stream not in MEASURED:
                    continue
                seq = int(spoken.seqs[k, MEASURED.index(stream)])
                payload = encode.to_json(_head(seq, spoken.boot[lift], t_ns) | body)
                where = self._topic[lift].removesuffix("bundle") + stream
                packets.append(Packet(where, payload, False, stream == "speed", lift, sent_ns))
        return packets

    def _cbor(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each bundle."""
        rows = zip(self._maps(spoken), spoken.lift.tolist(), spoken.sent_ns.tolist(), strict=True)
        return [Packet(self._topic[lift], bundle, False, 1, lift, sent_ns) for bundle, lift, sent_ns in rows]

    def _gateways(self, spoken: Spoken) -> list[Packet]:
        """Return a message for each gateway of which a lift speaks; those that are cut from theirs have their own."""
        cut = spoken.cut[spoken.lift]
        packets, spoken = self._cbor(only(spoken, cut)), only(spoken, ~cut)
        bundles, lifts = self._maps(spoken), spoken.lift
        edges = np.flatnonzero(np.diff(lifts // self._together, prepend=-1, append=-1)).tolist()
        for begin, end in pairwise(edges):
            some = lifts[begin:end].tolist()
            pieces = [part for k, lift in enumerate(some, begin) for part in (self._key[lift], bundles[k])]
            payload = envelope(len(some), pieces)
            sender = self._sender(some[0], spoken)
            number = (self._first + ~sender) // self._together + 1
            where = topic(self._district[some[0]], f"gateway-{number}", "gateway")
            packets.append(Packet(where, payload, False, len(some), sender, int(spoken.sent_ns[begin])))
        return packets

    def _maps(self, spoken: Spoken) -> list[bytes]:
        """Return each bundle as a map in CBOR, those of one layout at once."""
        maps = [b""] * len(spoken.lift)
        eventful = spoken.streams[:, DOOR] | spoken.streams[:, INFRARED]
        eventful |= np.isin(spoken.lift, list(spoken.second.machine_mps2))
        kind = spoken.samples * 8 + spoken.streams[:, SPEED:] @ (1, 2, 4)
        for one in np.unique(kind).tolist():
            rows = np.flatnonzero(kind == one)
            columns = _columns(spoken, rows)
            if one not in self._layouts:
                self._layouts[one] = _layout(columns)
            made = self._layouts[one].encode(**columns)
            events = eventful[rows].tolist()
            for k, lift, inner, happened in zip(rows.tolist(), spoken.lift[rows].tolist(), made, events, strict=True):
                more = _events(spoken, k) if happened else {}
                keys = len(columns) - 2 * ("x" in columns) + (spoken.boot[lift] != "") + len(more)
                after = encode.to_cbor(more)[1:] if more else b""
                maps[k] = map_head(keys) + _boot(spoken.boot[lift]) + inner + after
        return maps


def dt_ms(second: NDArray[np.float32]) -> float:
    """Return the step of a waveform whose last axis is a second, a whole number where it is one."""
    rate_hz = second.shape[-1]
    return 1000 // rate_hz if 1000 % rate_hz == 0 else 1000 / rate_hz


def _head(seq: int, boot: str, t_ns: int) -> dict[str, Any]:
    return {"seq": seq, "boot": boot, "t": t_ns // MS} if boot else {"seq": seq, "t": t_ns // MS}


@lru_cache
def _boot(boot: str) -> bytes:
    return cbor2.dumps("boot") + cbor2.dumps(boot) if boot else b""


def _columns(spoken: Spoken, rows: I64) -> dict[str, NDArray[Any]]:
    """Return counts and sampled streams of these bundles, which are of one layout."""
    second, lift, step = spoken.second, spoken.lift[rows], SAMPLE_HZ // int(spoken.samples[rows[0]])
    said = spoken.streams[rows[0]]
    columns: dict[str, NDArray[Any]] = {"seq": spoken.seq[rows], "t": spoken.t_ns[rows] // MS}
    if said[SPEED]:
        columns["v"] = second.v_mps[lift, ::step]
    if said[DISPLACEMENT]:
        columns["z"] = second.z_m[lift, ::step]
    if said[VIBRATION] and second.vibration_mps2 is not None:
        columns |= {axis: second.vibration_mps2[lift, k] for k, axis in enumerate("xyw")}
    return columns


def _layout(columns: dict[str, NDArray[Any]]) -> Rows:
    """Return the layout of bundles with these columns; `w` is the vibration's z."""
    entries: dict[str, Any] = {"seq": Column("seq", ">u4"), "t": Column("t", ">u8")}
    for stream, name in (("speed", "v"), ("displacement", "z")):
        if name in columns:
            samples = columns[name].shape[1]
            entries[stream] = {"dt": 1000 // samples, name: Column(name, "<f8", samples)}
    if "x" in columns:
        samples = columns["x"].shape[1]
        axes = {axis: Column(name, "<f4", samples) for axis, name in zip("xyz", "xyw", strict=True)}
        entries["vibration"] = {"dt": dt_ms(columns["x"]), **axes}
    return Rows(entries)


def _said(spoken: Spoken, row: int) -> dict[str, Any]:
    """Return all streams of a bundle."""
    second, lift, said = spoken.second, int(spoken.lift[row]), spoken.streams[row]
    samples, streams = int(spoken.samples[row]), _events(spoken, row)
    step = SAMPLE_HZ // samples
    if said[SPEED]:
        streams["speed"] = encode.speed(1000 // samples, second.v_mps[lift, ::step].tolist())
    if said[DISPLACEMENT]:
        streams["displacement"] = encode.displacement(1000 // samples, second.z_m[lift, ::step].tolist())
    if said[VIBRATION] and second.vibration_mps2 is not None:
        streams["vibration"] = encode.vibration(dt_ms(second.vibration_mps2), second.vibration_mps2[lift])
    return streams


def _events(spoken: Spoken, row: int) -> dict[str, Any]:
    """Return what door and infrared of a bundle say, where they say anything, and the machine, where it is heard."""
    streams: dict[str, Any] = {}
    second, lift, said = spoken.second, int(spoken.lift[row]), spoken.streams[row]
    door, infrared = second.door.of(lift), second.infrared.of(lift)
    if door and said[DOOR]:
        streams["door"] = encode.door(door[0], [DOOR_STATES[state] for (state,) in door[1]])
    if infrared and said[INFRARED]:
        presence, curtain = (list(map(bool, column)) for column in zip(*infrared[1], strict=True))
        streams["infrared"] = {"at": infrared[0], "presence": presence, "curtain": curtain}
    if lift in second.machine_mps2:
        wave = second.machine_mps2[lift]
        streams[MACHINE] = {"dt": dt_ms(wave), "a": wave}
    return streams
