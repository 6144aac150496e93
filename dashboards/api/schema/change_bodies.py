"""The bodies of responses about change requests."""

from __future__ import annotations

from typing import Any, Literal

from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.response_body import ResponseBody

ChangeState = Literal["waiting", "applied", "declined", "expired", "ended"]
ChangeAction = Literal["facts", "delete", "maintenance", "shelve"]


class ChangeRequestBody(ResponseBody):
    """A change that can hide a danger, who asked for it and who decided it."""

    id: int
    lift_id: str
    action: ChangeAction
    detail: dict[str, Any]
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
