"""Figures from verdicts: for each rule, how often it was right, how often it cried for nothing, how fast it was.

Recall is of the episodes that lasted long enough to be owed. False alarms are counted over the time that was watched:
a lift-month is 30 days. Delay runs from the physical onset to the moment at which the monitor knew, by the lift's
clock; lead time from that moment to the functional failure of what grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, chi2

from evaluation.events import KINDS, Kind
from evaluation.matching import FOUND, VERDICTS, WRONG, Verdict
from evaluation.truth import Episode

CONFIDENCE = 0.95
MONTH_S = 30 * 86_400.0
DAY_S = 86_400.0


class Interval(NamedTuple):
    """An estimate and its 95 % interval; all NaN where nothing was seen."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """What is said of one rule. `judged`: the detector speaks of it at all.

    `events` are all its episodes, `owed` those that lasted long enough, `found` those of the owed that were found;
    `early` were found although they were not owed. `delays_s` is one number for each episode found, `lead_days` one for
    each that has a functional failure (negative: noticed too late). `wrong` of the `raised` were false alarms.
    """

    kind: Kind
    judged: bool
    events: int
    owed: int
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


def score(verdicts: Sequence[Verdict], episodes: Sequence[Episode], judged: set[str], lift_s: float) -> list[Score]:
    """Return the score of every rule of the catalogue over `lift_s` lift-seconds that were watched."""
    return [_of_rule(kind, verdicts, episodes, kind.rule in judged, lift_s) for kind in KINDS]


def _of_rule(
    kind: Kind, verdicts: Sequence[Verdict], episodes: Sequence[Episode], judged: bool, lift_s: float
) -> Score:
    mine = [verdict for verdict in verdicts if verdict.raised.rule == kind.rule]
    chances = [episode for episode in episodes if episode.rule == kind.rule]
    owed = [episode for episode in chances if episode.longest_s >= kind.owed_after_s]
    hits = [(verdict.raised, verdict.episode) for verdict in mine if verdict.what == FOUND and verdict.episode]
    found = sum(episode.longest_s >= kind.owed_after_s for _, episode in hits)
    what = Counter(verdict.what for verdict in mine)
    wrong = sum(what[name] for name in WRONG)
    return Score(
        kind=kind,
        judged=judged,
        events=len(chances),
        owed=len(owed),
        found=found,
        early=len(hits) - found,
        raised=len(mine),
        wrong=wrong,
        verdicts={name: what[name] for name in VERDICTS},
        recall=share(found, len(owed)),
        precision=share(len(mine) - wrong, len(mine)),
        false_per_lift_month=rate(wrong, lift_s / MONTH_S),
        delays_s=tuple((raised.noticed_ns - episode.onset_ns) / 1e9 for raised, episode in hits),
        lead_days=tuple(
            (episode.event.functional_failure_ns - raised.noticed_ns) / 1e9 / DAY_S
            for raised, episode in hits
            if episode.event.functional_failure_ns is not None
        ),
    )


def _quantile(values: Sequence[float], q: float) -> float:
    return float(np.quantile(values, q)) if values else float("nan")
