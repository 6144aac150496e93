"""What was raised: our own alerts, or the findings of any other detector from a CSV file.

    lift_id,rule,onset,noticed,cleared,severity
    sim-00007,entrapment-off-level,2001-01-01T08:15:02.300Z,2001-01-01T08:15:32.400Z,,critical

`noticed`, `cleared` and `severity` may be left out: noticed is then the onset, and it is cleared at once. Times are
RFC 3339.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from alerts.alert import Alert
from detectors.rule import SEVERITIES
from evaluation.events import BY_RULE

REQUIRED = ("lift_id", "rule", "onset")
STILL_OPEN_NS = 1 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadFindings(ValueError):
    """A file of findings that cannot be read: names the line, the field, and the remedy."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert, or one finding of another detector; instants in the lift's time. It was open until `until_ns`."""

    lift_id: str
    rule: str
    severity: str
    onset_ns: int
    noticed_ns: int
    until_ns: int


def ours(alerts: Iterable[Alert]) -> list[Raised]:
    """Return the monitor's alerts as what was raised."""
    return [
        Raised(
            alert.lift_id,
            alert.rule,
            alert.severity,
            alert.onset_ns,
            alert.noticed_ns,
            alert.closed_ns or alert.cleared_ns or STILL_OPEN_NS,
        )
        for alert in alerts
    ]


def read_csv(lines: Iterable[str]) -> list[Raised]:
    """Return the findings of another detector; raise BadFindings where a line does not fit."""
    reader = csv.DictReader(lines)
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if missing:
        raise BadFindings(f"line 1: no column {missing[0]!r}; the first line names the columns: lift_id,rule,onset")
    return [_finding(reader.line_num, row) for row in reader]


def _finding(line: int, row: dict[str, str | None]) -> Raised:
    rule = row["rule"] or ""
    if rule not in BY_RULE:
        near = get_close_matches(rule, BY_RULE, n=1)
        raise BadFindings(f"line {line}: rule: {rule!r} is not known{f'; {near[0]!r} is' if near else ''}")
    severity = row.get("severity") or SEVERITIES[-1]
    if severity not in SEVERITIES:
        raise BadFindings(f"line {line}: severity: {severity!r} is not one of {', '.join(SEVERITIES)}")
    if not row["lift_id"]:
        raise BadFindings(f"line {line}: lift_id: is empty; every finding is of one lift")
    onset_ns = _instant_ns(line, "onset", row["onset"] or "")
    noticed, cleared = row.get("noticed"), row.get("cleared")
    noticed_ns = _instant_ns(line, "noticed", noticed) if noticed else onset_ns
    until_ns = _instant_ns(line, "cleared", cleared) if cleared else noticed_ns
    return Raised(row["lift_id"], rule, severity, onset_ns, noticed_ns, until_ns)


def _instant_ns(line: int, field: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadFindings(f"line {line}: {field}: {text!r} is not an RFC 3339 time such as 2001-01-01T08:15:02.300Z")
    return (at - _EPOCH) // _MICROSECOND * 1000
