"""Bodies of duty: rosters, shifts, calendars, policies and calls, of requests and of responses.

Rosters, overrides and policies are checked by the registry and by the policy, not here: their errors name each field.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.request_bodies import RequestBody
from dashboards.api.schema.response_body import ResponseBody

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(required: list[str], **properties: Any) -> Any:
    described = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return WithJsonSchema(described)


_ROSTER = {
    "name": _TEXT, "timezone": _TEXT, "holidays": _TEXT, "extra_holidays": _TEXTS,
    "rotations": {"type": "array", "items": {"type": "object"}},
}  # fmt: skip
_POLICY = {
    "name": _TEXT, "match": {"type": "object"}, "steps": {"type": "array", "items": {"type": "object"}},
    "delay_s": {"type": "integer"}, "repeat_from": {"type": "integer"}, "rounds": {"type": "integer"},
    "idle_s": {}, "quiet": {"type": "object"}, "then": _TEXT, "position": {"type": "integer", "minimum": 1},
}  # fmt: skip
NewRoster = Annotated[
    dict[str, Any], _object(["organisation_id", "name", "timezone"], organisation_id=_TEXT, **_ROSTER)
]
RosterFields = Annotated[dict[str, Any], _object(["name", "timezone"], **_ROSTER)]
NewOverride = Annotated[
    dict[str, Any],
    _object(
        ["from", "until"],
        **{"from": _TEXT, "until": _TEXT, "people": _TEXTS, "replaces": _TEXT, "note": _TEXT},
    ),
]
NewPolicy = Annotated[dict[str, Any], _object(["organisation_id", "name", "steps"], organisation_id=_TEXT, **_POLICY)]
PolicyFields = Annotated[dict[str, Any], _object(["name", "steps"], **_POLICY)]
MissedReason = Literal["gap", "no-roster", "left", "no-ways", "nobody"]


class NewCalendarLink(RequestBody):
    """A link to the calendar of a roster; with `person_id` to the shifts of one person."""

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")] | None = None


class PersonOnDuty(ResponseBody):
    """A person of a roster; `name` is null for somebody who has left the organisation."""

    person_id: str
    name: str | None


class ShiftBody(ResponseBody):
    from_: TimeText = Field(alias="from")
    until: TimeText
    people: list[PersonOnDuty]
    rotation: str | None
    is_override: bool
    is_gap: bool


class OverrideBody(ResponseBody):
    override_id: str
    from_: TimeText = Field(alias="from")
    until: TimeText
    people: list[PersonOnDuty]
    replaces: PersonOnDuty | None
    note: str | None


class RosterBody(ResponseBody):
    """A roster with who is on duty now and next; `next` is null where nobody follows within a month."""

    roster_id: str
    organisation_id: str
    organisation: str
    name: str
    timezone: str
    holidays: str | None
    extra_holidays: list[str]
    rotations: list[dict[str, Any]]
    overrides: list[OverrideBody]
    now: ShiftBody
    next: ShiftBody | None


class RosterList(ResponseBody):
    items: list[RosterBody]
    next: None


class ShiftList(ResponseBody):
    """The shifts of a roster without holes: a gap is a shift of nobody."""

    items: list[ShiftBody]
    next: None


class CalendarLinkBody(ResponseBody):
    link_id: str
    person_id: str | None
    created_at: TimeText
    created_by: str


class CalendarLinkList(ResponseBody):
    items: list[CalendarLinkBody]
    next: None


class CalendarPath(ResponseBody):
    """The secret address of a calendar, shown this once."""

    path: str
    url: str


class CalleeBody(ResponseBody):
    """A person who can be called; `ways` are the kinds of the verified ways in their order."""

    person_id: str
    name: str
    role: str
    ways: list[str]


class MissedBody(ResponseBody):
    target: str
    reason: MissedReason
    name: str | None


class DutyOrganisation(ResponseBody):
    organisation_id: str
    name: str
    people: list[CalleeBody]


class DutyOverview(ResponseBody):
    """The organisations whose duty the request sees, with the people who can be on duty."""

    items: list[DutyOrganisation]
    next: None


class PolicyBody(ResponseBody):
    """An escalation policy; `position` is its place among those of its organisation, which are tried in order."""

    policy_id: str
    organisation_id: str
    organisation: str
    position: int
    name: str
    match: dict[str, Any]
    steps: list[dict[str, Any]]
    delay_s: int
    repeat_from: int
    rounds: int | None
    idle_s: int | Literal["never"]
    quiet: dict[str, Any] | None
    then: str | None


class PolicyList(ResponseBody):
    items: list[PolicyBody]
    next: None


class TestedCalls(ResponseBody):
    """To whom a test message goes, and what could not be reached."""

    called: list[CalleeBody]
    missed: list[MissedBody]


class CalledPerson(CalleeBody):
    step: int
    instead: bool


class CallsAfter(ResponseBody):
    after_s: float
    people: list[CalledPerson]
    missed: list[MissedBody]


class CallsOfOrganisation(ResponseBody):
    """The first round of calls; `policy` is null where no policy of the organisation matches."""

    organisation_id: str
    organisation: str
    policy: str | None
    policy_id: str | None
    first_s: float | None
    is_repeated: bool
    calls: list[CallsAfter]


class CallsOfLift(ResponseBody):
    lift_id: str
    kind: str
    severity: str
    items: list[CallsOfOrganisation]


class TeamMember(ResponseBody):
    person_id: str
    name: str | None
    telephones: list[str]


class RosterOnDuty(ResponseBody):
    organisation: str
    roster: str
    until: TimeText
    people: list[TeamMember]


class DutyTelephone(ResponseBody):
    organisation: str
    telephone: str


class OnDutyOfIncident(ResponseBody):
    """Who is on duty for an incident, with numbers."""

    on_duty: list[RosterOnDuty]
    telephones: list[DutyTelephone]
