"""What a device sends of a script, with messages missing, through order and rules: thousands of lifts in one go.

A lift numbers its messages, unless it is `unnumbered`, and those of a hole never arrive. `Sent` holds one device's
messages as decoded columns, so that a variant of a lift is a mask over messages and nothing is encoded. What variants
have in common before their holes is judged once, and each goes on from a copy of the state after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.rule import Finding
from registry.facts import LiftFacts, fleet
from telemetry.batch import CHANNELS as COLUMNS
from telemetry.batch import Decoded, Messages, Samples, Waveforms
from telemetry.groups import blocks, joined_waves
from telemetry.order.blocks import NO_BLOCKS
from telemetry.order.sequence import VIBRATIONS, Sequencer
from tests.detectors.world import BEGIN_NS, GRID_S, VIBRATION_HZ, Script

NS = 1_000_000_000
CHANNELS = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
    "status": ("online", "alarm", "mode", "power", "heartbeat_s"),
}
EVENT_STREAMS = ("door", "infrared", "status")
LIFTS_AT_ONCE = 100


@dataclass(frozen=True)
class Sent:
    """The messages of one device in the order in which they are sent, and the readings in them.

    `begun` are the messages before them, of which none is missing: `found` judges those of many variants once.
    """

    t_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    bundle: NDArray[np.bool_]
    samples: dict[str, Samples]
    seq: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    boot: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    waves: Waveforms = NO_BLOCKS
    begun: Sent | None = None

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
        waves = blocks(self.waves, keep[self.waves.message])
        waves = replace(waves, message=number[waves.message].astype(np.int32))
        columns = (column[keep] for column in (self.seq, self.boot))
        return Sent(self.t_ns[keep], self.sent_ns[keep], self.bundle[keep], samples, *columns, waves)

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
    vibration: NDArray[np.float64] | None = None,
    seldom_from_s: float = np.inf,
) -> Sent:
    """Return a bundle every `span_s`, with all that happened in it; without `at` events are at its first instant.

    From `seldom_from_s` on speed and position are read once a second.
    """
    v, z = _motion(script)
    count = int(len(v) * GRID_S / span_s)
    t_ns = BEGIN_NS + np.round(np.arange(count) * span_s * NS).astype(np.int64)
    every = _sampled_at(count * span_s, dt_s, seldom_from_s)
    message = np.floor(every / span_s + 1e-9).astype(np.int32)
    samples = _sampled(message, every, v, z, streams)
    for name in EVENT_STREAMS:
        at_s, columns = _events(script, CHANNELS[name])
        kept = at_s < count * span_s
        of = np.floor(at_s[kept] / span_s).astype(np.int32)
        instants = BEGIN_NS + np.round(at_s[kept] * NS).astype(np.int64) if with_at else t_ns[of]
        columns = {channel: column[kept] for channel, column in columns.items()}
        samples[name] = Samples(of, instants, columns)
    sent_ns, together = t_ns + round(span_s * NS) - 1_000_000, np.ones(count, np.bool_)
    return Sent(t_ns, sent_ns, together, samples, waves=_blocks(np.arange(count), t_ns, span_s, vibration))


def singles(
    script: Script,
    dt_s: float = 0.2,
    streams: Sequence[str] = ("speed", "displacement"),
    vibration: NDArray[np.float64] | None = None,
    seldom_from_s: float = np.inf,
) -> Sent:
    """Return a message a second of each sampled stream, and one of each event, when it happens.

    From `seldom_from_s` on speed and position are read once a second.
    """
    v, z = _motion(script)
    count = int(len(v) * GRID_S)
    sampled = (*streams, "vibration") if vibration is not None else tuple(streams)
    sent: list[tuple[float, str, int]] = [(k + 1.0 - 0.001, name, k) for k in range(count) for name in sampled]
    events = {name: _events(script, CHANNELS[name]) for name in EVENT_STREAMS}
    sent += [(float(s), name, k) for name, (at_s, _) in events.items() for k, s in enumerate(at_s) if s < count]
    sent.sort()
    numbers = {
        name: np.array([number for number, (_, of, _) in enumerate(sent) if of == name], dtype=np.int32)
        for name in (*CHANNELS, "vibration")
    }
    samples = {}
    every = _sampled_at(count, dt_s, seldom_from_s)
    for name in CHANNELS:
        mine = numbers[name]
        if name in events:
            at_s, columns = events[name]
            kept = at_s < count
            instants = BEGIN_NS + np.round(at_s[kept] * NS).astype(np.int64)
            samples[name] = Samples(mine, instants, {channel: column[kept] for channel, column in columns.items()})
        elif name in streams:
            samples[name] = _sampled(mine[np.floor(every + 1e-9).astype(int)], every, v, z, [name])[name]
        else:
            samples[name] = _nothing(name)
    second_ns = BEGIN_NS + np.arange(len(numbers["vibration"])) * NS
    waves = _blocks(numbers["vibration"], second_ns, 1.0, vibration)
    t_ns = np.full(len(sent), np.iinfo(np.int64).max)
    for of in (*samples.values(), waves):
        np.minimum.at(t_ns, of.message, of.t_ns)
    sent_ns = BEGIN_NS + np.round(np.array([at_s for at_s, _, _ in sent]) * NS).astype(np.int64)
    return Sent(t_ns, sent_ns, np.zeros(len(sent), np.bool_), samples, waves=waves)


def _sampled_at(seconds: float, dt_s: float, seldom_from_s: float) -> NDArray[np.float64]:
    number = np.arange(round(seconds / dt_s))
    return (number * dt_s)[(number * dt_s < seldom_from_s) | (number % max(round(1.0 / dt_s), 1) == 0)]


def _blocks(
    message: NDArray[np.integer[Any]], t_ns: NDArray[np.int64], span_s: float, vibration: NDArray[np.float64] | None
) -> Waveforms:
    """Return a block of `vibration`, (3, samples), for each of these messages."""
    if vibration is None:
        return NO_BLOCKS
    count, size = len(message), round(span_s * VIBRATION_HZ)
    first, xyz = np.arange(count + 1) * size, vibration[:, : count * size].astype(np.float32)
    return Waveforms(message.astype(np.int32), t_ns, np.full(count, NS / VIBRATION_HZ), first, xyz)


def found(facts: LiftFacts, variants: Iterable[Sent]) -> list[Finding]:
    """Return what all rules find of a lift with these facts, each variant of what it sent being a lift of its own."""
    out, rest, first = list[Finding](), iter(variants), 0
    while part := list(islice(rest, LIFTS_AT_ONCE)):
        order, judge, findings = _begun(facts, part)
        decoded, lift = joined(part)
        batch, _ = order.step(decoded, lift)
        late_ns = int(decoded.messages.arrived_ns.max()) + 60 * NS
        for each in (batch, order.idle(late_ns)):
            findings += judge.step(each, fleet([facts] * len(part)))
        out += [replace(one, lift=one.lift + first) for one in findings]
        first += len(part)
    return out


def _begun(facts: LiftFacts, part: Sequence[Sent]) -> tuple[Sequencer, Judge, list[Finding]]:
    """Return order and rules in the state after what each variant had sent before, and what was found of it."""
    order, judge = Sequencer(), Judge(RULES, len(part))
    begun = list({id(one.begun): one.begun for one in part if one.begun is not None}.values())
    if not begun:
        return order, judge, []
    places = {id(one): place for place, one in enumerate(begun)}
    place = np.array([places[id(one.begun)] for one in part])
    common, rules = Sequencer(), Judge(RULES, len(begun))
    common.grow(len(begun))
    batch, _ = common.step(*joined(begun))
    findings = [
        replace(one, lift=int(lift))
        for one in rules.step(batch, fleet([facts] * len(begun)))
        for lift in np.flatnonzero(place == one.lift)
    ]
    order.restore(_copies(common.snapshot(), place))
    judge.restore(rules.snapshot(place))
    return order, judge, findings


def _copies(held: Mapping[str, NDArray[Any]], place: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Return a snapshot of an order of messages in which the lift k is the lift `place[k]` of the snapshot `held`."""
    end = np.cumsum(held["lifts"]["held"])
    values = np.full((len(held["rows/row_t_ns"]), len(COLUMNS)), np.nan)
    values[held["rows/row"], held["rows/channel"]] = held["rows/value"]
    rows = _joined_ranges(end[place] - held["lifts"]["held"][place], end[place])
    row, channel = np.nonzero(~np.isnan(values[rows]))
    made = {"lifts": held["lifts"][place], "rows/row_t_ns": held["rows/row_t_ns"][rows]}
    made |= {"rows/row": row, "rows/channel": channel, "rows/value": values[rows][row, channel]}
    for kind in VIBRATIONS:
        waves = Waveforms(**{each.name: held[f"{kind}/{each.name}"] for each in fields(Waveforms)})
        which = [np.flatnonzero(waves.message == lift) for lift in place.tolist()]
        every = np.concatenate(which)
        lift = np.repeat(np.arange(len(place), dtype=np.int32), [len(one) for one in which])
        waves = replace(blocks(waves, every), message=lift)
        made |= {f"{kind}/{each.name}": getattr(waves, each.name) for each in fields(Waveforms)}
        made[f"{kind}/due_ns"] = held[f"{kind}/due_ns"][every]
    return made


def _joined_ranges(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.arange(*each) for each in zip(begin, end, strict=True)])


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
    numbered = zip(variants, offset, strict=False)
    waves = joined_waves([replace(one.waves, message=one.waves.message + np.int32(first)) for one, first in numbered])
    t_ns = np.concatenate([one.t_ns for one in variants])
    end_ns = t_ns.copy()
    for of in samples.values():
        np.maximum.at(end_ns, of.message, of.t_ns)
    np.maximum.at(end_ns, waves.message, waves.t_ns + ((np.diff(waves.first) - 1) * waves.dt_ns).astype(np.int64))
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
    return Decoded(messages, samples, waves, []), lift
