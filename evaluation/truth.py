"""What truly happened, read from the labels of a recording: episodes that a rule could be right about.

    fault 1      symptom a ──────     symptom a ───       (intermittent)
    fault 2          symptom a ───────────              its label rows tell all that is wrong with the lift meanwhile
    episode      ├───────────────────────────────┤      one of the lift and the rule, of both faults
    heard        ├────┤  silence  ├──────────────┤      its longest unbroken stretch of this is what counts

A label row is one interval of one symptom; `rules` names those for which that symptom is a reason to speak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.catalogue import catalogue

FAULT, NEAR_MISS = "fault", "near-miss"
SILENCE, OFFLINE = "silence", "offline"
"""The symptom of a lift that says nothing, and will not say it later; and the one rule that is about it."""
OFF_DUTY = "not-in-service"
"""The symptom of a lift for which the starred rules alone are judged."""

Span = tuple[int, int]


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


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """What one rule has to find on one lift, and of which faults.

    Its longest unbroken symptom took `lasted_s`; `heard_s` is the longest of it in which somebody could know: the lift
    spoke, was on duty or the rule is starred, and no near miss looked the same.
    """

    lift_id: str
    rule: str
    events: tuple[Event, ...]
    onset_ns: int
    end_ns: int
    lasted_s: float
    heard_s: float


def read(labels: Iterable[Mapping[str, Any]]) -> tuple[list[Event], list[Episode]]:
    """Return the events in the labels and, of the faults among them, the episodes of each rule."""
    events: dict[tuple[str, str], Event] = {}
    symptoms: dict[tuple[str, str], dict[Event, list[Span]]] = defaultdict(lambda: defaultdict(list))
    excuses: dict[tuple[str, str], set[Span]] = defaultdict(set)
    for row in labels:
        lift_id, symptom = row["lift_id"], row["symptom"]
        event = events.setdefault((lift_id, row["event"]), _event(row))
        if symptom is None:
            continue
        span = row["symptom_onset"], row["symptom_end"]
        if symptom in (SILENCE, OFF_DUTY):
            excuses[lift_id, symptom].add(span)
        for rule in row["rules"]:
            if event.kind == FAULT:
                symptoms[lift_id, rule][event].append(span)
            else:
                excuses[lift_id, rule].add(span)
    episodes = []
    for (lift_id, rule), of in symptoms.items():
        names = [rule, *([] if rule == OFFLINE else [SILENCE]), *([] if catalogue()[rule].starred else [OFF_DUTY])]
        deaf = [span for name in names for span in excuses[lift_id, name]]
        episodes += [_episode(lift_id, rule, together, deaf) for together in _overlapping(of)]
    return list(events.values()), episodes


def _overlapping(of: Mapping[Event, Sequence[Span]]) -> Iterator[dict[Event, Sequence[Span]]]:
    """Yield the faults of one lift and rule, those together whose symptoms overlap, from first to last of each."""
    together: dict[Event, Sequence[Span]] = {}
    until_ns = 0
    for event, spans in sorted(of.items(), key=lambda item: (min(item[1]), item[0].event)):
        if together and min(spans)[0] > until_ns:
            yield together
            together = {}
        together[event] = spans
        until_ns = max(until_ns, *(end for _, end in spans))
    yield together


def _episode(lift_id: str, rule: str, of: Mapping[Event, Sequence[Span]], deaf: Sequence[Span]) -> Episode:
    spans = [span for theirs in of.values() for span in theirs]
    return Episode(
        lift_id=lift_id,
        rule=rule,
        events=tuple(of),
        onset_ns=min(begin for begin, _ in spans),
        end_ns=max(end for _, end in spans),
        lasted_s=max(end - begin for begin, end in spans) / 1e9,
        heard_s=max(end - begin for span in spans for begin, end in _without(span, deaf)) / 1e9,
    )


def _without(span: Span, deaf: Iterable[Span]) -> Iterator[Span]:
    """Yield what is left of a span between those others, at last an empty one."""
    begin, end = span
    for first, last in sorted(deaf):
        if begin < min(first, end):
            yield begin, min(first, end)
        begin = max(begin, last)
    yield begin, max(begin, end)


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
