"""Measures decoding, sequencing and judging the backlog of a disconnected device or network on one core.

python -m benchmarks.backlog
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import bundles
from detectors.catalogue import RULES
from detectors.judge import Judge
from ingest.fleet import Fleet
from ingest.warm_up import warm_up
from telemetry.order.sequence import Sequencer
from telemetry.streams import Entry, topic
from telemetry.wire import encode
from telemetry.wire.decode import decode

T0_MS = 978_307_200_000
MESSAGES_AT_ONCE = 10_000
STEPS = ("decode", "sequence", "judge")


def bodies(lifts: int, seconds: int, vibration: bool) -> Iterator[list[Entry]]:
    """Yield the bundles of a disconnected fleet as the journal reads them: some thousand at a time."""
    position = 0
    entries: list[Entry] = []
    for second in range(seconds):
        for i in range(lifts):
            body = bundles.bundle(i, second, T0_MS + 1000 * second, typed=False, vibrates=vibration)
            position += 1
            where = topic(bundles.DISTRICT, bundles.lift_id(i), "bundle")
            entries.append(Entry(position, (T0_MS + 1000 * seconds) * 1_000_000, where, encode.to_json(body)))
        if len(entries) >= MESSAGES_AT_ONCE or second == seconds - 1:
            yield entries
            entries = []


def measure(lifts: int, seconds: int, vibration: bool) -> dict[str, float]:
    """Return the CPU seconds of each step over the whole backlog."""
    warm_up(RULES)
    fleet, sequencer, judge = Fleet(), Sequencer(), Judge(RULES, lifts)
    fleet.load([(facts, True) for facts in bundles.facts(lifts)])
    took = dict.fromkeys(STEPS, 0.0)

    for entries in bodies(lifts, seconds, vibration):
        begun = time.process_time()
        decoded = decode(entries)
        indexed = fleet.index(decoded.messages)
        decoded_at = time.process_time()
        batch, _ = sequencer.step(decoded, indexed.lift)
        sequenced_at = time.process_time()
        judge.step(batch, fleet.facts)
        ended = time.process_time()
        spans_s = (decoded_at - begun, sequenced_at - decoded_at, ended - sequenced_at)
        for step, span_s in zip(STEPS, spans_s, strict=True):
            took[step] += span_s
    return took


def main() -> None:
    """Print one table."""
    print(f"{'':44}{'decode':>9}{'sequence':>10}{'judge':>8}{'all':>8}{'times real time':>17}")
    for name, lifts, seconds, vibration in (
        ("one lift, an hour, 3 x 100 Hz", 1, 3600, True),
        ("1 000 lifts, ten minutes, no vibration", 1000, 600, False),
    ):
        took = measure(lifts, seconds, vibration)
        all_s = sum(took.values())
        steps = "".join(f"{took[step]:{width}.2f}" for step, width in zip(STEPS, (9, 10, 8), strict=True))
        judged = seconds / (took["sequence"] + took["judge"])
        print(f"{name:44}{steps}{all_s:8.2f}{seconds / all_s:9.0f} ({judged:.0f})")
    print("CPU seconds; in brackets without decoding")


if __name__ == "__main__":
    main()
