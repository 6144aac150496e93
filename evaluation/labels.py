"""Reads the labels of a recording: the faults, and for each rule the episodes that it should find.

    fault 1      symptom a ──────     symptom a ───       (intermittent)
    fault 2          symptom a ───────────
    episode      ├───────────────────────────────┤      one for the lift and the rule, of both faults
    observable   ├────┤  silence  ├──────────────┤      its longest unbroken part is what counts

A label row is one interval of one symptom; `rules` names the rules that should raise an alert for that symptom.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.catalogue import catalogue

FAULT, NEAR_MISS = "fault", "near-miss"
SILENCE, OFFLINE = "silence", "offline"
"""The symptom of a lift whose messages are lost, and the one rule that is about it."""
NOT_IN_SERVICE = "not-in-service"
"""The symptom of a lift for which only the always-judged rules are judged."""

TimeSpan = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LabelledEvent:
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
    """The symptoms that one rule should find on one lift, and their faults.

    Its longest unbroken symptom lasted `lasted_s`; `observable_s` is the longest part of it in which an alert could be
    raised: messages arrived, the lift was in service or the rule is always judged, and no near miss looked the same.
    """

    lift_id: str
    rule: str
    events: tuple[LabelledEvent, ...]
    onset_ns: int
    end_ns: int
    lasted_s: float
    observable_s: float


def read_labels(labels: Iterable[Mapping[str, Any]]) -> tuple[list[LabelledEvent], list[Episode]]:
    """Return the events in the labels and, of the faults among them, the episodes of each rule."""
    events: dict[tuple[str, str], LabelledEvent] = {}
    symptoms: dict[tuple[str, str], dict[LabelledEvent, list[TimeSpan]]] = defaultdict(lambda: defaultdict(list))
    excuses: dict[tuple[str, str], set[TimeSpan]] = defaultdict(set)
    for row in labels:
        lift_id, symptom = row["lift_id"], row["symptom"]
        event = events.setdefault((lift_id, row["event"]), _event(row))
        if symptom is None:
            continue
        span = row["symptom_onset"], row["symptom_end"]
        if symptom in (SILENCE, NOT_IN_SERVICE):
            excuses[lift_id, symptom].add(span)
        for rule in row["rules"]:
            if event.kind == FAULT:
                symptoms[lift_id, rule][event].append(span)
            else:
                excuses[lift_id, rule].add(span)
    episodes = []
    for (lift_id, rule), of in symptoms.items():
        names = [
            rule,
            *([] if rule == OFFLINE else [SILENCE]),
            *([] if catalogue()[rule].always_judged else [NOT_IN_SERVICE]),
        ]
        hidden = [span for name in names for span in excuses[lift_id, name]]
        episodes += [_episode(lift_id, rule, together, hidden) for together in _overlapping(of)]
    return list(events.values()), episodes


def _overlapping(of: Mapping[LabelledEvent, Sequence[TimeSpan]]) -> Iterator[dict[LabelledEvent, Sequence[TimeSpan]]]:
    """Yield the faults of one lift and rule, grouped where the times from first to last symptom overlap."""
    together: dict[LabelledEvent, Sequence[TimeSpan]] = {}
    until_ns = 0
    for event, spans in sorted(of.items(), key=lambda item: (min(item[1]), item[0].event)):
        if together and min(spans)[0] > until_ns:
            yield together
            together = {}
        together[event] = spans
        until_ns = max(until_ns, *(end for _, end in spans))
    yield together


def _episode(
    lift_id: str, rule: str, of: Mapping[LabelledEvent, Sequence[TimeSpan]], hidden: Sequence[TimeSpan]
) -> Episode:
    spans = [span for theirs in of.values() for span in theirs]
    return Episode(
        lift_id=lift_id,
        rule=rule,
        events=tuple(of),
        onset_ns=min(begin for begin, _ in spans),
        end_ns=max(end for _, end in spans),
        lasted_s=max(end - begin for begin, end in spans) / 1e9,
        observable_s=max(end - begin for span in spans for begin, end in _without(span, hidden)) / 1e9,
    )


def _without(span: TimeSpan, hidden: Iterable[TimeSpan]) -> Iterator[TimeSpan]:
    """Yield the parts of a span outside of the others, and finally a part that may be empty."""
    begin, end = span
    for first, last in sorted(hidden):
        if begin < min(first, end):
            yield begin, min(first, end)
        begin = max(begin, last)
    yield begin, max(begin, end)


def _event(row: Mapping[str, Any]) -> LabelledEvent:
    return LabelledEvent(
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
