"""A row of the audit log as it is read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping

from registry.actor import Actor


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A row of the audit log; `detail`, `before` and `after` are JSON."""

    id: int
    at_ns: int
    outcome: str
    by: Actor
    action: str
    subject: str
    lift_id: str | None
    district: str | None
    detail: str | None
    before: str | None
    after: str | None
    hash: bytes


def read_entry(row: RowMapping) -> AuditEntry:
    """Return a row of the table as an entry."""
    by = Actor(row["by"], row["account"], row["organisation"], row["role"], row["address"])
    names = ("id", "at_ns", "outcome", "action", "subject", "lift_id", "district", "detail", "before", "after", "hash")
    return AuditEntry(by=by, **{name: row[name] for name in names})
