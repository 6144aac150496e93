"""The receivers of messages: one that does not answer holds few of the workers, and so delays no other. Pure.

    answers ─► at most `AT_ONCE` messages are under way to it ─ one takes longer than `SLOW_S` ─► one at a time
            ◄─ one takes less ──────────────────────────────────────────────────────────────────┘

A receiver is the host of an address, or the one server of the operator for all addresses of a kind. One at a time goes
to hosts of a tenant's own only: a server that all tenants share keeps `AT_ONCE`, as one slow answer may not delay every
critical message.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from registry.ways import APPRISE, DINGTALK, FEISHU, PUSH, WEBHOOK, WECOM, NotificationWay

AT_ONCE = 8
SLOW_S = 3.0
SLOW_KEPT = 10_000
HOSTED = (WEBHOOK, DINGTALK, WECOM, FEISHU)
HOSTS_OF_TENANTS = (WEBHOOK, PUSH)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The server that receives messages of one kind of way; without `server` the one of the operator for the kind."""

    kind: str
    server: str | None = None

    @property
    def is_of_tenant(self) -> bool:
        """Whether the server may be a tenant's own."""
        return self.kind in HOSTS_OF_TENANTS


class ReceiverLoads:
    """How many messages are under way to each receiver, and which receivers are slow."""

    def __init__(self) -> None:
        self._under_way: Counter[Receiver] = Counter()
        self._slow: dict[Receiver, None] = {}

    def has_room(self, receiver: Receiver) -> bool:
        """Return whether another message to a receiver may begin."""
        return self._under_way[receiver] < (1 if receiver in self._slow else AT_ONCE)

    def begin(self, receiver: Receiver) -> None:
        """Count a message that begins."""
        self._under_way[receiver] += 1

    def end(self, receiver: Receiver, took_s: float) -> None:
        """Count a message as ended; the time that a host of a tenant took decides whether the host is slow."""
        self._under_way[receiver] -= 1
        if not self._under_way[receiver]:
            del self._under_way[receiver]
        self._slow.pop(receiver, None)
        if took_s > SLOW_S and receiver.is_of_tenant:
            self._slow[receiver] = None
            if len(self._slow) > SLOW_KEPT:
                del self._slow[next(iter(self._slow))]


def receiver_of(way: NotificationWay) -> Receiver:
    """Return the receiver of the messages to an address: where nothing else is named, the server of the kind."""
    try:
        if way.kind in HOSTED:
            return Receiver(way.kind, urlsplit(way.address).hostname)
        if way.kind == PUSH:
            return Receiver(way.kind, urlsplit(orjson.loads(way.address)["endpoint"]).hostname)
        if way.kind == APPRISE:
            return Receiver(way.kind, urlsplit(way.address).scheme)
    except (ValueError, KeyError, TypeError, AttributeError):  # no address: its sender refuses the message
        return Receiver(way.kind)
    return Receiver(way.kind)
