"""F03: the alarm button in the car."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import Finding
from registry.facts import LiftFacts
from telemetry.streams import CLOSED, INSPECTION
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower

RULE = BY_SLUG["alarm-button"]


def riding(press_s: float = 2.0) -> Script:
    """Press the button on a ride, and let it go."""
    script = Script(z_m=3.0).event(door=CLOSED, alarm=0, mode=0).rest(4.0)
    return script.event(press_s, alarm=1).event(press_s + 3.0, alarm=0).ride(21.0).rest(4.0)


def at_landing(open_s: float) -> Script:
    """Press the button `open_s` after the door of a standing car has opened."""
    script = Script(z_m=9.0).event(door=CLOSED, alarm=0).rest(4.0).open_door(2.0)
    return script.event(open_s, alarm=1).event(open_s + 1.0, alarm=0).rest(8.0).close_door().rest(10.0)


def fault() -> Fault:
    return Fault(riding(), onset_s=6.0, within_s=0.0)


def found(rows: Rows, facts: LiftFacts | None = None) -> list[Finding]:
    return Judge([RULE], 1).step(batch([rows]), facts_of([facts or tower()]))


def test_a_press_is_found_at_once() -> None:
    finding, _ = found(riding().rows())
    assert finding.at_ns == finding.onset_ns
    assert (finding.at_ns - BEGIN_NS) / 1e9 == pytest.approx(6.0, abs=0.01)


def test_a_press_behind_an_open_door_at_a_landing_is_filtered() -> None:
    assert found(at_landing(2.0).rows()) == []


def test_a_press_behind_a_closed_door_at_a_landing_is_not_filtered() -> None:
    assert [f.kind for f in found(at_landing(15.0).rows())] == ["on", "off"]


def held_down(seconds: float, before_s: float = 2.0) -> Script:
    """Press the button behind an open door that begins to close `before_s` later."""
    script = Script(z_m=9.0).event(door=CLOSED, alarm=0).rest(4.0).open_door(2.0).rest(1.0)
    return script.event(alarm=1).event(seconds, alarm=0).rest(before_s).close_door().rest(20.0)


def test_a_button_that_is_still_pressed_when_the_door_closes_is_a_call() -> None:
    finding, _ = found(held_down(10.0).rows())
    assert (finding.at_ns - BEGIN_NS) / 1e9 == pytest.approx(9.0, abs=0.1)


def test_a_button_released_before_the_door_closes_is_no_call() -> None:
    assert found(held_down(1.5).rows()) == []


def test_a_button_that_is_still_pressed_when_the_car_leaves_its_zone_is_a_call() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, alarm=0).rest(4.0).open_door(2.0).event(alarm=1).rest(2.0).ride(12.0)
    assert [f.kind for f in found(script.rest(4.0).rows())] == ["on", "off"]


def test_an_old_press_behind_an_open_door_is_no_call_when_the_door_closes() -> None:
    rows = held_down(10.0).rows()
    rows["stale"] = np.where(rows["alarm"] == 1.0, 1.0, np.nan)
    assert found(rows) == []


def test_a_press_after_messages_went_missing_is_a_new_press() -> None:
    """The message that the button was let go is among them."""
    t_ns = BEGIN_NS + np.arange(4) * 1_000_000_000
    rows = {"t_ns": t_ns, "alarm": np.array([1.0, np.nan, np.nan, 1.0]), "gap": np.array([np.nan, np.nan, 1.0, np.nan])}
    assert [f.at_ns for f in found(rows) if f.kind == "on"] == [t_ns[0], t_ns[3]]


def test_a_press_behind_an_open_door_between_landings_is_not_filtered() -> None:
    script = Script(z_m=10.4).event(door=CLOSED, alarm=0).rest(4.0).open_door(2.0).event(alarm=1).rest(4.0)
    assert [f.kind for f in found(script.rows())] == ["on", "off"]


@pytest.mark.parametrize("facts", [None, LiftFacts("lift", "north")], ids=["unregistered", "no floors"])
def test_what_is_not_known_never_silences_a_call(facts: LiftFacts | None) -> None:
    whole = batch([at_landing(2.0).rows()])
    assert [f.kind for f in Judge([RULE], 1).step(whole, facts_of([facts]))] == ["on", "off"]


def test_a_press_counts_of_a_lift_that_reports_nothing_else() -> None:
    t_ns = BEGIN_NS + np.arange(3) * 60_000_000_000
    assert [f.kind for f in found({"t_ns": t_ns, "alarm": np.array([0.0, 1.0, 0.0])})] == ["on", "off"]


def test_it_is_judged_in_inspection() -> None:
    rows = riding().rows()
    rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, INSPECTION)
    assert [f.kind for f in found(rows)] == ["on", "off"]


def test_a_button_held_down_is_one_press() -> None:
    t_ns = BEGIN_NS + np.arange(5) * 60_000_000_000
    judge = Judge([RULE], 1)
    first = batch([{"t_ns": t_ns, "alarm": np.ones(5)}])
    assert [(f.kind, f.at_ns) for f in judge.step(first, facts_of([None]))] == [("on", BEGIN_NS), ("off", t_ns[1])]
    held = batch([{"t_ns": t_ns + 300_000_000_000, "alarm": np.ones(5)}])
    assert judge.step(held, facts_of([None])) == []


def test_a_button_that_is_down_when_its_device_starts_is_a_press() -> None:
    t_ns = BEGIN_NS + np.arange(4) * 1_000_000_000
    rows = {"t_ns": t_ns, "alarm": np.array([0.0, np.nan, 1.0, 1.0]), "reboot": np.array([np.nan, 1.0, np.nan, np.nan])}
    assert [f.at_ns for f in found(rows) if f.kind == "on"] == [t_ns[2]]


def test_an_old_retained_status_raises_nothing_and_is_no_later_press() -> None:
    t_ns = BEGIN_NS + np.arange(3) * 1_000_000_000
    rows = {"t_ns": t_ns, "alarm": np.array([1.0, np.nan, 1.0]), "stale": np.array([1.0, np.nan, np.nan])}
    assert found(rows) == []


def test_the_button_released_and_pressed_again_is_a_new_press() -> None:
    t_ns = BEGIN_NS + np.arange(4) * 1_000_000_000
    rows = {"t_ns": t_ns, "alarm": np.array([1.0, 0.0, 1.0, 0.0])}
    assert [f.at_ns for f in found(rows) if f.kind == "on"] == [t_ns[0], t_ns[2]]
