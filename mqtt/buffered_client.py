"""A paho client that receives and acknowledges many messages with one system call each.

    socket ─► 64 KiB at once ─► packets, from memory            paho asks for 1, 1 and n bytes of each packet
    mids   ─► PUBACK PUBACK PUBACK … as one packet to send       paho sends each by itself

A system call of a thread lets another thread of Python run, and on a busy machine waits long for its turn again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from paho.mqtt.client import PUBACK, Client

RECEIVE_BYTES = 64 << 10
PUBACK_PACKET = struct.Struct("!BBH")


class BufferedClient(Client):
    """A client whose bytes that were received and not read yet are in memory, unlike those that `select` sees."""

    _received = b""
    _read_to = 0

    @property
    def has_received(self) -> bool:
        """Whether bytes in memory are still to be read."""
        return self._read_to < len(self._received)

    def acknowledge(self, mids: Iterable[int]) -> None:
        """Queue the acknowledgements of messages with QoS 1."""
        packets = b"".join([PUBACK_PACKET.pack(PUBACK, 2, mid) for mid in mids])
        if packets:
            self._packet_queue(PUBACK, packets, 0, 1)

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.has_received:
            if bufsize >= RECEIVE_BYTES:
                return super()._sock_recv(bufsize)
            self._received, self._read_to = super()._sock_recv(RECEIVE_BYTES), 0
        begin, self._read_to = self._read_to, self._read_to + bufsize
        return self._received[begin : self._read_to]
