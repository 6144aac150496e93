"""Label rows as a recording holds them, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from evaluation.raised import RaisedAlert

BEGIN_NS = 978_307_200_000_000_000  # 2001-01-01T00:00:00Z


def at(seconds: float) -> int:
    """Return an instant so many seconds into the year 2001."""
    return BEGIN_NS + round(seconds * 1e9)


def row(
    begin_s: float, end_s: float, *rules: str, lift_id: str = "a", event: str = "a/1", **other: Any
) -> dict[str, Any]:
    """Return the row of one symptom interval of an event that lasts as long."""
    return {
        "lift_id": lift_id,
        "event": event,
        "kind": "fault",
        "cause": "drive-tripped",
        "form": "sudden",
        "severity": 1.0,
        "onset": at(begin_s),
        "end": at(end_s),
        "functional_failure": None,
        "symptom": "something",
        "symptom_onset": at(begin_s),
        "symptom_end": at(end_s),
        "rules": list(rules),
    } | other


def raised(rule: str, onset_s: float, noticed_s: float, lift_id: str = "a", severity: str = "critical") -> RaisedAlert:
    """Return one alert."""
    return RaisedAlert(lift_id, rule, severity, at(onset_s), at(noticed_s), at(noticed_s))
