"""Matches alerts to labelled episodes.

    episode          ├────────────────┤
    alert     ├─▲    ├───▲      ├────▲    ├─▲   an alert that overlaps the episode between its onset and the moment it
            early (≤ 5 s)               late (≤ 60 s)    was noticed (▲), with these tolerances, finds it

A second alert of the same episode is a `repeat`. An alert that matches no episode of its rule is `beside` if a fault of
that lift was present (a real fault, but not the one named), `tolerated` (up to minor) or `provoked` (above) if a near
miss was present, and otherwise `false`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from evaluation.labels import FAULT, NEAR_MISS, Episode, LabelledEvent
from evaluation.raised import RaisedAlert

EARLY_S = 5.0
"""Readings are noisy and sampled, so an alert may begin a moment before its episode."""
LATE_S = 60.0
"""An alert that begins within the fold time after an episode still belongs to it."""

EpisodeOrEvent = TypeVar("EpisodeOrEvent", Episode, LabelledEvent)

FOUND, REPEAT, BESIDE, TOLERATED, PROVOKED, FALSE = "found", "repeat", "beside", "tolerated", "provoked", "false"
VERDICTS = (FOUND, REPEAT, BESIDE, TOLERATED, PROVOKED, FALSE)
WRONG = (PROVOKED, FALSE)
TOLERABLE = ("trend", "minor")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one alert: the episode that it matched, and the faults or the near miss that were present."""

    raised: RaisedAlert
    outcome: str
    episode: Episode | None = None
    events: tuple[LabelledEvent, ...] = ()


def match(raised: Sequence[RaisedAlert], events: Sequence[LabelledEvent], episodes: Sequence[Episode]) -> list[Verdict]:
    """Return a verdict for each alert, in the order in which they were noticed."""
    episodes_of: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for each in episodes:
        episodes_of[each.lift_id, each.rule].append(each)
    events_of: dict[tuple[str, str], list[LabelledEvent]] = defaultdict(list)
    for event in events:
        events_of[event.lift_id, event.kind].append(event)
    found: set[Episode] = set()
    verdicts = []
    for alert in sorted(raised, key=lambda alert: (alert.noticed_ns, alert.lift_id, alert.rule)):
        episode = _overlapped(episodes_of[alert.lift_id, alert.rule], alert)
        if episode is not None:
            verdicts.append(Verdict(alert, REPEAT if episode in found else FOUND, episode, episode.events))
            found.add(episode)
            continue
        fault, near = (_overlapped(events_of[alert.lift_id, kind], alert) for kind in (FAULT, NEAR_MISS))
        provoked = TOLERATED if alert.severity in TOLERABLE else PROVOKED
        outcome = BESIDE if fault else provoked if near else FALSE
        at_fault = fault or near
        verdicts.append(Verdict(alert, outcome, events=(at_fault,) if at_fault else ()))
    return verdicts


def already_open(raised: Sequence[RaisedAlert], episodes: Sequence[Episode]) -> set[Episode]:
    """Return the episodes that began while an alert of their rule was already open."""
    opened: dict[tuple[str, str], list[RaisedAlert]] = defaultdict(list)
    for alert in raised:
        opened[alert.lift_id, alert.rule].append(alert)
    return {
        episode
        for episode in episodes
        if any(alert.noticed_ns <= episode.onset_ns < alert.until_ns for alert in opened[episode.lift_id, episode.rule])
    }


def _overlapped(spans: Sequence[EpisodeOrEvent], alert: RaisedAlert) -> EpisodeOrEvent | None:
    """Return the latest of the spans that the alert overlaps until it was noticed, within EARLY_S and LATE_S."""
    early, late = round(EARLY_S * 1e9), round(LATE_S * 1e9)
    overlapped = [
        span for span in spans if span.onset_ns - early <= alert.noticed_ns and alert.onset_ns <= span.end_ns + late
    ]
    return max(overlapped, key=lambda span: span.onset_ns, default=None)
