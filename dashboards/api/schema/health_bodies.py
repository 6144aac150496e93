"""The bodies of responses about the health of lifts."""

from __future__ import annotations

from dashboards.api.schema.lift_bodies import Grade
from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.response_body import ResponseBody


class DeductionBody(ResponseBody):
    """What takes points off a part, in words of each language."""

    points: float
    reason: dict[str, str]


class PartHealthBody(ResponseBody):
    """The health of a part of a lift, null where nothing measures it."""

    part: str
    health: int | None
    reason: dict[str, str]
    causes: list[DeductionBody]


class TrendBody(ResponseBody):
    """A measure that has left its baseline: both in `unit`, the limit where there is one, and the earliest and the
    latest number of days until then where the trend allows it. `since_day` is a proleptic Gregorian ordinal."""

    measure: str
    part: str
    unit: str
    since_day: int
    before: float
    now: float
    limit: float | None
    remaining_days: tuple[float, float] | None
    reason: dict[str, str]


class HealthDayBody(ResponseBody):
    """A local day: the health at its end, null where the lift was not judged, and that of each part."""

    day: str
    health: float | None
    grade: Grade | None
    parts: dict[str, float | None]


class LiftHealth(ResponseBody):
    """The health of a lift; null where it is `unknown`, which then has the reason."""

    lift_id: str
    at: TimeText | None
    health: int | None
    grade: Grade | None
    unknown: str | None
    reason: dict[str, str] | None
    parts: list[PartHealthBody]
    trends: list[TrendBody]
    days: list[HealthDayBody]
