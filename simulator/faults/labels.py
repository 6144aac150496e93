"""Labels: what truly happened to a lift, one row for each stretch of time in which a symptom was physically present.

The schema is that of a recording's labels and of the lines that `simulate --labels` writes: instants are UTC
nanoseconds; what is not there is null. A fault whose symptom comes and goes has several rows, one that shows none has
one row without a symptom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.faults.cause import Cause
from simulator.faults.symptom_table import RULES
from simulator.maths.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Label:
    """One row. `lift` is its row in the world, `number` counts its faults and near misses from 1; times are seconds of
    the world's clock."""

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
    """Return a label as it is written: instants by the calendar."""
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
