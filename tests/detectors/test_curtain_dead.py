"""F21: nothing interrupts the light curtain over days of use, and the door closes on people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR
from telemetry.streams import CLOSED, CLOSING
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower

DAY_S = 86_400.0
CYCLES, RIDDEN, REVERSALS = 205, 22, 3


@dataclass
class WithNight(Script):
    """A script whose second half comes a day later: nothing was sent in between."""

    night_s: float = np.inf
    later_s: float = DAY_S

    def rows(self, *given: object, **feed: object) -> Rows:
        rows = super().rows(*given, **feed)  # type: ignore[arg-type]
        later = rows["t_ns"] >= BEGIN_NS + (round(self.night_s * 1e9) if np.isfinite(self.night_s) else 2**62)
        return {**rows, "t_ns": np.where(later, rows["t_ns"] + round(self.later_s * 1e9), rows["t_ns"])}


def use(
    cycles: int = CYCLES, ridden: int = RIDDEN, reversals: int = REVERSALS, night: bool = True, seen: int = -1
) -> WithNight:
    """Return a lift in use: so many door cycles, trips with a person, and reversals; one cycle may be `seen`."""
    script = WithNight(z_m=0.0).event(door=CLOSED, presence=0, curtain=0).rest(2.0)
    assert isinstance(script, WithNight)
    for k in range(cycles):
        if night and k == cycles - 3:
            script.night_s = script.now_s
        if k == seen:
            script.event(0.8, curtain=1).event(1.2, curtain=0)
        script.event(presence=1).open_door(0.8).rest(0.4)
        if k < reversals:
            script.event(door=CLOSING).rest(0.5).open_door(0.5)
        script.close_door(0.8)
        if k < ridden:
            script.ride(3.0 if script.at_m < 1.5 else 0.0).rest(4.0)
        script.event(presence=0).rest(0.6)
    return script


def fault() -> Fault:
    script = use()
    script.event(curtain=1).event(0.5, curtain=0).rest(4.0)
    return Fault(script, onset_s=2.0, within_s=DAY_S + script.now_s, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    return [use(), use(seen=3)]


def found(script: Script, **feed: object) -> list[str]:
    judge = Judge([BY_SLUG["curtain-dead"]], 1)
    return [one.kind for one in judge.step(batch([script.rows(0.2, **feed)]), facts_of([tower()]))]  # type: ignore[arg-type]


def test_all_four_signs_are_found() -> None:
    assert found(use()) == ["on"]


def test_three_signs_are_none() -> None:
    assert found(use(cycles=150)) == []
    assert found(use(ridden=15)) == []
    assert found(use(reversals=2)) == []
    assert found(use(night=False)) == []


def test_one_interruption_begins_anew() -> None:
    assert found(use(seen=100)) == []


def test_cycles_in_which_the_curtain_is_unknown_do_not_count() -> None:
    rows = use().rows(0.2)
    rows["gap"] = np.where(np.arange(len(rows["t_ns"])) % 11 == 0, 3.0, np.nan)
    assert Judge([BY_SLUG["curtain-dead"]], 1).step(batch([rows]), facts_of([tower()])) == []
