"""The front door: one command line that wires the rooms together.

Every command reads the configuration once, opens what it needs, and says in one line (exit code 2) what it cannot use.
What goes away later is waited for, not died of.
"""

from __future__ import annotations

import argparse
import functools
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

if "monitor" in sys.argv[1:]:  # read by polars as it is imported: a pool of its own costs the monitor a fifth more CPU
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import configuration
from commands import command_line, demonstration, recorder, trial, wiring
from configuration import Configuration, Unusable
from dashboards import app
from dashboards.api.desk import Settings as DashboardSettings
from evaluation import report
from evaluation.raised import BadFindings
from evaluation.referee import judge
from mqtt.publisher import NotPublished
from registry.facts import FactsError, export_csv, export_json, read_csv, read_json
from simulator.faults import cause_table
from simulator.faults.schedule import Unknown
from simulator.playback import injection, player
from simulator.playback.replayer import Pace
from simulator.scenarios import library, scenario
from simulator.terminals.replay_forms import FORMS
from store.journal import JournalTaken
from store.recordings.format import Header, NotARecording
from store.records.repository import Records, RecordsUnavailable
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

log = logging.getLogger("liftwatch")

CONFIG_DEFAULT = Path("liftwatch.toml")
UNUSABLE = 2
DATA_UMASK = 0o027
"""What the monitor keeps says who was where: its own user writes it, its group may read it, nobody else."""
COLLECT_AFTER = 200_000
"""Decoding makes many small values that die together: looking for cycles among them costs a third of its time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 2 where something cannot be used."""
    options = command_line.build_parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("amqtt", "transitions", "httpx", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    path = options.config or (CONFIG_DEFAULT if CONFIG_DEFAULT.exists() else None)
    try:
        return ACTS[options.act](options, configuration.read(path))
    except (
        Unusable, NotARecording, JournalTaken, RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused,
    ) as error:  # fmt: skip
        print(f"liftwatch: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 0


def demo_command(options: argparse.Namespace, _: Configuration) -> int:
    """Run the demonstration until Ctrl-C."""
    return demonstration.run(
        demonstration.Demonstration(
            lifts=options.lifts,
            seed=options.seed,
            broker_port=options.broker_port,
            port=options.port,
            data=options.data,
            faults_per_hour=options.faults_per_hour,
        )
    )


def monitor_command(_: argparse.Namespace, settings: Configuration) -> int:
    """Run the monitor until a signal."""
    os.umask(DATA_UMASK)
    with wiring.monitor(settings) as monitor:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: monitor.stop())
        collect_seldom()
        monitor.run()
    return 0


def collect_seldom() -> None:
    """Look for cycles less often than Python does by itself, for the rest of the process."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def serve_command(_: argparse.Namespace, settings: Configuration) -> int:
    """Serve pages and API until a signal."""
    where = settings.dashboards
    Records.open(settings.records_url).close()
    inject = functools.partial(injection.inject, wiring.broker(settings)) if where.demo else None
    try:
        app.run(
            DashboardSettings(
                open_records=lambda: Records.open(settings.records_url),
                open_series=lambda: wiring.timeseries(settings, writable=False),
                host=where.host,
                port=where.port,
                hosts=where.hosts,
                demo=where.demo,
                causes=tuple(cause_table.CAUSES),
                inject=inject,
            )
        )
    except OSError as error:
        raise Unusable(
            f"port {where.port} on {where.host} cannot be had for the pages ({error.strerror}); "
            "end what uses it or set dashboards.port"
        ) from None
    return 0


def simulate_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Play a simulated fleet until a signal, or until its scenario is over."""
    if options.to is not None and (options.speed is not None or options.labels is not None):
        raise Unusable("--to: leave --speed and --labels out; a recording is as fast as it goes, and has its labels")
    named = options.scenario
    usual = {"form": "json", "vibration": True} if named is None else {}
    asked = command_line.given(options, "lifts", "seed", "form", "vibration", "faults_per_hour")
    try:
        played = library.read(named, usual | asked)
    except scenario.Contradiction as error:
        raise Unusable(str(error)) from None
    if options.register:
        with Records.open(settings.records_url) as records:
            records.put_lifts(scenario.inhabitants(played), "simulator", time.time_ns())
    if options.to is not None:
        taken = recorder.from_scenario(played, named, options.to)
        return _written(taken, options.to, "it was interrupted")
    player.run(
        player.PlayerSettings(
            played,
            wiring.broker(settings),
            speed=options.speed or 1.0,
            seconds=None if named is None else played.seconds,
            labels=options.labels,
        )
    )
    return 0


def evaluate_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Judge a recording or a scenario and write the report."""
    tells_contradictions(options)
    folder = options.to or Path(f"{report_name(options)}.evaluation")
    takes_files(folder)
    rules = configuration.rules(settings)
    try:
        if options.scenario is None:
            tried = trial.of_recording(options.recording, options.findings, rules)
        else:
            lived = library.read(options.scenario, command_line.given(options, "lifts", "seed", "days"))
            tried = trial.of_scenario(lived, Path(options.scenario).stem, options.processes or 1, rules)
    except (scenario.Contradiction, NotARecording, trial.NothingToHoldAgainst, BadFindings) as error:
        raise Unusable(str(error)) from None
    played = tried.played
    if options.findings is None:
        played = replace(played, thresholds=configuration.thresholds(settings))
    reports = judge(played, tried.labels, tried.raised)
    try:
        report.write(folder, played, reports)
    except OSError as error:
        raise Unusable(f"cannot write to {folder} ({error.strerror}); name another folder with --to") from None
    print(report.to_text(played, reports))
    print(f"Written to {folder}: {', '.join(report.FILES)}")
    return 0


def tells_contradictions(options: argparse.Namespace) -> None:
    """Refuse options of `evaluate` that would have no effect together."""
    if (options.recording is None) == (options.scenario is None):
        raise Unusable("evaluate: name either the folder of a recording or a --scenario")
    if options.scenario is not None and options.findings is not None:
        raise Unusable("--findings: name the recording that they were found in, instead of a --scenario")
    lived = command_line.given(options, "lifts", "days", "seed", "processes")
    if options.recording is not None and lived:
        raise Unusable(f"--{next(iter(lived))}: leave it out; it is for a --scenario, a recording is what it is")


def report_name(options: argparse.Namespace) -> str:
    """Return what a report is called: after the recording, or the scenario, and the other detector."""
    if options.scenario is not None:
        return Path(options.scenario).stem
    name: str = options.recording.resolve().name
    return name if options.findings is None else f"{name}.{options.findings.stem}"


def takes_files(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, before anything is computed for it."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise Unusable(f"cannot write to {folder}: {there} is not a folder of yours; name another with --to")


def record_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Take a recording, from the store where a lift is named, else from the broker."""
    if options.lift:
        if options.for_s != float("inf"):
            raise Unusable("--for: how long to hear the broker; with --lift say --from and --to")
        if options.from_ns is None or options.to_ns is None or options.from_ns >= options.to_ns:
            raise Unusable("--lift: say --from and, later, --to as well")
        taken = recorder.from_store(settings, options.folder, options.lift, options.from_ns, options.to_ns)
    elif options.from_ns is not None or options.to_ns is not None:
        raise Unusable("--from and --to: say --lift as well; what was said at the broker before is heard no more")
    else:
        taken = recorder.from_broker(settings, options.folder, options.for_s)
    return _written(taken, options.folder, "it was interrupted" if options.lift else "the broker was away for a while")


def _written(taken: Header, folder: Path, why: str) -> int:
    """Say what was recorded, and, where it is not all, why; the exit code is 1 then."""
    state = "" if taken.complete else f", marked incomplete: {why}"
    print(f"{taken.messages} messages of {taken.lifts} lifts written to {folder}{state}")
    return 0 if taken.complete else 1


def replay_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Play a recording to the broker, or judge it."""
    if options.judge:
        if options.now or options.register or options.speed is not None or options.form is not None:
            raise Unusable("--judge: leave --speed, --form, --now and --register out; they are for a broker")
        return judge_recording(options, settings)
    if options.to is not None or options.processes is not None:
        raise Unusable("--to and --processes: say --judge as well; what is played to the broker its monitor judges")
    played = recorder.opened(options.recording, options.lift)
    if options.register:
        with Records.open(settings.records_url) as records:
            records.put_lifts(played.facts(), "replay", time.time_ns())
    pace = Pace() if options.speed is None else Pace(options.speed)
    sent = recorder.to_broker(settings, played, pace, options.form or FORMS[0], options.lift, options.now)
    print(f"{sent} messages sent" if options.lift else f"{sent} of {played.header.messages} messages sent")
    return 0


def judge_recording(options: argparse.Namespace, settings: Configuration) -> int:
    """Judge a recording straight through; the alerts go out as lines, the summary to standard error.

    The exit code is 1 where the recording is incomplete.
    """
    judged = recorder.judge(options.recording, configuration.rules(settings), options.lift, options.processes or 1)
    text = b"".join(line + b"\n" for line in judged.lines)
    if options.to is None:
        sys.stdout.buffer.write(text)
    else:
        written(options.to, text)
    print(recorder.summary(judged, options.lift), file=sys.stderr)
    return 0 if judged.header.complete else 1


def inject_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Publish a fault to the simulator."""
    try:
        injection.inject(wiring.broker(settings), options.lift_id, options.cause, options.for_s)
    except (NotPublished, Unknown) as error:
        raise Unusable(str(error)) from None
    print(f"told {options.lift_id}: {options.cause} for {options.for_s:g} s")
    return 0


def import_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Take lifts into the registry; say row by row what did not fit."""
    reader = read_json if options.file.suffix.lower() == ".json" else read_csv
    try:
        taken, refused = reader(options.file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, FactsError) as error:
        raise Unusable(f"{options.file}: {error}") from None
    with Records.open(settings.records_url) as records:
        records.put_lifts(taken, options.by, time.time_ns())
    print(f"{len(taken)} lifts taken, {len(refused)} refused")
    for row in refused:
        for fault in row.faults:
            print(f"  row {row.number}: {fault}", file=sys.stderr)
    return 1 if refused else 0


def export_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Write the registry out."""
    with Records.open(settings.records_url) as records:
        lifts = records.registered()
    as_csv = options.file is not None and options.file.suffix.lower() == ".csv"
    text = export_csv(lifts) if as_csv else export_json(lifts)
    if options.file is None:
        print(text)
    else:
        written(options.file, text.encode())
        print(f"{len(lifts)} lifts written to {options.file}")
    return 0


def written(file: Path, content: bytes) -> None:
    """Write a file that somebody named."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unusable(f"cannot write {file} ({error.strerror}); name another file") from None


def check_command(_: argparse.Namespace, settings: Configuration) -> int:
    """Try everything that the configuration names and say how each is."""
    faults_found = 0
    for name, attempt in (
        ("rules", lambda: f"{len(configuration.rules(settings))} rules"),
        ("webhooks", lambda: f"{len(wiring.endpoints(settings))} endpoints"),
        ("broker", lambda: wiring.met(settings)),
        ("records", lambda: wiring.kept(settings)),
        ("time series", lambda: wiring.remembered(settings)),
    ):
        try:
            print(f"ok     {name}: {attempt()}")
        except (Unusable, RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused) as error:
            faults_found += 1
            print(f"FAULT  {name}: {error}")
    return UNUSABLE if faults_found else 0


def broker_command(options: argparse.Namespace, _: Configuration) -> int:
    """Run the broker written in Python."""
    return demonstration.serve_broker(options.port)


ACTS: dict[str, Callable[[argparse.Namespace, Configuration], int]] = {
    "demo": demo_command,
    "monitor": monitor_command,
    "serve": serve_command,
    "simulate": simulate_command,
    "inject": inject_command,
    "record": record_command,
    "replay": replay_command,
    "evaluate": evaluate_command,
    "import": import_command,
    "export": export_command,
    "check-config": check_command,
    "broker": broker_command,
}


if __name__ == "__main__":
    sys.exit(main())
