"""Measures simulating and judging a fleet without a broker, on one core: lift-seconds a CPU second of each step.

python -m benchmarks.straight --lifts 3000 --seconds 120 --idle-hz 1
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from commands.monitor import collect_seldom
from detectors.catalogue import RULES
from detectors.judge import Judge
from ingest.fleet import Fleet
from ingest.recordings.replaying import wider
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from telemetry.order.sequence import Sequencer

START_NS = 978_307_200 * 1_000_000_000
WARM_S = 60
STEPS = ("simulate", "to columns", "sequence and batch", f"judge, {len(RULES)} rules")


def measure(lifts: int, seconds: int, idle_hz: int, vibration: bool) -> Counter[str]:
    """Return the CPU seconds of each step for a simulated morning of a fleet."""
    simulation = Simulation(Scenario(lifts=lifts, hours=1.0, hour=8.5, idle_hz=idle_hz, vibration=vibration), START_NS)
    fleet, sequencer, judge = Fleet(), Sequencer(), Judge(RULES, lifts)
    fleet.load([(facts, True) for facts in simulation.facts])
    took: Counter[str] = Counter()

    def timed(step: str, act: Callable[..., Any], *given: Any) -> Any:
        before = time.process_time()
        made = act(*given)
        took[step] += time.process_time() - before
        return made

    for phase_s in (WARM_S, seconds):
        took.clear()
        reports = (timed(STEPS[0], simulation.report) for _ in range(phase_s))
        groups = (timed(STEPS[1], simulation.columns.decoded, message) for message in reports)
        for group in wider(groups):
            indexed = timed(STEPS[2], fleet.index, group.messages)
            batch = timed(STEPS[2], sequencer.step, group, indexed.lift)[0]
            timed(STEPS[3], judge.step, batch, fleet.facts)
    return took


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lifts", type=int, default=3000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--idle-hz", type=int, choices=(1, 10), default=1)
    parser.add_argument("--vibration", action="store_true")
    asked = parser.parse_args()
    collect_seldom()
    took = measure(asked.lifts, asked.seconds, asked.idle_hz, asked.vibration)
    lift_seconds = asked.lifts * asked.seconds
    print(f"{'':24}{'CPU us a lift-second':>22}{'lift-seconds a CPU second':>28}")
    for step in STEPS:
        print(f"{step:24}{took[step] / lift_seconds * 1e6:22.2f}{lift_seconds / took[step]:28,.0f}")
    print(f"{'all':24}{took.total() / lift_seconds * 1e6:22.2f}{lift_seconds / took.total():28,.0f}")


if __name__ == "__main__":
    main()
