"""Judges a recording or a simulated world for an evaluation, and collects its alerts and labels.

    recording ─► replay ─► alerts ─┐
    scenario ─► world ─► replay ───┼─► evaluate ─► report       findings of another detector take the place of ours
                  └─► labels ──────┘
The lifts of a world are simulated and judged in parts, one for each process. Lifts of one estate stay together, and a
lift does the same in any part.
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
from evaluation import raised
from evaluation.evaluate import EvaluationRun
from evaluation.labels import read_labels
from evaluation.raised import BadFindings, RaisedAlert, RecordingScope
from ingest.recordings.replaying import Replay, replay
from registry.facts import LiftFacts
from simulator.buildings.fleet import ESTATE_LIFTS
from simulator.playback.progress import Progress
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.scenario import Scenario
from store.recordings.recording import Recording
from telemetry.batch import Decoded
from telemetry.version import VERSION

ATTENDED_S = 600.0
"""How long after it was noticed a person resolves an alert that clears by hand alone."""
OWN_DETECTOR = f"liftwatch {VERSION}"


@dataclass(frozen=True, slots=True)
class Trial:
    """The lifts of a recording or world, the labels of their faults, and the raised alerts."""

    evaluation_run: EvaluationRun
    labels: Sequence[Mapping[str, Any]]
    raised: Sequence[RaisedAlert]


class NoLabels(ValueError):
    """A recording without labels, or with incomplete labels; the text is the reason."""


def judge_recording(folder: Path, findings: Path | None = None, rules: Sequence[Rule] = RULES) -> Trial:
    """Judge a recording, or read the findings of another detector from a CSV file, beside the recording's labels.

    Raises
    ------
    InvalidRecording, BadFindings, NoLabels
    """
    recording = Recording(folder)
    facts, header = recording.facts(), recording.header
    if header.seed is None or header.start_ns is None or header.end_ns is None:
        raise NoLabels(f"{folder} is not of a simulated world: nobody knows what truly happened in it")
    if not header.complete:
        raise NoLabels(f"{folder} is incomplete: what came after would count as missed; record it anew")
    labels = recording.labels()
    if findings is None:
        run = Replay(facts, rules, silence=True, attended_s=ATTENDED_S)
        found = raised_in(run, recording.groups(), header.messages)
        judged, detector, not_judged = slugs(rules), OWN_DETECTOR, rules_without_facts(facts, rules)
    else:
        found = read_findings(
            findings, RecordingScope({lift.lift_id for lift in facts}, header.start_ns, header.end_ns)
        )
        labelled = (episode.rule for episode in read_labels(labels)[1])  # a rule without findings counts too
        judged, detector, not_judged = frozenset([*labelled, *(one.rule for one in found)]), findings.stem, {}
    name, seconds = folder.resolve().name, (header.end_ns - header.start_ns) / 1e9
    evaluation_run = EvaluationRun(
        name, detector, header.seed, [lift.lift_id for lift in facts], seconds, judged, not_judged
    )
    return Trial(evaluation_run, labels, found)


def read_findings(findings: Path, watched: RecordingScope) -> list[RaisedAlert]:
    """Read a file of findings; BadFindings names the file and the line."""
    try:
        with findings.open(encoding="utf-8-sig", newline="") as file:
            return raised.read_csv(file, watched)
    except OSError as error:
        raise BadFindings(f"{findings} cannot be read ({error.strerror}); name a CSV file of findings") from None
    except UnicodeDecodeError as error:
        raise BadFindings(f"{findings} is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except BadFindings as error:
        raise BadFindings(f"{findings}, {error}") from None


def judge_scenario(scenario: Scenario, name: str, process_count: int, rules: Sequence[Rule] = RULES) -> Trial:
    """Simulate a scenario in `process_count` processes and judge the messages as they arise."""
    shares = [(scenario, part, rules) for part in fleet_parts(scenario.lifts, process_count)]
    columns = zip(*processes.each(judge_part, shares), strict=True)
    facts, labels, found = (list(chain.from_iterable(column)) for column in columns)
    lift_ids = [lift.lift_id for lift in facts]
    not_judged = rules_without_facts(facts, rules)
    evaluation_run = EvaluationRun(
        name, OWN_DETECTOR, scenario.seed, lift_ids, scenario.seconds, slugs(rules), not_judged
    )
    return Trial(evaluation_run, labels, found)


def fleet_parts(lifts: int, count: int) -> list[slice]:
    """Return at most `count` parts of a fleet, of about equal size, cut between estates."""
    estates = math.ceil(lifts / ESTATE_LIFTS)
    each = math.ceil(estates / count) * ESTATE_LIFTS
    return [slice(first, min(first + each, lifts)) for first in range(0, lifts, each)]


def judge_part(
    scenario: Scenario, part: slice, rules: Sequence[Rule]
) -> tuple[list[LiftFacts], list[dict[str, object]], list[RaisedAlert]]:
    """Simulate and judge a part of the fleet; return its lifts, labels and raised alerts."""
    simulation = Simulation(scenario, scenario.start_ns, part=part)
    run = Replay(simulation.facts, rules, silence=True, attended_s=ATTENDED_S)
    messages = scenario.seconds * len(simulation.facts) if part.start == 0 else 0  # the first part shows the progress
    found = raised_in(run, decoded_seconds(simulation), messages)
    return simulation.facts, simulation.labels(), found


def slugs(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the slugs of rules."""
    return frozenset(rule.slug for rule in rules)


def rules_without_facts(facts: Iterable[LiftFacts], rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    """Return, for each lift, the rules that are not judged there because a fact they need is missing."""
    return {
        lift.lift_id: frozenset(rule.slug for rule in rules if not all(map(lift.satisfies, rule.needs)))
        for lift in facts
    }


def raised_in(run: Replay, groups: Iterable[Decoded], messages: int) -> list[RaisedAlert]:
    """Judge groups of messages and return each alert in its last state; show the progress where `messages` > 0."""
    newest: dict[str, Alert] = {}
    progress = Progress()
    for changes in replay(run, groups):
        newest |= {change.alert.id: change.alert for change in changes}
        if messages:
            progress.report(f"{run.counts['received'] / messages:.1%} judged, {len(newest)} alerts")
    return raised.ours(newest.values())
