"""What truly happened, read from the labels of a recording: episodes that a rule could be right about.

    label rows of one event      symptom a ──────     symptom a ───       (intermittent)
                                     symptom b ────────────────────
    episode of a rule            from the first of its symptoms to the end of the last

A label row is one interval of one symptom; `rules` names those for which that symptom is a reason to speak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FAULT, NEAR_MISS = "fault", "near-miss"


@dataclass(frozen=True, slots=True)
class Event:
    """One fault or near miss of one lift, from its onset to its end."""

    lift_id: str
    event: str
    kind: str
    cause: str
    form: str
    severity: float
    onset_ns: int
    end_ns: int
    functional_failure_ns: int | None


@dataclass(frozen=True, slots=True)
class Episode:
    """What one rule has to find of one event. `longest_s` is its longest unbroken symptom."""

    event: Event
    rule: str
    onset_ns: int
    end_ns: int
    longest_s: float


def read(labels: Iterable[Mapping[str, Any]]) -> tuple[list[Event], list[Episode]]:
    """Return the events in the labels and, of the faults among them, the episodes of each rule."""
    events: dict[tuple[str, str], Event] = {}
    symptoms: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in labels:
        key = row["lift_id"], row["event"]
        events.setdefault(key, _event(row))
        if row["kind"] == FAULT and row["symptom"] is not None:
            for rule in row["rules"]:
                symptoms[(*key, rule)].append((row["symptom_onset"], row["symptom_end"]))
    episodes = [
        Episode(
            event=events[lift_id, name],
            rule=rule,
            onset_ns=min(begin for begin, _ in spans),
            end_ns=max(end for _, end in spans),
            longest_s=max(end - begin for begin, end in spans) / 1e9,
        )
        for (lift_id, name, rule), spans in symptoms.items()
    ]
    return list(events.values()), episodes


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        lift_id=row["lift_id"],
        event=row["event"],
        kind=row["kind"],
        cause=row["cause"],
        form=row["form"],
        severity=row["severity"],
        onset_ns=row["onset"],
        end_ns=row["end"],
        functional_failure_ns=row["functional_failure"],
    )
