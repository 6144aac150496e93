"""The health of a lift, 0 to 100, from its parts; and the grade of its risk. docs/health.md has the rule in words.

open alerts, recent alerts, trends ─► points off each part ─► health of the part ─► health of the lift ─► grade
blind, never heard, offline, failed ─► unknown, with the reason; what is not judged never looks well
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from detectors.health.baseline import OUTLIER
from detectors.health.measures import DOOR, DRIVE, MEASURES, PARTS, RIDE, SAFETY, SENSING
from detectors.health.trends import Trend
from registry.catalogue import catalogue

FAILED = "failed"
"""The reason of a health that could not be reckoned; the others are those for which a lift is not judged."""
RED, ORANGE, YELLOW, BLUE = GRADES = ("red", "orange", "yellow", "blue")
OPEN_POINTS = {"critical": 100.0, "major": 50.0, "minor": 20.0, "trend": 10.0}
RECENT_POINTS = {"critical": 15.0, "major": 8.0, "minor": 3.0, "trend": 2.0}
RECENT_DAYS, RECENT_MOST = 30.0, 40.0
TREND_POINTS, TREND_MOST, SIZE_SHARE = 10.0, 40.0, 0.5
SOON_DAYS, SOON_POINTS = 14.0, 15.0
OTHER_PARTS_SHARE = 0.2
"""The health of a lift is that of its weakest part, less this share of what the other parts lack."""
RED_BELOW, ORANGE_BELOW, YELLOW_BELOW = 40.0, 60.0, 80.0
ORANGE_DAYS, YELLOW_DAYS = 7.0, 30.0
PART_OF_RULE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("door-close-fault", "door-open-fault", "door-cycling", "door-held-open", "door-obstructed"),
            *("curtain-blocked", "curtain-dead"),
        ),
        DOOR,
    ),
    **dict.fromkeys(
        (
            *("underspeed", "motor-run-limit", "run-too-long", "levelling-error", "excess-relevelling"),
            *("start-rollback", "long-braking", "traction-slip", "stalled", "empty-running"),
        ),
        DRIVE,
    ),
    **dict.fromkeys(
        (
            *("vertical-vibration", "horizontal-vibration", "harsh-ride", "rail-joint", "roller-guide"),
            *("machine-bearing", "car-shaking"),
        ),
        RIDE,
    ),
    **dict.fromkeys(("offline", "power-loss"), SENSING),
}


class AlertOfLift(NamedTuple):
    """An alert: its rule, its severity, whether it is open, and how many days ago it began."""

    rule: str
    severity: str
    is_open: bool
    days_ago: float


class Deduction(NamedTuple):
    """Points taken off a part for an alert or for a trend; the other one is None."""

    points: float
    alert: AlertOfLift | None = None
    trend: Trend | None = None


class PartHealth(NamedTuple):
    """The health of a part, None where nothing shows it, and what took points off, the most first."""

    part: str
    health: float | None
    deductions: tuple[Deduction, ...]


class Assessment(NamedTuple):
    """The health of a lift, None where it is unknown for the reason `unknown`; its grade, None where nothing is judged;
    and its parts."""

    health: float | None
    grade: str | None
    unknown: str | None
    parts: tuple[PartHealth, ...]


def part_of(rule: str) -> str:
    """Return the part that a rule is about: sensors and link by the catalogue, safety where no other part is named."""
    if rule in PART_OF_RULE:
        return PART_OF_RULE[rule]
    rules = catalogue()
    return SENSING if rule in rules and rules[rule].sensing else SAFETY


def assess(
    alerts: Sequence[AlertOfLift], trends: Sequence[Trend], measured: frozenset[str], unknown: str | None
) -> Assessment:
    """Return the health of a lift.

    Parameters
    ----------
    alerts : those that are open, and those of the last `RECENT_DAYS`
    trends : of its measures, as of its last day
    measured : the parts of which the lift has measures
    unknown : why the lift is not judged now, None where it is
    """
    parts = tuple(_part(part, alerts, trends, measured) for part in PARTS)
    if unknown is not None:
        return Assessment(None, _grade_of_alerts(alerts), unknown, parts)
    known = sorted(part.health for part in parts if part.health is not None)
    health = max(0.0, known[0] - OTHER_PARTS_SHARE * sum(100.0 - each for each in known[1:]))
    return Assessment(health, _grade(health, alerts, trends), None, parts)


def _part(part: str, alerts: Sequence[AlertOfLift], trends: Sequence[Trend], measured: frozenset[str]) -> PartHealth:
    deductions = sorted(_deductions(part, alerts, trends), key=lambda deduction: -deduction.points)
    recent = sum(deduction.points for deduction in deductions if deduction.alert and not deduction.alert.is_open)
    rest = sum(deduction.points for deduction in deductions if not deduction.alert or deduction.alert.is_open)
    if not deductions and part in (DRIVE, DOOR, RIDE) and part not in measured:
        return PartHealth(part, None, ())
    return PartHealth(part, max(0.0, 100.0 - rest - min(recent, RECENT_MOST)), tuple(deductions))


def _deductions(part: str, alerts: Sequence[AlertOfLift], trends: Sequence[Trend]) -> Iterator[Deduction]:
    for alert in alerts:
        if part_of(alert.rule) == part:
            fresh = max(0.0, 1.0 - alert.days_ago / RECENT_DAYS)
            points = OPEN_POINTS[alert.severity] if alert.is_open else RECENT_POINTS[alert.severity] * fresh
            if points > 0.0:
                yield Deduction(points, alert=alert)
    largest = [trend for trend in trends if MEASURES[trend.place].part == part][:1]
    for trend in largest:  # the measures of one part grow together: they are one fault
        yield Deduction(_trend_points(trend), trend=trend)


def _trend_points(trend: Trend) -> float:
    """Return the points of a trend: the more the further it is off its baseline, and the nearer the limit."""
    limit = MEASURES[trend.place].limit
    share = SIZE_SHARE * trend.size / OUTLIER
    if limit == limit:
        share = max(share, _way(trend, limit))
    points = TREND_POINTS + (TREND_MOST - TREND_POINTS) * min(1.0, share)
    is_soon = trend.remaining is not None and trend.remaining.earliest <= SOON_DAYS
    return points + (SOON_POINTS if is_soon else 0.0)


def _way(trend: Trend, limit: float) -> float:
    """Return the share of the way from the baseline to the limit that is gone."""
    return (trend.now - trend.before) / (limit - trend.before) if limit != trend.before else 1.0


def _grade_of_alerts(alerts: Sequence[AlertOfLift]) -> str | None:
    severities = {alert.severity for alert in alerts if alert.is_open}
    return RED if "critical" in severities else ORANGE if "major" in severities else None


def _grade(health: float, alerts: Sequence[AlertOfLift], trends: Sequence[Trend]) -> str:
    of_alerts = _grade_of_alerts(alerts)
    earliest = min((trend.remaining.earliest for trend in trends if trend.remaining), default=float("inf"))
    if of_alerts == RED or health < RED_BELOW:
        return RED
    if of_alerts == ORANGE or health < ORANGE_BELOW or earliest <= ORANGE_DAYS:
        return ORANGE
    is_minor = any(alert.is_open and alert.severity == "minor" for alert in alerts)
    return YELLOW if is_minor or health < YELLOW_BELOW or earliest <= YELLOW_DAYS else BLUE
