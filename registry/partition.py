"""Partitions of the fleet: a lift belongs to one of several monitors by a stable hash of its id.

All that a monitor writes to the records is keyed by its partition's name.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from telemetry.streams import claimed_lift_id, is_announcement, parse_topic


@dataclass(frozen=True, slots=True)
class Partition:
    """The lifts of process `number` (from 0) of `of`."""

    number: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of:
            raise ValueError(f"partition {self.name}: write k/n, k from 0 to n - 1")

    @property
    def name(self) -> str:
        """The partition as the configuration writes it."""
        return f"{self.number}/{self.of}"

    def has(self, lift_id: str) -> bool:
        """Return whether a lift belongs to this partition."""
        return self.of == 1 or zlib.crc32(lift_id.encode()) % self.of == self.number

    def accepts(self, topic: str) -> bool:
        """Return whether a message of this topic may be for a lift of the partition; a gateway's always may.

        A message with an invalid topic is accepted by one partition only.
        """
        if is_announcement(topic):
            return False
        if self.of == 1:
            return True
        parsed = parse_topic(topic)
        if parsed is None:
            return self.has(claimed_lift_id(topic) or topic)
        return parsed.stream == "gateway" or self.has(parsed.lift_id)


EVERY_LIFT = Partition()


def read(text: str) -> Partition:
    """Return the partition that `k/n` names; raise ValueError for any other text."""
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal()):
        raise ValueError(f"partition {text!r}: write k/n, as in 0/2")
    return Partition(int(number), int(of))
