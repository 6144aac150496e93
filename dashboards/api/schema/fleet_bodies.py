"""The bodies of responses about the fleet as a whole, and about the simulator of the demonstration."""

from __future__ import annotations

from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.response_body import ResponseBody


class Completeness(ResponseBody):
    """How many of the sent messages arrived: messages received over messages that the sequence numbers imply.

    `gaps` and `fraction` are of the lifts that number their messages, null where none does.
    """

    received: int
    gaps: int | None
    repeats: int
    late: int
    fraction: float | None
    reporting: int


class DistrictCounts(ResponseBody):
    lifts: int
    states: dict[str, int]
    severities: dict[str, int]


class PartitionItem(ResponseBody):
    """A partition of the fleet: whether its monitor runs, and when the monitor last wrote."""

    partition: str
    running: bool
    wrote: TimeText | None


class RunningImportItem(ResponseBody):
    """An import of `of` lifts that the server applies at the moment."""

    taken: int
    of: int
    since: TimeText


class HealthDistribution(ResponseBody):
    """How many lifts have each grade, `unknown` among them, and a health of 0 to 9, 10 to 19, … 90 to 100."""

    grades: dict[str, int]
    tens: list[int]


class FleetSummary(ResponseBody):
    """The fleet in counts."""

    lifts: int
    registered: int
    states: dict[str, int]
    severities: dict[str, int]
    districts: dict[str, DistrictCounts]
    health: HealthDistribution
    completeness: Completeness
    partitions: list[PartitionItem]
    imports: list[RunningImportItem]
    as_of: TimeText | None


class DeadLetter(ResponseBody):
    """A refused message, with the beginning of its payload; `payload_hex` where that is no text.

    `text` is the detail in each language; `timezone` is that of the lift that the message names.
    """

    id: int
    reason: str
    detail: str
    text: dict[str, str]
    topic: str
    lift_id: str | None
    timezone: str | None
    payload: str
    payload_hex: str | None
    payload_bytes: int
    arrived: TimeText


class DeadLetterList(ResponseBody):
    items: list[DeadLetter]
    next: str | None


class FaultAccepted(ResponseBody):
    lift_id: str
    cause: str
    for_s: float


class CauseList(ResponseBody):
    """Faults of the simulator, each with its name in each language."""

    items: list[str]
    names: dict[str, dict[str, str]]
