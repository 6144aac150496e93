"""Measures every rule on simulated lifts with one fault each, behind a bad network.

    world ─► parts of at most 1 000 lifts, each with its own seed ─► FOLDER/WORLD-SEED.pickle ─► table of all of them

A world suits the rules that its causes raise: minutes for a stop between floors, months of half an hour a day for wear.
`days` parts of `hours` are simulated, with the calendar between them; wear grows to functional failure within them.

python -m benchmarks.referee run sudden --faults 100 --to FOLDER
python -m benchmarks.referee table FOLDER
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.referee_table import tables
from commands.trial import Trial, judge_scenario
from evaluation.evaluate import EvaluationRun, Report, evaluate
from evaluation.split import HELD_OUT
from simulator.faults.cause import FAULT, GROWING
from simulator.faults.cause_table import CAUSES
from simulator.scenarios.library import read
from simulator.scenarios.scenario import Scenario

PART = 1000
FIRST_SEED = 140_001
"""No rule was tuned on a world with this seed or a later one."""
KINDS = 14
"""The kinds of near misses that are dealt, one a lift."""
NETWORK = {"lost": 0.005, "delay_s": 0.3, "overtaken": 0.002, "repeated": 0.005}


@dataclass(frozen=True, slots=True)
class RefereeWorld:
    """Faults of some causes, one a lift, whose onset is drawn between two instants; `for_s` None is the cause's own."""

    causes: tuple[str, ...]
    hours: float
    onset_h: tuple[float, float]
    days: int = 1
    for_s: float | None = None
    growth_days: float | None = None
    form: str | None = None
    vibration: bool = False
    machine: bool = False
    start: str = "2001-09-10T08:00:00+08:00"
    near_misses: bool = False
    bad_network: bool = False


STOPS = (
    *("car-stalled-between-floors", "power-cut", "building-power-cut", "safety-chain-glitch", "landing-lock-broken"),
    *("door-forced-in-run", "position-encoder-failed", "controller-frozen-at-landing", "alarm-button-pressed"),
    *("brake-failure-doors-open", "speed-regulator-drift", "governor-overspeed", "counterweight-runaway"),
    *("top-slowdown-lost", "bottom-slowdown-lost", "ropes-spin-on-sheave", "door-operator-dead", "door-lock-bridged"),
    *("door-coupler-loose", "door-obstruction", "door-belt-slipping", "hall-button-stuck", "door-open-button-stuck"),
    *("furniture-in-doorway", "curtain-dirty", "terminal-dead"),
)
LASTING = (
    *("drive-weak", "drive-crawls", "brake-released-early", "phantom-calls", "position-offset", "position-stuck"),
    *("position-spikes", "speed-dead", "speed-stuck", "speed-encoder-slips", "presence-stuck", "presence-dead"),
    *("door-sensor-stuck", "level-drift", "brake-lining-creeps", "ropes-slip-on-sheave", "messages-out-of-order"),
)
RIDES = (
    *("roller-flat", "rollers-worn", "shoes-worn", "sheave-worn", "rope-tension-uneven", "rail-joint-displaced"),
    *("drive-set-hard", "vandals-jump", "accelerometer-dead", "accelerometer-silent", "accelerometer-offset"),
    "children-jumping",
)
WEARING = ("level-drift", "brake-lining-creeps", "brake-lining-worn", "ropes-slip-on-sheave")
WEARING_RIDES = ("rollers-worn", "shoes-worn", "sheave-worn", "rope-tension-uneven", "accelerometer-drifts")
WORLDS = {
    "sudden": RefereeWorld(STOPS, 0.5, (0.03, 0.15), bad_network=True),
    "lasting": RefereeWorld(LASTING, 1.5, (0.45, 0.5), for_s=3600.0, form="sudden"),
    "rides": RefereeWorld(RIDES, 6.0, (4.0, 4.1), for_s=6900.0, form="sudden", vibration=True),
    "machine": RefereeWorld(("machine-bearing-damaged",), 1.2, (0.5, 0.6), form="sudden", machine=True),
    "days": RefereeWorld(("curtain-dead", "brake-lining-worn"), 0.6, (48.0, 48.3), days=14, growth_days=8.0),
    "hung": RefereeWorld(("controller-hung",), 0.6, (336.03, 336.1), days=15),
    "wear": RefereeWorld(WEARING, 0.35, (72.0, 72.2), days=28, growth_days=18.0),
    "ride-wear": RefereeWorld(WEARING_RIDES, 0.35, (72.0, 72.2), days=25, growth_days=15.0, vibration=True),
    "clocks": RefereeWorld(("clock-drifts", "terminal-catches-up"), 2.0, (0.1, 0.2), form="sudden"),
    "near-misses": RefereeWorld((), 1.5, (0.0, 0.0), near_misses=True, bad_network=True),
    "quiet": RefereeWorld((), 6.0, (0.0, 0.0), start="2001-09-10T06:00:00+08:00"),
}


def scenarios(world: RefereeWorld, faults: int, lifts: int) -> Iterator[Scenario]:
    """Yield the scenarios of a world: so many faults of each of its causes, or so many lifts without one."""
    causes = [cause for _ in range(faults) for cause in world.causes] or [""] * lifts
    for number, first in enumerate(range(0, len(causes), PART)):
        yield _scenario(world, causes[first : first + PART], FIRST_SEED + number)


def _scenario(world: RefereeWorld, causes: Sequence[str], seed: int) -> Scenario:
    first_h, last_h = world.onset_h
    fault: dict[str, object] = {"onset_h": first_h, "spread_s": (last_h - first_h) * 3600}

    def planned(cause: str, lift: int) -> dict[str, object]:
        growing = (world.form or CAUSES[cause].form) == GROWING and CAUSES[cause].kind == FAULT
        optional = {
            "for_s": world.for_s,
            "growth_days": world.growth_days if growing else None,
            "form": world.form if CAUSES[cause].kind == FAULT else None,
        }
        return {"cause": cause, "lift": lift, **fault, **{k: v for k, v in optional.items() if v is not None}}

    return read(
        None,
        {
            "lifts": len(causes),
            "seed": seed,
            "start": datetime.fromisoformat(world.start),
            "hours": world.hours,
            "days": world.days,
            "idle_hz": 1,
            "vibration": world.vibration,
            "machines": tuple(range(1, len(causes) + 1)) if world.machine else (),
            "barometers": 0.1 if world.near_misses else 0.0,
            "parked_open": 0.05 if world.near_misses else 0.0,
            "near_misses": len(causes) // KINDS if world.near_misses else 0,
            "network": NETWORK if world.bad_network else {},
            "faults": tuple(planned(cause, lift) for lift, cause in enumerate(causes, 1) if cause),
        },
    )


def run(name: str, faults: int, lifts: int, folder: Path) -> None:
    """Judge the parts of a world that are not in the folder yet; print the CPU time of each."""
    folder.mkdir(parents=True, exist_ok=True)
    for scenario in scenarios(WORLDS[name], faults, lifts):
        file = folder / f"{name}-{scenario.seed}.pickle"
        if file.exists():
            continue
        before = time.process_time()
        tried = judge_scenario(scenario, name, 1)
        file.write_bytes(pickle.dumps(tried))
        print(f"{file.name}: {scenario.lifts} lifts, {time.process_time() - before:.0f} CPU s", flush=True)


def pooled(trials: Iterable[tuple[str, Trial]]) -> Trial:
    """Return several trials as one, with lifts named by their world and seed."""
    labels: list[Mapping[str, Any]] = []
    raised, lift_ids, not_judged, lift_s = [], [], {}, 0.0
    judged: frozenset[str] = frozenset()
    for name, tried in trials:
        of = tried.evaluation_run
        labels += [{**row, "lift_id": f"{name}/{row['lift_id']}"} for row in tried.labels]
        raised += [replace(one, lift_id=f"{name}/{one.lift_id}") for one in tried.raised]
        lift_ids += [f"{name}/{lift_id}" for lift_id in of.lift_ids]
        not_judged |= {f"{name}/{lift_id}": rules for lift_id, rules in of.not_judged.items()}
        lift_s += of.seconds * len(of.lift_ids)
        judged |= of.judged
    seconds = lift_s / max(1, len(lift_ids))
    return Trial(EvaluationRun("referee", "liftwatch", 0, lift_ids, seconds, judged, not_judged), labels, raised)


def load(folder: Path, quiet: bool) -> Iterator[tuple[str, Trial]]:
    """Yield the trials in a folder: those of the quiet world, or all others."""
    for file in sorted(folder.glob("*.pickle")):
        if file.stem.startswith("quiet") == quiet:
            yield file.stem, pickle.loads(file.read_bytes())  # written by `run`


def report(trials: Iterable[tuple[str, Trial]]) -> Report | None:
    """Return the figures of pooled trials, None without one; all their lifts are held out."""
    tried = pooled(trials)
    return next(iter(evaluate(tried.evaluation_run, tried.labels, tried.raised, set_of=lambda *_: HELD_OUT)), None)


def main() -> None:
    """Run a world, or print the tables of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("world", choices=WORLDS)
    running.add_argument("--faults", type=int, default=100, help="faults of each cause")
    running.add_argument("--lifts", type=int, default=250, help="lifts of a world without faults")
    running.add_argument("--to", type=Path, required=True)
    printing = commands.add_parser("table")
    printing.add_argument("folder", type=Path)
    asked = parser.parse_args()
    if asked.command == "run":
        run(asked.world, asked.faults, asked.lifts, asked.to)
    else:
        faults = report(load(asked.folder, quiet=False))
        print(tables(faults, report(load(asked.folder, quiet=True))) if faults else "No world with faults was run.")


if __name__ == "__main__":
    main()
