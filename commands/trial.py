"""A detector on trial: a recording, or a world that is lived through for it, judged and held against what happened.

    recording ─► replay ─► alerts ─┐
    scenario ─► world ─► replay ───┼─► referee ─► report        findings of another detector take the place of ours
                  └─► labels ──────┘
The lifts of a world live and are judged in parts, one for each process; an estate's lifts stay together, and a lift
does the same in any part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from alerts.alert import Alert
from commands import processes
from detectors.catalogue import RULES
from detectors.rule import Rule
from evaluation import raised, truth
from evaluation.raised import BadFindings, Raised, Watched
from evaluation.referee import Played
from ingest.replaying import Replay, replay
from registry.facts import LiftFacts
from simulator.buildings.fleet import ESTATE_LIFTS
from simulator.playback.progress import Progress
from simulator.playback.simulation import Scene, told
from simulator.scenarios.scenario import Scenario
from store.recordings.recording import Recording
from telemetry.batch import Decoded
from telemetry.version import VERSION

ATTENDED_S = 600.0
"""How long after it was noticed a person resolves what clears by hand alone."""
OURS = f"liftwatch {VERSION}"
RULED = frozenset(rule.slug for rule in RULES)
Lived = tuple[list[LiftFacts], list[dict[str, object]], list[Raised]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What was watched, what truly happened in it, and what was raised."""

    played: Played
    labels: Sequence[Mapping[str, Any]]
    raised: Sequence[Raised]


class NothingToHoldAgainst(ValueError):
    """A recording that cannot be evaluated, and why."""


def of_recording(folder: Path, findings: Path | None = None, rules: Sequence[Rule] = RULES) -> Tried:
    """Judge a recording, or hold the findings of another detector, a CSV file, against its labels.

    Raises
    ------
    NotARecording, BadFindings, NothingToHoldAgainst
    """
    recording = Recording(folder)
    facts, header = recording.facts(), recording.header
    if header.seed is None or header.start_ns is None or header.end_ns is None:
        raise NothingToHoldAgainst(f"{folder} is not of a simulated world: nobody knows what truly happened in it")
    if not header.complete:
        raise NothingToHoldAgainst(f"{folder} is incomplete: what came after would count as missed; record it anew")
    labels = recording.labels()
    if findings is None:
        run = Replay(facts, rules, silence=True, attended_s=ATTENDED_S)
        found, judged, detector = _alerts(run, recording.groups(), header.messages), RULED, OURS
        unserved = _unserved(facts)
    else:
        found = _theirs(findings, Watched({lift.lift_id for lift in facts}, header.start_ns, header.end_ns))
        owed = (episode.rule for episode in truth.read(labels)[1])  # a rule on which it is silent is judged as well
        judged, detector, unserved = frozenset([*owed, *(one.rule for one in found)]), findings.stem, {}
    name, seconds = folder.resolve().name, (header.end_ns - header.start_ns) / 1e9
    played = Played(name, detector, header.seed, [lift.lift_id for lift in facts], seconds, judged, unserved)
    return Tried(played, labels, found)


def _theirs(findings: Path, watched: Watched) -> list[Raised]:
    """Return what is in a file of findings; BadFindings names the file and the line."""
    try:
        with findings.open(encoding="utf-8-sig", newline="") as file:
            return raised.read_csv(file, watched)
    except OSError as error:
        raise BadFindings(f"{findings} cannot be read ({error.strerror}); name a CSV file of findings") from None
    except UnicodeDecodeError as error:
        raise BadFindings(f"{findings} is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except BadFindings as error:
        raise BadFindings(f"{findings}, {error}") from None


def of_scenario(scenario: Scenario, name: str, parts: int, rules: Sequence[Rule] = RULES) -> Tried:
    """Live through a scenario in as many processes, and judge what its lifts say as they say it."""
    lived = processes.each(_live, [(scenario, part, part.start == 0, rules) for part in cut(scenario.lifts, parts)])
    facts, labels, found = (list(chain.from_iterable(column)) for column in zip(*lived, strict=True))
    lift_ids = [lift.lift_id for lift in facts]
    return Tried(Played(name, OURS, scenario.seed, lift_ids, scenario.seconds, RULED, _unserved(facts)), labels, found)


def cut(lifts: int, parts: int) -> list[slice]:
    """Return the fleet as about equal parts, cut between estates."""
    estates = math.ceil(lifts / ESTATE_LIFTS)
    each = math.ceil(estates / parts) * ESTATE_LIFTS
    return [slice(first, min(first + each, lifts)) for first in range(0, lifts, each)]


def _live(scenario: Scenario, part: slice, shows: bool, rules: Sequence[Rule]) -> Lived:
    """Live and judge a part of the fleet: its lifts, what happened, what was raised."""
    scene = Scene(scenario, scenario.start_ns, part=part)
    run = Replay(scene.facts, rules, silence=True, attended_s=ATTENDED_S)
    messages = scenario.seconds * len(scene.facts) if shows else 0
    found = _alerts(run, told(scene), messages)
    return scene.facts, scene.labels(), found


def _unserved(facts: Iterable[LiftFacts]) -> dict[str, frozenset[str]]:
    """Return, for each lift, the rules that our judge leaves out there, for want of a fact."""
    return {
        lift.lift_id: frozenset(rule.slug for rule in RULES if not all(map(lift.serves, rule.needs))) for lift in facts
    }


def _alerts(run: Replay, groups: Iterable[Decoded], messages: int) -> list[Raised]:
    """Return each alert as it was when all had been judged; where `messages` are to come, tell how it goes."""
    newest: dict[str, Alert] = {}
    progress = Progress()
    for changes in replay(run, groups):
        newest |= {change.alert.id: change.alert for change in changes}
        if messages:
            progress.tell(f"{run.counts['received'] / messages:.1%} judged, {len(newest)} alerts")
    return raised.ours(newest.values())
