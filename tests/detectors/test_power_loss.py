"""F37: the terminal reports that the mains are off."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.order.sequence import Sequencer
from telemetry.streams import BATTERY, CLOSED, MAINS, Entry, topic
from telemetry.wire.decode import decode
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower
from tests.ingest.running import T0_MS


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


def heard(*messages: tuple[float, dict[str, object]]) -> list[tuple[str, float]]:
    """Return what is found of numbered messages that arrive at their time in seconds: kind and onset in seconds."""
    sequencer, judge, facts = Sequencer(), Judge([BY_SLUG["power-loss"]], 1), facts_of([tower()])
    sequencer.grow(1)
    found, t_ms = list[Finding](), 0
    for number, (at_s, body) in enumerate(messages):
        t_ms = T0_MS + round(1000 * at_s)
        numbered = {"seq": number, "boot": "1", "t": t_ms} | body
        where = topic("anji", "L1", "bundle" if {"speed", "status"} & body.keys() else "status")
        decoded = decode([Entry(number + 1, t_ms * 1_000_000, where, json.dumps(numbered).encode(), False)])
        found += judge.step(sequencer.step(decoded, np.zeros(1, np.int32))[0], facts)
    found += judge.step(sequencer.idle(t_ms * 1_000_000 + 2_000_000_000), facts)
    return [(one.kind, one.onset_ns / 1e9 - T0_MS / 1e3) for one in found]


STANDS: dict[str, object] = {"speed": {"dt": 100, "v": [0.0] * 10}}
RUNNING = [(float(k), STANDS) for k in range(5)]


@pytest.mark.parametrize("every_s", [1.0, 5.0, 60.0])
@pytest.mark.parametrize("form", ["status", "bundle"])
def test_a_terminal_that_sends_nothing_but_statuses_on_its_battery_is_judged(every_s: float, form: str) -> None:
    def report(at_s: float, power: str) -> tuple[float, dict[str, object]]:
        return at_s, {"power": power} if form == "status" else {"status": {"power": power}}

    lost = [report(6.0 + every_s * k, "battery") for k in range(math.ceil(2.0 / every_s) + 1)]
    assert heard(*RUNNING, *lost[:-1]) == []
    assert heard(*RUNNING, *lost) == [("on", pytest.approx(6.0))]
    back = [report(100.0 + every_s * k, "mains") for k in range(math.ceil(60.0 / every_s) + 1)]
    assert [kind for kind, _ in heard(*RUNNING, *lost, *back[:-1])] == ["on"]
    assert [kind for kind, _ in heard(*RUNNING, *lost, *back)] == ["on", "off"]


@pytest.mark.parametrize("every_s", [1.0, 60.0])
def test_a_single_report_of_the_battery_holds_through_the_readings_that_follow(every_s: float) -> None:
    after = [(6.5 + every_s * k, STANDS) for k in range(4)]
    assert heard(*RUNNING, (6.0, {"power": "battery"}), *after) == [("on", pytest.approx(6.0))]


def test_between_reports_of_which_one_is_missing_a_battery_does_not_last() -> None:
    first, second = (6.0, {"power": "battery"}), (66.0, {"power": "battery", "seq": 7})
    assert heard(*RUNNING, first, second) == []
    assert [kind for kind, _ in heard(*RUNNING, first, second, (69.0, {"power": "battery", "seq": 8}))] == ["on"]
