"""The records as `serve` opens them: their stored secrets sealed by the newest key."""

from __future__ import annotations

import logging

from configuration import Configuration
from store.records.repository import Records, SecretsUnreadable

log = logging.getLogger("liftwatch.records")


def open_sealed_records(settings: Configuration) -> Records:
    """Open the records and seal their secrets; where a key is missing, everything else works."""
    records = Records.open(settings.records_url, settings.records_key_path)
    try:
        report = records.seal_secrets()
    except SecretsUnreadable as error:
        log.error("secrets in the records are not sealed: %s", error)
        return records
    if report.sealed:
        log.info("sealed %d secrets in the records by the newest key", report.sealed)
    if report.kept:
        remedy = "run VACUUM FULL people, ways, notifications once there is space and time for it"
        log.warning("files of the records may keep former values of secrets in plain: %s; %s", report.kept, remedy)
    if report.unreadable:
        log.error("%d secrets in the records cannot be opened: %s", report.unreadable, report.reason)
    return records
