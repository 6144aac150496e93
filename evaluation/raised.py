"""Raised alerts: our own, or the findings of any other detector from a CSV file.

    lift_id,rule,onset,noticed,cleared,severity
    sim-00007,entrapment-off-level,2001-01-01T08:15:02.300Z,2001-01-01T08:15:32.400Z,,critical

`noticed`, `cleared` and `severity` may be left out: noticed is then the onset, and cleared is noticed. Times are
RFC 3339; a rule may be named by its code (F01). A finding that cannot belong to the recording is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from alerts.alert import Alert
from registry.catalogue import SEVERITIES, catalogue

REQUIRED = ("lift_id", "rule", "onset")
STILL_OPEN_NS = 1 << 62
GRACE_NS = 600_000_000_000
"""How far outside of the recording an instant may lie: estimates may be off, a wrong time zone is more."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadFindings(ValueError):
    """A file of findings that cannot be read: names the line, the field, and a remedy."""


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """One alert, or one finding of another detector; instants in the lift's time. It was open until `until_ns`."""

    lift_id: str
    rule: str
    severity: str
    onset_ns: int
    noticed_ns: int
    until_ns: int


def ours(alerts: Iterable[Alert]) -> list[RaisedAlert]:
    """Return the monitor's alerts as raised alerts."""
    return [
        RaisedAlert(
            alert.lift_id,
            alert.rule,
            alert.severity,
            alert.onset_ns,
            alert.noticed_ns,
            alert.closed_ns or alert.cleared_ns or STILL_OPEN_NS,
        )
        for alert in alerts
    ]


@dataclass(frozen=True, slots=True)
class RecordingScope:
    """The lifts and the time of a recording, which findings must lie in."""

    lift_ids: Container[str]
    start_ns: int
    end_ns: int


def read_csv(lines: Iterable[str], watched: RecordingScope) -> list[RaisedAlert]:
    """Return the findings of another detector; raise BadFindings where a line does not fit."""
    reader = csv.DictReader(lines, skipinitialspace=True)
    found: dict[RaisedAlert, int] = {}
    try:
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
        if missing:
            raise BadFindings(f"no column {missing[0]!r}; the first line names the columns: lift_id,rule,onset")
        for row in reader:
            one = _finding(row, watched)
            if one in found:
                raise BadFindings(f"the same finding as in line {found[one]}; leave one of them out")
            found[one] = reader.line_num
    except BadFindings as error:
        raise BadFindings(f"line {reader.line_num or 1}: {error}") from None
    except csv.Error as error:  # a line that cannot be read has not been counted
        raise BadFindings(f"line {reader.line_num + 1}: {error}; is it a CSV file?") from None
    return list(found)


def _finding(row: dict[str, str | None], watched: RecordingScope) -> RaisedAlert:
    if None in row:
        raise BadFindings("more cells than columns; put quotes around a cell with a comma in it")
    cells = {name: (cell or "").strip() for name, cell in row.items()}
    lift_id, rule = cells["lift_id"], _slug(cells["rule"])
    if lift_id not in watched.lift_ids:
        raise BadFindings(f"lift_id: {lift_id!r} is not in the recording; every finding is of one of its lifts")
    if rule not in catalogue():
        near = get_close_matches(rule, catalogue(), n=1)
        raise BadFindings(f"rule: {rule!r} is not known{f'; {near[0]!r} is' if near else ''}")
    severity = cells.get("severity") or SEVERITIES[-1]
    if severity not in SEVERITIES:
        raise BadFindings(f"severity: {severity!r} is not one of {', '.join(SEVERITIES)}")
    return RaisedAlert(lift_id, rule, severity, *_instants(cells, watched))


def _slug(rule: str) -> str:
    """Return the slug of a rule that is named by its code; any other text as it is."""
    return next((entry.slug for entry in catalogue().values() if entry.code == rule), rule)


def _instants(cells: dict[str, str], watched: RecordingScope) -> tuple[int, int, int]:
    """Return the onset, the noticing and the end of an alert."""
    onset_ns = _instant_ns("onset", cells["onset"])
    noticed_ns = _instant_ns("noticed", cells["noticed"]) if cells.get("noticed") else onset_ns
    until_ns = _instant_ns("cleared", cells["cleared"]) if cells.get("cleared") else noticed_ns
    for field, at_ns in ("onset", onset_ns), ("noticed", noticed_ns):
        if not watched.start_ns - GRACE_NS <= at_ns <= watched.end_ns + GRACE_NS:
            raise BadFindings(f"{field}: {cells[field]} is outside of the recording; is its zone right?")
    for field, at_ns in ("noticed", noticed_ns), ("cleared", until_ns):
        if at_ns < onset_ns:
            raise BadFindings(f"{field}: {cells[field]} is before the onset, {cells['onset']}")
    return onset_ns, noticed_ns, until_ns


def _instant_ns(field: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadFindings(f"{field}: {text!r} is not an RFC 3339 time such as 2001-01-01T08:15:02.300Z")
    return (at - _EPOCH) // _MICROSECOND * 1000
