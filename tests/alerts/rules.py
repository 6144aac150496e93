"""Rules and findings for the tests of alerts: enough of a rule for the book, on a clock that starts in 2001."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.book import Occurrence
from detectors.rule import CRITICAL, MAJOR, MINOR, Finding, Level, Rule

S = 1_000_000_000
T0 = 978_307_200 * S  # 2001-01-01
LIFT, DISTRICT = "lift-1", "centre"


class Silent:
    """A detector that is never asked: the book gets its findings from the test."""

    def start(self, n: int) -> Mapping[str, Any]:
        return {}

    def step(self, state: Mapping[str, Any], car: Any, facts: Any) -> tuple[Mapping[str, Any], tuple[()]]:
        return state, ()


def rule(slug: str, *levels: Level, fold_s: float = 60.0) -> Rule:
    return Rule(
        code="F00",
        slug=slug,
        detector=Silent(),
        levels=levels or (Level(MAJOR),),
        name={"en": slug, "zh": slug},
        sentence={"en": "at {speed_mps:.2f} m/s, limit {limit_mps:.2f}", "zh": "速度 {speed_mps:.2f} 米/秒"},
        fold_s=fold_s,
        codes={"gbt24476": "04"},
    )


STOP = rule("stop-outside-zone")
DOOR = rule("door-held-open", Level(MINOR))
MOVED = rule("unintended-movement", Level(CRITICAL, by_hand=True, peak="speed_mps"))
OVERSPEED = rule("overspeed", Level(MINOR), Level(CRITICAL, by_hand=True))
OVERTRAVEL = rule("run-too-long", Level(MINOR), Level(MAJOR))
POWER = rule("power-loss", Level(MAJOR))
OFFLINE = rule("offline", Level(MINOR))


def finding(
    what: Rule,
    kind: str,
    at_s: float,
    severity: int | None = None,
    *,
    onset_s: float | None = None,
    evidence: Mapping[str, float] | None = None,
) -> Finding:
    level = next(level for level in what.levels if severity is None or level.severity == severity)
    return Finding(
        lift=0,
        rule=what.slug,
        kind=kind,
        severity=level.severity,
        onset_ns=T0 + round((at_s if onset_s is None else onset_s) * S),
        at_ns=T0 + round(at_s * S),
        by_hand=level.by_hand,
        evidence={} if evidence is None else evidence,
    )


def occurrence(
    what: Rule, kind: str, at_s: float, severity: int | None = None, *, lift_id: str = LIFT, **more: Any
) -> Occurrence:
    found = finding(what, kind, at_s, severity, **more)
    return Occurrence(lift_id, DISTRICT, found, what, found.at_ns + S)
