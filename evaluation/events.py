"""The events that the catalogue names: for each rule, how long its symptom must last before an alert is owed.

The durations are the catalogue's own words (domain notes, 1.2), not the settings of any detector: what lasted shorter
happened, and is shown, but nobody was to be told. The classes and their bars are those of section 8.
"""

from __future__ import annotations

from dataclasses import dataclass

LIFE_SAFETY, DUTY, TREND, OTHER = "life-safety", "door-and-levelling", "trend", "other"


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked of a class of rules: recall of each, false alarms a lift-month of all together, lead time."""

    recall: float
    false_per_lift_month: float
    precision: float | None = None
    lead_days: float | None = None


BARS = {
    LIFE_SAFETY: Bar(recall=0.99, false_per_lift_month=0.02, precision=0.95),
    DUTY: Bar(recall=0.97, false_per_lift_month=0.05),
    TREND: Bar(recall=0.90, false_per_lift_month=0.1, lead_days=7.0),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue: an alert is owed once the symptom has lasted `owed_after_s`; in inspection, fire and
    out-of-service modes only where the rule is `starred`."""

    code: str
    rule: str
    group: str
    owed_after_s: float = 0.0
    starred: bool = False


KINDS = (
    Kind("F01", "entrapment-off-level", LIFE_SAFETY, 30.0),
    Kind("F02", "entrapment-at-level", LIFE_SAFETY, 90.0),
    Kind("F03", "alarm-button", LIFE_SAFETY, starred=True),
    Kind("F04", "stop-outside-zone", LIFE_SAFETY, 15.0),
    Kind("F05", "unintended-movement", LIFE_SAFETY, starred=True),
    Kind("F06", "start-door-open", LIFE_SAFETY, 0.3, starred=True),
    Kind("F07", "door-opened-running", LIFE_SAFETY, 0.2, starred=True),
    Kind("F08", "overspeed", LIFE_SAFETY, 2.0, starred=True),
    Kind("F09", "overspeed-up", LIFE_SAFETY, 0.3),
    Kind("F10", "underspeed", LIFE_SAFETY),
    Kind("F11", "overtravel-top", LIFE_SAFETY, starred=True),
    Kind("F12", "overtravel-bottom", LIFE_SAFETY, starred=True),
    Kind("F13", "emergency-stop", OTHER, 0.2),
    Kind("F14", "safety-chain-open", OTHER, 0.2),
    Kind("F15", "door-close-fault", DUTY, 20.0),
    Kind("F16", "door-open-fault", DUTY, 10.0),
    Kind("F17", "door-cycling", DUTY),
    Kind("F18", "door-held-open", DUTY, 120.0),
    Kind("F19", "door-obstructed", DUTY, 90.0),
    Kind("F20", "curtain-blocked", DUTY, 60.0),
    Kind("F21", "curtain-dead", DUTY, 86_400.0),
    Kind("F22", "motor-run-limit", OTHER, 20.0),
    Kind("F23", "run-too-long", OTHER),
    Kind("F24", "position-lost", OTHER),
    Kind("F25", "levelling-error", TREND),
    Kind("F26", "excess-relevelling", TREND),
    Kind("F27", "start-rollback", TREND),
    Kind("F28", "long-braking", TREND),
    Kind("F29", "traction-slip", TREND),
    Kind("F30", "vertical-vibration", TREND),
    Kind("F31", "horizontal-vibration", TREND),
    Kind("F32", "harsh-ride", TREND),
    Kind("F33", "rail-joint", TREND),
    Kind("F34", "roller-guide", TREND),
    Kind("F35", "machine-bearing", TREND),
    Kind("F36", "car-shaking", OTHER, 2.0),
    Kind("F37", "power-loss", OTHER),
    Kind("F38", "stalled", OTHER, 900.0),
    Kind("F39", "empty-running", OTHER, 900.0),
    Kind("F40", "sensor-fault", OTHER),
    Kind("F41", "offline", OTHER, 360.0),
    Kind("F42", "clock-skew", OTHER),
)
BY_RULE = {kind.rule: kind for kind in KINDS}
SENSING = frozenset({"curtain-blocked", "curtain-dead", "position-lost", "sensor-fault", "clock-skew"})
"""The rules about sensors and terminals: the lift itself is sound."""
CONFUSION_BAR = 0.01
"""Of the faults of sensors, the share that may raise a critical alert."""
