"""The bodies of responses about the audit log."""

from __future__ import annotations

from typing import Any

from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.response_body import ResponseBody


class AuditActor(ResponseBody):
    """Who acted; account and address of another organisation's people are null."""

    name: str
    account: str | None
    organisation: str | None
    role: str | None
    address: str | None


class AuditRow(ResponseBody):
    """An action: what was asked (`detail`), and the values that it changed, before and after.

    `names` has the names of the accounts and organisations that the subject and the detail name by id.
    """

    id: int
    time: TimeText
    outcome: str
    by: AuditActor
    action: str
    subject: str
    lift_id: str | None
    detail: Any
    before: Any
    after: Any
    names: dict[str, str]
    hash: str


class AuditList(ResponseBody):
    items: list[AuditRow]
    next: str | None
