"""F08: the tolerated speed in either direction, the dangerous one downwards."""

from __future__ import annotations

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import CRITICAL, MINOR, Finding
from tests.detectors.world import Fault, Script, batch, facts_of, tower


def runaway(to_mps: float, seconds: float = 4.0) -> Script:
    """Run at a speed that the drive should not allow, then stop."""
    script = Script(z_m=24.0 if to_mps < 0 else 3.0).event(door=0).rest(4.0)
    way = 1.0 if to_mps > 0 else -1.0
    script.ramp(0.0, to_mps, 1.0).move([to_mps] * round(seconds * 100)).ramp(to_mps, way * 0.1, 1.0)
    return script.rest(5.0)


def fault() -> Fault:
    return Fault(runaway(-2.3), onset_s=4.0 + 2.02, within_s=0.3, severity=CRITICAL)


def found(script: Script, slug: str = "overspeed", dt_s: float = 0.1) -> list[Finding]:
    judge = Judge([BY_SLUG[slug]], 1)
    return judge.step(batch([script.rows(dt_s)]), facts_of([tower()]))


def test_five_percent_too_fast_is_minor_and_clears_by_itself() -> None:
    kinds = [(f.kind, f.severity, f.by_hand) for f in found(runaway(-1.9))]
    assert kinds == [("on", MINOR, False), ("off", MINOR, False)]


def test_fifteen_percent_too_fast_downwards_is_critical() -> None:
    kinds = [(f.kind, f.severity) for f in found(runaway(-2.3)) if f.by_hand]
    assert kinds == [("on", CRITICAL), ("off", CRITICAL)]


def test_fifteen_percent_too_fast_upwards_is_left_to_ascending_overspeed() -> None:
    assert found(runaway(2.3)) == []
    assert {f.severity for f in found(runaway(2.3), "overspeed-up")} == {CRITICAL}


def test_the_onset_is_where_the_limit_was_passed_and_not_where_the_hold_ended() -> None:
    first = next(f for f in found(runaway(-2.3)) if f.severity == CRITICAL)
    assert (first.at_ns - first.onset_ns) / 1e9 == 0.3


def test_the_rated_speed_itself_is_no_overspeed() -> None:
    assert found(runaway(-1.75)) == []
