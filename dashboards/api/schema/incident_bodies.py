"""The bodies of requests and responses about incidents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dashboards.api.schema.alert_bodies import AlertBody
from dashboards.api.schema.parameters import LiftId, Note, PersonName, SeverityName, TimeText
from dashboards.api.schema.request_bodies import AlertAction, RequestBody
from dashboards.api.schema.response_body import ResponseBody

IncidentKind = Literal["entrapment", "alarm-call", "unsafe", "out-of-order", "nuisance", "upkeep", "data"]
IncidentState = Literal["open", "closed"]
StageName = Literal[
    "suspected", "confirmed", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"
]  # fmt: skip
ClosingReason = Literal["released", "repaired", "false-alarm", "duplicate", "test", "other"]
INCIDENT_ID = r"^[a-z2-7]{1,32}$"
IncidentId = Annotated[str, StringConstraints(pattern=INCIDENT_ID)]


class IncidentLiftBody(ResponseBody):
    """A lift of an incident; `holds_people`: somebody may be inside."""

    lift_id: str
    district: str
    open_alerts: int
    holds_people: bool
    thresholds_changed: TimeText | None = None


class IncidentBody(ResponseBody):
    """An incident (contract, section 3). `active` is the time of the last entry by a person."""

    id: str
    lift_id: str
    district: str
    lifts: list[IncidentLiftBody]
    building: str | None
    kind: IncidentKind
    severity: SeverityName
    state: IncidentState
    stage: StageName
    stages: dict[StageName, TimeText]
    opened: TimeText
    closed: TimeText | None
    active: TimeText
    acknowledged: bool
    owner: str | None
    may_hold_people: bool
    by_hand: bool
    closed_by: str | None
    reason: ClosingReason | None
    merged_into: str | None
    links: list[str]
    thresholds_changed: TimeText | None = None


class IncidentList(ResponseBody):
    items: list[IncidentBody]
    next: str | None


class StoryEntryBody(ResponseBody):
    """An entry of an incident's story; `by` is null for the monitor's own.

    `about` is the alert, the other incident or the reason that the entry is about. A note that another organisation
    does not share is null, and `by` is then that organisation.
    """

    kind: str
    at: TimeText
    by: str | None
    about: str | None
    note: str | None
    to: str | None
    organisation: str | None
    shared: bool


class IncidentWithStory(IncidentBody):
    """An incident with its alerts, newest onset first, and its story, oldest entry first."""

    alerts: list[AlertBody]
    story: list[StoryEntryBody]


class StageEntry(AlertAction):
    """A stage that a person enters; the other stages follow from notifying, acknowledging and closing."""

    stage: Literal["confirmed", "dispatched", "on-site", "released"]


class Closing(AlertAction):
    """The reason of a closing: needed where the incident is critical; `other` needs a note."""

    reason: ClosingReason | None = None


class CallReport(RequestBody):
    """A telephone call about a lift: its code, what is reported, and the number to call back."""

    by: PersonName | None = None
    lift_id: LiftId
    what: Literal["entrapment", "unsafe", "out-of-order", "nuisance"]
    callback: Annotated[str, StringConstraints(pattern=r"^[0-9+()#* -]{3,40}$")] | None = None


class OtherIncident(RequestBody):
    """Another incident, to merge into this one or to link with it."""

    by: PersonName | None = None
    other: IncidentId
    note: Note | None = None


class AlertsToSplit(RequestBody):
    """The ids of the alerts that become an incident of their own."""

    by: PersonName | None = None
    alerts: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]],
        Field(min_length=1, max_length=500),
    ]
    note: Note | None = None
