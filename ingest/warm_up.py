"""Compiles the recurrences, or loads their code from the cache, so that the first message does not wait for it.

One lift's bundles and single streams go through decoding, ordering and judging, as in the monitor: it runs, is braked
hard, and rests; its alarm button is pressed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.observe import tables
from detectors.observe.arrivals import judged_arrivals
from detectors.rule import Rule
from ingest.fleet import Fleet
from registry.facts import Floor, LiftFacts
from telemetry.batch import Batch
from telemetry.compiled import compilations
from telemetry.order.sequence import Sequencer
from telemetry.streams import Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode

T0_MS = 978_307_200_000
SECONDS, STOPS_AFTER_S = 12, 6
RUNS_MPS, BRAKES_MPS2 = 1.6, 4.0


class WarmUp(NamedTuple):
    """The number of functions compiled because the cache lacked their code, and the duration."""

    compiled: int
    took_s: float


def warm_up(rules: Sequence[Rule]) -> WarmUp:
    """Run every recurrence once."""
    begun, before = time.monotonic(), compilations()
    fleet, sequencer, judge = Fleet(), Sequencer(), Judge(rules, 1)
    floors = (Floor("G", 0.0), Floor("1", 4.0))
    fleet.load([(LiftFacts("warm-up", "warm-up", rated_speed_mps=1.0, floors=floors), True)])
    for batch in _batches(fleet, sequencer):
        judge.step(batch, fleet.facts)
    _, seen = tables.step(tables.start(1), batch, fleet.facts)
    for rule in RULES:
        if rule.table != "arrivals":  # the judge leaves out a rule whose table is empty, and no trip is complete
            rule.detector.step(rule.detector.start(1), getattr(seen, rule.table), fleet.facts)
    arrived_ns = np.full(1, T0_MS * 1_000_000)
    judge.step_arrivals(judged_arrivals(np.zeros(1, np.int32), arrived_ns, clock_s=np.zeros(1)), fleet.facts)
    judge.tick((T0_MS + 1000 * SECONDS) * 1_000_000, 0, fleet.facts)
    return WarmUp(compilations() - before, time.monotonic() - begun)


def _batches(fleet: Fleet, sequencer: Sequencer) -> Iterator[Batch]:
    """Yield what may be judged of the lift's seconds, one after the other, and of the last when it falls silent."""
    for second in range(SECONDS):
        entries = [
            Entry(position, (T0_MS + 1000 * (second + 1)) * 1_000_000, topic, encode.to_json(message))
            for position, (topic, message) in enumerate(_messages(second), start=1)
        ]
        decoded = decode(entries)
        lift = fleet.index(decoded.messages).lift
        yield sequencer.raise_presses(decoded, lift)
        yield sequencer.step(decoded, lift)[0]
    yield sequencer.idle((T0_MS + 1000 * (SECONDS + 60)) * 1_000_000)


def _messages(second: int) -> Iterator[tuple[str, encode.MessageObject]]:
    """Yield topics and messages of one second: a bundle, or in every third second each stream by itself."""
    t_ms, at_s = T0_MS + 1000 * second, second + np.arange(10) / 10
    v_mps = np.clip(RUNS_MPS - BRAKES_MPS2 * (at_s - STOPS_AFTER_S), 0.0, RUNS_MPS)
    z_m = RUNS_MPS * np.minimum(at_s, STOPS_AFTER_S + RUNS_MPS / BRAKES_MPS2 / 2)
    streams: dict[str, encode.MessageObject] = {
        "speed": encode.speed(100, v_mps),
        "displacement": encode.displacement(100, z_m),
        "vibration": encode.vibration(10, np.zeros((3, 100), dtype=np.float32) + np.float32(second % 2)),
        "door": encode.door([0], ["closed"]),
        "infrared": {"presence": True, "curtain": False},
    }
    where = "lift/v1/warm-up/warm-up"
    if second % 3 < 2:
        yield f"{where}/bundle", encode.bundle(10 * second, t_ms, None, **streams)
        return
    yield f"{where}/status", {"seq": 10 * second, "t": t_ms, "online": True, "alarm": True, "mode": "normal"}
    for number, (name, stream) in enumerate(streams.items(), start=1):
        yield f"{where}/{name}", {"seq": 10 * second + number, "t": t_ms, **stream}
