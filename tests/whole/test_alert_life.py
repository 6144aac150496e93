"""The life of an alert and situations without one: folding, raising, gaps, modes, missing facts, outliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.loopback import until
from tests.whole.installation import System, seconds
from tests.whole.rule_stories import (
    door_close_reversals,
    door_held_open,
    door_open_fault,
    emergency_stop,
    entrapment_off_level,
    idle,
    overspeed_critical,
    overspeed_up,
    start_door_open,
    stop_outside_zone,
    unintended_movement,
)
from tests.whole.story import BUNDLES, FEEDS, RATED_MPS, SINGLES, TOP_M, Story

pytestmark = pytest.mark.broker

NAN = float("nan")
FAST = 1.09 * RATED_MPS
HOUSE_MODES = ("inspection", "fire", "firefighter", "out-of-service")
OTHER_MODES = ("normal", "earthquake", "emergency-power")


def in_mode(mode: str, story: Story) -> Story:
    return Story(events=[(0.0, "status", {"mode": mode}), *story.events], v=story.v, z=story.z, floor_m=story.floor_m)


def comes_back(after_s: float) -> Story:
    story = idle().ride(TOP_M).opens().closes().ride(15.0, at_mps=FAST).stand(after_s)
    return story.ride(0.0, at_mps=FAST).stand(5)


def worsens() -> Story:
    story = idle().ride(TOP_M).opens().closes().speed_up(0.0, -FAST, 0.8).cruise(4, -FAST)
    return story.speed_up(-FAST, -1.25 * RATED_MPS, 0.8).cruise(2, -1.25 * RATED_MPS).speed_up(-2.19, 0.0, 0.8).stand(8)


def held_open(before_s: float, silent_s: float, after_s: float) -> Story:
    return idle().door("opening").stand(2).mark().door("open").stand(before_s).wait(silent_s).stand(after_s)


def healthy() -> Story:
    story = idle()
    for landing, person in ((12.0, True), (3.0, True), (TOP_M, False), (0.0, True), (6.0, False)):
        story = story.stand(20).opens(6).person(person).closes().ride(landing).stand(0.5).opens().person(False).closes()
    return story


def wild(channel: str, reading: float, running: bool = True) -> Story:
    """One wild sample in a healthy ride, or before it, on a whole second so that every feed has it."""
    story = healthy()
    ticks = range(0, len(story.v), 10)
    tick = next(k for k in ticks if abs(story.v[k]) == RATED_MPS) if running else 100
    getattr(story, channel)[tick] = reading
    return story


def flickers(gap_s: float) -> Story:
    story = idle().person(True).ride(7.2).stand(15).person(False).stand(gap_s).person(True).stand(22)
    return story.ride(9.0).opens(14).person(False).closes()


def crawls(mps: float) -> Story:
    story = idle().ride(6.0).stand(3).door("opening").stand(2).door("open").stand(6)
    return story.ride(9.0, at_mps=mps, accel=0.5).stand(5)


def presses(door: str, at_m: float) -> Story:
    story = idle().ride(at_m).stand(3)
    if door == "open":
        story = story.door("opening").stand(2).door("open").stand(2)
    for _ in range(2):
        story.event("status", alarm=True).stand(5)
    return story.event("status", alarm=False).stand(3)


def relevels() -> Story:
    story = idle().ride(6.0).stand(3).door("opening").stand(2).door("open").stand(3)
    return story.cruise(0.6, -0.1).stand(2).cruise(0.6, 0.1).stand(5).closes()


def opens_early() -> Story:
    story = idle().ride(6.0).stand(5).opens().closes()
    story = story.ride(12.0)
    story.events.append((round(story.now_s - 0.6, 1), "door", {"state": "opening"}))
    return story.stand(1.4).door("open").stand(4).closes()


def impact() -> Story:
    story = idle().trip(6.0).ride(0.0).cruise(0.6, -0.1).until_second()
    return story.shake(8.0).stand(8)


QUIET: dict[str, Callable[[], Story]] = {
    "healthy": healthy,
    "wild-speed-up": lambda: wild("v", 3.5),
    "wild-speed-down": lambda: wild("v", -2.4),
    "wild-speed-stop": lambda: wild("v", 0.0),
    "wild-speed-still": lambda: wild("v", 3.5, running=False),
    "wild-place-high": lambda: wild("z", 28.0),
    "wild-place-low": lambda: wild("z", -1.0),
    "wild-place-still": lambda: wild("z", 1.2, running=False),
    "no-reading": lambda: wild("v", NAN),
    "no-place": lambda: wild("z", NAN),
    "relevels": relevels,
    "opens-early": opens_early,
    "parks": lambda: held_open(130, 0, 0),
    "frozen": lambda: held_open(70, 200, 40),
    "press-open": lambda: presses("open", 6.0),
    "crawls-inspection": lambda: in_mode("inspection", crawls(0.5)),
}
STORIES: dict[str, tuple[Story, str]] = {
    **{f"{what}-{feed}": (story(), feed) for what, story in QUIET.items() for feed in FEEDS},
    **{f"folds-{feed}": (comes_back(20), feed) for feed in FEEDS},
    **{f"anew-{feed}": (comes_back(70), feed) for feed in FEEDS},
    **{f"worsens-{feed}": (worsens(), feed) for feed in FEEDS},
    **{f"thaws-{feed}": (held_open(70, 200, 60), feed) for feed in FEEDS},
    **{f"{mode}-F04": (in_mode(mode, stop_outside_zone()), BUNDLES) for mode in (*HOUSE_MODES, *OTHER_MODES)},
    **{f"{mode}-F01": (in_mode(mode, entrapment_off_level()), BUNDLES) for mode in HOUSE_MODES},
    **{f"{mode}-F13": (in_mode(mode, emergency_stop()), BUNDLES) for mode in HOUSE_MODES},
    **{f"{mode}-F09": (in_mode(mode, overspeed_up()), BUNDLES) for mode in HOUSE_MODES},
    **{f"{mode}-F08": (in_mode(mode, overspeed_critical()), BUNDLES) for mode in HOUSE_MODES},
    **{f"{mode}-F06": (in_mode(mode, start_door_open()), BUNDLES) for mode in HOUSE_MODES},
    **{f"{mode}-F18": (in_mode(mode, door_held_open()), BUNDLES) for mode in (*HOUSE_MODES, *OTHER_MODES)},
    **{f"flicker-{gap_s}": (flickers(gap_s), BUNDLES) for gap_s in (20, 40)},
    **{f"press-closed-{feed}": (presses("closed", 6.0), feed) for feed in FEEDS},
    **{f"press-open-off-{feed}": (presses("open", 7.2), feed) for feed in FEEDS},
    "silent-while-firing": (idle().ride(7.2).stand(25).wait(300), BUNDLES),
    "impact": (impact(), BUNDLES),
    "no-floors-F04": (stop_outside_zone(), BUNDLES),
    "no-floors-F05": (unintended_movement(), BUNDLES),
    "no-floors-F13": (emergency_stop(), BUNDLES),
    "no-floors-F15": (door_close_reversals(), BUNDLES),
    "no-floors-F18": (door_held_open(), SINGLES),
    "no-speed-F08": (overspeed_critical(), BUNDLES),
    "no-speed-F16": (door_open_fault(), BUNDLES),
    "stranger-F04": (stop_outside_zone(), BUNDLES),
    "stranger-F13": (emergency_stop(), BUNDLES),
    "stranger-F15": (door_close_reversals(), SINGLES),
}


@pytest.fixture(scope="session")
def played(system: System) -> dict[str, Story]:
    """Every story, published to its end by a lift of its own."""
    lacking: dict[str, dict[str, Any]] = {
        "no-floors": {"floors": None},
        "no-speed": {"rated_speed_mps": None},
        "parks": {"parks_door_open": True},
    }
    for prefix, facts in lacking.items():
        system.register(*[lift for lift in STORIES if lift.startswith(prefix)], **facts)
    system.register(*[lift for lift in STORIES if not lift.startswith((*lacking, "stranger"))])
    for lift_id, (story, feed) in STORIES.items():
        system.voice.play(lift_id, story, feed)
    system.voice.ended(*STORIES)
    return {lift_id: story for lift_id, (story, _) in STORIES.items()}


def rules_of(system: System, lift_id: str) -> set[str]:
    """Return the rules that were raised, without the press that ends every story."""
    return {alert["rule"] for alert in system.voice.of(lift_id)} - {"alarm-button"}


def life(system: System, lift_id: str, rule: str) -> list[tuple[str, str, int]]:
    return [(alert["state"], alert["severity"], alert["count"]) for alert in system.voice.of(lift_id, rule)]


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("what", QUIET)
def test_a_harmless_situation_raises_no_alert(system: System, played: dict[str, Story], what: str, feed: str) -> None:
    assert rules_of(system, f"{what}-{feed}") == set()
    assert len(system.voice.of(f"{what}-{feed}", "alarm-button")) == 1


@pytest.mark.parametrize("feed", FEEDS)
def test_a_condition_that_returns_within_a_minute_is_the_same_alert(
    system: System, played: dict[str, Story], feed: str
) -> None:
    minor = "minor"
    expected = [("firing", minor, 1), ("cleared", minor, 1), ("firing", minor, 2), ("cleared", minor, 2)]
    assert life(system, f"folds-{feed}", "overspeed") == expected
    alerts = system.voice.of(f"folds-{feed}", "overspeed")
    assert len({alert["id"] for alert in alerts}) == 1
    assert len({alert["onset"] for alert in alerts}) == 1
    assert [alert["cleared"] is None for alert in alerts] == [True, False, True, False]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_condition_that_returns_later_is_a_new_alert(system: System, played: dict[str, Story], feed: str) -> None:
    minor = "minor"
    expected = [("firing", minor, 1), ("cleared", minor, 1), ("firing", minor, 1), ("cleared", minor, 1)]
    assert life(system, f"anew-{feed}", "overspeed") == expected
    assert len({alert["id"] for alert in system.voice.of(f"anew-{feed}", "overspeed")}) == 2


@pytest.mark.parametrize("feed", FEEDS)
def test_severity_rises_within_the_same_alert_and_never_falls(
    system: System, played: dict[str, Story], feed: str
) -> None:
    expected = [("firing", "minor", 1), ("firing", "critical", 1)]
    assert life(system, f"worsens-{feed}", "overspeed") == expected
    first, last = system.voice.of(f"worsens-{feed}", "overspeed")
    assert first["id"] == last["id"]
    assert first["onset"] == last["onset"]
    assert first["evidence"]["limit_mps"] == pytest.approx(1.05 * RATED_MPS)
    assert last["evidence"]["limit_mps"] == pytest.approx(1.15 * RATED_MPS)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_gap_stops_the_clock_and_does_not_reset_it(system: System, played: dict[str, Story], feed: str) -> None:
    (alert,) = system.voice.of(f"thaws-{feed}", "door-held-open")
    assert seconds(alert["onset"]) == pytest.approx(played[f"thaws-{feed}"].marks["onset"], abs=1.6)


def test_silence_clears_no_alert(system: System, played: dict[str, Story]) -> None:
    assert life(system, "silent-while-firing", "stop-outside-zone") == [("firing", "major", 1)]


@pytest.mark.parametrize("mode", HOUSE_MODES)
def test_only_always_judged_rules_are_judged_in_maintenance_modes(
    system: System, played: dict[str, Story], mode: str
) -> None:
    for rule in ("F04", "F01", "F13", "F09", "F18"):
        assert rules_of(system, f"{mode}-{rule}") == set(), rule
    assert "overspeed" in rules_of(system, f"{mode}-F08")
    assert rules_of(system, f"{mode}-F06") & {"start-door-open", "unintended-movement"}
    assert len(system.voice.of(f"{mode}-F04", "alarm-button")) == 1


@pytest.mark.parametrize("mode", OTHER_MODES)
def test_other_modes_are_judged_by_all_rules_but_those_of_the_door(
    system: System, played: dict[str, Story], mode: str
) -> None:
    assert rules_of(system, f"{mode}-F04") == {"stop-outside-zone", "safety-chain-open"}
    assert rules_of(system, f"{mode}-F18") == ({"door-held-open"} if mode == "normal" else set())


def test_a_person_unseen_for_less_than_half_a_minute_is_still_there(system: System, played: dict[str, Story]) -> None:
    assert "entrapment-off-level" in rules_of(system, "flicker-20")
    assert "entrapment-off-level" not in rules_of(system, "flicker-40")


@pytest.mark.parametrize("what", ["press-closed", "press-open-off"])
@pytest.mark.parametrize("feed", FEEDS)
def test_a_press_raises_one_alert_unless_the_car_can_be_left(
    system: System, played: dict[str, Story], what: str, feed: str
) -> None:
    alerts = system.voice.of(f"{what}-{feed}", "alarm-button")
    assert alerts[0]["severity"] == "critical"
    assert alerts[0]["codes"]["gbt24476"] == "90"
    assert {alert["state"] for alert in alerts} == {"firing"}
    assert len({alert["id"] for alert in alerts}) == 1


def test_an_impact_beyond_the_landing_is_critical(system: System, played: dict[str, Story]) -> None:
    assert life(system, "impact", "overtravel-bottom")[-1] == ("firing", "critical", 1)


def test_rules_without_their_facts_are_listed_as_not_judged(system: System, played: dict[str, Story]) -> None:
    assert rules_of(system, "no-floors-F04") == rules_of(system, "no-floors-F05") == set()
    assert rules_of(system, "no-floors-F13") == {"emergency-stop"}
    assert rules_of(system, "no-floors-F15") == {"door-close-fault"}
    assert rules_of(system, "no-floors-F18") == {"door-held-open"}
    assert rules_of(system, "no-speed-F08") == set()
    assert rules_of(system, "no-speed-F16") == {"door-open-fault"}
    of_place = {f"F{n:02}" for n in (1, 2, 4, 5, 6, 7, 11, 12, 14, 16, 22, 23, 25, 26, 28)}
    assert lacking(system, "no-floors-F04") == of_place
    assert lacking(system, "no-speed-F08") - {"F10"} == {"F08", "F09", "F22", "F23"}
    assert lacking(system, "healthy-bundles") == set()


def test_an_unregistered_lift_is_judged_by_rules_without_facts(system: System, played: dict[str, Story]) -> None:
    assert rules_of(system, "stranger-F04") == set()
    assert rules_of(system, "stranger-F13") == {"emergency-stop"}
    assert rules_of(system, "stranger-F15") == {"door-close-fault"}
    until(lambda: system.received("stranger-F13") > 0, "a page of the unregistered lift")
    assert system.get("/api/v1/lifts/stranger-F13")["registered"] is False
    assert {"F04", "F08"} <= lacking(system, "stranger-F13")


def lacking(system: System, lift_id: str) -> set[str]:
    not_judged = system.get(f"/api/v1/lifts/{lift_id}")["not_judged"]
    assert all(each["reason"] for each in not_judged)
    return {each["code"] for each in not_judged}
