"""The bodies of responses about change requests."""

from __future__ import annotations

from typing import Any, Literal

from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.response_body import ResponseBody

ChangeState = Literal["waiting", "applied", "declined", "expired", "ended"]
ChangeAction = Literal["facts", "delete", "maintenance", "shelve", "organisation"]


class ChangeRequestBody(ResponseBody):
    """A change that can hide a danger, of a lift or of an organisation, who asked for it and who decided it.

    `former` has the name of the organisation and the values that the change replaces.
    """

    id: int
    lift_id: str | None
    organisation_id: str | None
    action: ChangeAction
    detail: dict[str, Any]
    former: dict[str, Any] | None
    reason: str | None
    state: ChangeState
    made: TimeText
    by: str
    organisation: str | None
    decided: TimeText | None
    decided_by: str | None


class ChangeRequestList(ResponseBody):
    items: list[ChangeRequestBody]
    next: str | None
