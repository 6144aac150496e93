"""In which form a recorded message is sent again: a recording keeps what was said, not how it was written.

    json, cbor   each message by itself, on the topic it came on; the bundles of a gateway on their lifts' own
    gateway      bundles that follow each other, of as many lifts, in one envelope; all in CBOR

The law: the order of what one lift says is the same in every form.
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
"""What one envelope holds came within this time."""
ENVELOPE_BYTES = PAYLOAD_LIMIT_BYTES - 1024


class Due(NamedTuple):
    """A packet, when it came, and how many recorded messages it holds."""

    arrived_ns: int
    packet: Packet
    messages: int


def packets(decoded: Decoded, form: str, shift_ns: int) -> Iterator[Due]:
    """Yield the messages of a group in this form, all their times shifted by so much (whole milliseconds)."""
    arrived_ns = decoded.messages.arrived_ns.tolist()
    write = encode.to_json if form == "json" else encode.to_cbor
    envelope = _Envelope("", 0)
    for message in reencoded(decoded, shift_ns):
        payload, at_ns = write(message.body), arrived_ns[message.row]
        if form == "gateway" and decoded.messages.complete[message.row]:
            district, lift_id = decoded.messages.district[message.row], decoded.messages.lift_id[message.row]
            if not envelope.takes(district, lift_id, payload, at_ns):
                yield from envelope.sealed()
                envelope = _Envelope(district, at_ns)
            envelope.add(lift_id, payload, at_ns)
            continue
        yield from envelope.sealed()
        envelope = _Envelope("", 0)
        yield Due(at_ns, Packet(message.topic, payload, message.retained, 1), 1)
    yield from envelope.sealed()


class _Envelope:
    """The bundles of some lifts of a district on their way into one message."""

    def __init__(self, district: str, begun_ns: int) -> None:
        self._district, self._begun_ns, self._arrived_ns = district, begun_ns, begun_ns
        self._bundles: dict[str, bytes] = {}
        self._bytes = 0

    def takes(self, district: str, lift_id: str, bundle: bytes, arrived_ns: int) -> bool:
        """Say whether another bundle may go into it."""
        return (
            district == self._district
            and lift_id not in self._bundles
            and len(self._bundles) < GATEWAY_LIFTS
            and self._bytes + len(bundle) < ENVELOPE_BYTES
            and arrived_ns - self._begun_ns < ENVELOPE_NS
        )

    def add(self, lift_id: str, bundle: bytes, arrived_ns: int) -> None:
        """Put a bundle into it."""
        self._bundles[lift_id] = cbor2.dumps(lift_id) + bundle
        self._bytes += len(self._bundles[lift_id])
        self._arrived_ns = arrived_ns

    def sealed(self) -> Iterator[Due]:
        """Yield it as one message, where anything is in it."""
        if self._bundles:
            payload = envelope(len(self._bundles), list(self._bundles.values()))
            where = topic(self._district, GATEWAY, "gateway")
            yield Due(self._arrived_ns, Packet(where, payload, False, len(self._bundles)), len(self._bundles))
