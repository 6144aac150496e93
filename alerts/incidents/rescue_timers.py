"""The timers of a rescue: what falls due by time, as in the drawing of `alerts.incidents.rescue`. Pure.

Time never acts on a rescue whose end telemetry has seen. Where the level has risen and nobody is called out on the new
one, time calls out the helper of that level, or rises to the next that has one. People are called about the rescue
again, though somebody has acknowledged it, where nobody has arrived in time, nobody answers and comes, or the level
rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from alerts.incidents.incident import (
    ACKNOWLEDGED,
    CALLED_OUT,
    LEVEL,
    NO_ANSWER,
    ON_SITE,
    OVERDUE,
    RELEASED,
    Incident,
    IncidentChange,
    entered,
)
from alerts.incidents.rescue import (
    ANSWERED,
    ARRIVED,
    CALL_OUTS_MOST,
    PROFESSIONAL,
    RESCUE_POINT,
    S_NS,
    CallOut,
    Rescue,
    RescueTimes,
    nobody_comes,
    not_ahead,
    unanswered_at,
    with_call_out,
)
from alerts.incidents.taking_up import called_anew

NOBODY: Mapping[int, str] = MappingProxyType({})


def on_time(
    incident: Incident, times: RescueTimes, now_ns: int, helpers: Mapping[int, str] = NOBODY
) -> list[IncidentChange]:
    """Return the changes that are due: call-outs without an answer, timers that have passed, a level that rises.

    Where the clock was set back, the timers begin again now; that makes no entry.
    `helpers` has who is called out on a level by itself: the nearest rescue point, a professional.
    """
    changes: list[IncidentChange] = []
    while (change := _next_due(changes[-1].incident if changes else incident, times, now_ns, helpers)) is not None:
        changes.append(change)
    return changes


def wants_helper(incident: Incident) -> bool:
    """Return whether nobody is called out on a level to which a running rescue has risen."""
    rescue = incident.rescue
    if rescue is None or not _runs(incident) or ON_SITE in incident.stages or RELEASED in incident.stages:
        return False
    return bool(_levels_without_call_out(rescue))


def _levels_without_call_out(rescue: Rescue) -> list[int]:
    """Return the levels above the firm, up to the present one, on which nobody was called out."""
    called = {each.level for each in rescue.call_outs}
    return [level for level in range(RESCUE_POINT, rescue.level + 1) if level not in called]


def _to_be_called_anew(incident: Incident, now_ns: int) -> Incident:
    """Return an acknowledged incident as one that people are called about again: its rescue does not get on."""
    return incident if incident.acknowledged_ns is None else called_anew(incident, now_ns)


def _runs(incident: Incident) -> bool:
    """Return whether time acts on the rescue of an incident."""
    is_running = incident.is_open and incident.may_hold_people
    return is_running and incident.rescue is not None and incident.rescue.release_seen_ns is None


def _next_due(incident: Incident, times: RescueTimes, now_ns: int, helpers: Mapping[int, str]) -> IncidentChange | None:
    """Return the first change that is due: the clock, a call-out without an answer, a timer, the level, a call-out."""
    rescue = incident.rescue
    if rescue is None or not _runs(incident):
        return None
    if (set_back := not_ahead(rescue, now_ns)) != rescue:
        return IncidentChange(replace(incident, rescue=set_back), None)
    if (silent := unanswered_at(rescue, times, now_ns)) is not None:
        after = with_call_out(rescue, replace(silent, answer=NO_ANSWER, answered_ns=now_ns))
        waiting = incident if any(each.is_coming for each in after.call_outs) else _to_be_called_anew(incident, now_ns)
        return _entered(waiting, after, NO_ANSWER, now_ns, str(silent.number), silent.who)
    is_taken = ACKNOWLEDGED in incident.stages or any(each.is_coming for each in rescue.call_outs)
    has_come = ON_SITE in incident.stages or RELEASED in incident.stages
    is_silent = any(each.answer == NO_ANSWER for each in rescue.call_outs)  # its level rises by itself
    passed_s, arrive_s = (now_ns - rescue.since_ns) / S_NS, times.arrive_in(incident.district)
    for timer, is_met, limit_s, level in (
        (ANSWERED, is_taken or has_come or is_silent, times.answer_s, RESCUE_POINT),
        (ARRIVED, has_come, arrive_s, PROFESSIONAL),
    ):
        if not is_met and passed_s >= limit_s and not {timer, ARRIVED} & set(rescue.overdue):
            after = replace(rescue, overdue=(*rescue.overdue, timer), level=max(rescue.level, level))
            waiting = _to_be_called_anew(incident, now_ns) if timer == ARRIVED else incident
            return _entered(waiting, after, OVERDUE, now_ns, timer)
    open_levels = _levels_without_call_out(rescue) if wants_helper(incident) else []
    higher = min((level for level in helpers if level > rescue.level), default=None)
    if nobody_comes(rescue) or (rescue.level in open_levels and rescue.level not in helpers and higher is not None):
        after = replace(rescue, level=rescue.level + 1)
        return _entered(_to_be_called_anew(incident, now_ns), after, LEVEL, now_ns, str(after.level))
    lowest = next((each for each in open_levels if each in helpers), None)
    if lowest is not None and len(rescue.call_outs) < CALL_OUTS_MOST:
        called = CallOut(len(rescue.call_outs) + 1, lowest, helpers[lowest], now_ns)
        return _entered(incident, with_call_out(rescue, called), CALLED_OUT, now_ns, str(called.number), called.who)
    return None


def _entered(
    incident: Incident, rescue: Rescue, kind: str, now_ns: int, about: str, to: str | None = None
) -> IncidentChange:
    return entered(replace(incident, rescue=rescue), kind, now_ns, about=about, to=to)
