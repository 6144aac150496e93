"""The bodies of requests and responses about incidents."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, StringConstraints

from dashboards.api.schema.alert_bodies import AlertBody
from dashboards.api.schema.parameters import Instant, LiftId, Note, PersonName, SeverityName, TimeText
from dashboards.api.schema.request_bodies import AlertAction, Comment, RequestBody
from dashboards.api.schema.response_body import ResponseBody

IncidentKind = Literal["entrapment", "alarm-call", "unsafe", "out-of-order", "nuisance", "upkeep", "data"]
IncidentState = Literal["open", "closed"]
IncidentCondition = Literal["over"]
IncidentOrder = Literal["opened", "urgency"]
StageName = Literal[
    "suspected", "confirmed", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"
]  # fmt: skip
ClosingReason = Literal["released", "repaired", "false-alarm", "duplicate", "test", "other"]
INCIDENT_ID = r"^[a-z2-7]{1,32}$"
ReportNumber = Annotated[int, Path(ge=1, le=2**62, description="The number of a public report")]
IncidentId = Annotated[str, StringConstraints(pattern=INCIDENT_ID)]


class IncidentLiftBody(ResponseBody):
    """A lift of an incident; `holds_people`: somebody may be inside; `stages`: those that were entered for it alone.

    `proven` is the place whose code those who arrived at it scanned.
    """

    lift_id: str
    district: str
    open_alerts: int
    holds_people: bool
    stages: dict[StageName, TimeText] | None = None
    proven: Literal["car", "machine-room"] | None = None
    thresholds_changed: TimeText | None = None


class CallOutBody(ResponseBody):
    """A call-out of a rescue: whom it called on which level, the answer, from where and expected when they come."""

    number: int
    level: int
    who: str
    called: TimeText
    answer: Literal["accepted", "declined", "no-answer"] | None
    answered: TimeText | None
    reason: str | None
    place: str | None
    expected: TimeText | None
    arrived: TimeText | None


class RescueBody(ResponseBody):
    """The rescue of an incident in which somebody may be inside.

    `proven` is the place whose code those who arrived scanned. `release_seen` is when telemetry saw everybody leave;
    the end is `automatic` where no person confirmed it.
    """

    since: TimeText
    level: int
    overdue: list[Literal["answered", "arrived"]]
    expected: TimeText | None
    proven: Literal["car", "machine-room"] | None
    release_seen: TimeText | None
    automatic: bool
    call_outs: list[CallOutBody]


class TimersBody(ResponseBody):
    """When somebody is to have taken a rescue up, and when somebody is to be on site."""

    answer_due: TimeText
    arrive_due: TimeText


class HelperBody(ResponseBody):
    """Who can be called out, on which level: the firm, a rescue point of the net, a professional service."""

    level: int
    who: str
    phone: str | None
    distance_km: float | None


class IncidentBody(ResponseBody):
    """An incident (contract, section 3). `active` is the time of the last entry by a person.

    It is `unconfirmed` while its kind rests on the public page alone; `unanswered` counts reports without an answer.
    """

    id: str
    lift_id: str
    district: str
    lifts: list[IncidentLiftBody]
    building: str | None
    kind: IncidentKind
    severity: SeverityName
    summary: dict[str, str] | None
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
    unconfirmed: bool
    unanswered: int
    rescue: RescueBody | None
    thresholds_changed: TimeText | None = None


class IncidentList(ResponseBody):
    items: list[IncidentBody]
    next: str | None


class IncidentCountsBody(ResponseBody):
    """How many incidents there are: `waiting` are not acknowledged, `inside` may hold somebody."""

    total: int
    critical: int
    waiting: int
    inside: int


class OrganisationNames(ResponseBody):
    items: list[str]


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


class PublicReportBody(ResponseBody):
    """A report of the public page; `photo` is whether it has a photo, which is deleted after some days."""

    number: int
    lift_id: str
    kind: IncidentKind
    at: TimeText
    note: str | None
    photo: bool
    answer: str | None
    answered: TimeText | None


class IncidentWithStory(IncidentBody):
    """An incident with its alerts, newest onset first, its reports and its story, oldest entry first.

    `whole`: the request may act on all of its lifts. `answerable` are the numbers of the call-outs that it may answer.
    """

    alerts: list[AlertBody]
    reports: list[PublicReportBody]
    timers: TimersBody | None
    helpers: list[HelperBody]
    whole: bool
    answerable: list[int]
    story: list[StoryEntryBody]


class RescueEntry(AlertAction):
    """A step of a rescue."""


HelperName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
CallOutNumber = Annotated[int, Field(ge=1, le=1000)]
RescueLevel = Literal[1, 2, 3]


class CallOutStart(RescueEntry):
    """Whom was called out: on level 1 the contracted firm, 2 a rescue point of the net, 3 a professional service."""

    who: HelperName
    level: RescueLevel = 1


class CallOutAcceptance(RescueEntry):
    """The call-out that is accepted; without a number it is the acting person, or `who`, that comes unasked."""

    number: CallOutNumber | None = None
    who: HelperName | None = None
    level: RescueLevel = 1
    place: Annotated[str, StringConstraints(max_length=200)] | None = None
    expected: Instant | None = None


class CallOutRefusal(RescueEntry):
    """The call-out that is declined, and why."""

    number: CallOutNumber
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class CallOutMiss(RescueEntry):
    """The call-out that nobody answers."""

    number: CallOutNumber


class ArrivalEntry(RescueEntry):
    """The arrival of the organisation of a call-out (`number`), or of the acting person."""

    number: CallOutNumber | None = None


class AssigneeBody(ResponseBody):
    """A person to whom an incident can be assigned, by the login."""

    login: str
    name: str
    organisation: str


class AssigneeList(ResponseBody):
    items: list[AssigneeBody]


class StageEntry(AlertAction):
    """A stage that a person enters; the other stages follow from notifying, acknowledging and closing.

    With `lift_id` a stage of the rescue is that of one lift: the rescue of the others goes on.
    """

    stage: Literal["confirmed", "dispatched", "on-site", "released"]
    lift_id: LiftId | None = None


class Retraction(Comment):
    """A stage of the rescue, of one lift or of all, that was entered by mistake, and why (`note`)."""

    stage: Literal["dispatched", "on-site", "released"]
    lift_id: LiftId | None = None


class Closing(AlertAction):
    """The reason of a closing: needed where the incident is critical; `other` needs a note.

    Reports of the public page need an `answer`, which their reporters read.
    """

    reason: ClosingReason | None = None
    answer: Note | None = None


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
    """The alerts, and the lifts with all of theirs, that become an incident of their own."""

    by: PersonName | None = None
    alerts: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]],
        Field(max_length=500, default_factory=list),
    ]
    lifts: Annotated[list[LiftId], Field(max_length=500, default_factory=list)]
    note: Note | None = None
