"""For each rule a story that fires the rule once and clears it as the catalogue states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.whole.story import RATED_MPS, TOP_M, Story

LEVELS_OFF_M = 7.2
"""1.2 m above the landing at 6 m, far outside the door zone of 0.2 m."""


def idle() -> Story:
    return Story().stand(5)


def entrapment_off_level() -> Story:
    story = idle().person(True).ride(LEVELS_OFF_M).mark().stand(45).ride(9.0).opens(14).person(False)
    return story.mark("over").closes()


def entrapment_at_level() -> Story:
    """A person who passed the light curtain on boarding: without that, or the alarm button, it is only major."""
    return idle().boards().ride(6.0).mark().stand(100).opens(14).person(False).closes()


def stop_outside_zone() -> Story:
    return idle().ride(LEVELS_OFF_M).mark().stand(25).ride(9.0).mark("over").opens().closes()


def unintended_movement() -> Story:
    story = idle().ride(6.0).stand(3).door("opening").stand(2).door("open").stand(6)
    return story.speed_up(0.0, 0.3, 0.4).mark().speed_up(0.3, 0.6, 0.4).cruise(2, 0.6).speed_up(0.6, 0.0, 0.6).stand(10)


def start_door_open() -> Story:
    story = idle().ride(6.0).stand(3).door("opening").stand(2).door("open").stand(6)
    return story.mark().ride(12.0).door("closing").stand(2).door("closed").stand(10)


def door_opened_running() -> Story:
    story = idle().speed_up(0.0, RATED_MPS, 0.8).cruise(3, RATED_MPS)
    story = story.mark().door("opening").cruise(2, RATED_MPS).door("open").cruise(2, RATED_MPS)
    return story.speed_up(RATED_MPS, 0.0, 0.8).door("closing").stand(2).door("closed").mark("over").stand(75)


def overspeed_minor() -> Story:
    return idle().ride(TOP_M).opens().closes().mark("before").ride(0.0, at_mps=1.09 * RATED_MPS).stand(5)


def overspeed_critical() -> Story:
    return idle().ride(TOP_M).opens().closes().ride(0.0, at_mps=1.25 * RATED_MPS).stand(5)


def overspeed_up() -> Story:
    return idle().ride(TOP_M, at_mps=1.25 * RATED_MPS).stand(5)


def overtravel_top() -> Story:
    return idle().ride(TOP_M).cruise(0.6, 0.1).mark().cruise(0.4, 0.1).stand(8).cruise(2, 0.1).mark("raised").stand(10)


def overtravel_bottom() -> Story:
    story = idle().trip(6.0).ride(0.0).cruise(0.6, -0.1).mark().cruise(0.4, -0.1).stand(8).cruise(2, -0.1)
    return story.mark("raised").stand(10)


def emergency_stop() -> Story:
    story = idle().ride(6.0).opens().closes().speed_up(0.0, RATED_MPS, 0.8).cruise(2, RATED_MPS).until_past(0.1)
    return story.mark().speed_up(RATED_MPS, 0.0, 3.5).stand(8).ride(15.0).opens().mark("over").closes()


def door_close_timeout() -> Story:
    story = idle().ride(6.0).opens().mark().door("closing").stand(25)
    return story.door("closed").stand(2).ride(12.0).mark("over").opens().closes()


def door_close_reversals() -> Story:
    story = idle().ride(6.0).opens().mark()
    for _ in range(3):
        story = story.door("closing").stand(1.5).door("opening").stand(1).door("open").stand(2)
    return story.closes().ride(12.0).mark("over").opens().closes()


def door_open_fault() -> Story:
    return idle().person(True).ride(6.0).mark().stand(16).mark("over").opens().person(False).closes()


def door_opening_slow() -> Story:
    return idle().ride(6.0).stand(1).mark().door("opening").stand(18).mark("over").door("open").stand(5).closes()


def door_cycling() -> Story:
    story = idle().ride(6.0).stand(1).mark()
    for _ in range(5):
        story = story.opens(2.0).door("closing").stand(2).door("closed").stand(0.5)
    return story.stand(3).ride(12.0).mark("over").opens().closes()


def door_cycling_burst() -> Story:
    story = idle().ride(6.0).stand(1).mark()
    for _ in range(3):
        story = story.door("opening").stand(1).door("open").stand(1).door("closing").stand(1).door("closed").stand(0.5)
    return story.stand(3).ride(12.0).mark("over").opens().closes()


def door_held_open() -> Story:
    return idle().ride(6.0).door("opening").stand(2).mark().door("open").stand(128).closes()


@dataclass(frozen=True)
class Expected:
    """What must be announced of a story: the rule, the severities of its transitions' states, and how it ends."""

    rule: str
    story: Callable[[], Story]
    severity: str
    ends: str
    beside: tuple[str, ...] = ()
    codes: str | None = None


BETWEEN_LANDINGS = ("stop-outside-zone", "safety-chain-open")
"""The rules that a car raises that is braked and rests between landings, where no other rule has the reason."""
STORIES = (
    Expected("entrapment-off-level", entrapment_off_level, "critical", "cleared", BETWEEN_LANDINGS),
    Expected("entrapment-at-level", entrapment_at_level, "critical", "cleared", ("door-open-fault",)),
    Expected("stop-outside-zone", stop_outside_zone, "major", "cleared", ("safety-chain-open",), "04"),
    Expected("unintended-movement", unintended_movement, "critical", "firing", ("start-door-open",), "05"),
    Expected("start-door-open", start_door_open, "critical", "firing", ("unintended-movement",)),
    Expected("door-opened-running", door_opened_running, "critical", "cleared", ("stop-outside-zone",)),
    Expected("overspeed", overspeed_minor, "minor", "cleared"),
    Expected("overspeed", overspeed_critical, "critical", "firing"),
    Expected("overspeed-up", overspeed_up, "critical", "firing"),
    Expected("overtravel-top", overtravel_top, "critical", "firing", ("stop-outside-zone",)),
    Expected("overtravel-bottom", overtravel_bottom, "critical", "firing", ("stop-outside-zone",)),
    Expected("emergency-stop", emergency_stop, "major", "cleared", BETWEEN_LANDINGS),
    Expected("door-close-fault", door_close_timeout, "major", "cleared", (), "02"),
    Expected("door-close-fault", door_close_reversals, "major", "cleared", (), "02"),
    Expected("door-open-fault", door_open_fault, "major", "cleared", (), "03"),
    Expected("door-open-fault", door_opening_slow, "major", "cleared", (), "03"),
    Expected("door-cycling", door_cycling, "minor", "cleared"),
    Expected("door-cycling", door_cycling_burst, "minor", "cleared"),
    Expected("door-held-open", door_held_open, "minor", "cleared"),
)
