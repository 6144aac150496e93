"""Connections to addresses that tenants name: only to public addresses, unless the operator allows private ones.

The name is resolved once, every address is checked, and the connection goes to the address that was checked: a name
that resolves to another address a moment later reaches nothing else. A connection ends at its deadline, however slowly
the receiver sends.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION, NetworkStream, SyncBackend

NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressForbidden(httpcore.ConnectError):
    """A host of which no address may be connected to."""


class GuardedBackend(SyncBackend):
    """Connects as httpcore does, but only to addresses that are allowed."""

    def __init__(self, allow_private: bool, limit_s: float) -> None:
        self._allow_private, self._limit_s = allow_private, limit_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to an allowed address of `host`; raise AddressForbidden where there is none."""
        address = host if self._allow_private else allowed_address(host, port)
        end_s = time.monotonic() + self._limit_s
        return DeadlineStream(super().connect_tcp(address, port, timeout, local_address, socket_options), end_s)


class DeadlineStream(NetworkStream):
    """A connection that may not be read or written after `end_s` of the monotonic clock."""

    def __init__(self, stream: NetworkStream, end_s: float) -> None:
        self._stream, self._end_s = stream, end_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes; raise httpcore.ReadTimeout at the deadline."""
        return self._stream.read(max_bytes, self._left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, self._left_s())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """Return the connection inside TLS, with the same deadline."""
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, self._left_s()), self._end_s)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection underneath says of itself."""
        return self._stream.get_extra_info(info)

    def _left_s(self) -> float:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("no complete answer in time")
        return left_s


def allowed_address(host: str, port: int) -> str:
    """Return a public address of a host; raise AddressForbidden where one of its addresses is not public.

    Raises httpcore.ConnectError where the host has no address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} has no address ({error.strerror or error})") from None
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise AddressForbidden(f"{host} is an address of a private network, which the operator does not allow")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public Internet, also where IPv6 carries an IPv4 address."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast
