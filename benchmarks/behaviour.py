"""Measures how well behaviour is recognised: recall of each cause, and false observations a lift-day.

`python -m benchmarks.behaviour` simulates lifts with vibration and the causes of `CAUSES_OF`, and as many hours of
lifts without any, judges them, and holds the observations against the labels of the world. Passengers of the world hold
doors and block them by themselves, without a label: such an observation counts as false.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.judge import Judge
from ingest.fleet import Fleet
from ingest.recordings.replaying import wider
from simulator.faults.cause_table import CAUSES
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.scenario import PlannedFault, Scenario
from telemetry.behaviour_fields import KINDS
from telemetry.order.sequence import Sequencer

CAUSES_OF = {
    "door-blocking": ("removal", "furniture-in-doorway", "slow-boarding", "door-obstruction"),
    "jumping": ("children-jumping", "vandals-jump"),
    "empty-running": ("phantom-calls",),
    "overload": ("overload",),
    "maintenance-visit": ("maintenance-visit", "inspection-run", "terminal-serviced"),
}
NEITHER = ("long-dwell", "door-open-button-stuck", "hall-button-stuck", "fire-recall", "firefighter-operation")
"""Causes that resemble a behaviour and are none."""
START_NS = 978_307_200 * 1_000_000_000
MARGIN_NS, DAY_S = 30_000_000_000, 86_400


class Seen(NamedTuple):
    """An observation or a label: the lift, the kind or the cause, the begin and the end."""

    lift_id: str
    name: str
    start_ns: int
    end_ns: int


def simulate(scenario: Scenario) -> tuple[list[Seen], list[Seen]]:
    """Return the observations at the lifts of a scenario, and the labels."""
    simulation = Simulation(scenario, START_NS)
    fleet, sequencer, judge = Fleet(), Sequencer(), Judge((), len(simulation.facts))
    fleet.load([(facts, True) for facts in simulation.facts])
    found: list[Seen] = []

    def note(seen: np.ndarray) -> None:
        columns = (seen[name].tolist() for name in ("lift", "kind", "start_ns", "end_ns"))
        found.extend(Seen(fleet.lift_ids[lift], KINDS[kind], *at) for lift, kind, *at in zip(*columns, strict=True))

    judge.on_behaviour = note
    for group in wider(decoded_seconds(simulation)):
        indexed = fleet.index(group.messages)
        judge.step(sequencer.step(group, indexed.lift)[0], fleet.facts)
    labels = {
        (row["event"]): Seen(str(row["lift_id"]), str(row["cause"]), int(str(row["onset"])), int(str(row["end"])))
        for row in simulation.labels()
    }
    return found, list(labels.values())


def overlaps(one: Seen, other: Seen) -> bool:
    """Return whether both are of one lift, and of one time."""
    within = one.start_ns <= other.end_ns + MARGIN_NS and other.start_ns <= one.end_ns + MARGIN_NS
    return one.lift_id == other.lift_id and within


def show(found: Sequence[Seen], labels: Sequence[Seen], lift_days: float) -> None:
    """Print recall by cause, and false observations a lift-day by kind."""
    of_lift: dict[str, list[Seen]] = defaultdict(list)
    for label in labels:
        of_lift[label.lift_id].append(label)
    for kind, causes in CAUSES_OF.items():
        own = [one for one in found if one.name == kind]
        for cause in causes:
            asked = [label for label in labels if label.name == cause]
            hit = sum(any(overlaps(one, label) for one in own) for label in asked)
            print(f"{kind:18} {cause:22} {hit:4} of {len(asked):4}")
        around = [[label.name for label in of_lift[one.lift_id] if overlaps(one, label)] for one in own]
        false = [names for names in around if not set(names) & set(causes)]
        beside = dict(Counter(names[0] if names else "nothing" for names in false))
        a_day = len(false) / lift_days
        print(f"{kind:18} {len(own)} observed, {len(false)} false: {a_day:.3f} a lift-day {beside}")


def main() -> None:
    """Simulate, judge, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lifts", type=int, default=60)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hour", type=float, default=8.0)
    arguments = parser.parse_args()
    slugs = [cause for causes in (*CAUSES_OF.values(), NEITHER) for cause in causes if cause in CAUSES]
    each = max(1, arguments.lifts // len(slugs))
    planned = [
        PlannedFault(cause=slug, lift=1 + place * each + k, onset_h=0.3 + 0.05 * k)
        for place, slug in enumerate(slugs)
        for k in range(each)
    ]
    scenario = Scenario(
        lifts=each * len(slugs) * 2, hours=arguments.hours, hour=arguments.hour, idle_hz=1, vibration=True,
        seed=arguments.seed, faults=tuple(planned),
    )  # fmt: skip
    found, labels = simulate(scenario)
    show(found, labels, scenario.lifts * arguments.hours * 3600 / DAY_S)


if __name__ == "__main__":
    main()
