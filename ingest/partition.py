"""Which of several monitor processes a lift belongs to: a stable hash of its id, the same on every machine for ever."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from telemetry.batch import Decoded
from telemetry.groups import of_lifts
from telemetry.streams import claimed_lift_id, is_announcement, parse_topic


@dataclass(frozen=True, slots=True)
class Partition:
    """The lifts of process `number` (from 0) of `of`."""

    number: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of:
            raise ValueError(f"partition {self.number}/{self.of}: say k/n, k from 0 to n - 1")

    def has(self, lift_id: str) -> bool:
        """Say whether a lift is one of them."""
        return zlib.crc32(lift_id.encode()) % self.of == self.number

    def hears(self, topic: str) -> bool:
        """Say whether a message may speak for one of them: a gateway's may for any, the monitor's own for none.

        A message of a topic that is wrong is heard in one process alone.
        """
        if is_announcement(topic):
            return False
        if self.of == 1:
            return True
        parsed = parse_topic(topic)
        if parsed is None:
            return self.has(claimed_lift_id(topic) or topic)
        return parsed.stream == "gateway" or self.has(parsed.lift_id)

    def of_group(self, decoded: Decoded) -> Decoded:
        """Return what was said of them in a group of messages, and the refusals that are theirs."""
        if self.of == 1:
            return decoded
        refusals = [each for each in decoded.refusals if self.has(each.lift_id or each.topic)]
        return replace(of_lifts(decoded, self.has), refusals=refusals)


EVERY_LIFT = Partition()


def read(text: str) -> Partition:
    """Return the partition that `k/n` names; ValueError where it names none."""
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal()):
        raise ValueError(f"partition {text!r}: say k/n, as in 0/2")
    return Partition(int(number), int(of))
