"""The messages that arrived of each lift, and whether they could be judged, as rows for the table of arrivals.

taken    ─► judged, unless it is a repeat, late, expired, or in units that no lift can have
waiting  ─► a sign of life when it is read, and judged later
refused  ─► not judged, by the reason of the refusal
vibration alone (of the car or of its machine) is taken, and no rule concludes anything from it
a status alone says neither: it is taken, and it holds no reading of the car
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.arrivals import JUDGED, NO_RULE, SPOKE, WAITS, MessageArrivals, judged_arrivals
from detectors.observe.sensor import SHAFT_BEYOND_M, SPEED_MAX_MORE_MPS, SPEED_MAX_MPS, SPEED_MAX_RATED
from ingest.fleet import NO_ROOM, Fleet
from ingest.senders import NOT_ITS_LIFT
from registry.facts import FleetFacts
from telemetry.arrays import F64, I32, Bools
from telemetry.batch import Decoded, Messages, Refusal
from telemetry.order.sequence import Sequencer
from telemetry.wire.parsed import REASONS as REFUSED

UNJUDGED = ("", "repeated", "late", "expired", "units", "unjudgeable", *REFUSED, "outrun")
"""Why a message was not judged; a reason's number is its index. The empty reason is that of a judged message."""
REPEATED, LATE, EXPIRED, UNITS, UNJUDGEABLE = range(1, 6)
NUMBERS = {reason: number for number, reason in enumerate(UNJUDGED)}
PLACE_MAX_M = 1_000.0
"""No shaft is higher."""
NO_RULE_SLUG = "no-rule"
READINGS = ("speed", "displacement", "door", "infrared")


def taken(
    decoded: Decoded, lift: I32, facts: FleetFacts, sequencer: Sequencer, keep_ns: float, unjudged: Bools
) -> MessageArrivals:
    """Return the rows of the messages that were sequenced last, except those without information about the present.

    `unjudged` marks the lifts at whose readings judging fails.
    """
    messages, n = decoded.messages, len(lift)
    repeated, late = sequencer.repeated, sequencer.overtaken
    has_readings, has_vibration = np.zeros((2, n), np.bool_)
    for name in READINGS:
        has_readings[decoded.samples[name].message] = True
    for waves in (decoded.waveforms, decoded.machine):
        has_vibration[waves.message] = True
    possible, impossible = units(decoded, lift, facts)
    expired = messages.t_end_ns < messages.arrived_ns - keep_ns
    fails = unjudged[lift] & (has_readings | has_vibration)
    fails[list(sequencer.failed)] = True
    conditions = [repeated, late & has_readings, expired & has_readings, fails, impossible > 0, has_readings]
    outcomes = [REPEATED, LATE, EXPIRED, UNJUDGEABLE, UNITS, JUDGED]
    outcome = np.select([*conditions, has_vibration], [*outcomes, NO_RULE], SPOKE).astype(np.int8)
    clock_s = np.where(messages.timed & ~late & ~repeated, (messages.t_end_ns - messages.arrived_ns) / 1e9, np.nan)
    columns = (
        lift,
        messages.arrived_ns,
        *_reported(decoded),
        clock_s,
        sequencer.stepped,
        outcome,
        ~(has_readings | has_vibration),
        possible,
        impossible,
    )
    return _current(MessageArrivals(*columns), messages)


def waiting(decoded: Decoded, lift: I32) -> MessageArrivals:
    """Return the rows of messages that are judged in a later turn: signs of life without any result yet."""
    online, heartbeat_s = _reported(decoded)
    outcome = np.full(len(lift), WAITS, np.int8)
    arrived_ns = decoded.messages.arrived_ns
    rows = judged_arrivals(lift, arrived_ns, online=online, heartbeat_s=heartbeat_s, outcome=outcome)
    return _current(rows, decoded.messages)


def given_up(lift: int, arrived_ns: int) -> MessageArrivals:
    """Return the row of a lift whose waiting messages, of which the last arrived then, will never be judged."""
    outcome = np.array([NUMBERS["outrun"]], np.int8)
    return judged_arrivals(np.array([lift], np.int32), np.array([arrived_ns]), outcome=outcome)


def _reported(decoded: Decoded) -> F64:
    """Return `online` and the heartbeat of each message, NaN where the message does not report them."""
    status, reported = decoded.samples["status"], np.full((2, len(decoded.messages.lift_id)), np.nan)
    reported[0, status.message], reported[1, status.message] = status.channels["online"], status.channels["heartbeat_s"]
    return reported


def _current(rows: MessageArrivals, messages: Messages) -> MessageArrivals:
    """Return the rows of the messages that have a lift and are about the present."""
    kept = (rows.lift != NO_ROOM) & ~messages.retained_stale
    return MessageArrivals(*(column[kept] for column in rows))


def units(decoded: Decoded, lift: I32, facts: FleetFacts) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return for each message which of its streams (bit 0 speed, bit 1 position) a lift can have, and which not."""
    possible, impossible = np.zeros(len(lift), np.int8), np.zeros(len(lift), np.int8)
    if not len(facts):  # every message is of a lift without a place
        return possible, impossible
    fastest_mps = np.fmin(SPEED_MAX_RATED * facts.rated_speed_mps + SPEED_MAX_MORE_MPS, SPEED_MAX_MPS)
    highest_m = np.fmin(facts.top_m + SHAFT_BEYOND_M, PLACE_MAX_M)
    limits = (
        ("speed", "v_mps", -fastest_mps, fastest_mps),
        ("displacement", "z_m", np.full(len(facts), -SHAFT_BEYOND_M), highest_m),
    )
    for bit, (stream, channel, lowest, highest) in enumerate(limits):
        message, value = decoded.samples[stream].message, decoded.samples[stream].channels[channel]
        fits = _between(value, lowest, highest, lift[message])
        possible[message[fits]] |= 1 << bit
        impossible[message[~fits]] |= 1 << bit
    return possible, impossible & ~possible


def _between(value: F64, lowest: F64, highest: F64, lift: NDArray[Any]) -> Bools:
    fits: Bools = (value >= lowest[lift]) & (value <= highest[lift])
    return fits


def refused(refusals: Sequence[Refusal], fleet: Fleet, retained: frozenset[int]) -> MessageArrivals:
    """Return the rows of messages that were refused, of the lifts that are listed and that sent them themselves.

    A message at a `retained` position was sent at some time before.
    """
    rows = [
        (index, refusal.arrived_ns, NUMBERS[refusal.reason], refusal.topic.endswith("/status"))
        for refusal in refusals
        if refusal.reason in NUMBERS and refusal.reason != NOT_ITS_LIFT and refusal.position not in retained
        if (index := fleet.listed_index(refusal.lift_id)) is not None
    ]
    lift, arrived_ns, outcome, status = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return judged_arrivals(lift.astype(np.int32), arrived_ns, outcome=outcome.astype(np.int8), status=status > 0)


def reasons(numbers: NDArray[np.int8]) -> NDArray[np.str_]:
    """Return the reason of each number why a lift's messages are not judged."""
    names = np.array(UNJUDGED)
    return np.where(numbers == NO_RULE, NO_RULE_SLUG, names[np.where(numbers == NO_RULE, 0, numbers)])


def joined(*parts: MessageArrivals) -> MessageArrivals:
    """Return the rows of all parts."""
    return MessageArrivals(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
