"""Encodes the reports of terminals as MQTT messages: one bundle for each lift and second, alone or in a gateway's
envelope.

All forms carry the same content. CBOR is encoded in columns, one second of the fleet at a time.
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
from simulator.terminals.terminals import (
    DISPLACEMENT,
    DOOR,
    INFRARED,
    MS,
    SPEED,
    VIBRATION,
    Reports,
    Status,
    select_bundles,
)
from telemetry.arrays import I64
from telemetry.streams import DOOR_STATES, MACHINE, MEASURED, topic
from telemetry.wire import encode
from telemetry.wire.cbor_rows import CborColumn, CborRows, envelope, map_head

FORMS = ("json", "cbor", "gateway", "streams")
GATEWAY_LIFTS = ESTATE_LIFTS


class Packet(NamedTuple):
    """One MQTT message; `bundles` is the number of bundles in it.

    `sender` is the lift that owns the connection (for a gateway: ~ the first of its lifts); `sent_ns` is when the
    message is sent or, after the network, when it arrives.
    """

    topic: str
    payload: bytes
    retain: bool
    bundles: int
    sender: int = 0
    sent_ns: int = 0


def lifts_per_message(form: str) -> int:
    """Return how many lifts share one message in this form."""
    if form not in FORMS:
        raise ValueError(f"form: {form!r} is not one of {', '.join(FORMS)}")
    return GATEWAY_LIFTS if form == "gateway" else 1


class MessageEncoder:
    """Encodes the reports of these lifts' terminals; `first` is how many lifts of the fleet precede them."""

    def __init__(self, facts: Sequence[LiftFacts], form: str, first: int = 0) -> None:
        self.form, self._lifts_per_message, self._first = form, lifts_per_message(form), first
        self._district = [lift.district for lift in facts]
        self._topic = [topic(lift.district, lift.lift_id, "bundle") for lift in facts]
        self._status_topic = [topic(lift.district, lift.lift_id, "status") for lift in facts]
        self._key = [cbor2.dumps(lift.lift_id) for lift in facts]
        self._layouts: dict[int, CborRows] = {}

    def offline_status(self, lift: int) -> Packet:
        """Return the status message, also the last will, that marks a lift as offline."""
        return Packet(self._status_topic[lift], encode.to_json({"online": False}), True, 0, lift)

    def packets(self, reports: Reports) -> list[Packet]:
        """Return the messages of a second in the order in which they are sent."""
        bundles = {"json": self._json, "cbor": self._cbor, "gateway": self._gateways, "streams": self._streams}
        statuses = [self._status(status, reports) for status in reports.statuses]
        return sorted(statuses + bundles[self.form](reports), key=lambda packet: packet.sent_ns)

    def _status(self, status: Status, reports: Reports) -> Packet:
        lift, seq, t_ns, sent_ns, body = status
        if seq >= 0:
            body = _head(seq, reports.boot[lift], t_ns) | body
        return Packet(self._status_topic[lift], encode.to_json(body), True, 0, self._sender(lift, reports), sent_ns)

    def _sender(self, lift: int, reports: Reports) -> int:
        """Return the owner of a lift's connection: the lift itself if it is cut off from its gateway."""
        return (
            lift
            if self.form != "gateway" or reports.cut[lift]
            else ~(lift // self._lifts_per_message * self._lifts_per_message)
        )

    def _json(self, reports: Reports) -> list[Packet]:
        """Return one JSON message for each bundle."""
        rows = zip(
            reports.lift.tolist(), reports.seq.tolist(), reports.t_ns.tolist(), reports.sent_ns.tolist(), strict=True
        )
        return [
            Packet(
                self._topic[lift],
                encode.to_json(_head(seq, reports.boot[lift], t_ns) | _stream_bodies(reports, k)),
                False, 1, lift, sent_ns,
            )
            for k, (lift, seq, t_ns, sent_ns) in enumerate(rows)
        ]  # fmt: skip

    def _streams(self, reports: Reports) -> list[Packet]:
        """Return one JSON message for each stream of each bundle."""
        packets = []
        for k, (lift, t_ns, sent_ns) in enumerate(
            zip(reports.lift.tolist(), reports.t_ns.tolist(), reports.sent_ns.tolist(), strict=True)
        ):
            bodies = _stream_bodies(reports, k)
            for stream, seq in zip((*MEASURED, MACHINE), reports.seqs[k].tolist(), strict=True):
                if stream not in bodies:
                    continue
                payload = encode.to_json(_head(seq, reports.boot[lift], t_ns) | bodies[stream])
                where = self._topic[lift].removesuffix("bundle") + stream
                packets.append(Packet(where, payload, False, stream == "speed", lift, sent_ns))
        return packets

    def _cbor(self, reports: Reports) -> list[Packet]:
        """Return one CBOR message for each bundle."""
        rows = zip(self._maps(reports), reports.lift.tolist(), reports.sent_ns.tolist(), strict=True)
        return [Packet(self._topic[lift], bundle, False, 1, lift, sent_ns) for bundle, lift, sent_ns in rows]

    def _gateways(self, reports: Reports) -> list[Packet]:
        """Return one message for each gateway with reports, and separate messages of the lifts that are cut off from
        theirs."""
        cut = reports.cut[reports.lift]
        packets, reports = self._cbor(select_bundles(reports, cut)), select_bundles(reports, ~cut)
        bundles, lifts = self._maps(reports), reports.lift
        edges = np.flatnonzero(np.diff(lifts // self._lifts_per_message, prepend=-1, append=-1)).tolist()
        for begin, end in pairwise(edges):
            some = lifts[begin:end].tolist()
            pieces = [part for k, lift in enumerate(some, begin) for part in (self._key[lift], bundles[k])]
            payload = envelope(len(some), pieces)
            sender = self._sender(some[0], reports)
            number = (self._first + ~sender) // self._lifts_per_message + 1
            where = topic(self._district[some[0]], f"gateway-{number}", "gateway")
            packets.append(Packet(where, payload, False, len(some), sender, int(reports.sent_ns[begin])))
        return packets

    def _maps(self, reports: Reports) -> list[bytes]:
        """Return each bundle as a CBOR map; bundles with the same layout are encoded together."""
        maps = [b""] * len(reports.lift)
        eventful = reports.streams[:, DOOR] | reports.streams[:, INFRARED]
        eventful |= np.isin(reports.lift, list(reports.second.machine_mps2))
        kind = reports.samples * 8 + reports.streams[:, SPEED:] @ (1, 2, 4)
        for one in np.unique(kind).tolist():
            rows = np.flatnonzero(kind == one)
            columns = _columns(reports, rows)
            if one not in self._layouts:
                self._layouts[one] = _layout(columns)
            made = self._layouts[one].encode(**columns)
            events = eventful[rows].tolist()
            for k, lift, inner, happened in zip(rows.tolist(), reports.lift[rows].tolist(), made, events, strict=True):
                more = _events(reports, k) if happened else {}
                keys = len(columns) - 2 * ("x" in columns) + (reports.boot[lift] != "") + len(more)
                after = encode.to_cbor(more)[1:] if more else b""
                maps[k] = map_head(keys) + _boot(reports.boot[lift]) + inner + after
        return maps


def dt_ms(second: NDArray[np.float32]) -> float:
    """Return the sampling interval of a waveform whose last axis is one second: an int where it is a whole number."""
    rate_hz = second.shape[-1]
    return 1000 // rate_hz if 1000 % rate_hz == 0 else 1000 / rate_hz


def _head(seq: int, boot: str, t_ns: int) -> dict[str, Any]:
    return {"seq": seq, "boot": boot, "t": t_ns // MS} if boot else {"seq": seq, "t": t_ns // MS}


@lru_cache
def _boot(boot: str) -> bytes:
    return cbor2.dumps("boot") + cbor2.dumps(boot) if boot else b""


def _columns(reports: Reports, rows: I64) -> dict[str, NDArray[Any]]:
    """Return the counters and sampled streams of these bundles, which all have one layout."""
    second, lift, step = reports.second, reports.lift[rows], SAMPLE_HZ // int(reports.samples[rows[0]])
    body = reports.streams[rows[0]]
    columns: dict[str, NDArray[Any]] = {"seq": reports.seq[rows], "t": reports.t_ns[rows] // MS}
    if body[SPEED]:
        columns["v"] = second.v_mps[lift, ::step]
    if body[DISPLACEMENT]:
        columns["z"] = second.z_m[lift, ::step]
    if body[VIBRATION] and second.vibration_mps2 is not None:
        columns |= {axis: second.vibration_mps2[lift, k] for k, axis in enumerate("xyw")}
    return columns


def _layout(columns: dict[str, NDArray[Any]]) -> CborRows:
    """Return the layout of bundles with these columns; column `w` is the vibration's z."""
    entries: dict[str, Any] = {"seq": CborColumn("seq", ">u4"), "t": CborColumn("t", ">u8")}
    for stream, name in (("speed", "v"), ("displacement", "z")):
        if name in columns:
            samples = columns[name].shape[1]
            entries[stream] = {"dt": 1000 // samples, name: CborColumn(name, "<f8", samples)}
    if "x" in columns:
        samples = columns["x"].shape[1]
        axes = {axis: CborColumn(name, "<f4", samples) for axis, name in zip("xyz", "xyw", strict=True)}
        entries["vibration"] = {"dt": dt_ms(columns["x"]), **axes}
    return CborRows(entries)


def _stream_bodies(reports: Reports, row: int) -> dict[str, Any]:
    """Return all streams of a bundle by name."""
    second, lift, body = reports.second, int(reports.lift[row]), reports.streams[row]
    samples, streams = int(reports.samples[row]), _events(reports, row)
    step = SAMPLE_HZ // samples
    if body[SPEED]:
        streams["speed"] = encode.speed(1000 // samples, second.v_mps[lift, ::step].tolist())
    if body[DISPLACEMENT]:
        streams["displacement"] = encode.displacement(1000 // samples, second.z_m[lift, ::step].tolist())
    if body[VIBRATION] and second.vibration_mps2 is not None:
        streams["vibration"] = encode.vibration(dt_ms(second.vibration_mps2), second.vibration_mps2[lift])
    return streams


def _events(reports: Reports, row: int) -> dict[str, Any]:
    """Return the door, infrared and machine streams of a bundle by name, as far as they have values."""
    streams: dict[str, Any] = {}
    second, lift, body = reports.second, int(reports.lift[row]), reports.streams[row]
    door, infrared = second.door.of(lift), second.infrared.of(lift)
    if door and body[DOOR]:
        streams["door"] = encode.door(door[0], [DOOR_STATES[state] for (state,) in door[1]])
    if infrared and body[INFRARED]:
        presence, curtain = (list(map(bool, column)) for column in zip(*infrared[1], strict=True))
        streams["infrared"] = {"at": infrared[0], "presence": presence, "curtain": curtain}
    if lift in second.machine_mps2:
        wave = second.machine_mps2[lift]
        streams[MACHINE] = {"dt": dt_ms(wave), "a": wave}
    return streams
