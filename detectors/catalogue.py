"""The rules that are judged, in the order of the catalogue. Adding a rule is one file and one line here."""

from __future__ import annotations

from detectors import (
    door_opened_running,
    emergency_stop,
    overspeed,
    overtravel,
    start_door_open,
    unintended_movement,
)
from detectors.rule import Rule

RULES: tuple[Rule, ...] = (
    unintended_movement.RULE,
    start_door_open.RULE,
    door_opened_running.RULE,
    overspeed.OVERSPEED,
    overspeed.OVERSPEED_UP,
    overtravel.OVERTRAVEL_TOP,
    overtravel.OVERTRAVEL_BOTTOM,
    emergency_stop.RULE,
)
BY_SLUG = {rule.slug: rule for rule in RULES}
