"""The table of arrivals: one row a message, and one row a lift at each tick of the monitor's clock.

    message    x    x    x    w                    w is a last will, which is no sign of life
    tick     |    |    |    |    |    |    |       between messages, silence shows at ticks only
    silent   0....0....0....0..................    since the last sign of life, or since a later last will
    counted  ...............[....]                 the part of it in which a message could be received

A message that waits to be judged counts as a sign of life when it is read, and no second time when it is judged. One
record a lift outlives a message. Times are those of the monitor's clock, and are arguments; nothing here reads a clock.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from detectors.observe.gaps import GAP_MOST_NS
from telemetry.arrays import F64, I8, I32, I64, Bools, Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import HEARTBEAT_DEFAULT_S

CLOCK_SET_NS = 60 * 1_000_000_000
"""An arrival so long after a tick was stamped before the monitor's clock was set back."""

BLIND_NS = 60 * 1_000_000_000
"""The time without judged messages after which a lift that was judged before is blind."""
JUDGED, SPOKE, WAITS, NO_RULE = 0, -1, -2, 127

MEMORY = np.dtype(
    [
        ("seen_ns", np.int64),  # the latest sign of life, 0 never
        ("will_ns", np.int64),  # the latest last will, 0 never
        ("heartbeat_s", np.float64),
        ("judged_ns", np.int64),  # the latest arrival of readings that were judged, 0 never
        ("unjudged_ns", np.int64),  # the first arrival after that of a message that was not judged, 0 none
        ("reason", np.int8),  # the reason of the latest one of these
        ("impossible", np.int8),  # the streams (bits) whose latest readings no lift can have
        ("only_status", np.bool_),  # only statuses were not judged
        ("blind", np.bool_),
    ],
    align=True,
)


class MessageArrivals(NamedTuple):
    """Messages, one row each.

    `online` (0 is a last will) and `heartbeat_s` are NaN where the message does not mention them. `clock_s` is the
    time of the message's last reading minus its arrival, NaN where the message has no time of its own. `stepped`
    marks messages with which the lift's clock was set back. `outcome` is `JUDGED`, `SPOKE` (nothing to be judged),
    `WAITS` (judged later, in a row of its own), `NO_RULE` (vibration alone, from which no rule concludes), or the
    number of the reason why the message was not judged. `status` marks messages without readings. `possible` and
    `impossible` are the streams (bits) with readings that a lift can have, and cannot have.
    """

    lift: I32
    arrived_ns: I64
    online: F64
    heartbeat_s: F64
    clock_s: F64
    stepped: Bools
    outcome: I8
    status: Bools
    possible: I8
    impossible: I8


class ArrivalColumns(NamedTuple):
    """The columns of `ArrivalTable`."""

    lift: I32
    t_ns: I64
    gap_ns: I64
    stale: Bools
    mode: F64
    heard: Bools
    willed: Bools
    since_ns: I64
    silent_s: F64
    counted_s: F64
    heartbeat_s: F64
    clock_s: F64
    stepped: Bools


class ArrivalTable(ArrivalColumns):
    """Rows of messages, or of one tick, sorted by lift and then arrival.

    `t_ns`         the arrival or the tick, on the monitor's clock
    `gap_ns`       clocks count between two rows that are no further apart
    `stale`        False: an arrival is never old
    `mode`         the lift's mode as last reported, NaN unknown
    `heard`        the row is a message that is a later sign of life than all before
    `willed`       a last will arrived after the latest sign of life
    `since_ns`     the arrival since which the lift is silent, its last will included; 0 never heard
    `silent_s`     how long the lift is silent; NaN never heard, or at a message that is not later than `since_ns` was
    `counted_s`    the part of it in which a message could be received, NaN where `silent_s` is
    `heartbeat_s`  the lift's interval between signs of life
    `clock_s`      how far the lift's clock is ahead of the arrival; NaN at a tick and where the message has no time
    `stepped`      the lift's clock was set back with this message
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])


def judged_arrivals(lift: I32, arrived_ns: I64, **columns: Any) -> MessageArrivals:
    """Return the rows of judged messages; columns that are not given have no values."""
    unknown, none = np.full(len(lift), np.nan), np.zeros(len(lift), dtype=np.int8)
    others = dict.fromkeys(("online", "heartbeat_s", "clock_s"), unknown)
    others |= dict.fromkeys(("outcome", "possible", "impossible"), none)
    others |= dict.fromkeys(("stepped", "status"), none > 0) | columns
    return MessageArrivals(lift, arrived_ns, **others)


def start(n: int) -> Memory:
    """Return the records of `n` lifts without a message so far."""
    return records(n, MEMORY, heartbeat_s=HEARTBEAT_DEFAULT_S)


def step(memory: Memory, arrived: MessageArrivals, mode: F64) -> tuple[Memory, ArrivalTable]:
    """Return the records after messages, and the row of each; `mode` is the mode of each lift."""
    order = np.lexsort((arrived.arrived_ns, arrived.lift))
    by_lift: tuple[Any, ...] = tuple(column[order] for column in arrived)
    lift, arrived_ns, online, heartbeat_s, clock_s, stepped, *judged = by_lift
    memory, n = copied(memory), len(lift)
    latest, willed = np.empty((2, n), np.bool_)
    since_ns, heartbeats_s = np.empty(n, np.int64), np.empty(n)
    _step(memory, lift, arrived_ns, online, heartbeat_s, latest, willed, since_ns, heartbeats_s)
    _judge(memory, lift, arrived_ns, *judged)
    silent_s = np.where(latest, 0.0, np.nan)
    table = _table(
        lift,
        arrived_ns,
        mode[lift],
        latest & (online != 0.0),
        willed,
        since_ns,
        silent_s,
        silent_s,
        heartbeats_s,
        clock_s,
        stepped,
    )
    return memory, table


@compiled
def _step(
    memory: Any,
    lift: Any,
    arrived_ns: Any,
    online: Any,
    heartbeat_s: Any,
    latest: Any,
    willed: Any,
    since_ns: Any,
    heartbeats_s: Any,
) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        before_ns = max(own["will_ns"], own["seen_ns"])
        latest[k] = arrived_ns[k] > before_ns
        if online[k] == 0.0:
            own["will_ns"] = max(own["will_ns"], arrived_ns[k])
        else:
            own["seen_ns"] = max(own["seen_ns"], arrived_ns[k])
        if heartbeat_s[k] > 0.0 and arrived_ns[k] >= before_ns:
            own["heartbeat_s"] = heartbeat_s[k]
        willed[k] = own["will_ns"] > own["seen_ns"]
        since_ns[k] = max(own["will_ns"], own["seen_ns"])
        heartbeats_s[k] = own["heartbeat_s"]


@compiled
def _judge(memory: Any, lift: Any, arrived_ns: Any, outcome: Any, status: Any, possible: Any, impossible: Any) -> None:
    """Note whether messages are judged; a lift that was judged is blind after `BLIND_NS` without a judged message.

    Possible readings of one stream do not outweigh impossible ones of the other. A lift that sends only vibration is
    blind after that time; one that was ever judged may send vibration for as long as it is parked.
    """
    for k in range(len(lift)):
        own = memory[lift[k]]
        own["impossible"] = (own["impossible"] & ~possible[k]) | impossible[k]
        if outcome[k] == NO_RULE and own["judged_ns"] != 0:
            continue
        if outcome[k] > 0:
            if own["unjudged_ns"] == 0:
                own["unjudged_ns"], own["only_status"] = arrived_ns[k], True
            own["reason"] = outcome[k]
            own["only_status"] = own["only_status"] and status[k]
            is_refused = outcome[k] != NO_RULE and own["judged_ns"] == 0
            own["blind"] = own["blind"] or is_refused or arrived_ns[k] - own["unjudged_ns"] >= BLIND_NS
        elif own["impossible"] == 0 and (outcome[k] == JUDGED or (outcome[k] == SPOKE and own["only_status"])):
            if outcome[k] == JUDGED:
                own["judged_ns"] = arrived_ns[k]
            own["unjudged_ns"], own["reason"], own["blind"] = 0, JUDGED, False


def tick(memory: Memory, now_ns: int, listening_since_ns: int, mode: F64) -> tuple[Memory, ArrivalTable]:
    """Return the records after a tick, and the row of each lift.

    No message could be received before `listening_since_ns`.
    """
    n, memory = len(memory), copied(memory)
    for name in ("seen_ns", "will_ns"):
        memory[name][memory[name] > now_ns + CLOCK_SET_NS] = now_ns
    willed, since_ns = memory["will_ns"] > memory["seen_ns"], np.maximum(memory["will_ns"], memory["seen_ns"])
    never, unheard = since_ns == 0, np.zeros(n, dtype=np.bool_)
    silent_s, counted_s = (
        np.where(never, np.nan, np.maximum(now_ns - from_ns, 0) / 1e9)
        for from_ns in (since_ns, np.maximum(since_ns, listening_since_ns))
    )
    lift, t_ns = np.arange(n, dtype=np.int32), np.full(n, now_ns, dtype=np.int64)
    heartbeat_s, clock_s = memory["heartbeat_s"].copy(), np.full(n, np.nan)
    return memory, _table(
        lift, t_ns, mode.copy(), unheard, willed, since_ns, silent_s, counted_s, heartbeat_s, clock_s, unheard
    )


def _table(lift: I32, t_ns: I64, mode: F64, *others: Any) -> ArrivalTable:
    n = len(lift)
    return ArrivalTable(lift, t_ns, np.full(n, GAP_MOST_NS, np.int64), np.zeros(n, np.bool_), mode, *others)
