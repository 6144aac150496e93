"""The alert as JSON (contract, section 3): the body of the API and of the alert topic. Nothing may be renamed."""

from __future__ import annotations

from typing import Any

from alerts.alert import Alert
from telemetry.instant import rfc3339, text


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
        "cleared": text(alert.cleared_ns),
        "count": alert.count,
        "acknowledged": alert.acknowledged,
        "assigned_to": alert.assigned_to,
        "shelved_until": text(alert.shelved_until_ns),
        "inhibited_by": alert.inhibited_by,
        "evidence": dict(alert.evidence),
        "codes": dict(alert.codes),
        "summary": dict(alert.summary),
        **({} if alert.thresholds_changed_ns is None else {"thresholds_changed": rfc3339(alert.thresholds_changed_ns)}),
    }
