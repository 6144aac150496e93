"""Measures all rules beside other libraries on the same samples, on one core: CPU time of judging by size of the fleet.

    python -m benchmarks.beside
    python -m benchmarks.beside --lifts 1000 3000 10000 30000 100000 --plot docs/cost.png

With `--plot` the cost by the size of the fleet is drawn, and nothing else is measured.
The fleet is simulated, and judged second by second as the monitor does when it keeps up. River, PySAD and pandas are
measured where they are installed; each updates and scores the speeds of the same lifts, one detector for all.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.plots.sheet import DPI, FORMULA, LINE, sheet
from commands.monitor import collect_seldom
from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.observe import acceleration, features
from ingest.fleet import Fleet
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from telemetry.arrays import F64
from telemetry.batch import Batch, Waveforms
from telemetry.order.sequence import Sequencer

START_NS = 978_307_200 * 1_000_000_000
SIZES = {50: 120, 1_000: 60, 3_000: 30, 10_000: 15, 30_000: 8, 100_000: 4}
"""The fleets, and how many seconds of each are measured, after as many that warm up."""
WAVE_LIFTS, WAVE_HZ = 10_000, 100
PEER_SAMPLES = 20_000
ROLLING_SAMPLES = 1_000_000


def cpu_s(act: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    before = time.process_time()
    act()
    return time.process_time() - before


def batches(lifts: int, seconds: int, fleet: Fleet) -> Iterator[Batch]:
    """Yield the rows of each second of a simulated morning."""
    simulation = Simulation(Scenario(lifts=lifts, hours=1.0, hour=8.5), START_NS)
    sequencer = Sequencer()
    fleet.load([(facts, True) for facts in simulation.facts])
    for _ in range(seconds):
        group = simulation.columns.decoded(simulation.report())
        yield sequencer.step(group, fleet.index(group.messages).lift)[0]


OF_VIBRATION = ("ride_vibration", "features", "machine")
"""The states of filters and spectra: where no vibration is sent they stay zero, and the pages untouched."""


def judged(lifts: int, seconds: int) -> tuple[float, float, float]:
    """Return the CPU microseconds of all rules for one lift and second of 10 Hz, and the bytes of state a lift, beside
    those of vibration and of these."""
    fleet, judge, took, rows = Fleet(), Judge(RULES, lifts), 0.0, 0
    for second, batch in enumerate(batches(lifts, 2 * seconds, fleet)):
        once = cpu_s(partial(judge.step, batch, fleet.facts))
        if second >= seconds:
            took, rows = took + once, rows + len(batch)
    whole = sum(state.nbytes for state in judge.states.values()) / lifts
    of_vibration = sum(judge.states[name].nbytes for name in OF_VIBRATION) / lifts
    return took / (lifts * seconds) * 1e6, whole - of_vibration, of_vibration


def waves() -> Waveforms:
    """Return one second of the vibration of a fleet, a block of each lift."""
    count = WAVE_LIFTS * WAVE_HZ
    xyz = np.random.default_rng(1).normal(0.0, 0.05, size=(3, count)).astype(np.float32)
    lift = np.arange(WAVE_LIFTS, dtype=np.int32)
    first = np.arange(WAVE_LIFTS + 1) * WAVE_HZ
    return Waveforms(lift, np.full(WAVE_LIFTS, START_NS), np.full(WAVE_LIFTS, 1e9 / WAVE_HZ), first, xyz)


def vibration() -> float:
    """Return how many million samples of vibration become features in a CPU second."""
    block, memory = waves(), acceleration.start(WAVE_LIFTS)
    features.step(memory, block)
    took = min(cpu_s(lambda: features.step(memory, block)) for _ in range(5))
    return block.xyz.size / took / 1e6


def whole_second() -> float:
    """Return the CPU milliseconds of judging one second of a fleet with vibration."""
    fleet, judge, took = Fleet(), Judge(RULES, WAVE_LIFTS), []
    for second, batch in enumerate(batches(WAVE_LIFTS, 6, fleet)):
        block = replace(waves(), t_ns=np.full(WAVE_LIFTS, START_NS + second * 1_000_000_000))
        took.append(cpu_s(partial(judge.step, replace(batch, waveforms=block), fleet.facts)))
    return float(np.median(took[2:])) * 1e3


def speeds(count: int) -> F64:
    """Return so many speeds of the simulated fleet."""
    fleet, found, got = Fleet(), list[F64](), 0
    for batch in batches(1_000, 1_000, fleet):
        found.append(batch.v_mps[~np.isnan(batch.v_mps)])
        got += len(found[-1])
        if got >= count:
            break
    return np.concatenate(found)[:count]


def river(values: F64) -> float:
    """Return the CPU seconds of River's half-space trees."""
    trees = import_module("river.anomaly").HalfSpaceTrees(seed=1, limits={"v": (-3.0, 3.0)})

    def run() -> None:
        for value in values.tolist():
            trees.score_one({"v": value})
            trees.learn_one({"v": value})

    return cpu_s(run)


def pysad(values: F64) -> float:
    """Return the CPU seconds of PySAD's half-space trees."""
    model = import_module("pysad.models").HalfSpaceTrees(feature_mins=[-3.0], feature_maxes=[3.0])
    rows = values[:, None]

    def run() -> None:
        for row in rows:
            model.fit_score_partial(row)

    return cpu_s(run)


def rolling(values: F64) -> float:
    """Return the CPU seconds of a rolling z-score over 60 s of each lift in pandas."""
    pandas = import_module("pandas")
    frame = pandas.DataFrame({"lift": np.arange(len(values)) % 1_000, "v": values})

    def run() -> None:
        windows = frame.groupby("lift")["v"].rolling(600, min_periods=10)
        windows.mean()
        windows.std()

    return cpu_s(run)


def linearity(lifts: list[int], costs_us: list[float]) -> Figure:
    """Draw the CPU time of judging a second of a fleet, and of a lift-second, by the size of the fleet."""
    figure, axes = sheet(1, 3.0, 2)
    whole, each = axes[0]
    size, cost_us = np.array(lifts), np.array(costs_us)
    whole.loglog(size, size * cost_us / 1e3, "o-", color=LINE)
    whole.loglog(size, size * cost_us[0] / 1e3, "--", lw=0.9, color=FORMULA, label="in proportion to the smallest")
    whole.set(xlabel="lifts", ylabel="CPU ms for a second of the fleet")
    whole.legend(fontsize=7, frameon=False)
    each.semilogx(size, cost_us, "o-", color=LINE)
    each.set(xlabel="lifts", ylabel="CPU µs a lift-second", ylim=(0.0, 1.2 * cost_us.max()))
    return figure


PEERS: tuple[tuple[str, str, Callable[[F64], float], int], ...] = (
    ("river", "half-space trees, one for all lifts", river, PEER_SAMPLES),
    ("pysad", "half-space trees, one for all lifts", pysad, PEER_SAMPLES),
    ("pandas", "rolling z-score over a minute of each lift", rolling, ROLLING_SAMPLES),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lifts", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--plot", type=Path, help="draw the cost by the size of the fleet, and measure nothing else")
    asked = parser.parse_args()
    chosen, costs_us = asked.lifts, list[float]()
    collect_seldom()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began; {len(RULES)} rules\n")
    heads = f"{'lifts':>8}{'CPU us a lift-second':>24}{'samples a CPU second':>24}"
    print(f"{heads}{'bytes of state a lift':>24}{'of vibration':>14}")
    for lifts in chosen:
        cost_us, state, of_vibration = judged(lifts, SIZES[lifts])
        rate = 20e6 / cost_us
        costs_us.append(cost_us)
        print(f"{lifts:>8}{cost_us:>24.2f}{rate:>24,.0f}{state:>24,.0f}{of_vibration:>14,.0f}", flush=True)
    if asked.plot:
        linearity(chosen, costs_us).savefig(asked.plot, dpi=DPI, metadata={"Software": None})
        return
    print(f"\nvibration features: {vibration():.0f} million samples a CPU second")
    print(
        f"a second of {WAVE_LIFTS} lifts with 3 x {WAVE_HZ} Hz, judged whole: {whole_second():.0f} CPU ms", flush=True
    )
    values = speeds(ROLLING_SAMPLES)
    print(f"\n{'beside, on the same speeds':<64}{'samples a CPU second':>24}")
    for package, what, act, count in PEERS:
        try:
            took = act(values[:count])
        except ImportError:
            print(f"{package}: not installed, not measured")
            continue
        print(f"{package + ': ' + what:<64}{count / took:>24,.0f}", flush=True)


if __name__ == "__main__":
    main()
