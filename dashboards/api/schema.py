"""What goes over the wire, as OpenAPI describes it: the answers, and the bodies that people and programs send.

Answers are described here and checked in tests; they are written from plain values, without a pass of validation.
Texts that come in are bounded, and free of what a database or a terminal would stumble over.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from telemetry import instant

LIMIT_DEFAULT, LIMIT_MOST = 100, 1000
POINTS_DEFAULT, POINTS_MOST = 1000, 10_000
LIFT_ID = r"^[A-Za-z0-9_-]{1,64}$"
DISTRICT = r"^[a-z0-9-]{1,32}$"
SLUG = r"^[a-z0-9-]{1,64}$"

SeverityName = Literal["critical", "major", "minor", "trend"]
AlertState = Literal["firing", "cleared", "closed"]
LiftState = Literal[
    "critical", "never-seen", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service", "normal"
]
StreamName = Literal["speed", "displacement", "vibration", "door", "infrared", "status"]
LiftSort = Literal[
    "state", "-state", "lift_id", "-lift_id", "name", "-name", "district", "-district", "last_seen", "-last_seen"
]


def _plain(text: str) -> str:
    """Return `text` when every character in it may be stored and shown."""
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
Time = Annotated[str, WithJsonSchema(TIME_SCHEMA)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_plain)]
Note = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_plain)]

LiftId = Annotated[str, StringConstraints(pattern=LIFT_ID)]
DistrictName = Annotated[str, StringConstraints(pattern=DISTRICT)]
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
LiftIdInPath = Annotated[str, Path(pattern=LIFT_ID, description="What the code on the wall says", examples=["GR3-1"])]
AlertIdInPath = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="At most so many items")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]
District = Annotated[str | None, Query(pattern=DISTRICT)]
Since = Annotated[Instant | None, Query(alias="from", description="From this instant on")]
Until = Annotated[Instant | None, Query(alias="to", description="Before this instant")]


class Answer(BaseModel):
    """An answer of ours."""


class Fault(Answer):
    field: str
    detail: str


class ProblemDocument(Answer):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class OpenAlerts(Answer):
    critical: int
    major: int
    minor: int
    trend: int


class MaintenanceWindow(Answer):
    """From when until when somebody works on a lift: only the starred rules are judged."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Time = Field(alias="from")
    until: Time
    by: str
    note: str | None


class LiftItem(Answer):
    """A lift in a list; what is unknown is null."""

    lift_id: str
    district: str | None
    name: str | None
    registered: bool
    state: LiftState
    last_seen: Time | None
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
    maintenance_firm: str | None
    since: Time | None
    last_trip: Time | None
    maintenance: MaintenanceWindow | None


class Lifts(Answer):
    items: list[LiftItem]
    next: str | None


class FloorDocument(Answer):
    label: str
    height_m: float


class Facts(Answer):
    """The registry's facts of one lift."""

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
    insurer: str | None
    insured_until: str | None
    last_inspection_on: str | None
    next_inspection_due_on: str | None
    emergency_phone: str | None
    door_zone_m: float
    parks_door_open: bool
    position_source: str


class Alert(Answer):
    """An alert as the contract has it."""

    id: str
    lift_id: str
    district: str
    rule: str
    severity: SeverityName
    state: AlertState
    onset: Time
    noticed: Time
    cleared: Time | None
    count: int
    acknowledged: bool
    assigned_to: str | None
    shelved_until: Time | None
    inhibited_by: str | None
    evidence: dict[str, float | None]
    codes: dict[str, str]
    summary: dict[str, str]


class Alerts(Answer):
    items: list[Alert]
    next: str | None


class Transition(Answer):
    """What happened to an alert; `by` is null where the monitor itself did it, `to` names who an assignment was to."""

    kind: str
    at: Time
    by: str | None
    note: str | None
    to: str | None


class AlertWithStory(Alert):
    """One alert with everything that happened to it, oldest first; comments stand among the transitions too."""

    transitions: list[Transition]
    comments: list[Transition]


class NotJudged(Answer):
    """A rule that this lift is not judged by, and why."""

    rule: str
    code: str
    missing: list[str]
    reason: str


class Messages(Answer):
    """What the sequence numbers of one lift tell."""

    received: int
    gaps: int
    repeats: int
    late: int


class LiftDetail(Answer):
    """One lift: its latest state as in a list, its facts, its open alerts, and the rules it is not judged by."""

    lift_id: str
    district: str | None
    name: str | None
    registered: bool
    state: LiftState
    since: Time | None
    facts: Facts | None
    latest: LiftItem
    open_alerts: list[Alert]
    not_judged: list[NotJudged]
    maintenance: MaintenanceWindow | None
    messages: Messages | None
    health: float | None


class Channel(Answer):
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]


class SampledSeries(Answer):
    """A sampled stream, reduced so that no spike is lost: a key for each of its channels; an empty bucket is null."""

    model_config = ConfigDict(populate_by_name=True)

    stream: StreamName
    from_: Time = Field(alias="from")
    to: Time
    bucket_s: float
    t: list[Time]
    v: Channel | None = None
    x: Channel | None = None
    y: Channel | None = None
    z: Channel | None = None


class EventSeries(Answer):
    """An event stream, unreduced; `truncated` where there was more than one answer carries."""

    model_config = ConfigDict(extra="allow")

    stream: StreamName
    from_: Time = Field(alias="from")
    to: Time
    at: list[Time]
    truncated: bool


class Trip(Answer):
    """A trip from rest to rest; `distance_m` is positive upwards and negative downwards."""

    start: Time
    stop: Time
    from_floor: str | None
    to_floor: str | None
    distance_m: float | None
    peak_speed_mps: float | None
    ride_quality: None


class Trips(Answer):
    items: list[Trip]
    next: str | None


class Completeness(Answer):
    """How much of what the fleet sent arrived: messages received over those that its sequence numbers imply."""

    received: int
    gaps: int
    repeats: int
    late: int
    fraction: float | None
    reporting: int


class DistrictCounts(Answer):
    lifts: int
    states: dict[str, int]
    severities: dict[str, int]


class Fleet(Answer):
    """The fleet in numbers."""

    lifts: int
    registered: int
    states: dict[str, int]
    severities: dict[str, int]
    districts: dict[str, DistrictCounts]
    health: None
    completeness: Completeness
    as_of: Time | None


class DeadLetter(Answer):
    """A message that was refused."""

    id: int
    reason: str
    detail: str
    topic: str
    payload: str
    arrived: Time


class DeadLetters(Answer):
    items: list[DeadLetter]
    next: str | None


class RowRefusal(Answer):
    """A row of an import that was not taken, and why; rows of CSV count from 1 at the line that names the fields."""

    row: int
    lift_id: str | None
    errors: list[Fault]


class Imported(Answer):
    """What an import took, by id, and what it did not."""

    taken: list[str]
    refused: list[RowRefusal]


class Body(BaseModel):
    """A body that someone sends: closed to fields it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Deed(Body):
    """Who does it, and what they say to it."""

    by: Word
    note: Note | None = None


class Comment(Body):
    by: Word
    note: Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_plain)]


class Assignment(Body):
    by: Word
    to: Word | None


class Shelving(Body):
    by: Word
    until: Instant
    note: Note | None = None


class Maintenance(Body):
    by: Word
    until: Instant
    note: Note | None = None


class Injection(Body):
    """A fault to put into a simulated lift."""

    cause: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    for_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = 60.0


class Injected(Answer):
    lift_id: str
    cause: str
    for_s: float


class Causes(Answer):
    items: list[str]
