"""The bodies of responses about notifications."""

from __future__ import annotations

from typing import Literal

from dashboards.api.schema.incident_bodies import IncidentKind
from dashboards.api.schema.parameters import SeverityName, TimeText
from dashboards.api.schema.response_body import ResponseBody
from dashboards.api.schema.way_bodies import WayKind


class UnreachedBody(ResponseBody):
    """A notification that has not reached its person: since `at`, and until `given_up` it is tried again.

    `reason` is `no-way` (no verified way), `account-disabled`, `not-concerned` (the person has no role for the
    lift any more), `too-late` (an hour old before it could be sent), `nobody-called` (without a person: nobody could be
    called about a critical incident), or what the last receiver has answered; `text` is the same for people, in each
    language.
    """

    incident_id: str
    kind: IncidentKind
    severity: SeverityName
    lift_id: str | None
    lift_name: str | None
    person: str | None
    at: TimeText
    given_up: TimeText | None
    reason: str
    text: dict[str, str]


class AttemptBody(ResponseBody):
    """An attempt to notify a person; of the address only a part is shown."""

    person: str | None
    kind: WayKind
    address: str
    at: TimeText
    result: Literal["delivered", "try-again", "permanent"]
    reason: str
    text: dict[str, str]


class UnreachedList(ResponseBody):
    items: list[UnreachedBody]
    next: None


class AttemptList(ResponseBody):
    items: list[AttemptBody]
    next: None


class FailingWebhookBody(ResponseBody):
    """A webhook of the configuration that fails: how many messages wait since an attempt failed, and were given up.

    `since` is when the oldest of them was made; `reason` is what the newest attempt ended with, `text` the same for
    people in each language.
    """

    endpoint: str
    waiting: int
    given_up: int
    since: TimeText
    reason: str
    text: dict[str, str]


class FailingWebhookList(ResponseBody):
    items: list[FailingWebhookBody]
    next: str | None
