"""Measures each step of the monitor by itself on one core: CPU microseconds for one bundle.

The same calls as in the monitor, on one second of the fleet, the best of some rounds: other load on a shared machine
can only add to them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bundles, pipeline
from benchmarks.cost import Cost, on_one_core
from commands.demo import find_mosquitto
from commands.monitor import collect_seldom
from detectors.catalogue import RULES
from detectors.judge import Judge
from ingest.fleet import Fleet
from store.journal import Journal
from store.series.files import FileSeries
from store.series.line_protocol import encode as encode_lines
from store.series.points import points
from telemetry.batch import Batch, Decoded
from telemetry.order.sequence import Sequencer
from telemetry.streams import Entry
from telemetry.wire.decode import decode

ROUNDS = 5
GROUP = 400
T0_MS = 978_307_200_000


def measure(lifts: int) -> Iterator[Cost]:
    """Yield the cost of every step for a fleet of this size."""
    collect_seldom()
    program = find_mosquitto()
    for form in ("json", "gateway") if program else ():
        yield on_one_core(f"receive {form}", lifts, pipeline.received_us(form, lifts, str(program)))
    seconds = ROUNDS + 1
    entries = {form: [entries_of(form, lifts, k) for k in range(seconds)] for form in ("json", "cbor", "gateway")}
    with tempfile.TemporaryDirectory() as folder:
        yield from journal(lifts, entries["json"], Path(folder))
    decoded: list[Decoded] = []
    for form, groups in entries.items():
        took, decoded = best(decode, groups)
        yield on_one_core(f"decode {form}", lifts, took / lifts)
    fleet = Fleet()
    fleet.load([(facts, True) for facts in bundles.facts(lifts)])
    single = [decode(entries_of("streams", lifts, k)) for k in range(seconds)]
    took, _ = best(partial(in_order, fleet, Sequencer()), single)
    yield on_one_core("batch, five single streams a lift", lifts, took / lifts)
    took, batches = best(partial(in_order, fleet, Sequencer()), decoded)
    yield on_one_core("batch", lifts, took / lifts)
    judge = Judge(RULES, lifts)
    took, _ = best(lambda batch: judge.step(batch, fleet.facts), batches)
    yield on_one_core(f"judge, {len(RULES)} rules", lifts, took / lifts)
    took, stored = best(points, decoded)
    yield on_one_core("columns to store", lifts, took / lifts)
    took, _ = best(lambda rows: [encode_lines(part) for part in rows], stored)
    yield on_one_core("encode line protocol", lifts, took / lifts)
    with tempfile.TemporaryDirectory() as folder:
        series = FileSeries.open(folder)
        took, _ = best(series.write, stored)
        yield on_one_core("store, embedded", lifts, took / lifts)
        series.close()


def entries_of(form: str, lifts: int, second: int) -> list[Entry]:
    """Return one second of the fleet as entries of the journal."""
    t_ms = T0_MS + 1000 * second
    messages = bundles.messages(form, lifts, second, t_ms)
    return [Entry(k + 1, t_ms * 1_000_000, where, payload) for k, (where, payload) in enumerate(messages)]


def in_order(fleet: Fleet, sequencer: Sequencer, group: Decoded) -> Batch:
    """Assign every message to its lift and put the rows in order."""
    indexed = fleet.index(group.messages)
    return sequencer.step(group, indexed.lift)[0]


def journal(lifts: int, groups: list[list[Entry]], folder: Path) -> Iterator[Cost]:
    """Measure appending in synced groups, and reading."""
    with Journal.open(folder, 1 << 30) as opened_journal:

        def append(group: list[Entry]) -> None:
            for first in range(0, len(group), GROUP):
                opened_journal.append([entry[1:] for entry in group[first : first + GROUP]])

        took, _ = best(append, groups)
        yield on_one_core(f"journal, groups of {GROUP}", lifts, took / lifts)
        starts = list(range(0, opened_journal.last - lifts + 1, lifts))
        took, _ = best(lambda after: opened_journal.read(after, lifts, 1 << 30), starts)
        yield on_one_core("read the journal", lifts, took / lifts)


def best(act: Callable[[Any], Any], inputs: list[Any]) -> tuple[float, list[Any]]:
    """Return the least CPU microseconds over the inputs but the first, which warms up, and all results."""
    results, times = [], []
    for value in inputs:
        before = time.process_time_ns()
        results.append(act(value))
        times.append((time.process_time_ns() - before) / 1000)
    return float(np.min(times[1:] or times)), results
