"""The requirements that an evaluation checks each group of rules against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """The requirements on a group of rules: recall of each, false alarms a lift-month of all together, lead time."""

    recall: float
    false_per_lift_month: float
    precision: float | None = None
    lead_days: float | None = None


BARS = {
    "life-safety": Bar(recall=0.99, false_per_lift_month=0.02, precision=0.95),
    "door-and-levelling": Bar(recall=0.97, false_per_lift_month=0.05),
    "trend": Bar(recall=0.90, false_per_lift_month=0.1, lead_days=7.0),
}
CONFUSION_BAR = 0.01
"""Of the faults of sensors, the share that may raise a critical alert."""
