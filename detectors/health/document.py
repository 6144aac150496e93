"""The health of a lift as JSON: what is stored, published on MQTT and answered by the API."""

from __future__ import annotations

from typing import Any

from detectors.health.assessment import Assessment, PartHealth
from detectors.health.measures import MEASURES
from detectors.health.sentences import reason_of_deduction, reason_of_lift, reason_of_part, reason_of_trend
from detectors.health.trends import Trend
from telemetry.instant import rfc3339

DEDUCTIONS_MOST = 5


def health_document(
    lift_id: str, district: str, at_ns: int, found: Assessment, trends: list[Trend], days: int
) -> dict[str, Any]:
    """Return the document of a health that was found at `at_ns`, from so many days with measures."""
    return {
        "lift_id": lift_id,
        "district": district,
        "at": rfc3339(at_ns),
        "health": None if found.health is None else round(found.health),
        "grade": found.grade,
        "unknown": found.unknown,
        "reason": reason_of_lift(found),
        "parts": [_part(part) for part in found.parts],
        "trends": [_trend(trend) for trend in trends],
        "days": days,
    }


def _part(part: PartHealth) -> dict[str, Any]:
    return {
        "part": part.part,
        "health": None if part.health is None else round(part.health),
        "reason": reason_of_part(part),
        "causes": [
            {"points": round(deduction.points, 1), "reason": reason_of_deduction(deduction)}
            for deduction in part.deductions[:DEDUCTIONS_MOST]
        ],
    }


def _trend(trend: Trend) -> dict[str, Any]:
    measure = MEASURES[trend.place]
    return {
        "measure": measure.name,
        "part": measure.part,
        "unit": measure.unit,
        "since_day": trend.since_day,
        "before": _rounded(trend.before),
        "now": _rounded(trend.now),
        "limit": _rounded(measure.limit),
        "remaining_days": None if trend.remaining is None else [round(days, 1) for days in trend.remaining],
        "reason": reason_of_trend(trend),
    }


def _rounded(value: float) -> float | None:
    return None if value != value else float(f"{value:.4g}")
