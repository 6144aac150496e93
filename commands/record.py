"""`liftwatch record`: record messages from the broker, or stored readings of some lifts."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import chain, takewhile
from pathlib import Path

from commands import arguments
from commands.errors import Unusable
from commands.wiring.audited import audit_command, has_records
from commands.wiring.broker import broker_address, connected
from commands.wiring.partition import client_id
from commands.wiring.recordings import recording_writer, report_written
from commands.wiring.series import open_series
from configuration import Configuration
from ingest.receiving.source import MqttSource
from ingest.recordings import recording
from registry.facts import LiftFacts
from simulator.playback.progress import Progress
from simulator.playback.signals import ended_by_signals
from store.recordings import export
from store.recordings.format import InvalidRecording, RecordingHeader
from store.recordings.recording import Recording
from store.records.repository import AuditSubject, Records, RecordsUnavailable
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.instant import parse as parse_instant
from telemetry.instant import to_the_nanosecond
from telemetry.version import VERSION

EXPECTED_ERRORS = (InvalidRecording, RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused)
UNKNOWN_DISTRICT = "unknown"
"""The district of a lift that is not in the registry."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("folder", type=Path, help="the recording: a new folder")
    until = "how long (default: until Ctrl-C)"
    endless = float("inf")
    parser.add_argument("--for", dest="for_s", type=arguments.seconds, default=endless, metavar="SECONDS", help=until)
    parser.add_argument("--lift", action="append", default=[], help="from the store: this lift (may be repeated)")
    parser.add_argument("--from", dest="from_ns", type=instant, metavar="TIME", help="from the store: the begin")
    parser.add_argument("--to", dest="to_ns", type=instant, metavar="TIME", help="from the store: the end")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Record from the time series where a lift is named, else from the broker."""
    if options.lift:
        if options.for_s != float("inf"):
            raise Unusable("--for: only for recording from the broker; with --lift use --from and --to")
        if options.from_ns is None or options.to_ns is None or options.from_ns >= options.to_ns:
            raise Unusable("--lift: add --from and --to")
        header = record_series(settings, options.folder, options.lift, options.from_ns, options.to_ns)
        return report_written(header, options.folder, "it was interrupted")
    if options.from_ns is not None or options.to_ns is not None:
        raise Unusable("--from and --to: add --lift; the broker has no earlier messages")
    header = record_broker(settings, options.folder, options.for_s)
    return report_written(header, options.folder, "the broker was away for a while")


def instant(text: str) -> int:
    """Parse an instant with a time zone."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def record_broker(settings: Configuration, folder: Path, for_s: float) -> RecordingHeader:
    """Record messages from the broker for `for_s` seconds, or until Ctrl-C."""
    name = client_id(settings, f"record-{time.time_ns():x}")
    source = connected(MqttSource(broker_address(settings), name, session_kept_s=0))
    audit_command(settings, "readings.record", [AuditSubject("broker", {"folder": str(folder)})])
    begun, progress = time.monotonic(), Progress()
    header = RecordingHeader(f"broker {source.address}", VERSION)
    try:
        with ended_by_signals() as ended, recording_writer(folder, header, registered_lifts(settings)) as writer:
            listener = recording.Listener(
                source, writer, lambda count: progress.report(f"{count} messages in {time.monotonic() - begun:.0f} s")
            )
            listener.listen(for_s, ended)
            writer.set_facts(registered_lifts(settings))  # some may have been registered meanwhile
            writer.close(complete=listener.unbroken)
    finally:
        source.close()
    return writer.header


def record_series(
    settings: Configuration, folder: Path, lifts: Sequence[str], from_ns: int, to_ns: int
) -> RecordingHeader:
    """Record the stored readings of `lifts`; raise Unusable where there are none."""
    facts = {lift.lift_id: lift for lift in registered_lifts(settings) if lift.lift_id in lifts}
    span = {"from": to_the_nanosecond(from_ns), "to": to_the_nanosecond(to_ns)}
    audit_command(settings, "readings.export", [AuditSubject(lift_id, span, lift_id=lift_id) for lift_id in lifts])
    districts = {lift_id: facts[lift_id].district if lift_id in facts else UNKNOWN_DISTRICT for lift_id in lifts}
    progress = Progress()
    with closing(open_series(settings, writable=False)) as series, ended_by_signals() as ended:
        exported = takewhile(lambda _: not ended.is_set(), export.export_readings(series, districts, from_ns, to_ns))
        groups = filter(lambda group: len(group.messages.seq), exported)
        first = next(groups, None)
        if first is None:
            raise Unusable(nothing_stored(settings, lifts, from_ns, to_ns))
        with recording_writer(folder, RecordingHeader(export.SOURCE, VERSION), list(facts.values())) as writer:
            for group in chain([first], groups):
                writer.add(group)
                progress.report(f"{writer.header.messages} messages")
            writer.close(complete=not ended.is_set())
    silent = sorted(set(lifts) - Recording(folder).lift_ids())
    if silent:
        sys.stderr.write(f"liftwatch: {nothing_stored(settings, silent, from_ns, to_ns)}\n")
    return writer.header


def nothing_stored(settings: Configuration, lifts: Sequence[str], from_ns: int, to_ns: int) -> str:
    """Return the error message for lifts without stored readings between two instants."""
    days = settings.timeseries.raw_days
    kept = f"; it keeps the readings of the last {days} days" if days else ""
    span = f"from {to_the_nanosecond(from_ns)} to {to_the_nanosecond(to_ns)}"
    return f"the store holds nothing of {', '.join(lifts)} {span}{kept}"


def registered_lifts(settings: Configuration) -> list[LiftFacts]:
    """Return the facts of the registered lifts; none where there is no registry yet."""
    if not has_records(settings):
        return []
    with Records.open(settings.records_url, settings.records_key_path) as records:
        return records.registered()
