"""The sequencer as a plain loop over messages, one lift at a time: slow, obvious, and the measure of the fast one."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from telemetry.batch import CHANNELS, Decoded
from telemetry.order.records import RECENT_LIMIT
from telemetry.order.recurrence import ALIGN_NS, HELD_LIMIT_ROWS, SILENCE_NS

NEVER = -(10**18)
STREAMS = ("speed", "displacement", "door", "infrared", "status")


@dataclass
class Lift:
    boot: str = "0"
    seq: int = -1
    t_ns: int = NEVER
    heard_ns: int = NEVER
    end_ns: int = NEVER
    released_ns: int = NEVER
    arrived_ns: int = NEVER
    anchor_ns: int = NEVER
    brought: int = 0
    recent: deque[tuple[str, int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_LIMIT))
    rows: dict[int, dict[str, float]] = field(default_factory=dict)  # every row accepted, by its time
    counts: Counter[str] = field(default_factory=Counter)


def sequence(groups: Sequence[tuple[Decoded, Sequence[int]]]) -> dict[int, Lift]:
    """Return each lift after all messages, with every row that is ever released."""
    lifts: dict[int, Lift] = {}
    for decoded, indices in groups:
        said: list[list[tuple[str, int, dict[str, float]]]] = [[] for _ in indices]
        for stream in STREAMS:
            samples = decoded.samples[stream]
            for row, message in enumerate(samples.message.tolist()):
                values = {name: float(column[row]) for name, column in samples.channels.items() if name in CHANNELS}
                said[message].append((stream, int(samples.t_ns[row]), values))
        for message, index in enumerate(indices):
            if index >= 0:
                hear(lifts.setdefault(index, Lift()), decoded, message, said[message])
    return lifts


def hear(lift: Lift, decoded: Decoded, message: int, rows: list[tuple[str, int, dict[str, float]]]) -> None:
    m = decoded.messages
    boot, seq, t_ns, end_ns = m.boot[message], int(m.seq[message]), int(m.t_ns[message]), int(m.t_end_ns[message])
    arrived_ns, timed = int(m.arrived_ns[message]), bool(m.timed[message])
    lift.counts["received"] += 1
    if timed and (boot, seq, t_ns) in lift.recent:
        lift.counts["repeats"] += 1
        return
    if not timed and lift.heard_ns == NEVER:
        return
    if timed:
        lift.recent.append((boot, seq, t_ns))
    if arrived_ns - lift.arrived_ns > SILENCE_NS:
        lift.released_ns = max(lift.released_ns, lift.end_ns)
    lift.arrived_ns = max(lift.arrived_ns, arrived_ns)
    before_ns = lift.released_ns
    sampled = [row_ns for stream, row_ns, _ in rows if stream in ("speed", "displacement")]
    horizon_ns = max(sampled, default=end_ns)
    if timed and seq >= 0:
        follow(
            lift,
            boot,
            seq,
            t_ns,
            t_ns if m.complete[message] else end_ns,
            horizon_ns if m.complete[message] else math.inf,
        )
    if not timed:
        t_ns = end_ns = max(lift.end_ns, before_ns + 1)
    late = False
    for stream, row_ns, values in rows:
        row_ns = row_ns if timed else t_ns
        if row_ns <= before_ns:
            late = True
            continue
        row = lift.rows.setdefault(row_ns, {})
        row.update({name: value for name, value in values.items() if not math.isnan(value)})
        if stream == "status" and m.retained_stale[message]:
            row["stale"] = 1.0
    lift.counts["late"] += late
    lift.heard_ns = max(lift.heard_ns, t_ns)
    lift.end_ns = max(lift.end_ns, end_ns)
    if m.complete[message]:
        lift.released_ns = max(lift.released_ns, horizon_ns)
    lift.released_ns = max(lift.released_ns, lift.heard_ns - ALIGN_NS)
    if lift.heard_ns - lift.anchor_ns >= ALIGN_NS:
        lift.anchor_ns, lift.brought = lift.heard_ns, 0
    lift.brought += len(rows)
    if lift.brought > HELD_LIMIT_ROWS:
        lift.brought, lift.released_ns = 0, max(lift.released_ns, lift.end_ns)
        lift.counts["overflows"] += 1


def follow(lift: Lift, boot: str, seq: int, t_ns: int, until_ns: int, horizon_ns: float) -> None:
    restarted = lift.seq >= 0 and t_ns > lift.t_ns and (boot != lift.boot or (boot == "0" and seq < lift.seq))
    onward = lift.seq >= 0 and boot == lift.boot and seq > lift.seq
    mark_ns = max(min(t_ns, lift.end_ns + 1), lift.released_ns + 1)
    if onward:
        lift.counts["gaps"] += seq - lift.seq - 1
        if seq - lift.seq > 1:
            row = lift.rows.setdefault(mark_ns, {})
            row["gap"] = max(row.get("gap", 0.0), max(until_ns - lift.end_ns, 1) / 1e9)
            lift.end_ns = max(lift.end_ns, mark_ns)
    set_back = onward and horizon_ns <= lift.released_ns
    if restarted or set_back:
        anew_ns = mark_ns if restarted else lift.released_ns + 1
        lift.rows.setdefault(anew_ns, {})["reboot"] = 1.0
        lift.end_ns = max(lift.end_ns, anew_ns)
        lift.counts["restarts"] += restarted
    if restarted or onward or lift.seq < 0:
        lift.boot, lift.seq, lift.t_ns = boot, seq, max(t_ns, lift.t_ns)
