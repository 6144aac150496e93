"""The bodies of responses about lifts: an item of the list, one lift in detail, and the result of an import."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from dashboards.api.schema.alert_bodies import AlertBody
from dashboards.api.schema.parameters import LiftState, TimeText
from dashboards.api.schema.response_body import FieldErrorBody, ResponseBody


class OpenAlerts(ResponseBody):
    critical: int
    major: int
    minor: int
    trend: int


class MaintenanceWindowBody(ResponseBody):
    """A time in which people work on a lift: only the always-judged rules are judged."""

    model_config = ConfigDict(populate_by_name=True)

    from_: TimeText = Field(alias="from")
    until: TimeText
    by: str | None = Field(description="Who began it; of an unshared note of another organisation, this organisation")
    note: str | None
    organisation: str | None
    shared: bool


class Blindness(ResponseBody):
    """The reason why messages of a lift are received but not judged, its begin, and the remedy in each language."""

    reason: str
    since: TimeText | None
    text: dict[str, str]


Grade = Literal["red", "orange", "yellow", "blue"]


class LiftIncidentBody(ResponseBody):
    """The worst open incident of a lift that people reported, or in which somebody may be inside."""

    id: str
    kind: str
    severity: str
    opened: TimeText
    holds_people: bool


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
    between: list[str] | None
    direction: Literal["up", "down", "none"] | None
    speed_mps: float | None
    door: Literal["closed", "opening", "open", "closing"] | None
    presence: bool | None
    mode: str | None
    power: str | None
    open_alerts: OpenAlerts
    worst_rule: str | None
    incident: LiftIncidentBody | None
    health: int | None
    grade: Grade | None
    health_reason: dict[str, str] | None
    address: str | None
    lat: float | None
    lon: float | None
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
    speed_source: str | None
    bearing_balls: int | None
    bearing_ratio: float | None
    bearing_contact_deg: float | None


class NotJudged(ResponseBody):
    """A rule that is not judged for this lift, and the reason."""

    rule: str
    code: str
    missing: list[str]
    reason: str


class MessageCounts(ResponseBody):
    """The counts of one lift's messages by their sequence numbers (`gaps`: null without), and of its clock set back."""

    received: int
    gaps: int | None
    repeats: int
    late: int
    steps: int


class RefusalCountBody(ResponseBody):
    """The number of messages of a lift that were refused for a reason, and the arrival of the last one."""

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
    health: int | None
    grade: Grade | None
    health_reason: dict[str, str] | None


class RefusedRowBody(ResponseBody):
    """A refused row of an import and its errors; rows of CSV are counted from 1, the header line."""

    row: int
    lift_id: str | None
    errors: list[FieldErrorBody]


class WaitingChangeBody(ResponseBody):
    """A change of thresholds that waits for the approval of another account."""

    lift_id: str
    change_request: int


class ImportResult(ResponseBody):
    """The lifts that an import took, by id, the rows that it refused, and the changes of thresholds that wait."""

    taken: list[str]
    refused: list[RefusedRowBody]
    waiting: list[WaitingChangeBody]
