"""The alerts of lifts whose clocks are set back, or of which one message is ahead of its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from alerts.alert import Alert
from detectors.catalogue import RULES
from ingest.recordings.replaying import Replay
from registry.facts import Floor, LiftFacts
from registry.maintenance import MaintenanceWindows
from telemetry.streams import Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode

T0_MS = 978_307_200_000
LIFT = "L1"
FLOORS = (Floor("G", 0.0), Floor("1", 30.0))
RUNS_MPS, BRAKES_MPS2 = 1.6, 4.0
STOP_AT_S, STOPPED_S = 6, 14


def facts() -> LiftFacts:
    return LiftFacts(LIFT, "anji", rated_speed_mps=1.75, floors=FLOORS)


def stop(second: int) -> dict[str, Any]:
    """Return the streams of a second in which a running car is braked hard at `STOP_AT_S`, and rests from then on."""
    at_s = second + np.arange(10) / 10
    v_mps = np.clip(RUNS_MPS - BRAKES_MPS2 * (at_s - STOP_AT_S), 0.0, RUNS_MPS)
    z_m = RUNS_MPS * np.minimum(at_s, STOP_AT_S + RUNS_MPS / BRAKES_MPS2 / 2)
    return {"speed": encode.speed(100, v_mps), "displacement": encode.displacement(100, z_m)}


def stands_open(_second: int) -> dict[str, Any]:
    samples = {"speed": encode.speed(100, np.zeros(10)), "displacement": encode.displacement(100, np.full(10, 30.0))}
    return samples | {"door": encode.door([0], ["open"])}


def fired_alerts(messages: Iterator[tuple[float, str, dict[str, Any]]], attended_s: float = np.inf) -> list[Alert]:
    """Judge messages, each with its second of arrival and its stream; return the alerts as they fired."""
    run = Replay([facts()], RULES, attended_s=attended_s)
    alerts: dict[str, Alert] = {}
    for position, (arrived_s, stream, message) in enumerate(messages, start=1):
        where = f"lift/v1/anji/{LIFT}/{stream}"
        decoded = decode([Entry(position, round((T0_MS + 1000 * arrived_s) * 1e6), where, encode.to_json(message))])
        assert not decoded.refusals, decoded.refusals
        alerts |= {change.alert.id: change.alert for change in run.step(decoded)}
    alerts |= {change.alert.id: change.alert for change in run.finish()}
    assert "late" not in run.counts or not run.counts["late"]
    return list(alerts.values())


def onset_s(alert: Alert) -> float:
    return alert.onset_ns / 1e9 - T0_MS / 1000


@pytest.mark.parametrize("back_s", [30, 240, 3600])
@pytest.mark.parametrize("at_s", range(1, STOPPED_S))
def test_an_emergency_stop_is_found_wherever_the_clock_was_set_back_before_it(at_s: int, back_s: int) -> None:
    """The stop must show in readings after the step: its braking, or the rest after it."""

    def messages() -> Iterator[tuple[float, str, dict[str, Any]]]:
        for k in range(STOPPED_S):
            t_ms = T0_MS + 1000 * (k - (back_s if k >= at_s else 0))
            yield k + 1, "bundle", {"seq": k, "t": t_ms} | stop(k)

    found = [alert for alert in fired_alerts(messages()) if alert.rule == "emergency-stop"]
    if at_s <= STOP_AT_S - 1 or at_s > STOP_AT_S + 1:
        assert [round(onset_s(alert), 1) for alert in found] == [STOP_AT_S - (back_s if at_s <= STOP_AT_S else 0)]


@pytest.mark.parametrize("ahead_s", [2, 295])
@pytest.mark.parametrize("at_s", range(1, STOP_AT_S - 1))
def test_one_message_ahead_of_its_time_hides_no_stop(at_s: int, ahead_s: int) -> None:
    def messages() -> Iterator[tuple[float, str, dict[str, Any]]]:
        for k in range(STOPPED_S):
            yield k + 1, "bundle", {"seq": k, "t": T0_MS + 1000 * (k + (ahead_s if k == at_s else 0))} | stop(k)

    assert [round(onset_s(alert)) for alert in fired_alerts(messages()) if alert.rule == "emergency-stop"] == [
        STOP_AT_S
    ]


def test_a_hold_time_stops_across_a_step_and_goes_on_with_what_it_had_served() -> None:
    """A door stands open for 120 s in all: 70 s before the clock is set back an hour, and the rest after it."""

    def messages(seconds: int) -> Iterator[tuple[float, str, dict[str, Any]]]:
        for k in range(seconds):
            t_ms = T0_MS + 1000 * (k - (3600 if k >= 70 else 0))
            yield k + 1, "bundle", {"seq": k, "t": t_ms} | stands_open(k)

    assert [alert.rule for alert in fired_alerts(messages(118))] == []
    (alert,) = fired_alerts(messages(125))
    assert (alert.rule, round(onset_s(alert))) == ("door-held-open", 0)


def pressed_twice() -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Press the alarm button at one instant of the clock, before and after it was set back by ten minutes."""
    for k in range(40):
        t_ms = T0_MS + 1000 * (k - (20 if k >= 20 else 0))
        yield k + 1, "bundle", {"seq": 2 * k, "t": t_ms, "speed": encode.speed(100, np.zeros(10))}
        yield k + 1.1, "status", {"seq": 2 * k + 1, "t": t_ms + 1100, "alarm": k % 20 == 5}


def test_two_presses_at_one_instant_of_a_clock_that_was_set_back_are_two_alerts() -> None:
    one, two = fired_alerts(pressed_twice(), attended_s=5.0)
    assert one.id != two.id
    assert (one.rule, two.rule) == ("alarm-button", "alarm-button")
    assert onset_s(one) == onset_s(two) == pytest.approx(6.1)


def test_a_maintenance_window_is_compared_with_the_clock() -> None:
    """A lift's clock is set back into a window: what follows is judged as in maintenance."""
    begin_s, until_s = -3600.0, -3000.0
    window = MaintenanceWindows(
        np.zeros(1, np.int32),
        np.array([round((T0_MS + 1000 * begin_s) * 1e6)]),
        np.array([round((T0_MS + 1000 * until_s) * 1e6)]),
    )
    for windows, rules in ((None, ["door-held-open"]), (window, [])):
        run = Replay([facts()], RULES)
        if windows is not None:
            run._state.windows = windows
            step = run._state.judge.step
            run._state.judge.step = lambda batch, facts, step=step: step(batch, facts, window)  # type: ignore[method-assign,misc]
        found = set()
        for k in range(150):
            message = {"seq": k, "t": T0_MS + 1000 * (k - (3600 if k >= 2 else 0))} | stands_open(k)
            entry = Entry(
                k + 1, (T0_MS + 1000 * k + 1000) * 10**6, f"lift/v1/anji/{LIFT}/bundle", encode.to_json(message)
            )
            found |= {change.alert.rule for change in run.step(decode([entry]))}
        assert sorted(found) == rules
