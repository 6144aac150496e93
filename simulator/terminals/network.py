"""A bad network, drawn from the seed: loss, delay, reordering and repetition of messages on the way to the broker.

    messages of a second ─► connection broken? ─► delay, reordering, repetition ─► in the order of arrival
                               └─ buffered, uploaded in order after reconnecting; the broker publishes the last will

What happens to a message depends on (seed, lift, second) only. A connection keeps the order of its messages except for
those that are overtaken. Every effect is counted.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simulator.maths import rng
from simulator.terminals.messages import Packet
from simulator.terminals.terminals import NS
from telemetry.arrays import F64, I64, Bools

BLOCK_S = 3600
"""Each block of this length has at most one storm: an outage that breaks many connections at once."""
STORM_LIMIT_S = 1800.0
RETURN_S = 20.0
"""After a storm the terminals reconnect within this time, each at a random moment."""
WILL_S = 45
"""The broker publishes the last will so long after a connection broke: one and a half keep-alive intervals of 30 s."""
UPLOAD_NS = NS // 50
"""The interval at which a terminal uploads buffered messages."""
_GATEWAY = 1 << 30
_DRAWS = 5
_MEMBER, _RETURN = 1 << 50, 2 << 50


class NetworkConditions(BaseModel):
    """The quality of the network; the defaults are a perfect one. Shares are shares of messages unless stated
    otherwise.

    Terminals   `lost`: numbered but never sent; `partial`: without one of their streams; `skew_s`: standard deviation
                of the devices' clock errors; `reboots_per_day` of each lift, of `reboot_s` each; `nameless`: share of
                terminals that send no boot id.
    Transport   `delay_s`: mean delay; `overtaken`: held back by up to `overtaken_s`; `repeated`: sent again within
                `repeat_s`; `storms_per_day`, in which a `storm_share` of terminals loses its connection for `storm_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    lost: float = Field(0.0, ge=0, lt=1)
    partial: float = Field(0.0, ge=0, le=1)
    skew_s: float = Field(0.0, ge=0, le=60)
    reboots_per_day: float = Field(0.0, ge=0)
    reboot_s: int = Field(20, ge=1)
    nameless: float = Field(0.0, ge=0, le=1)
    delay_s: float = Field(0.0, ge=0, le=60)
    overtaken: float = Field(0.0, ge=0, le=1)
    overtaken_s: float = Field(3.0, gt=0, le=600)
    repeated: float = Field(0.0, ge=0, le=1)
    repeat_s: float = Field(5.0, gt=0, le=30)
    storms_per_day: float = Field(0.0, ge=0, le=24)
    storm_s: float = Field(180.0, gt=0, le=STORM_LIMIT_S)
    storm_share: float = Field(0.5, ge=0, le=1)


class Connections:
    """The connections of lifts, or of `gateways`, to the broker; `last_will` returns the last will of a lift.

    `number` are the lifts' numbers in their fleet.
    """

    def __init__(
        self, conditions: NetworkConditions, seed: int, number: I64, last_will: Callable[[int], Packet], gateways: bool
    ) -> None:
        self.conditions, self.counts = conditions, Counter[str]()
        self._seed, self._last_will, self._gateways = seed, last_will, gateways
        self._key = rng.stream_keys(seed, number, rng.NETWORK)
        self._gateway_key = rng.stream_keys(seed, number + _GATEWAY, rng.NETWORK)
        self._last_ns: dict[int, int] = {}
        self._buffered: dict[int, list[Packet]] = defaultdict(list)
        self._in_transit: list[tuple[int, int, Packet]] = []
        self._pushed = 0
        self._cut_s = np.zeros(len(number), dtype=np.int64)

    @property
    def interrupted(self) -> Bools:
        """Mask of the lifts whose own connection is down, or has buffered messages left to deliver."""
        interrupted = self._cut_s > 0
        interrupted[[s for s in (*self._buffered, *(packet.sender for _, _, packet in self._in_transit)) if s >= 0]] = (
            True
        )
        return interrupted

    def deliver(
        self, packets: Sequence[Packet], cut: Bools, scrambled: F64, second: int, until_ns: int
    ) -> tuple[list[Packet], list[int]]:
        """Take the messages of a second; return those that arrive before `until_ns`, and the lifts that have
        reconnected.

        The lifts of `cut` have no connection, in addition to those that a storm has disconnected; a `scrambled` share
        of a lift's own messages is overtaken. In the result `sent_ns` is the time of arrival.
        """
        lost_gateway = self._storm(self._gateway_key, second)
        lost = cut if self._gateways else self._storm(self._key, second) | cut
        back = np.flatnonzero((self._cut_s > 0) & ~lost).tolist()
        self._cut_s = np.where(lost, self._cut_s + 1, 0)
        for sender in [s for s in self._buffered if not (lost[s] if s >= 0 else lost_gateway[~s])]:
            self._upload(sender, until_ns - NS)
        for lift in np.flatnonzero(self._cut_s == WILL_S).tolist():
            self.counts["wills"] += 1
            self._push(until_ns - NS, self._last_will(lift))
        for packet, draws in zip(packets, self._draws(packets, second), strict=True):
            sender = packet.sender
            if lost[sender] if sender >= 0 else lost_gateway[~sender]:
                self.counts["kept"] += 1
                self._buffered[sender].append(packet)
            else:
                share = max(self.conditions.overtaken, scrambled[sender] if sender >= 0 else 0.0)
                self._send(packet, draws, share)
        return list(self._arrived(until_ns)), back

    def deliver_all(self, now_ns: int) -> list[Packet]:
        """Return all messages in transit or buffered, as if every connection were restored now."""
        for sender in list(self._buffered):
            self._upload(sender, now_ns)
        return list(self._arrived(1 << 63))

    def _storm(self, key: rng.U64, second: int) -> Bools:
        """Return which connections a storm has broken."""
        block, within_s = divmod(second, BLOCK_S)
        draw, c = rng.uniform_numbers(self._seed, block, rng.NETWORK), self.conditions
        happens = next(draw) < c.storms_per_day * BLOCK_S / 86_400
        since_s = within_s - next(draw) * (BLOCK_S - c.storm_s - RETURN_S)
        if not happens or not 0 <= since_s < c.storm_s + RETURN_S:
            return np.zeros(len(key), dtype=np.bool_)
        member = rng.uniform(rng.hash_bits(key, np.array(_MEMBER + block))) < c.storm_share
        return member & (since_s < c.storm_s + RETURN_S * rng.uniform(rng.hash_bits(key, np.array(_RETURN + block))))

    def _draws(self, packets: Sequence[Packet], second: int) -> list[list[float]]:
        """Return uniform numbers for each message, by its sender and its index among the sender's messages."""
        sender = np.array([packet.sender for packet in packets], dtype=np.int64)
        key = np.where(sender >= 0, self._key[sender], self._gateway_key[~sender])
        order = np.argsort(sender, kind="stable")
        first = np.searchsorted(sender[order], sender[order])
        place = np.empty_like(order)
        place[order] = np.arange(len(order)) - first
        counter = ((second + place * _GATEWAY) * _DRAWS)[:, None] + np.arange(_DRAWS)
        drawn: list[list[float]] = rng.uniform(rng.hash_bits(key[:, None], counter)).tolist()
        return drawn

    def _send(self, packet: Packet, draws: list[float], overtaken_share: float) -> None:
        c, (delay, overtaken, behind, repeated, again) = self.conditions, draws
        arrives_ns = packet.sent_ns - round(c.delay_s * np.log1p(-delay) * 1000) * (NS // 1000)
        arrives_ns = max(arrives_ns, self._last_ns.get(packet.sender, 0) + 1)
        if overtaken < overtaken_share:
            self.counts["overtaken"] += 1
            arrives_ns += round(c.overtaken_s * behind * 1000) * (NS // 1000)
        else:
            self._last_ns[packet.sender] = arrives_ns
        self._push(arrives_ns, packet)
        if repeated < c.repeated:
            self.counts["repeated"] += packet.bundles or 1
            self._push(arrives_ns + 1 + round(c.repeat_s * again * 1000) * (NS // 1000), packet)

    def _upload(self, sender: int, now_ns: int) -> None:
        """Send the buffered messages of a sender."""
        for packet in self._buffered.pop(sender):
            self._last_ns[sender] = max(now_ns, self._last_ns.get(sender, 0) + UPLOAD_NS)
            self._push(self._last_ns[sender], packet)

    def _push(self, arrives_ns: int, packet: Packet) -> None:
        self._pushed += 1
        heapq.heappush(self._in_transit, (arrives_ns, self._pushed, packet._replace(sent_ns=arrives_ns)))

    def _arrived(self, until_ns: int) -> Iterator[Packet]:
        while self._in_transit and self._in_transit[0][0] < until_ns:
            yield heapq.heappop(self._in_transit)[-1]
