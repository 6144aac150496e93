"""What a device sends of a script, with messages missing, through order and rules: thousands of lifts in one go.

A lift numbers its messages, unless it is `unnumbered`, and those of a hole never arrive. `Sent` holds one device's
messages as decoded columns, so that a variant of a lift is a mask over messages and nothing is encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.rule import Finding
from registry.facts import LiftFacts, fleet
from telemetry.batch import Decoded, Messages, Samples
from telemetry.order.blocks import NO_BLOCKS
from telemetry.order.sequence import Sequencer
from tests.detectors.world import BEGIN_NS, GRID_S, Script

NS = 1_000_000_000
CHANNELS = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
    "status": ("online", "alarm", "mode", "power", "heartbeat_s"),
}
EVENT_STREAMS = ("door", "infrared", "status")
LIFTS_AT_ONCE = 40
"""Their rows fit into the cache of a processor."""


@dataclass(frozen=True)
class Sent:
    """The messages of one device in the order in which they are sent, and the readings in them."""

    t_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    bundle: NDArray[np.bool_]
    samples: dict[str, Samples]
    seq: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    boot: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.seq):
            object.__setattr__(self, "seq", np.arange(len(self.t_ns)))
            object.__setattr__(self, "boot", np.zeros(len(self.t_ns), np.int64))

    def keeping(self, keep: NDArray[np.bool_]) -> Sent:
        """Return the messages that `keep` names, with the numbers that they had."""
        number = np.cumsum(keep) - 1
        samples = {}
        for name, of in self.samples.items():
            rows = keep[of.message]
            channels = {channel: column[rows] for channel, column in of.channels.items()}
            samples[name] = Samples(number[of.message[rows]].astype(np.int32), of.t_ns[rows], channels)
        return Sent(self.t_ns[keep], self.sent_ns[keep], self.bundle[keep], samples, self.seq[keep], self.boot[keep])

    def hole(self, begin_s: float, seconds: float) -> NDArray[np.bool_]:
        """Return which messages a hole swallows: those that are sent while it lasts."""
        begin_ns = BEGIN_NS + round(begin_s * NS)
        return (self.sent_ns >= begin_ns) & (self.sent_ns < begin_ns + round(seconds * NS))

    def reporting_again(self, message: int) -> Sent:
        """Let the device report the states of its event streams in this message, as they are when it is sent."""
        samples, now_ns = dict(self.samples), self.sent_ns[message]
        for name in ("door", "infrared"):
            of = samples[name]
            at = int(np.searchsorted(of.message, message, side="right"))
            channels = {}
            for channel, column in of.channels.items():
                known = column[(of.t_ns <= now_ns) & ~np.isnan(column)]
                channels[channel] = np.insert(column, at, known[-1] if len(known) else np.nan)
            samples[name] = Samples(np.insert(of.message, at, message), np.insert(of.t_ns, at, now_ns), channels)
        return replace(self, samples=samples)

    def unnumbered(self) -> Sent:
        """Return the messages without their numbers."""
        return replace(self, seq=np.full(len(self.t_ns), -1))

    def booted(self, message: int) -> Sent:
        """Let the device restart just before this message: another boot, and numbers from 0."""
        boot = np.where(np.arange(len(self.boot)) >= message, 1, self.boot)
        afresh = (boot == 1) & (self.seq >= 0)
        return replace(self, boot=boot, seq=np.where(afresh, self.seq - self.seq[message], self.seq))


def bundles(
    script: Script,
    dt_s: float = 0.2,
    streams: Iterable[str] = ("speed", "displacement"),
    span_s: float = 1.0,
    with_at: bool = True,
) -> Sent:
    """Return a bundle every `span_s`, with all that happened in it; without `at` events are at its first instant."""
    v, z = _motion(script)
    count = int(len(v) * GRID_S / span_s)
    t_ns = BEGIN_NS + np.round(np.arange(count) * span_s * NS).astype(np.int64)
    every = np.arange(0, count * span_s, dt_s)
    message = np.floor(every / span_s + 1e-9).astype(np.int32)
    samples = _sampled(message, every, v, z, streams)
    for name in EVENT_STREAMS:
        at_s, columns = _events(script, CHANNELS[name])
        kept = at_s < count * span_s
        of = np.floor(at_s[kept] / span_s).astype(np.int32)
        instants = BEGIN_NS + np.round(at_s[kept] * NS).astype(np.int64) if with_at else t_ns[of]
        columns = {channel: column[kept] for channel, column in columns.items()}
        samples[name] = Samples(of, instants, columns)
    return Sent(t_ns, t_ns + round(span_s * NS) - 1_000_000, np.ones(count, np.bool_), samples)


def singles(script: Script, dt_s: float = 0.2, streams: Sequence[str] = ("speed", "displacement")) -> Sent:
    """Return a message a second of each sampled stream, and one of each event, when it happens."""
    v, z = _motion(script)
    count = int(len(v) * GRID_S)
    sent: list[tuple[float, str, int]] = [(k + 1.0 - 0.001, name, k) for k in range(count) for name in streams]
    events = {name: _events(script, CHANNELS[name]) for name in EVENT_STREAMS}
    sent += [(float(s), name, k) for name, (at_s, _) in events.items() for k, s in enumerate(at_s) if s < count]
    sent.sort()
    samples = {}
    every = np.arange(0, count, dt_s)
    for name in CHANNELS:
        mine = np.array([number for number, (_, of, _) in enumerate(sent) if of == name], dtype=np.int32)
        if name in events:
            at_s, columns = events[name]
            kept = at_s < count
            instants = BEGIN_NS + np.round(at_s[kept] * NS).astype(np.int64)
            samples[name] = Samples(mine, instants, {channel: column[kept] for channel, column in columns.items()})
        elif name in streams:
            samples[name] = _sampled(mine[np.floor(every + 1e-9).astype(int)], every, v, z, [name])[name]
        else:
            samples[name] = _nothing(name)
    t_ns = np.full(len(sent), np.iinfo(np.int64).max)
    for of in samples.values():
        np.minimum.at(t_ns, of.message, of.t_ns)
    sent_ns = BEGIN_NS + np.round(np.array([at_s for at_s, _, _ in sent]) * NS).astype(np.int64)
    return Sent(t_ns, sent_ns, np.zeros(len(sent), np.bool_), samples)


def found(facts: LiftFacts, variants: Sequence[Sent]) -> list[Finding]:
    """Return what all rules find of a lift with these facts, each variant of what it sent being a lift of its own."""
    out: list[Finding] = []
    for first in range(0, len(variants), LIFTS_AT_ONCE):
        part = variants[first : first + LIFTS_AT_ONCE]
        order, judge, known = Sequencer(), Judge(RULES, len(part)), fleet([facts] * len(part))
        decoded, lift = joined(part)
        batch, _ = order.step(decoded, lift)
        late_ns = int(decoded.messages.arrived_ns.max()) + 60 * NS
        for each in (batch, order.idle(late_ns)):
            out += [replace(one, lift=one.lift + first) for one in judge.step(each, known)]
    return out


def _motion(script: Script) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return speed and position over the grid, with a little noise."""
    rng = np.random.default_rng(1)
    v = np.concatenate(script.speeds)
    z = script.z_m + np.cumsum(v) * GRID_S
    return v + rng.normal(0, 0.005, len(v)), z + rng.normal(0, 0.0005, len(z))


def _events(script: Script, channels: Sequence[str]) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    own = sorted((max(t, 0.0), name, value) for t, name, value in script.events if name in channels)
    at_s = np.array(sorted({t for t, _, _ in own}))
    columns = {channel: np.full(len(at_s), np.nan) for channel in channels}
    for t, name, value in own:
        columns[name][np.searchsorted(at_s, t)] = value
    return at_s, columns


def _sampled(
    message: NDArray[np.int32],
    at_s: NDArray[np.float64],
    v: NDArray[np.float64],
    z: NDArray[np.float64],
    streams: Iterable[str],
) -> dict[str, Samples]:
    grid = np.round(at_s / GRID_S).astype(int)
    t_ns = BEGIN_NS + np.round(at_s * NS).astype(np.int64)
    values = {"speed": v, "displacement": z}
    return {
        name: Samples(message, t_ns, {CHANNELS[name][0]: values[name][grid]}) if name in streams else _nothing(name)
        for name in values
    }


def _nothing(name: str) -> Samples:
    none = np.zeros(0, np.int64)
    return Samples(none.astype(np.int32), none, {channel: np.zeros(0) for channel in CHANNELS[name]})


def joined(variants: Sequence[Sent]) -> tuple[Decoded, NDArray[np.int32]]:
    """Return the messages of all variants, one lift after the other."""
    count = [len(one.t_ns) for one in variants]
    offset = np.cumsum([0, *count])
    lift = np.repeat(np.arange(len(variants), dtype=np.int32), count)
    samples = {}
    for name, channels in CHANNELS.items():
        parts = [one.samples[name] for one in variants]
        message = [part.message + first for part, first in zip(parts, offset, strict=False)]
        columns = {channel: np.concatenate([part.channels[channel] for part in parts]) for channel in channels}
        t_ns = np.concatenate([part.t_ns for part in parts])
        samples[name] = Samples(np.concatenate(message).astype(np.int32), t_ns, columns)
    t_ns = np.concatenate([one.t_ns for one in variants])
    end_ns = t_ns.copy()
    for of in samples.values():
        np.maximum.at(end_ns, of.message, of.t_ns)
    messages = Messages(
        lift_id=["lift"] * len(lift),
        district=["north"] * len(lift),
        boot=[str(boot) for one in variants for boot in one.boot.tolist()],
        seq=np.concatenate([one.seq for one in variants]),
        t_ns=t_ns,
        t_end_ns=end_ns,
        arrived_ns=np.concatenate([one.sent_ns for one in variants]) + 50_000_000,
        position=np.arange(len(lift)) + 1,
        complete=np.concatenate([one.bundle for one in variants]),
        retained_stale=np.zeros(len(lift), np.bool_),
        timed=np.ones(len(lift), np.bool_),
    )
    return Decoded(messages, samples, NO_BLOCKS, []), lift
