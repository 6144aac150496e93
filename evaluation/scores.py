"""Figures from verdicts: recall, precision, false alarms, delays and lead times of each rule.

Recall is over the episodes for which an alert is expected. False alarms are counted over the evaluated time: a
lift-month is 30 days. The delay runs from the physical onset to the moment of the alert, by the lift's clock; the lead
time from that moment to the functional failure of a growing fault. No alert is expected for an episode that is

    short           it lasted less than `expected_after_s` of the catalogue
    not_judged      the detector declares that it does not judge this rule on this lift (a fact is missing)
    unobservable    the part of it in which messages arrived and the lift was in service is too short
    already_open    an alert of the rule was already open when it began
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, chi2

from evaluation.labels import Episode
from evaluation.matching import FOUND, VERDICTS, WRONG, Verdict, already_open
from registry.catalogue import CatalogueEntry, catalogue

CONFIDENCE = 0.95
MONTH_S = 30 * 86_400.0
DAY_S = 86_400.0
EXPECTED = "expected"
EXCUSES = SHORT, NOT_JUDGED, UNOBSERVABLE, ALREADY_OPEN = "short", "not_judged", "unobservable", "already_open"

Unjudged = Mapping[str, Set[str]]
"""The rules that are not judged, by lift."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; all NaN where nothing was seen."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RuleScore:
    """The figures of one rule; `judged` is false for a rule that the detector never judges.

    `episodes` counts all episodes of the rule, `expected` those that are not `excused`, `found` the expected ones that
    were found; `early` were found although not expected. `delays_s` has one number for each episode found, `lead_days`
    one for each fault with a functional failure (negative: noticed too late). `wrong` of the `raised` alerts were
    false.
    """

    rule: CatalogueEntry
    judged: bool
    episodes: int
    expected: int
    excused: Mapping[str, int]
    found: int
    early: int
    raised: int
    wrong: int
    verdicts: dict[str, int]
    recall: Interval
    precision: Interval
    false_per_lift_month: Interval
    delays_s: tuple[float, ...]
    lead_days: tuple[float, ...]

    @property
    def delay_median_s(self) -> float:
        """The median of the delays; NaN where nothing was found."""
        return _quantile(self.delays_s, 0.5)

    @property
    def delay_p99_s(self) -> float:
        """The 99th percentile of the delays; NaN where nothing was found."""
        return _quantile(self.delays_s, 0.99)

    @property
    def lead_median_days(self) -> float:
        """The median of the lead times; NaN where nothing that grows was found."""
        return _quantile(self.lead_days, 0.5)


def share(successes: int, trials: int) -> Interval:
    """Return a proportion with its Wilson interval."""
    if not trials:
        return Interval(np.nan, np.nan, np.nan)
    bounds = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(bounds.low), float(bounds.high))


def rate(count: int, exposure: float) -> Interval:
    """Return a Poisson rate with its exact interval (Garwood 1936: quantiles of chi-square)."""
    if not exposure > 0:
        return Interval(np.nan, np.nan, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    high = chi2.ppf(1 - tail, 2 * count + 2) / 2
    return Interval(count / exposure, float(low) / exposure, float(high) / exposure)


def standings(verdicts: Sequence[Verdict], episodes: Sequence[Episode], not_judged: Unjudged) -> dict[Episode, str]:
    """Return for each episode EXPECTED, or the excuse by which no alert is expected."""
    found = {verdict.episode for verdict in verdicts if verdict.outcome == FOUND}
    open_before = already_open([verdict.raised for verdict in verdicts], episodes) - found

    def standing(episode: Episode) -> str:
        expected_after_s = catalogue()[episode.rule].expected_after_s
        if episode.lasted_s < expected_after_s:
            return SHORT
        if episode.rule in not_judged.get(episode.lift_id, ()):
            return NOT_JUDGED
        if episode.observable_s < expected_after_s or not episode.observable_s:
            return UNOBSERVABLE
        return ALREADY_OPEN if episode in open_before else EXPECTED

    return {episode: standing(episode) for episode in episodes}


def score(
    verdicts: Sequence[Verdict], standings_of: Mapping[Episode, str], judged: Set[str], lift_s: float
) -> list[RuleScore]:
    """Return the score of every rule of the catalogue over `lift_s` lift-seconds."""
    return [_of_rule(rule, verdicts, standings_of, rule.slug in judged, lift_s) for rule in catalogue().values()]


def _of_rule(
    rule: CatalogueEntry, verdicts: Sequence[Verdict], standings_of: Mapping[Episode, str], judged: bool, lift_s: float
) -> RuleScore:
    of_rule = [verdict for verdict in verdicts if verdict.raised.rule == rule.slug]
    counts = Counter(standing for episode, standing in standings_of.items() if episode.rule == rule.slug)
    hits = [(verdict.raised, verdict.episode) for verdict in of_rule if verdict.outcome == FOUND and verdict.episode]
    found = sum(standings_of[episode] == EXPECTED for _, episode in hits)
    outcomes = Counter(verdict.outcome for verdict in of_rule)
    wrong = sum(outcomes[name] for name in WRONG)
    return RuleScore(
        rule=rule,
        judged=judged,
        episodes=counts.total(),
        expected=counts[EXPECTED],
        excused={why: counts[why] for why in EXCUSES},
        found=found,
        early=len(hits) - found,
        raised=len(of_rule),
        wrong=wrong,
        verdicts={name: outcomes[name] for name in VERDICTS},
        recall=share(found, counts[EXPECTED]),
        precision=share(len(of_rule) - wrong, len(of_rule)),
        false_per_lift_month=rate(wrong, lift_s / MONTH_S),
        delays_s=tuple((raised.noticed_ns - episode.onset_ns) / 1e9 for raised, episode in hits),
        lead_days=tuple(
            (event.functional_failure_ns - raised.noticed_ns) / 1e9 / DAY_S
            for raised, episode in hits
            for event in episode.events
            if event.functional_failure_ns is not None
        ),
    )


def _quantile(values: Sequence[float], q: float) -> float:
    return float(np.quantile(values, q)) if values else float("nan")
