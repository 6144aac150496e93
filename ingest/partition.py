"""A group of decoded messages, reduced to the lifts of one partition."""

from __future__ import annotations

from dataclasses import replace

from registry.partition import Partition
from telemetry.batch import Decoded
from telemetry.groups import of_lifts


def of_partition(decoded: Decoded, partition: Partition) -> Decoded:
    """Return the messages and refusals of the lifts of `partition`."""
    if partition.of == 1:
        return decoded
    refusals = [each for each in decoded.refusals if partition.has(each.lift_id or each.topic)]
    return replace(of_lifts(decoded, partition.has), refusals=refusals)
