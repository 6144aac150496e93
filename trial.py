"""A detector on trial: a recording, or a world that is lived through for it, judged and held against what happened.

    recording ─► replay ─► alerts ─┐
    scenario ─► world ─► replay ───┼─► referee ─► report        findings of another detector take the place of ours
                  └─► labels ──────┘
The lifts of a world live and are judged in parts, one for each process; an estate's lifts stay together, and a lift
does the same in any part.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from alerts.alert import Alert
from dashboards.app import VERSION
from detectors.catalogue import RULES
from evaluation import raised
from evaluation.raised import Raised
from evaluation.referee import Played
from ingest.replaying import Replay, wider
from simulator.fleet import ESTATE_LIFTS
from simulator.scenario import Scenario
from simulator.scene import Scene, told
from store.recordings import Recording
from telemetry.batch import Decoded

ATTENDED_S = 600.0
"""How long after it was noticed a person resolves what clears by hand alone."""
PROGRESS_EVERY = 50
OURS = f"liftwatch {VERSION}"
RULED = frozenset(rule.slug for rule in RULES)


@dataclass(frozen=True, slots=True)
class Tried:
    """What was watched, what truly happened in it, and what was raised."""

    played: Played
    labels: Sequence[Mapping[str, Any]]
    raised: Sequence[Raised]


class NothingToHoldAgainst(ValueError):
    """A recording that cannot be evaluated, and why."""


def of_recording(folder: Path, findings: Path | None = None) -> Tried:
    """Judge a recording, or hold the findings of another detector, a CSV file, against its labels.

    Raises
    ------
    NotARecording, BadFindings, NothingToHoldAgainst
    """
    recording = Recording(folder)
    facts, header = recording.facts(), recording.header
    if header.seed is None or header.start is None or header.end is None:
        raise NothingToHoldAgainst(f"{folder} is not of a simulated world: nobody knows what truly happened in it")
    if not header.complete:
        raise NothingToHoldAgainst(f"{folder} is incomplete: what came after would count as missed; record it anew")
    if findings is None:
        run = Replay(facts, RULES, silence=True, attended_s=ATTENDED_S)
        found, judged, detector = raised.ours(_alerts(run, recording.groups(), header.messages)), RULED, OURS
    else:
        with findings.open(encoding="utf-8", newline="") as file:
            found = raised.read_csv(file)
        judged, detector = frozenset(one.rule for one in found), findings.stem
    played = Played(
        name=header.scenario or folder.name,
        detector=detector,
        seed=header.seed,
        lift_ids=[lift.lift_id for lift in facts],
        seconds=(datetime.fromisoformat(header.end) - datetime.fromisoformat(header.start)).total_seconds(),
        judged=judged,
    )
    return Tried(played, recording.labels(), found)


def of_scenario(scenario: Scenario, name: str, processes: int) -> Tried:
    """Live through a scenario in as many processes, and judge what its lifts say as they say it."""
    pieces = parts(scenario.lifts, processes)
    with ProcessPoolExecutor(len(pieces), get_context("spawn")) as pool:
        lived = list(pool.map(_live, [scenario] * len(pieces), pieces, [part.start == 0 for part in pieces]))
    played = Played(
        name=name,
        detector=OURS,
        seed=scenario.seed,
        lift_ids=[lift_id for lift_ids, _, _ in lived for lift_id in lift_ids],
        seconds=scenario.seconds,
        judged=RULED,
    )
    labels = [row for _, rows, _ in lived for row in rows]
    return Tried(played, labels, [one for *_, found in lived for one in found])


def parts(lifts: int, processes: int) -> list[slice]:
    """Cut the fleet into about equal parts, between estates."""
    estates = math.ceil(lifts / ESTATE_LIFTS)
    each = math.ceil(estates / processes) * ESTATE_LIFTS
    return [slice(first, min(first + each, lifts)) for first in range(0, lifts, each)]


def _live(scenario: Scenario, part: slice, shows: bool) -> tuple[list[str], list[dict[str, object]], list[Raised]]:
    """Live and judge a part of the fleet: its lifts, what happened, what was raised."""
    scene = Scene(scenario, scenario.start_ns, part=part)
    run = Replay(scene.facts, RULES, silence=True, attended_s=ATTENDED_S)
    messages = scenario.seconds * len(scene.facts) if shows else 0
    found = raised.ours(_alerts(run, told(scene), messages))
    return [lift.lift_id for lift in scene.facts], scene.labels(), found


def _alerts(run: Replay, groups: Iterable[Decoded], messages: int) -> list[Alert]:
    """Return each alert as it was when all had been judged.."""
    newest: dict[str, Alert] = {}
    judged = 0
    for count, group in enumerate(wider(groups)):
        newest |= {change.alert.id: change.alert for change in run.step(group)}
        judged += len(group.messages.seq)
        if messages and count % PROGRESS_EVERY == 0 and sys.stderr.isatty():
            sys.stderr.write(f"\rjudged {judged / messages:6.1%}, {len(newest)} alerts")
    newest |= {change.alert.id: change.alert for change in run.finish()}
    return list(newest.values())
