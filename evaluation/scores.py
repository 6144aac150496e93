"""Figures from verdicts: for each rule, how often it was right, how often it cried for nothing, how fast it was.

Recall is of the episodes that an alert was owed for. False alarms are counted over the time that was watched: a
lift-month is 30 days. Delay runs from the physical onset to the moment at which the monitor knew, by the lift's clock;
lead time from that moment to the functional failure of what grows. Excused from an alert is an episode that is

    short       it did not last as long as the catalogue says: nobody was to be told
    unserved    the detector says beforehand that it does not judge this rule on this lift (a fact is missing)
    unheard     what was left of it while the lift spoke and was on duty is too short
    told        an alert of the rule stood open as it began
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, chi2

from evaluation.matching import FOUND, VERDICTS, WRONG, Verdict, told_before
from evaluation.truth import Episode
from registry.catalogue import CatalogueEntry, catalogue

CONFIDENCE = 0.95
MONTH_S = 30 * 86_400.0
DAY_S = 86_400.0
OWED, SHORT, UNSERVED, UNHEARD, TOLD = "owed", "short", "unserved", "unheard", "told"
EXCUSES = (SHORT, UNSERVED, UNHEARD, TOLD)

Unserved = Mapping[str, Set[str]]
"""For a lift, the rules that are not judged on it."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; all NaN where nothing was seen."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """What is said of one rule. `judged`: the detector speaks of it at all.

    `episodes` are all it could have found, `owed` those that are not `excused`, `found` those of the owed that were
    found; `early` were found although they were not owed. `delays_s` is one number for each episode found, `lead_days`
    one for each fault that has a functional failure (negative: noticed too late). `wrong` of the `raised` were false.
    """

    rule: CatalogueEntry
    judged: bool
    episodes: int
    owed: int
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


def standings(verdicts: Sequence[Verdict], episodes: Sequence[Episode], unserved: Unserved) -> dict[Episode, str]:
    """Return how each episode stands: an alert is owed for it, or why it is not."""
    found = {verdict.episode for verdict in verdicts if verdict.what == FOUND}
    told = told_before([verdict.raised for verdict in verdicts], episodes) - found

    def standing(episode: Episode) -> str:
        owed_after_s = catalogue()[episode.rule].owed_after_s
        if episode.lasted_s < owed_after_s:
            return SHORT
        if episode.rule in unserved.get(episode.lift_id, ()):
            return UNSERVED
        if episode.heard_s < owed_after_s or not episode.heard_s:
            return UNHEARD
        return TOLD if episode in told else OWED

    return {episode: standing(episode) for episode in episodes}


def score(verdicts: Sequence[Verdict], stood: Mapping[Episode, str], judged: Set[str], lift_s: float) -> list[Score]:
    """Return the score of every rule of the catalogue over `lift_s` lift-seconds that were watched."""
    return [_of_rule(rule, verdicts, stood, rule.slug in judged, lift_s) for rule in catalogue().values()]


def _of_rule(
    rule: CatalogueEntry, verdicts: Sequence[Verdict], stood: Mapping[Episode, str], judged: bool, lift_s: float
) -> Score:
    mine = [verdict for verdict in verdicts if verdict.raised.rule == rule.slug]
    chances = Counter(how for episode, how in stood.items() if episode.rule == rule.slug)
    hits = [(verdict.raised, verdict.episode) for verdict in mine if verdict.what == FOUND and verdict.episode]
    found = sum(stood[episode] == OWED for _, episode in hits)
    what = Counter(verdict.what for verdict in mine)
    wrong = sum(what[name] for name in WRONG)
    return Score(
        rule=rule,
        judged=judged,
        episodes=chances.total(),
        owed=chances[OWED],
        excused={why: chances[why] for why in EXCUSES},
        found=found,
        early=len(hits) - found,
        raised=len(mine),
        wrong=wrong,
        verdicts={name: what[name] for name in VERDICTS},
        recall=share(found, chances[OWED]),
        precision=share(len(mine) - wrong, len(mine)),
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
