"""The bodies of responses about alerts."""

from __future__ import annotations

from dashboards.api.schema.parameters import AlertState, SeverityName, TimeText
from dashboards.api.schema.response_body import ResponseBody


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
    thresholds_changed: TimeText | None = None


class AlertList(ResponseBody):
    items: list[AlertBody]
    next: str | None


class TransitionBody(ResponseBody):
    """A transition of an alert; `by` is null for the monitor's own, `to` is the person of an assignment.

    A note that another organisation does not share is null, and `by` is then that organisation.
    """

    kind: str
    at: TimeText
    by: str | None
    note: str | None
    to: str | None
    organisation: str | None
    shared: bool


class AlertWithStory(AlertBody):
    """One alert with all its transitions, oldest first; comments are contained in the transitions too."""

    transitions: list[TransitionBody]
    comments: list[TransitionBody]
