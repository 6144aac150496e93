"""The sequencer as a plain loop over messages, one lift at a time: slow, obvious, and the measure of the fast one."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.batch import CHANNELS, UNSURE, Decoded
from telemetry.order.numbering import JUMP
from telemetry.order.placing import ALIGN_NS, PRESS_KEPT_NS, SPREAD_NS
from telemetry.order.records import RECENT_LIMIT, SLOT_NS, SLOTS
from telemetry.order.recurrence import HELD_LIMIT_ROWS, STEP_GAP_NS

NEVER = -(10**18)
STREAMS = ("speed", "displacement", "door", "infrared", "status")
SAMPLED = ("speed", "displacement")


class SampleRow(NamedTuple):
    """A row of a message: its stream, its time by the lift's clock, its values."""

    stream: str
    t_ns: int
    values: dict[str, float]


class Message(NamedTuple):
    boot: str
    seq: int
    t_ns: int
    end_ns: int
    arrived_ns: int
    timed: bool
    complete: bool
    stale: bool
    sampled: str
    rows: list[SampleRow]

    @property
    def is_status(self) -> bool:
        return not self.complete and {row.stream for row in self.rows} == {"status"}

    @property
    def last_ns(self) -> int:
        """Up to where it stands for its streams."""
        samples = [row.t_ns for row in self.rows if row.stream in SAMPLED]
        return max(samples, default=self.end_ns) if self.complete else self.end_ns


@dataclass
class Lift:
    boot: str = "0"
    seq: int = -1
    t_ns: int = NEVER
    boot_before: str = "0"
    jumped_from: int = -1
    ahead_ns: int = 0
    received_ns: int = NEVER
    end_ns: int = NEVER
    streams_ns: dict[str, int] = field(default_factory=dict)
    status_ns: int = NEVER
    released_ns: int = NEVER
    arrivals: list[tuple[int, int]] = field(default_factory=list)  # the slot of each, and the end of the message
    slot: int = NEVER
    anchor_ns: int = NEVER
    brought: int = 0
    recent: deque[tuple[str, int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_LIMIT))
    rows: dict[int, dict[str, float]] = field(default_factory=dict)  # every row accepted, by its time
    counts: Counter[str] = field(default_factory=Counter)

    def row(self, t_ns: int) -> dict[str, float]:
        return self.rows.setdefault(t_ns, {})


def sequence(groups: Sequence[tuple[Decoded, Sequence[int]]]) -> dict[int, Lift]:
    """Return each lift after all messages, with every row that is ever released."""
    lifts: dict[int, Lift] = {}
    for decoded, indices in groups:
        rows_of: list[list[SampleRow]] = [[] for _ in indices]
        for stream in STREAMS:
            samples = decoded.samples[stream]
            for row, message in enumerate(samples.message.tolist()):
                values = {name: float(column[row]) for name, column in samples.channels.items() if name in CHANNELS}
                known = {name: value for name, value in values.items() if not math.isnan(value)}
                rows_of[message].append(SampleRow(stream, int(samples.t_ns[row]), known))
        shaken = dict.fromkeys(decoded.waveforms.message.tolist(), "vibration")
        shaken |= dict.fromkeys(decoded.machine.message.tolist(), "machine")
        for number, index in enumerate(indices):
            if index >= 0:
                receive(lifts.setdefault(index, Lift()), read(decoded, number, rows_of[number], shaken.get(number, "")))
    return lifts


def read(decoded: Decoded, number: int, rows: list[SampleRow], shaken: str) -> Message:
    m = decoded.messages
    sampled = next((row.stream for row in rows if row.stream in SAMPLED), shaken)
    return Message(
        m.boot[number],
        int(m.seq[number]),
        int(m.t_ns[number]),
        int(m.t_end_ns[number]),
        int(m.arrived_ns[number]),
        bool(m.timed[number]),
        bool(m.complete[number]),
        bool(m.retained_stale[number]),
        "bundle" if m.complete[number] else sampled,
        rows,
    )


def receive(lift: Lift, message: Message) -> None:
    lift.counts["received"] += 1
    pass_time(lift, message.arrived_ns)
    identity = (message.boot, message.seq, message.t_ns)
    same = (message.boot, message.seq) == (lift.boot, lift.seq) and message.seq >= 0 and not message.is_status
    if identity in lift.recent if message.timed else same:
        lift.counts["repeats"] += 1
        return
    if message.timed:
        lift.recent.append(identity)
    carries_on, restarted, gap, since_ns = True, False, 0, message.t_ns - lift.t_ns
    if message.seq >= 0:
        carries_on, restarted, gap = follow(lift, message) if message.timed else follow_untimed(lift, message)
    elif lift.seq < 0 and message.boot != "0":
        restarted = follow_boot(lift, message)
    lift.counts["gaps"] += gap
    lift.counts["restarts"] += restarted
    turned = message.sampled != "" and carries_on and message.timed and follow_clock(lift, message)
    if not message.timed and not message.is_status:
        later_ns = max(0, lift.released_ns + 1 - message.t_ns - lift.ahead_ns)
        message = moved(message, later_ns)
    t_ns = message.t_ns + lift.ahead_ns
    if message.is_status and lift.released_ns == NEVER:
        lift.released_ns = t_ns - STEP_GAP_NS
    at_ns = lift.released_ns + 1
    if not message.is_status:
        at_ns = max(min(t_ns, lift.end_ns + 1), at_ns)
    if gap:
        until_ns = t_ns if message.complete else message.end_ns + lift.ahead_ns
        row = lift.row(at_ns)
        missing_ns = until_ns - max(lift.end_ns, lift.status_ns)
        if since_ns > 0:
            missing_ns = min(missing_ns, int(since_ns * (gap / (gap + 1))))
        row["gap"] = max(row.get("gap", 0.0), max(missing_ns, 1) / 1e9)
    if restarted:
        lift.row(at_ns)["reboot"] = 1.0
    if gap or restarted:
        lift.end_ns = max(lift.end_ns, at_ns)
    if message.is_status:
        receive_status(lift, message, carries_on)
    else:
        receive_streams(lift, message, carries_on, turned)


def pass_time(lift: Lift, arrived_ns: int) -> None:
    slot = arrived_ns // SLOT_NS
    was_set_back = slot < lift.slot - SLOTS
    gone = [each for each in lift.arrivals if was_set_back or each[0] <= slot - SLOTS]
    lift.released_ns = max([lift.released_ns, *(end_ns for _, end_ns in gone)])
    lift.arrivals = [each for each in lift.arrivals if each not in gone]
    lift.slot = slot if was_set_back else max(lift.slot, slot)


def follow(lift: Lift, message: Message) -> tuple[bool, bool, int]:
    """Return whether the message carries the sequence on, whether its device restarted, and how many are missing."""
    later = message.t_ns > lift.t_ns
    first = lift.seq < 0
    same_boot = message.boot == lift.boot
    if same_boot and later and 0 <= lift.jumped_from < message.seq < lift.seq:
        lift.seq, lift.jumped_from = lift.jumped_from, -1
    onward = not first and same_boot and message.seq > lift.seq
    jumped = onward and message.seq - lift.seq > JUMP
    restarted = jumped or (not first and not same_boot and (later or message.boot != lift.boot_before))
    restarted |= not first and same_boot and message.boot == "0" and message.seq < lift.seq and later
    known_ns = message.arrived_ns + ALIGN_NS
    overrules = lift.t_ns > known_ns and message.t_ns <= known_ns
    carries_on = first or onward or restarted or overrules
    gap = message.seq - lift.seq - 1 if onward and not jumped else 0
    if restarted:
        lift.jumped_from = lift.seq if jumped else -1
    if carries_on:
        lift.boot_before = lift.boot_before if same_boot else lift.boot
        lift.boot, lift.seq = message.boot, message.seq
        lift.t_ns = message.t_ns if restarted or overrules else max(message.t_ns, lift.t_ns)
    return carries_on, restarted, gap


def follow_untimed(lift: Lift, message: Message) -> tuple[bool, bool, int]:
    """Do as `follow` for a message without a time."""
    first, ahead = lift.seq < 0, message.seq - lift.seq if message.boot == lift.boot else -1
    if not first and ahead <= 0 and message.is_status:
        return True, False, 0
    lift.boot, lift.seq = message.boot, message.seq
    if first:
        return True, False, 0
    return (True, False, ahead - 1) if 0 < ahead <= JUMP else (True, True, 0)


def follow_boot(lift: Lift, message: Message) -> bool:
    """Return whether the device of a lift that numbers nothing restarted."""
    later = message.t_ns > lift.t_ns
    if message.is_status and not (message.timed and later):
        return False
    restarted = False
    if message.boot != lift.boot:
        restarted = lift.boot != "0" and (later or message.boot != lift.boot_before)
        if lift.boot != "0" and not restarted:
            return False
        lift.boot, lift.boot_before = message.boot, lift.boot
    lift.t_ns = message.t_ns if restarted else max(lift.t_ns, message.t_ns)
    return restarted


def moved(message: Message, later_ns: int) -> Message:
    """Return a message with its readings so much later."""
    rows = [row._replace(t_ns=row.t_ns + later_ns) for row in message.rows]
    return message._replace(t_ns=message.t_ns + later_ns, end_ns=message.end_ns + later_ns, rows=rows)


def follow_clock(lift: Lift, message: Message) -> bool:
    """Return whether the lift's time is ahead of its clock by another time from here on."""
    turned = False
    t_ns = message.t_ns + lift.ahead_ns
    end_ns = max(lift.released_ns, lift.end_ns)
    is_first = lift.received_ns == NEVER
    is_new = message.sampled not in lift.streams_ns and message.sampled not in ("vibration", "machine")
    is_ahead = lift.released_ns > message.arrived_ns + lift.ahead_ns + ALIGN_NS
    is_out_of_order = t_ns < lift.streams_ns.get(message.sampled, NEVER)
    if t_ns < lift.released_ns - ALIGN_NS and (is_out_of_order or is_new or is_ahead or is_first):
        lift.released_ns, lift.ahead_ns = end_ns, lift.ahead_ns + end_ns + STEP_GAP_NS - t_ns
        lift.t_ns, lift.status_ns = message.t_ns, NEVER
        lift.counts["steps"] += not is_first
        turned = True
    elif lift.ahead_ns > 0 and t_ns - end_ns > STEP_GAP_NS:
        turned = True
        lift.ahead_ns = max(0, lift.ahead_ns - (t_ns - end_ns - STEP_GAP_NS))
    t_ns = message.t_ns + lift.ahead_ns
    lift.streams_ns[message.sampled] = max(lift.streams_ns.get(message.sampled, NEVER), t_ns)
    return turned


def receive_status(lift: Lift, message: Message, carries_on: bool) -> None:
    status_ns = message.t_ns + lift.ahead_ns
    late = not carries_on and status_ns < max(lift.status_ns, lift.released_ns - ALIGN_NS)
    if message.seq < 0:
        late = status_ns < lift.status_ns - ALIGN_NS
    lift.released_ns += 1
    lift.counts["late"] += late
    (row_of,) = message.rows
    if late:
        press_late(lift, message, row_of, lift.released_ns)
        return
    lift.status_ns = max(lift.status_ns, status_ns)
    row = lift.row(lift.released_ns)
    row.update(row_of.values)
    if message.stale:
        row["stale"] = 1.0
    if row_of.values.keys() & {"alarm", "power"}:
        row["status_after_ns"] = float(status_ns - lift.released_ns)


def press_late(lift: Lift, message: Message, row_of: SampleRow, at_ns: int) -> None:
    if row_of.values.get("alarm") == 1.0 and not message.stale and message.arrived_ns - message.t_ns <= PRESS_KEPT_NS:
        lift.released_ns = max(lift.released_ns, at_ns)
        after_ns = float(row_of.t_ns + lift.ahead_ns - at_ns)
        lift.row(at_ns).update({"late_press": 1.0, "status_after_ns": after_ns})


def receive_streams(lift: Lift, message: Message, carries_on: bool, turned: bool) -> None:
    t_ns, before_ns = message.t_ns + lift.ahead_ns, lift.released_ns
    late = not carries_on and message.last_ns + lift.ahead_ns <= before_ns
    begun: set[str] = set()
    for row_of in message.rows:
        row_ns = row_of.t_ns + lift.ahead_ns
        begins = row_of.stream in SAMPLED and row_of.stream not in begun
        begun.add(row_of.stream)
        if row_ns > before_ns:
            last_ns = max(other.t_ns for other in message.rows if other.stream == row_of.stream)
            unsure = message.complete and row_of.stream in ("door", "infrared") and last_ns == message.t_ns
            if unsure and message.last_ns - message.t_ns > SPREAD_NS:
                lift.row(row_ns).update({name: value + UNSURE for name, value in row_of.values.items()})
                lift.row(message.last_ns + lift.ahead_ns).update(row_of.values)
            else:
                lift.row(row_ns).update(row_of.values)
            lone = row_of.stream in ("door", "infrared") and not message.complete
            if (begins or lone) and message.seq < 0 and not turned:
                mark = 2.0 if lone else 1.0
                lift.row(row_ns)["unnumbered"] = max(mark, lift.row(row_ns).get("unnumbered", mark))
            continue
        late = True
        if row_of.stream == "status":
            press_late(lift, message, row_of, before_ns + 1)
    lift.counts["late"] += late
    lift.received_ns = max(lift.received_ns, t_ns)
    lift.end_ns = max(lift.end_ns, t_ns, message.end_ns + lift.ahead_ns)
    lift.arrivals.append((lift.slot, lift.end_ns))
    lift.released_ns = max(lift.released_ns, lift.received_ns - ALIGN_NS)
    if message.complete:
        lift.released_ns = max(lift.released_ns, message.last_ns + lift.ahead_ns)
    if lift.received_ns - lift.anchor_ns >= ALIGN_NS:
        lift.anchor_ns, lift.brought = lift.received_ns, 0
    lift.brought += len(message.rows)
    if lift.brought > HELD_LIMIT_ROWS:
        lift.brought, lift.released_ns = 0, max(lift.released_ns, lift.end_ns)
        lift.counts["overflows"] += 1
