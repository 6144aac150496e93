"""The schema of the HTTP API, from which OpenAPI is generated: parameters, request bodies and response bodies.

Requests are validated. Responses are written from plain values without validation; tests check them against this
schema. Texts in requests are bounded in length and contain no control characters.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from registry.fact_checks import bidirectional_control
from telemetry import instant

LIMIT_DEFAULT, LIMIT_MOST = 100, 1000
POINTS_DEFAULT, POINTS_MOST = 1000, 10_000
LIFT_ID = r"^[A-Za-z0-9_-]{1,64}$"
DISTRICT = r"^[a-z0-9-]{1,32}$"
SLUG = r"^[a-z0-9-]{1,64}$"

SeverityName = Literal["critical", "major", "minor", "trend"]
AlertState = Literal["firing", "cleared", "closed"]
LiftState = Literal[
    "critical", "never-seen", "blind", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service",
    "normal",
]  # fmt: skip
StreamName = Literal["speed", "displacement", "vibration", "door", "infrared", "status"]
LiftSort = Literal[
    "state", "-state", "lift_id", "-lift_id", "name", "-name", "district", "-district", "last_seen", "-last_seen"
]


def _plain(text: str) -> str:
    """Return `text`; raise ValueError where it contains control characters."""
    reverser = bidirectional_control(text)
    if reverser is not None:
        raise ValueError(f"contains the bidirectional control character {reverser}; remove it: it reorders the text")
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in text):
        raise ValueError("contains control characters; remove them")
    return text


def _instant(value: Any) -> int | None:
    """Return RFC 3339 text as nanoseconds."""
    if value is None or isinstance(value, int):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a time is text with a zone; write it as {instant.EXAMPLE}")
    return instant.parse(value)


TIME_SCHEMA = {"type": "string", "format": "date-time", "examples": [instant.EXAMPLE]}
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(TIME_SCHEMA)]
TimeText = Annotated[str, WithJsonSchema(TIME_SCHEMA)]
PersonName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_plain)
]
Note = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_plain)]

LiftId = Annotated[str, StringConstraints(pattern=LIFT_ID)]
DistrictName = Annotated[str, StringConstraints(pattern=DISTRICT)]
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
LiftIdInPath = Annotated[str, Path(pattern=LIFT_ID, description="The lift id, as in its QR code", examples=["GR3-1"])]
AlertIdInPath = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="The maximum number of items")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]
District = Annotated[str | None, Query(pattern=DISTRICT)]
Since = Annotated[Instant | None, Query(alias="from", description="From this instant on")]
Until = Annotated[Instant | None, Query(alias="to", description="Before this instant")]


class ResponseBody(BaseModel):
    """The base of all response bodies."""


class FieldErrorBody(ResponseBody):
    field: str
    detail: str


class ProblemDocument(ResponseBody):
    """An error as a problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldErrorBody] = []


class OpenAlerts(ResponseBody):
    critical: int
    major: int
    minor: int
    trend: int


class MaintenanceWindowBody(ResponseBody):
    """A time in which somebody works on a lift: only the starred rules are judged."""

    model_config = ConfigDict(populate_by_name=True)

    from_: TimeText = Field(alias="from")
    until: TimeText
    by: str
    note: str | None


class Blindness(ResponseBody):
    """Why a lift that is heard is not judged: the reason, since when, and the remedy in each language."""

    reason: str
    since: TimeText | None
    text: dict[str, str]


class LiftItem(ResponseBody):
    """A lift in a list; unknown values are null."""

    lift_id: str
    district: str | None
    name: str | None
    registered: bool
    state: LiftState
    last_seen: TimeText | None
    position_m: float | None
    floor: str | None
    direction: Literal["up", "down", "none"] | None
    speed_mps: float | None
    door: Literal["closed", "opening", "open", "closing"] | None
    presence: bool | None
    mode: str | None
    power: str | None
    open_alerts: OpenAlerts
    health: float | None
    address: str | None
    timezone: str | None
    maintenance_firm: str | None
    since: TimeText | None
    last_trip: TimeText | None
    blind: Blindness | None
    maintenance: MaintenanceWindowBody | None


class LiftList(ResponseBody):
    items: list[LiftItem]
    next: str | None


class FloorDocument(ResponseBody):
    label: str
    height_m: float


class LiftFactsDocument(ResponseBody):
    """The facts of one lift in the registry."""

    lift_id: str
    district: str
    name: str | None
    address: str | None
    lat: float | None
    lon: float | None
    timezone: str | None
    building_type: str | None
    manufacturer: str | None
    model: str | None
    installed_on: str | None
    rated_speed_mps: float | None
    rated_load_kg: float | None
    floors: list[FloorDocument]
    door_type: str | None
    door_width_mm: float | None
    roping: str | None
    sheave_diameter_m: float | None
    owner: str | None
    maintenance_firm: str | None
    gateway_id: str | None
    insurer: str | None
    insured_until: str | None
    last_inspection_on: str | None
    next_inspection_due_on: str | None
    emergency_phone: str | None
    door_zone_m: float
    parks_door_open: bool
    position_source: str


class AlertBody(ResponseBody):
    """An alert (contract, section 3)."""

    id: str
    lift_id: str
    district: str
    rule: str
    severity: SeverityName
    state: AlertState
    onset: TimeText
    noticed: TimeText
    cleared: TimeText | None
    count: int
    acknowledged: bool
    assigned_to: str | None
    shelved_until: TimeText | None
    inhibited_by: str | None
    evidence: dict[str, float | None]
    codes: dict[str, str]
    summary: dict[str, str]


class AlertList(ResponseBody):
    items: list[AlertBody]
    next: str | None


class TransitionBody(ResponseBody):
    """A transition of an alert; `by` is null for the monitor's own, `to` is the person of an assignment."""

    kind: str
    at: TimeText
    by: str | None
    note: str | None
    to: str | None


class AlertWithStory(AlertBody):
    """One alert with all its transitions, oldest first; comments are contained in the transitions too."""

    transitions: list[TransitionBody]
    comments: list[TransitionBody]


class NotJudged(ResponseBody):
    """A rule that is not judged for this lift, and why."""

    rule: str
    code: str
    missing: list[str]
    reason: str


class MessageCounts(ResponseBody):
    """The counts of one lift's messages by their sequence numbers."""

    received: int
    gaps: int
    repeats: int
    late: int


class RefusalCountBody(ResponseBody):
    """How many messages of a lift were refused for a reason, and when the last one arrived."""

    reason: str
    count: int
    last: TimeText


class LiftDetail(ResponseBody):
    """One lift: its latest state as in a list, its facts, its open alerts, and the rules that are not judged."""

    lift_id: str
    district: str | None
    name: str | None
    registered: bool
    state: LiftState
    since: TimeText | None
    facts: LiftFactsDocument | None
    latest: LiftItem
    open_alerts: list[AlertBody]
    not_judged: list[NotJudged]
    maintenance: MaintenanceWindowBody | None
    messages: MessageCounts | None
    refused: list[RefusalCountBody]
    health: float | None


class Channel(ResponseBody):
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]


class SampledSeries(ResponseBody):
    """A sampled stream in buckets with minimum, maximum and mean of each channel; an empty bucket is null."""

    model_config = ConfigDict(populate_by_name=True)

    stream: StreamName
    from_: TimeText = Field(alias="from")
    to: TimeText
    bucket_s: float
    t: list[TimeText]
    v: Channel | None = None
    x: Channel | None = None
    y: Channel | None = None
    z: Channel | None = None


class EventSeries(ResponseBody):
    """An event stream, unreduced; `truncated` where one response could not hold all events."""

    model_config = ConfigDict(extra="allow")

    stream: StreamName
    from_: TimeText = Field(alias="from")
    to: TimeText
    at: list[TimeText]
    truncated: bool


class Trip(ResponseBody):
    """A trip from rest to rest; `distance_m` is positive upwards and negative downwards."""

    start: TimeText
    stop: TimeText
    from_floor: str | None
    to_floor: str | None
    distance_m: float | None
    peak_speed_mps: float | None
    ride_quality: None


class TripList(ResponseBody):
    items: list[Trip]
    next: str | None


class Completeness(ResponseBody):
    """How many of the sent messages arrived: messages received over messages that the sequence numbers imply."""

    received: int
    gaps: int
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


class FleetSummary(ResponseBody):
    """The fleet in counts."""

    lifts: int
    registered: int
    states: dict[str, int]
    severities: dict[str, int]
    districts: dict[str, DistrictCounts]
    health: None
    completeness: Completeness
    partitions: list[PartitionItem]
    as_of: TimeText | None


class DeadLetter(ResponseBody):
    """A refused message, with the beginning of its payload; `payload_hex` where that is no text."""

    id: int
    reason: str
    detail: str
    topic: str
    lift_id: str | None
    payload: str
    payload_hex: str | None
    payload_bytes: int
    arrived: TimeText


class DeadLetterList(ResponseBody):
    items: list[DeadLetter]
    next: str | None


class RefusedRowBody(ResponseBody):
    """A refused row of an import and its errors; rows of CSV are counted from 1, the header line."""

    row: int
    lift_id: str | None
    errors: list[FieldErrorBody]


class ImportResult(ResponseBody):
    """The lifts that an import took, by id, and the rows that it refused."""

    taken: list[str]
    refused: list[RefusedRowBody]


class RequestBody(BaseModel):
    """The base of all request bodies; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AlertAction(RequestBody):
    """The person of an action, and a note."""

    by: PersonName
    note: Note | None = None


class Comment(RequestBody):
    by: PersonName
    note: Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_plain)]


class Assignment(RequestBody):
    by: PersonName
    to: PersonName | None


class Shelving(RequestBody):
    by: PersonName
    until: Instant
    note: Note | None = None


class Maintenance(RequestBody):
    by: PersonName
    until: Instant
    note: Note | None = None


class FaultInjection(RequestBody):
    """A fault to inject into a simulated lift."""

    cause: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    for_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = 60.0


class FaultAccepted(ResponseBody):
    lift_id: str
    cause: str
    for_s: float


class CauseList(ResponseBody):
    items: list[str]
