"""F37: the terminal reports that the mains are off."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import BATTERY, CLOSED, MAINS
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def cut(seconds: float, back_s: float = 70.0) -> Script:
    """Return a car whose mains are off for a while."""
    script = Script(z_m=9.0).event(door=CLOSED, power=MAINS).rest(6.0).event(power=BATTERY).rest(seconds)
    return script.event(power=MAINS).rest(back_s)


def fault() -> Fault:
    return Fault(cut(20.0), onset_s=6.0, within_s=2.0, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    return [cut(20.0, 5.0).event(power=BATTERY).rest(30.0).event(power=MAINS).rest(90.0)]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["power-loss"]], 1).step(batch([rows]), facts_of([tower()]))


def test_a_flicker_of_the_mains_is_no_power_loss() -> None:
    assert found(cut(1.5).rows()) == []


def test_mains_that_return_for_less_than_a_minute_do_not_end_it() -> None:
    assert [f.kind for f in found(stories()[0].rows())] == ["on", "off"]
    assert [f.kind for f in found(cut(20.0, 50.0).rows())] == ["on"]


@pytest.mark.parametrize("streams", [("v_mps",), ("z_m",), ()])
def test_it_needs_no_other_stream(streams: tuple[str, ...]) -> None:
    assert [f.kind for f in found(cut(20.0).rows(streams=streams))] == ["on", "off"]


def test_a_terminal_that_never_reports_its_power_is_not_judged() -> None:
    rows = cut(20.0).rows()
    rows["power"][:] = np.nan
    assert found(rows) == []
