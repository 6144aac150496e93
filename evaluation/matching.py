"""Holds what was raised against what happened, event by event.

    episode        ├────────────────┤
    raised      ▲  ▲            ▲      ▲        its onset lies in the episode, EARLY_S and LATE_S around it: found;
              early (≤ 5 s)          late (≤ 60 s)         a second one of the same episode: a repeat

What fits no episode of its rule is `beside` where a fault of that lift was at work (real, but not what it says). Where
a near miss was, it is `tolerated` up to minor and `provoked` above. Otherwise it is `false`: a false alarm at night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from evaluation.raised import Raised
from evaluation.truth import FAULT, NEAR_MISS, Episode, Event

EARLY_S = 5.0
"""A condition may be read a moment before it is true: sensors are noisy and samples apart."""
LATE_S = 60.0
"""What begins within the fold time after an episode still speaks of it."""

Span = TypeVar("Span", Episode, Event)

FOUND, REPEAT, BESIDE, TOLERATED, PROVOKED, FALSE = "found", "repeat", "beside", "tolerated", "provoked", "false"
VERDICTS = (FOUND, REPEAT, BESIDE, TOLERATED, PROVOKED, FALSE)
WRONG = (PROVOKED, FALSE)
TOLERABLE = ("trend", "minor")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one alert was: `episode` is the one it found, `event` the fault or near miss that was at work."""

    raised: Raised
    what: str
    episode: Episode | None = None
    event: Event | None = None


def match(raised: Sequence[Raised], events: Sequence[Event], episodes: Sequence[Episode]) -> list[Verdict]:
    """Return a verdict for each alert, in the order in which they were noticed."""
    chances: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for chance in episodes:
        chances[chance.event.lift_id, chance.rule].append(chance)
    at_work: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        at_work[event.lift_id, event.kind].append(event)
    found: set[tuple[str, str, str]] = set()
    verdicts = []
    for one in sorted(raised, key=lambda one: (one.noticed_ns, one.lift_id, one.rule)):
        episode = _around(chances[one.lift_id, one.rule], one.onset_ns)
        if episode is not None:
            name = (one.lift_id, one.rule, episode.event.event)
            verdicts.append(Verdict(one, REPEAT if name in found else FOUND, episode, episode.event))
            found.add(name)
            continue
        fault = _around(at_work[one.lift_id, FAULT], one.onset_ns)
        near = _around(at_work[one.lift_id, NEAR_MISS], one.onset_ns)
        provoked = TOLERATED if one.severity in TOLERABLE else PROVOKED
        what = BESIDE if fault else provoked if near else FALSE
        verdicts.append(Verdict(one, what, event=fault or near))
    return verdicts


def _around(spans: Sequence[Span], t_ns: int) -> Span | None:
    """Return the latest of the spans that holds the instant, EARLY_S and LATE_S around it."""
    early, late = round(EARLY_S * 1e9), round(LATE_S * 1e9)
    holding = [span for span in spans if span.onset_ns - early <= t_ns <= span.end_ns + late]
    return max(holding, key=lambda span: span.onset_ns, default=None)
