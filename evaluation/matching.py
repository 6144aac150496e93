"""Holds what was raised against what happened, event by event.

    episode          ├────────────────┤
    raised    ├─▲    ├───▲      ├────▲    ├─▲   from its onset to the moment it was noticed (▲) it touches the episode,
            early (≤ 5 s)               late (≤ 60 s)    give or take: found; a second one of the same: a repeat

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
    """What one alert was: `episode` is the one it found, `events` the faults, or the near miss, that were at work."""

    raised: Raised
    what: str
    episode: Episode | None = None
    events: tuple[Event, ...] = ()


def match(raised: Sequence[Raised], events: Sequence[Event], episodes: Sequence[Episode]) -> list[Verdict]:
    """Return a verdict for each alert, in the order in which they were noticed."""
    chances: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for chance in episodes:
        chances[chance.lift_id, chance.rule].append(chance)
    at_work: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        at_work[event.lift_id, event.kind].append(event)
    found: set[Episode] = set()
    verdicts = []
    for one in sorted(raised, key=lambda one: (one.noticed_ns, one.lift_id, one.rule)):
        episode = _touched(chances[one.lift_id, one.rule], one)
        if episode is not None:
            verdicts.append(Verdict(one, REPEAT if episode in found else FOUND, episode, episode.events))
            found.add(episode)
            continue
        fault, near = (_touched(at_work[one.lift_id, kind], one) for kind in (FAULT, NEAR_MISS))
        provoked = TOLERATED if one.severity in TOLERABLE else PROVOKED
        what = BESIDE if fault else provoked if near else FALSE
        at_fault = fault or near
        verdicts.append(Verdict(one, what, events=(at_fault,) if at_fault else ()))
    return verdicts


def told_before(raised: Sequence[Raised], episodes: Sequence[Episode]) -> set[Episode]:
    """Return the episodes that began while an alert of their rule stood open: those it concerns had been told."""
    opened: dict[tuple[str, str], list[Raised]] = defaultdict(list)
    for one in raised:
        opened[one.lift_id, one.rule].append(one)
    return {
        episode
        for episode in episodes
        if any(one.noticed_ns <= episode.onset_ns < one.until_ns for one in opened[episode.lift_id, episode.rule])
    }


def _touched(spans: Sequence[Span], one: Raised) -> Span | None:
    """Return the latest of the spans that the alert, until it was noticed, touches; EARLY_S and LATE_S around it."""
    early, late = round(EARLY_S * 1e9), round(LATE_S * 1e9)
    touched = [span for span in spans if span.onset_ns - early <= one.noticed_ns and one.onset_ns <= span.end_ns + late]
    return max(touched, key=lambda span: span.onset_ns, default=None)
