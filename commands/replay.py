"""`liftwatch replay`: play a recording to the broker, or judge it without a broker."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from commands import arguments, processes
from commands.errors import Unusable
from commands.wiring.broker import broker_address, connected
from commands.wiring.files import write_file, write_output
from commands.wiring.recordings import open_recording
from commands.wiring.rules import tuned_rules
from configuration import Configuration
from detectors.rule import Rule
from ingest.recordings.replaying import Line, Replay, in_order, lines, replay
from mqtt.publisher import Publisher
from registry.actor import Actor
from registry.partition import Partition
from simulator.playback.progress import Progress
from simulator.playback.replayer import Pace, Replayer, Undelivered
from simulator.playback.signals import ended_by_signals
from simulator.terminals.replay_forms import FORMS
from store.recordings.format import InvalidRecording, RecordingHeader
from store.recordings.recording import Recording
from store.records.repository import Records, RecordsUnavailable
from telemetry.batch import Decoded
from telemetry.groups import of_lifts
from telemetry.wire.parsed import EARLIEST_MS

EXPECTED_ERRORS = (RecordsUnavailable, InvalidRecording)
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class JudgedRecording:
    """The transitions of the alerts of a recording as JSON lines, and the counts of its messages."""

    header: RecordingHeader
    lines: Sequence[bytes]
    counts: Counter[str]
    took_s: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("recording", type=Path, help="the recording's folder")
    speed = "times real time (default 1); 0: as fast as the broker takes it"
    parser.add_argument("--speed", type=arguments.seconds, help=speed)
    parser.add_argument("--lift", action="append", default=[], help="this lift alone (may be repeated)")
    parser.add_argument("--form", choices=FORMS, help="the encoding of its messages (default json)")
    parser.add_argument("--now", action="store_true", help="move its times to the present")
    parser.add_argument("--register", action="store_true", help="first import its lifts into the registry")
    parser.add_argument("--judge", action="store_true", help="no broker: judge it, and write the alerts as JSON lines")
    parser.add_argument("--processes", type=arguments.count, help="judge in so many processes (default 1)")
    parser.add_argument(
        "--rules", type=Path, action="append", default=[], metavar="FILE", help="judge by this rule file too"
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the alerts here (default: standard output)")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Play the recording to the broker, or judge it."""
    if options.judge:
        if options.now or options.register or options.speed is not None or options.form is not None:
            raise Unusable("--judge: leave --speed, --form, --now and --register out; they are for a broker")
        return run_judge(options, settings)
    if options.to is not None or options.processes is not None or options.rules:
        raise Unusable("--to, --processes and --rules: add --judge; without it the monitor at the broker judges")
    return run_play(options, settings)


def run_play(options: argparse.Namespace, settings: Configuration) -> int:
    """Play the recording to the broker and print how many of its messages were sent."""
    recording = open_recording(options.recording, options.lift)
    if options.register:
        with Records.open(settings.records_url, settings.records_key_path) as records:
            records.put_lifts(recording.facts(), Actor.named("replay"), time.time_ns())
    pace = Pace() if options.speed is None else Pace(options.speed)
    if options.now:
        pace = replace(pace, shift_ns=shift_to_present_ns(recording, pace))
    elif (start_ns := recording.header.start_ns) is not None and start_ns < EARLIEST_MS * NS_PER_MS:
        print(f"{options.recording} begins before 2015: a monitor refuses such times; add --now", file=sys.stderr)
    sent = play(settings, recording, pace, options.form or FORMS[0], options.lift)
    print(f"{sent} messages sent" if options.lift else f"{sent} of {recording.header.messages} messages sent")
    return 0


def run_judge(options: argparse.Namespace, settings: Configuration) -> int:
    """Judge the recording; write the alerts as lines and print the summary to standard error.

    The exit code is 1 where the recording is incomplete.
    """
    judged = judge(options.recording, tuned_rules(settings, options.rules), options.lift, options.processes or 1)
    text = b"".join(line + b"\n" for line in judged.lines)
    if options.to is None:
        write_output(text)
    else:
        write_file(options.to, text)
    print(summary(judged, options.lift), file=sys.stderr)
    return 0 if judged.header.complete else 1


def play(settings: Configuration, recording: Recording, pace: Pace, form: str, lifts: Collection[str]) -> int:
    """Play a recording, or `lifts` of it, to the broker; return how many messages were sent."""
    address = broker_address(settings)
    with ended_by_signals() as ended:
        publisher = connected(Publisher(address), ended)
        replayer = Replayer(publisher, pace, ended, form)
        try:
            replayer.play(groups_of(recording, lifts))
        except Undelivered as error:
            raise Unusable(f"the broker {address} did not accept all messages: {error}; try again") from None
    return replayer.sent


def shift_to_present_ns(recording: Recording, pace: Pace) -> int:
    """Return the shift by which a recording begins now, or, played faster than it was recorded, ends now."""
    header = recording.header
    at_ns = header.end_ns if pace.speed == 0 or pace.speed > 1 else header.start_ns
    return 0 if at_ns is None else (time.time_ns() - at_ns) // NS_PER_MS * NS_PER_MS


def judge(folder: Path, rules: Sequence[Rule], lifts: Collection[str], process_count: int) -> JudgedRecording:
    """Judge a recording, or `lifts` of it, without a broker in `process_count` processes."""
    header = open_recording(folder, lifts).header
    begun = time.monotonic()
    shares = [(folder, rules, tuple(lifts), Partition(number, process_count)) for number in range(process_count)]
    results = processes.each(judge_share, shares)
    transitions = in_order(line for found, _ in results for line in found)
    counts = sum((counts for _, counts in results), Counter[str]())
    return JudgedRecording(header, transitions, counts, time.monotonic() - begun)


def judge_share(
    folder: Path, rules: Sequence[Rule], lifts: Collection[str], share: Partition
) -> tuple[list[Line], Counter[str]]:
    """Judge the lifts of one partition; the first partition shows the progress."""
    recording, progress = Recording(folder), Progress()
    run = Replay(recording.facts(), rules)
    found: list[Line] = []
    for changes in replay(run, (of_lifts(group, share.has) for group in groups_of(recording, lifts))):
        found += lines(changes)
        if share.number == 0:
            progress.report(f"{run.counts['received'] * share.of} of {recording.header.messages} messages judged")
    return found, run.counts


def groups_of(recording: Recording, lifts: Collection[str]) -> Iterator[Decoded]:
    """Return the messages of these lifts in groups; of all lifts where `lifts` is empty."""
    named = frozenset(lifts)
    groups = recording.groups()
    return (of_lifts(group, named.__contains__) for group in groups) if named else groups


def summary(judged: JudgedRecording, lifts: Collection[str]) -> str:
    """Return speed, message counts and alert counts in two lines."""
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
