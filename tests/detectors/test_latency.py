"""Every rule finds what a lift's last message decides within 1.5 s of its arrival, in each form and at each rate.

messages   1 2 3 … k ─┐ then nothing
judged at             └─ 1.5 s later  ═  judged at any later time
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.judge import Judge
from detectors.rule import Finding, Rule
from telemetry.batch import Samples, Waveforms
from telemetry.order.sequence import Sequencer
from tests.detectors.holes import CHANNELS, EVENT_STREAMS, NS, Sent, joined
from tests.detectors.test_contract import each_rule, fault_of
from tests.detectors.world import BEGIN_NS, Fault, Rows, facts_of

LIMIT_S = 1.5
"""The contract's 2 s, less the longest pace of a turn."""
EVER_S = 3600.0
FORMS = {"a bundle a second": (1, True), "single streams": (1, False), "a bundle a minute": (60, True)}
"""Over how many seconds messages of samples span, and whether one holds all streams."""


@each_rule
@pytest.mark.parametrize("form", FORMS)
def test_what_the_last_message_decides_is_found_in_time(rule: Rule, form: str) -> None:
    fault = fault_of(rule.slug)
    sent, stream = messages_of(fault.script.rows(), *FORMS[form]), fault.stream()
    kinds = {"waveforms": stream.waveforms, "machine": stream.machine}
    vibration = {kind: beside(sent, blocks) for kind, blocks in kinds.items() if blocks is not None}
    numbers = range(1, len(sent.t_ns) + 1)
    first = bisect_left(numbers, True, key=lambda number: bool(opened(rule, fault, sent, vibration, number, EVER_S)))
    assert first < len(numbers), "the fault is not found in this form"
    deciding = numbers[first]
    ever = opened(rule, fault, sent, vibration, deciding, EVER_S)
    assert repr(opened(rule, fault, sent, vibration, deciding, LIMIT_S)) == repr(ever)


def opened(
    rule: Rule, fault: Fault, sent: Sent, vibration: Mapping[str, Waveforms], messages: int, after_s: float
) -> list[Finding]:
    """Return the alerts opened by the first messages, so long after the arrival of the last of them."""
    order, judge = Sequencer(), Judge([rule], 1)
    decoded, lift = joined([sent.keeping(np.arange(len(sent.t_ns)) < messages)])
    blocks = {kind: first_blocks(every, messages) for kind, every in vibration.items()}
    released, _ = order.step(replace(decoded, **blocks), lift)
    now_ns = int(decoded.messages.arrived_ns[-1]) + round(after_s * NS)
    found = [one for rows in (released, order.idle(now_ns)) for one in judge.step(rows, facts_of([fault.facts]))]
    return [one for one in found if one.kind == "on"]


def messages_of(rows: Rows, span_s: int, together: bool) -> Sent:
    """Return the messages that hold these rows, each sent when its last second ends; events alone, when they happen."""
    t_ns, span_ns = rows["t_ns"], span_s * NS
    end_ns = BEGIN_NS + ((t_ns - BEGIN_NS) // span_ns + 1) * span_ns - 1_000_000
    parts: dict[str, tuple[NDArray[np.intp], list[tuple[int, str]]]] = {}
    for name, channels in CHANNELS.items():
        has = np.any([~np.isnan(rows[channel]) for channel in channels if channel in rows], axis=0)
        of = np.flatnonzero(has) if np.ndim(has) else np.zeros(0, np.intp)
        at_ns = t_ns if name in EVENT_STREAMS and not together else end_ns
        parts[name] = of, [(int(at), "" if together else name) for at in at_ns[of]]
    sent = sorted({key for _, keys in parts.values() for key in keys})
    number = {key: k for k, key in enumerate(sent)}
    nothing = np.full(len(t_ns), np.nan)
    samples = {
        name: Samples(
            np.array([number[key] for key in keys], np.int32),
            t_ns[of],
            {channel: rows.get(channel, nothing)[of] for channel in CHANNELS[name]},
        )
        for name, (of, keys) in parts.items()
    }
    begin_ns = np.full(len(sent), np.iinfo(np.int64).max)
    for each in samples.values():
        np.minimum.at(begin_ns, each.message, each.t_ns)
    return Sent(begin_ns, np.array([at for at, _ in sent]), np.full(len(sent), together), samples)


def beside(sent: Sent, blocks: Waveforms) -> Waveforms:
    """Return blocks of vibration as parts of the messages that are sent when each is complete."""
    ends_ns = blocks.t_ns + np.round(np.diff(blocks.first) * blocks.dt_ns).astype(np.int64)
    return replace(blocks, message=np.searchsorted(sent.sent_ns, ends_ns - 2_000_000).astype(np.int32))


def first_blocks(blocks: Waveforms, messages: int) -> Waveforms:
    """Return the blocks in the first messages."""
    count = int(np.searchsorted(blocks.message, messages))
    first = blocks.first[: count + 1]
    kept = (column[:count] for column in (blocks.message, blocks.t_ns, blocks.dt_ns))
    return Waveforms(*kept, first, blocks.xyz[:, : first[-1]])
