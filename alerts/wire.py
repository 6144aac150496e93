"""The alert as JSON (contract, section 3): what the API answers and the alert topic carries. Nothing may be renamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.alert import Alert

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(t_ns: int) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    at = _EPOCH + timedelta(milliseconds=t_ns // 1_000_000)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def to_json(alert: Alert) -> dict[str, Any]:
    """Return the contract's object of an alert."""
    return {
        "id": alert.id,
        "lift_id": alert.lift_id,
        "district": alert.district,
        "rule": alert.rule,
        "severity": alert.severity,
        "state": alert.state,
        "onset": rfc3339(alert.onset_ns),
        "noticed": rfc3339(alert.noticed_ns),
        "cleared": _maybe(alert.cleared_ns),
        "count": alert.count,
        "acknowledged": alert.acknowledged,
        "assigned_to": alert.assigned_to,
        "shelved_until": _maybe(alert.shelved_until_ns),
        "inhibited_by": alert.inhibited_by,
        "evidence": dict(alert.evidence),
        "codes": dict(alert.codes),
        "summary": dict(alert.summary),
    }


def _maybe(t_ns: int | None) -> str | None:
    return None if t_ns is None else rfc3339(t_ns)
