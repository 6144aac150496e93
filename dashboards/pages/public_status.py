"""The status of a lift on the public page: reassuring, without technical detail or anything about a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.incidents.incident import ACKNOWLEDGED, DISPATCHED, NOTIFIED, ON_SITE, RELEASED, Incident
from alerts.incidents.kinds import PEOPLE_INSIDE
from dashboards.live.blind import UNWATCHED
from registry.incident_kinds import OUT_OF_ORDER, UNSAFE
from telemetry.instant import NS_PER_S

TRAPPED = ("entrapment-off-level", "entrapment-at-level", "alarm-button")
TROUBLED = ("critical", "major", "out-of-service", "inspection")
SILENT = ("never-seen", "blind", "offline", "suspect")
TOLD_KINDS = (*PEOPLE_INSIDE, UNSAFE, OUT_OF_ORDER)
"""Kinds of incidents of which the public page tells how far they are."""

ProgressLine = tuple[str, int]
"""The key of a sentence with a time, and that time."""


def public_status(lift: Mapping[str, Any], incident: Incident | None = None) -> str:
    """Return the key of the public page's status sentence."""
    own = incident and incident.lift(lift["lift_id"])
    if own and own.holds_people:
        return "reported" if incident and incident.unconfirmed else "helping"
    if incident and RELEASED in incident.stages:
        return "looking"
    if any(alert["rule"] in TRAPPED for alert in lift["open_alerts"]):
        return "helping"
    if lift["state"] in TROUBLED or (incident and incident.kind in TOLD_KINDS):
        return "looking"
    if (blind := lift["latest"]["blind"]) and blind["reason"] == UNWATCHED:
        return "unknown"
    return "unsure" if lift["state"] in SILENT else "well"


def progress(incident: Incident, now_ns: int) -> list[ProgressLine]:
    """Return what has been done about an incident, in the order of time; of a rescue since somebody has been inside."""
    return sorted(_lines(incident, now_ns), key=lambda line: line[1])


def _lines(incident: Incident, now_ns: int) -> Iterator[ProgressLine]:
    if incident.kind not in TOLD_KINDS:
        return
    is_rescue, rescue = incident.kind in PEOPLE_INSIDE, incident.rescue
    since_ns = rescue.since_ns if is_rescue and rescue else incident.opened_ns
    stages = {stage: at_ns for stage, at_ns in incident.stages.items() if at_ns >= since_ns}
    yield "reported" if incident.unconfirmed else "noticed", since_ns
    if ACKNOWLEDGED in stages:
        yield "taken", stages[ACKNOWLEDGED]
    called = [each.called_ns for each in rescue.call_outs if each.called_ns >= since_ns] if rescue else []
    called_ns = min((*called, *(stages[each] for each in (NOTIFIED, DISPATCHED) if each in stages)), default=None)
    if is_rescue and called_ns is not None:
        yield "called", called_ns
    for stage in (DISPATCHED, ON_SITE, RELEASED):
        if stage in stages:
            yield stage, stages[stage]
        if stage == DISPATCHED and rescue and rescue.expected_ns is not None and ON_SITE not in stages:
            yield "expected" if now_ns <= rescue.expected_ns else "late", rescue.expected_ns
    if incident.closed_ns is not None:
        yield "closed", incident.closed_ns


def shown_clock(at_ns: int, now_ns: int, place: tzinfo) -> str:
    """Return the time of an instant, with its date where that is not the date of now."""
    at, now = (datetime.fromtimestamp(each // NS_PER_S, place) for each in (at_ns, now_ns))
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def offset_name(now: datetime) -> str:
    """Return the offset of an instant's zone, as `UTC+8`; the name of the zone would disclose a place to the public."""
    hours = (now.utcoffset() or timedelta()) / timedelta(hours=1)
    return f"UTC{hours:+g}" if hours else "UTC"


def zone(name: str | None) -> tzinfo:
    """Return the time zone of that name; UTC where the name is missing or unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
