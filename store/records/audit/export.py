"""Rows of the audit log as CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import orjson

from registry.spreadsheet import written_cell
from store.records.audit.entry import AuditEntry
from telemetry.instant import rfc3339

COLUMNS = (
    "id", "time", "outcome", "by", "account", "organisation", "role", "address", "action", "subject", "lift_id",
    "detail", "before", "after", "hash",
)  # fmt: skip
ROWS_AT_ONCE = 200
ACKNOWLEDGED = ("acknowledgements", "truncated")
"""Values of an alert in which rows of earlier versions have the notes of all who acknowledged it."""
NOTES = ("note", "reason", "callback", *ACKNOWLEDGED)


def csv_parts(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield a CSV document in parts of some rows: the names of the columns, then a line for each row."""
    document = io.StringIO(newline="")
    writer = csv.writer(document)
    writer.writerow(COLUMNS)
    for number, entry in enumerate(entries, start=1):
        writer.writerow(map(written_cell, _cells(entry)))
        if number % ROWS_AT_ONCE == 0:
            yield _taken(document)
    yield _taken(document)


def without_address(entry: AuditEntry) -> AuditEntry:
    """Return a row without what identifies a person of another organisation beyond the name."""
    return replace(entry, by=replace(entry.by, account=None, address=None))


def without_notes(entry: AuditEntry) -> AuditEntry:
    """Return a row without the notes and reasons of another organisation."""
    detail, before, after = (_cut(text, NOTES) for text in (entry.detail, entry.before, entry.after))
    return replace(entry, detail=detail, before=before, after=after)


def without_acknowledgements(entry: AuditEntry) -> AuditEntry:
    """Return a row of the own organisation without the notes of others who acknowledged the alert before."""
    if not entry.action.startswith("alert."):
        return entry
    return replace(entry, before=_cut(entry.before, ACKNOWLEDGED), after=_cut(entry.after, ACKNOWLEDGED))


def _cut(text: str | None, names: Collection[str]) -> str | None:
    value = None if text is None else orjson.loads(text)
    if not isinstance(value, dict):
        return text
    return orjson.dumps({name: each for name, each in value.items() if name not in names}).decode()


def _cells(entry: AuditEntry) -> tuple[str | int | None, ...]:
    by = entry.by
    who = (by.name, by.account, by.organisation, by.role, by.address)
    what = (entry.action, entry.subject, entry.lift_id, entry.detail, entry.before, entry.after)
    return (entry.id, rfc3339(entry.at_ns), entry.outcome, *who, *what, entry.hash.hex())


def _taken(document: io.StringIO) -> str:
    text = document.getvalue()
    document.seek(0)
    document.truncate()
    return text
