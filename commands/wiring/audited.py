"""Rows of the audit log for commands that do not change the records, where there are records."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from commands.wiring.command_actor import command_actor
from configuration import Configuration
from store.records.audit.acts import AuditActs
from store.records.audit.writing import AuditSubject
from store.records.database import Repository

SQLITE = "sqlite:///"


class WrittenAuditLog(Repository, AuditActs):
    """The audit log alone, for writing."""


def has_records(settings: Configuration) -> bool:
    """Return whether the records exist; a server's address counts as existing."""
    url = settings.records_url
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def audit_command(settings: Configuration, action: str, subjects: Sequence[AuditSubject]) -> None:
    """Write an act of a command to the audit log; nothing where there are no records. Raises RecordsUnavailable."""
    if has_records(settings):
        with WrittenAuditLog.open(settings.records_url) as log:
            log.write_audit(time.time_ns(), command_actor(), action, subjects)
