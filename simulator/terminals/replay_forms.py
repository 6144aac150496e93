"""Encodes recorded messages again in a chosen form: a recording keeps the content of a message, not its encoding.

    json, cbor   each message separately, on its own topic; the bundles of a gateway on their lifts' topics
    gateway      successive bundles of different lifts in one envelope; all in CBOR

The order of one lift's messages is the same in every form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cbor2

from simulator.terminals.messages import GATEWAY_LIFTS, Packet
from telemetry.batch import Decoded
from telemetry.streams import PAYLOAD_LIMIT_BYTES, topic
from telemetry.wire import encode
from telemetry.wire.cbor_rows import envelope
from telemetry.wire.reencode import reencoded

FORMS = ("json", "cbor", "gateway")
GATEWAY = "replayed"
ENVELOPE_NS = 1_000_000_000
"""The longest time between the arrivals of the first and the last bundle of one envelope."""
ENVELOPE_BYTES = PAYLOAD_LIMIT_BYTES - 1024


class TimedPacket(NamedTuple):
    """A message, its time of arrival, and how many recorded messages it contains."""

    arrived_ns: int
    packet: Packet
    messages: int


def packets(decoded: Decoded, form: str, shift_ns: int) -> Iterator[TimedPacket]:
    """Yield the messages of a group in this form, with all times shifted by `shift_ns` (whole milliseconds)."""
    arrived_ns = decoded.messages.arrived_ns.tolist()
    write = encode.to_json if form == "json" else encode.to_cbor
    envelope = _Envelope("", 0)
    for message in reencoded(decoded, shift_ns):
        payload, at_ns = write(message.body), arrived_ns[message.row]
        if form == "gateway" and decoded.messages.complete[message.row]:
            district, lift_id = (
                decoded.messages.district[message.row],
                decoded.messages.lift_id[message.row],
            )
            if not envelope.has_room_for(district, lift_id, payload, at_ns):
                yield from envelope.close()
                envelope = _Envelope(district, at_ns)
            envelope.add(lift_id, payload, at_ns)
            continue
        yield from envelope.close()
        envelope = _Envelope("", 0)
        yield TimedPacket(at_ns, Packet(message.topic, payload, message.retained, 1), 1)
    yield from envelope.close()


class _Envelope:
    """Collects bundles of lifts of one district for one gateway message."""

    def __init__(self, district: str, begun_ns: int) -> None:
        self._district, self._begun_ns, self._arrived_ns = district, begun_ns, begun_ns
        self._bundles: dict[str, bytes] = {}
        self._bytes = 0

    def has_room_for(self, district: str, lift_id: str, bundle: bytes, arrived_ns: int) -> bool:
        """Return whether the envelope may take another bundle."""
        return (
            district == self._district
            and lift_id not in self._bundles
            and len(self._bundles) < GATEWAY_LIFTS
            and self._bytes + len(bundle) < ENVELOPE_BYTES
            and arrived_ns - self._begun_ns < ENVELOPE_NS
        )

    def add(self, lift_id: str, bundle: bytes, arrived_ns: int) -> None:
        """Add a bundle."""
        self._bundles[lift_id] = cbor2.dumps(lift_id) + bundle
        self._bytes += len(self._bundles[lift_id])
        self._arrived_ns = arrived_ns

    def close(self) -> Iterator[TimedPacket]:
        """Yield the envelope as one message, if it is not empty."""
        if self._bundles:
            payload = envelope(len(self._bundles), list(self._bundles.values()))
            where = topic(self._district, GATEWAY, "gateway")
            yield TimedPacket(self._arrived_ns, Packet(where, payload, False, len(self._bundles)), len(self._bundles))
