"""Labels: the ground truth of faults, one row for each interval in which a symptom was present.

The schema is that of a recording's labels and of the lines of `simulate --labels`: instants are UTC nanoseconds,
missing values are null. A fault with intermittent symptoms has several rows, one without symptoms has one row with a
null symptom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.faults.cause import Cause
from simulator.faults.symptom_table import RULES
from simulator.maths.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Label:
    """One row. `lift` is the row in the world, `number` counts the lift's faults from 1; times are seconds of simulated
    time."""

    lift: int
    number: int
    cause: Cause
    form: str
    severity: float
    onset_s: float
    end_s: float
    functional_failure_s: float | None = None
    symptom: str | None = None
    symptom_onset_s: float | None = None
    symptom_end_s: float | None = None


def row(label: Label, lift_id: str, calendar: Calendar) -> dict[str, object]:
    """Return a label as written to a file, with instants by the calendar."""
    at = _clock(calendar)
    return {
        "lift_id": lift_id,
        "event": f"{lift_id}/{label.number}",
        "kind": label.cause.kind,
        "cause": label.cause.slug,
        "form": label.form,
        "severity": round(label.severity, 4),
        "onset": at(label.onset_s),
        "end": at(label.end_s),
        "functional_failure": at(label.functional_failure_s),
        "symptom": label.symptom,
        "symptom_onset": at(label.symptom_onset_s),
        "symptom_end": at(label.symptom_end_s),
        "rules": list(label.cause.rules if label.symptom is None else RULES[label.symptom]),
    }


def _clock(calendar: Calendar) -> Callable[[float | None], int | None]:
    return lambda at_s: None if at_s is None else calendar.instant_ns(at_s)
