"""Recordings at the front door: taken from a broker or the store, played to a broker, or judged straight through."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from pathlib import Path

import orjson

from commands import processes, wiring
from configuration import Configuration, Unusable
from detectors.rule import Rule
from ingest import recording
from ingest.partition import Partition
from ingest.receive import MqttSource
from ingest.replaying import Line, Replay, in_order, lines, replay, wider
from mqtt.publisher import Publisher
from registry.facts import LiftFacts
from simulator.playback.player import ended_by_signals
from simulator.playback.progress import Progress
from simulator.playback.replayer import Pace, Replayer, Undelivered
from simulator.playback.simulation import Scene, told
from simulator.scenarios.scenario import Scenario
from store.recordings import retelling
from store.recordings.files import NotWritten
from store.recordings.format import Header, NotARecording
from store.recordings.recording import Recording, Writer
from store.records.repository import Records
from telemetry.batch import Decoded
from telemetry.groups import of_lifts
from telemetry.instant import to_the_nanosecond
from telemetry.version import VERSION

MS = 1_000_000
UNKNOWN = "unknown"
"""The district of a lift that no registry knows."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging a recording came to: the alerts' transitions as lines, and what was counted on the way."""

    header: Header
    lines: Sequence[bytes]
    counts: Counter[str]
    took_s: float


def from_broker(settings: Configuration, folder: Path, for_s: float) -> Header:
    """Record what lifts say at the broker, until the time is over or Ctrl-C."""
    name = wiring.client_id(settings, f"record-{time.time_ns():x}")
    source = wiring.connected(MqttSource(wiring.broker(settings), name, session_kept_s=0))
    begun, progress = time.monotonic(), Progress()
    header = Header(f"broker {source.address}", VERSION)
    try:
        with ended_by_signals() as ended, _writer(folder, header, registered(settings)) as writer:
            listener = recording.Listener(
                source, writer, lambda heard: progress.tell(f"{heard} messages in {time.monotonic() - begun:.0f} s")
            )
            listener.listen(for_s, ended)
            writer.know(registered(settings))  # some may have been registered meanwhile
            writer.close(complete=listener.unbroken)
    finally:
        source.close()
    return writer.header


def from_store(settings: Configuration, folder: Path, lifts: Sequence[str], from_ns: int, to_ns: int) -> Header:
    """Record what the store holds of these lifts; Unusable where it holds nothing."""
    facts = {lift.lift_id: lift for lift in registered(settings) if lift.lift_id in lifts}
    districts = {lift_id: facts[lift_id].district if lift_id in facts else UNKNOWN for lift_id in lifts}
    progress = Progress()
    with closing(wiring.timeseries(settings, writable=False)) as series, ended_by_signals() as ended:
        retold = takewhile(lambda _: not ended.is_set(), retelling.retell(series, districts, from_ns, to_ns))
        groups = filter(lambda group: len(group.messages.seq), retold)
        first = next(groups, None)
        if first is None:
            raise Unusable(_holds_nothing(settings, lifts, from_ns, to_ns))
        with _writer(folder, Header(retelling.SOURCE, VERSION), list(facts.values())) as writer:
            for group in chain([first], groups):
                writer.add(group)
                progress.tell(f"{writer.header.messages} messages")
            writer.close(complete=not ended.is_set())
    silent = sorted(set(lifts) - Recording(folder).lift_ids())
    if silent:
        sys.stderr.write(f"liftwatch: {_holds_nothing(settings, silent, from_ns, to_ns)}\n")
    return writer.header


def _holds_nothing(settings: Configuration, lifts: Sequence[str], from_ns: int, to_ns: int) -> str:
    days = settings.timeseries.raw_days
    kept = f"; it keeps what was said in the last {days} days" if days else ""
    span = f"from {to_the_nanosecond(from_ns)} to {to_the_nanosecond(to_ns)}"
    return f"the store holds nothing of {', '.join(lifts)} {span}{kept}"


def from_scenario(played: Scenario, named: str | None, folder: Path, part: slice = slice(None)) -> Header:
    """Live a scenario, or a part of its lifts, as fast as it goes; write it down with what truly happened."""
    scene = Scene(played, played.start_ns, part)
    header = Header("simulator", VERSION, played.seed, named)
    with ended_by_signals() as ended, _writer(folder, header, scene.facts) as writer:
        for decoded in wider(takewhile(lambda _: not ended.is_set(), told(scene))):
            writer.add(decoded)
            writer.label(scene.labels())
        writer.label(scene.labels())
        writer.close(complete=not ended.is_set())
    if writer.header.complete and (missed := scene.missed()):
        sys.stderr.write(f"liftwatch: {missed}\n")
    return writer.header


def registered(settings: Configuration) -> list[LiftFacts]:
    """Return the facts of the registry; none where there is no registry yet."""
    url = settings.records_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return []
    with Records.open(url) as records:
        return records.registered()


def to_broker(
    settings: Configuration, played: Recording, pace: Pace, form: str, lifts: Collection[str], now: bool
) -> int:
    """Play a recording to the broker; return how many messages were sent."""
    if now:
        pace = replace(pace, shift_ns=_shift_ns(played, pace))
    address = wiring.broker(settings)
    with ended_by_signals() as ended:
        publisher = wiring.connected(Publisher(address), ended)
        replayer = Replayer(publisher, pace, ended, form)
        try:
            replayer.play(kept(played.groups(), lifts))
        except Undelivered as error:
            raise Unusable(f"the broker {address} did not take all of it: {error}; try again") from None
    return replayer.sent


def judge(folder: Path, rules: Sequence[Rule], lifts: Collection[str], parts: int) -> Judged:
    """Judge a recording straight through, its lifts parted among so many processes."""
    header = opened(folder, lifts).header
    begun = time.monotonic()
    shares = [(folder, rules, tuple(lifts), Partition(number, parts)) for number in range(parts)]
    results = processes.each(_judge_share, shares)
    told = in_order(line for found, _ in results for line in found)
    return Judged(header, told, sum((counts for _, counts in results), Counter()), time.monotonic() - begun)


def summary(judged: Judged, lifts: Collection[str]) -> str:
    """Say in a line or two what judging a recording came to."""
    header = judged.header
    lift_s = (len(lifts) or header.lifts) * ((header.end_ns or 0) - (header.start_ns or 0)) / 1e9
    counts = judged.counts
    found = Counter(orjson.loads(line)["rule"] for line in judged.lines if b'"state":"firing"' in line)
    refused = sum(number for name, number in counts.items() if name.startswith("refused:"))
    return (
        f"{lift_s:.0f} lift-seconds in {judged.took_s:.1f} s: {lift_s / judged.took_s:.0f} a second. "
        f"{counts['received']} messages, {counts['repeats']} repeats, {counts['gaps']} missing, {counts['late']} late, "
        f"{refused} refused.\n{len(judged.lines)} transitions"
        + "".join(f", {rule} {number}" for rule, number in sorted(found.items()))
    )


def _judge_share(
    folder: Path, rules: Sequence[Rule], lifts: Collection[str], share: Partition
) -> tuple[list[Line], Counter[str]]:
    played, progress = Recording(folder), Progress()
    run = Replay(played.facts(), rules)
    found: list[Line] = []
    for changes in replay(run, map(share.of_group, kept(played.groups(), lifts))):
        found += lines(changes)
        if share.number == 0:
            progress.tell(f"{run.counts['received'] * share.of} of {played.header.messages} messages judged")
    return found, run.counts


def opened(folder: Path, lifts: Collection[str] = ()) -> Recording:
    """Open a recording; Unusable where it is none, or where one of these lifts is not in it."""
    try:
        played = Recording(folder)
        absent = sorted(set(lifts) - played.lift_ids()) if lifts else []
    except NotARecording as error:
        raise Unusable(str(error)) from None
    if absent:
        raise Unusable(f"lift {absent[0]} says nothing in {folder}; leave --lift out to take all lifts")
    if not played.header.complete:
        sys.stderr.write(f"liftwatch: {folder} is incomplete: it was interrupted while it was taken\n")
    return played


def kept(groups: Iterator[Decoded], lifts: Collection[str]) -> Iterator[Decoded]:
    """Return what these lifts said; what all said where none is named."""
    named = frozenset(lifts)
    return (of_lifts(group, named.__contains__) for group in groups) if named else groups


@contextmanager
def _writer(folder: Path, header: Header, facts: Sequence[LiftFacts]) -> Iterator[Writer]:
    try:
        with Writer(folder, header, facts) as writer:
            yield writer
    except (NotARecording, NotWritten) as error:
        raise Unusable(str(error)) from None


def _shift_ns(played: Recording, pace: Pace) -> int:
    """Return by how much a recording is shifted to begin now, or, played faster than it came, to end now."""
    at_ns = played.header.end_ns if pace.speed == 0 or pace.speed > 1 else played.header.start_ns
    return 0 if at_ns is None else (time.time_ns() - at_ns) // MS * MS
