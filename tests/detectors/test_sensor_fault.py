"""F40: a sensor reads what cannot be."""

from __future__ import annotations

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, healthy, tower


def appearing(shut_s: float, person_s: float = 20.0) -> Script:
    """Return an empty car in which a person appears, so long after its door has closed."""
    script = Script(z_m=9.0).event(door=CLOSED, presence=0).rest(3.0).open_door(2.0).rest(3.0).close_door(3.0)
    return script.rest(shut_s).event(presence=1).rest(person_s).event(presence=0).rest(20.0)


def fault() -> Fault:
    script = appearing(70.0)
    return Fault(script, onset_s=81.0, within_s=2.0, severity=MINOR, clears=True)


def stories() -> list[Script]:
    return [healthy(3, trips=3), appearing(62.0, 40.0)]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["sensor-fault"]], 1).step(batch([rows]), facts_of([tower()]))


def faulty(rows: Rows) -> set[str]:
    return {name for one in found(rows) if one.kind == "on" for name, bad in one.evidence.items() if bad}


def test_a_person_may_appear_soon_after_the_door_has_closed() -> None:
    assert found(appearing(55.0).rows()) == []
    assert faulty(appearing(65.0).rows()) == {"faulty_presence"}


def test_a_person_who_was_seen_before_may_be_seen_again() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, presence=0).rest(3.0).open_door(2.0).event(presence=1).rest(3.0)
    script.close_door(3.0).rest(20.0).event(presence=0).rest(80.0).event(presence=1).rest(20.0)
    assert found(script.rows()) == []


def test_such_a_person_is_not_entrapped() -> None:
    judge = Judge([BY_SLUG["entrapment-at-level"]], 1)
    assert judge.step(batch([appearing(70.0, 200.0).rows()]), facts_of([tower()])) == []
