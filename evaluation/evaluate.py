"""Evaluates alerts against labels, separately for the tuning lifts and the held-out lifts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation import split
from evaluation.bars import BARS, Bar
from evaluation.labels import FAULT, NEAR_MISS, Episode, LabelledEvent, read_labels
from evaluation.matching import BESIDE, FOUND, Verdict, match
from evaluation.raised import RaisedAlert
from evaluation.scores import EXPECTED, MONTH_S, Interval, RuleScore, Unjudged, rate, score, share, standings
from registry.catalogue import SEVERITIES, catalogue

WORST = SEVERITIES[-1]


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """The world that is evaluated: its seed, lifts and duration, and the rules that the detector judges.

    `not_judged` are the rules that it declares as not judged on some lifts; `thresholds` are those of our rules that
    differ from the defaults.
    """

    name: str
    detector: str
    seed: int
    lift_ids: Sequence[str]
    seconds: float
    judged: frozenset[str]
    not_judged: Unjudged = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CauseScore:
    """The result for one cause: (expected, found) for each rule that should find it; near misses have none.

    `raised` counts all alerts while the cause was present, by severity.
    """

    cause: str
    kind: str
    forms: tuple[str, ...]
    events: int
    found: Mapping[str, tuple[int, int]]
    raised: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GroupScore:
    """A group of rules against its bar: alerts expected, episodes found, false alarms of all its rules together."""

    group: str
    rules: int
    bar: Bar
    expected: int
    found: int
    false_per_lift_month: Interval


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one set of lifts. `confusion` is the share of pure sensor faults during which a critical alert was
    raised although the lift was sound."""

    set_name: str
    lifts: int
    lift_months: float
    scores: Sequence[RuleScore]
    groups: Sequence[GroupScore]
    confusion: Interval
    causes: Sequence[CauseScore]
    verdicts: Sequence[Verdict]


def evaluate(
    run: EvaluationRun,
    labels: Iterable[Mapping[str, Any]],
    raised: Sequence[RaisedAlert],
    set_of: Callable[[int, str], str] = split.set_of,
) -> list[Report]:
    """Return one report for the tuning lifts and one for the held-out lifts; a set without lifts has none.

    `set_of` returns the set of a lift from the seed of the world and the lift's id.
    """
    events, episodes = read_labels(labels)
    reports = []
    for name in split.SETS:
        lifts = {lift for lift in run.lift_ids if set_of(run.seed, lift) == name}
        if lifts:
            set_events = [event for event in events if event.lift_id in lifts]
            set_episodes = [episode for episode in episodes if episode.lift_id in lifts]
            verdicts = match([alert for alert in raised if alert.lift_id in lifts], set_events, set_episodes)
            reports.append(_report(name, run, lifts, set_events, set_episodes, verdicts))
    return reports


def _report(
    name: str,
    run: EvaluationRun,
    lifts: set[str],
    events: Sequence[LabelledEvent],
    episodes: Sequence[Episode],
    verdicts: Sequence[Verdict],
) -> Report:
    lift_s = len(lifts) * run.seconds
    standings_of = standings(verdicts, episodes, run.not_judged)
    scores = score(verdicts, standings_of, run.judged, lift_s)
    return Report(
        set_name=name,
        lifts=len(lifts),
        lift_months=lift_s / MONTH_S,
        scores=scores,
        groups=[_group(group, bar, scores, lift_s / MONTH_S) for group, bar in BARS.items()],
        confusion=_confusion(episodes, verdicts),
        causes=_causes(events, standings_of, verdicts),
        verdicts=verdicts,
    )


def _group(group: str, bar: Bar, scores: Sequence[RuleScore], lift_months: float) -> GroupScore:
    judged = [one for one in scores if one.rule.group == group and one.judged]
    return GroupScore(
        group=group,
        rules=len(judged),
        bar=bar,
        expected=sum(one.expected for one in judged),
        found=sum(one.found for one in judged),
        false_per_lift_month=rate(sum(one.wrong for one in judged), lift_months),
    )


def _confusion(episodes: Sequence[Episode], verdicts: Sequence[Verdict]) -> Interval:
    of_sensors, of_lifts = (
        {event for episode in episodes if catalogue()[episode.rule].sensing is sensing for event in episode.events}
        for sensing in (True, False)
    )
    with_critical = {
        event for one in verdicts if one.outcome == BESIDE and one.raised.severity == WORST for event in one.events
    }
    alone = of_sensors - of_lifts
    return share(len(alone & with_critical), len(alone))


def _causes(
    events: Sequence[LabelledEvent], standings_of: Mapping[Episode, str], verdicts: Sequence[Verdict]
) -> list[CauseScore]:
    """Return the result for each cause, faults before near misses."""
    events_of: dict[tuple[str, str], list[LabelledEvent]] = defaultdict(list)
    for event in events:
        events_of[event.kind, event.cause].append(event)
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    raised: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for episode, standing in standings_of.items():
        for event in episode.events:
            expected[event.cause][episode.rule] += standing == EXPECTED
    for verdict in verdicts:
        for event in verdict.events:
            raised[event.kind, event.cause][verdict.raised.severity] += 1
            if verdict.episode and verdict.outcome == FOUND:
                found[event.cause][verdict.raised.rule] += standings_of[verdict.episode] == EXPECTED
    order = {slug: place for place, slug in enumerate(catalogue())}
    return [
        CauseScore(
            cause=cause,
            kind=kind,
            forms=tuple(sorted({event.form for event in cause_events})),
            events=len(cause_events),
            found={
                rule: (expected[cause][rule], found[cause][rule] if kind == FAULT else 0)
                for rule in sorted(expected[cause], key=order.__getitem__)
            },
            raised=dict(raised[kind, cause]),
        )
        for (kind, cause), cause_events in sorted(
            events_of.items(), key=lambda item: (item[0][0] == NEAR_MISS, item[0][1])
        )
    ]
