"""The front door: one command line that wires the rooms together.

Every command reads the configuration once, opens what it needs, and says in one line (exit code 2) what it cannot use.
What goes away later is waited for, not died of.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

if "monitor" in sys.argv[1:]:  # read by polars as it is imported: a pool of its own costs the monitor a fifth more CPU
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import configuration
import demonstration
import recorder
import trial
import wiring
from configuration import Configuration, Unusable
from dashboards import app
from dashboards.desk import Settings as DashboardSettings
from dashboards.instant import parse as parse_instant
from detectors.catalogue import RULES
from evaluation import report
from evaluation.raised import BadFindings
from evaluation.referee import judge
from ingest.monitor import Monitor
from ingest.replaying import wider
from simulator import causes, player, scenario
from simulator.bundles import FORMS
from simulator.replayer import Pace
from simulator.scene import Scene, told
from store.journal import Journal, JournalTaken
from store.recordings import Writer
from store.records import Records, RecordsUnavailable
from store.timeseries import TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.facts import FactsError, export_csv, export_json, read_csv, read_json
from telemetry.recording import Header, NotARecording

log = logging.getLogger("liftwatch")

CONFIG_DEFAULT = Path("liftwatch.toml")
UNUSABLE = 2
DATA_UMASK = 0o027
"""What the monitor keeps says who was where: its own user writes it, its group may read it, nobody else."""
COLLECT_AFTER = 200_000
"""Decoding makes many small values that die together: looking for cycles among them costs a third of its time."""

EPILOG = """\
Start here:
  liftwatch demo                         everything on this machine with 50 simulated lifts
  liftwatch check-config                 what is configured, and whether it answers
  liftwatch lifts import lifts.csv       tell the monitor what it watches
  liftwatch monitor & liftwatch serve    the two processes of a real installation

Configuration is one TOML file (liftwatch.example.toml explains every key) and the environment:
LIFTWATCH_BROKER__HOST=mqtt.example overrides host in [broker].
"""


EVALUATE_MORE = """\
  liftwatch simulate --scenario entrapment --to night
  liftwatch evaluate night                              the present rules, straight through
  liftwatch evaluate night --findings theirs.csv        another detector: lift_id,rule,onset[,noticed][,severity]
  liftwatch evaluate --scenario quiet --lifts 200       a world too long to be written: what is raised is false

Lifts are split by seed and name into a set to tune on and a held-out set, which is the one to quote.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="liftwatch",
        description="An open monitor for lifts: hears them over MQTT, judges them, tells people what to do.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="the TOML file (default: liftwatch.toml where there is one)")
    parser.add_argument("--verbose", action="store_true", help="say more of what happens")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, act: Callable[..., int], does: str, more: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=does,
            description=f"{does}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(act=act)
        return made

    demo = command("demo", demo_command, "Run broker, monitor, dashboards and a simulated fleet on this machine")
    demo.add_argument("--lifts", type=count, default=50, help="how many lifts (default 50)")
    demo.add_argument("--seed", type=int, default=1, help="which fleet: the same seed gives the same lifts (default 1)")
    demo.add_argument("--broker-port", type=port, default=1883, help="the broker's port (default 1883)")
    demo.add_argument("--port", type=port, default=8080, help="the pages' port (default 8080)")
    demo.add_argument("--data", type=Path, help="keep the data in this folder (default: a new one, removed at the end)")
    demo.add_argument("--faults-per-hour", type=float, default=6.0, help="faults by themselves, over the fleet")

    command("monitor", monitor_command, "Hear lifts, judge and remember what they say, announce alerts")
    command("serve", serve_command, "Serve the pages and the HTTP API")

    simulate = command(
        "simulate",
        simulate_command,
        "Play a simulated fleet to the broker, or write it as a recording",
        "Scenarios:\n" + "\n".join(f"  {name:<22} {found.about}" for name, found in scenario.shipped().items()),
    )
    simulate.add_argument("--scenario", metavar="NAME", help="one of those below, or a TOML file of your own")
    simulate.add_argument("--lifts", type=count, help="how many lifts (default 50)")
    simulate.add_argument("--seed", type=int, help="which fleet (default 1)")
    simulate.add_argument("--speed", type=float, default=1.0, help="times real time (default 1)")
    simulate.add_argument("--form", choices=FORMS, help="how bundles are sent (default json)")
    simulate.add_argument("--vibration", action=argparse.BooleanOptionalAction, help="3 x 100 Hz as well (default yes)")
    simulate.add_argument(
        "--faults", "--faults-per-hour", type=float, dest="faults_per_hour", help="faults by themselves, over the fleet"
    )
    simulate.add_argument("--to", type=Path, metavar="FOLDER", help="write a recording instead, as fast as it goes")
    simulate.add_argument("--labels", type=Path, help="append what really happened to this file, a JSON line each")
    simulate.add_argument("--register", action="store_true", help="first put these lifts into the registry")

    evaluate = command(
        "evaluate",
        evaluate_command,
        "Hold alerts against what truly happened: recall, false alarms and delays of each rule",
        EVALUATE_MORE,
    )
    evaluate.add_argument("recording", nargs="?", type=Path, help="the folder of a recording that has labels")
    evaluate.add_argument("--scenario", metavar="NAME", help="live through a scenario instead of a recording")
    evaluate.add_argument("--lifts", type=count, help="how many lifts the scenario has")
    evaluate.add_argument("--seed", type=int, help="which fleet it is")
    evaluate.add_argument("--days", type=count, help="how many days it lasts")
    evaluate.add_argument("--processes", type=count, default=1, help="live a scenario in so many processes (default 1)")
    evaluate.add_argument(
        "--findings", type=Path, metavar="CSV", help="the findings of another detector, instead of ours"
    )
    evaluate.add_argument("--to", type=Path, metavar="FOLDER", help="where the report goes (default: NAME.evaluation)")
    record = command(
        "record", record_command, "Write down what lifts say at the broker, or what the store holds of one"
    )
    record.add_argument("folder", type=Path, help="the recording: a folder that is not there yet")
    record.add_argument(
        "--for",
        dest="for_s",
        type=seconds,
        default=float("inf"),
        metavar="SECONDS",
        help="how long (default: until Ctrl-C)",
    )
    record.add_argument("--lift", action="append", default=[], help="from the store: this lift (may be repeated)")
    record.add_argument("--from", dest="from_ns", type=instant, metavar="TIME", help="from the store: from here on")
    record.add_argument("--to", dest="to_ns", type=instant, metavar="TIME", help="from the store: up to here")

    replay = command("replay", replay_command, "Play a recording to the broker, or straight through the rules")
    replay.add_argument("recording", type=Path, help="the recording's folder")
    replay.add_argument("--speed", type=seconds, default=1.0, help="times real time; 0: as fast as the broker takes it")
    replay.add_argument("--lift", action="append", default=[], help="this lift alone (may be repeated)")
    replay.add_argument("--now", action="store_true", help="move its times to the present")
    replay.add_argument("--register", action="store_true", help="first put its lifts into the registry")
    replay.add_argument(
        "--judge", action="store_true", help="no broker: judge it, and write the alerts, a JSON line each"
    )
    replay.add_argument("--processes", type=count, default=1, help="judge in so many processes (default 1)")
    replay.add_argument(
        "--to", type=Path, metavar="FILE", help="write the alerts to this file (default: standard output)"
    )

    inject = command(
        "inject",
        inject_command,
        "Put a fault into a simulated lift",
        "Causes:\n" + "\n".join(f"  {slug:<30} {cause.en}" for slug, cause in causes.CAUSES.items()),
    )
    inject.add_argument("lift_id", help="the simulated lift")
    inject.add_argument("cause", choices=list(causes.CAUSES), metavar="CAUSE", help="see below")
    inject.add_argument(
        "--for", dest="for_s", type=float, default=60.0, metavar="SECONDS", help="how long (default 60)"
    )

    lifts = commands.add_parser("lifts", help="Bring lifts into the registry, or take a copy of it")
    actions = lifts.add_subparsers(dest="action", required=True, metavar="ACTION")
    bring = actions.add_parser("import", help="take lifts from CSV or JSON; rows that do not fit are named, with why")
    bring.add_argument("file", type=Path, help="a .csv or .json file (the columns: docs/contract.md, section 2)")
    bring.add_argument("--by", default="command line", help="who does this, for the audit")
    bring.set_defaults(act=import_command)
    take = actions.add_parser("export", help="write the registry as CSV or JSON")
    take.add_argument("file", type=Path, nargs="?", help="where to (default: standard output, JSON)")
    take.set_defaults(act=export_command)

    command("check-config", check_command, "Read the configuration and try what it names")
    broker = command("broker", broker_command, "Run the small broker that the demonstration uses without Mosquitto")
    broker.add_argument("--port", type=port, default=1883, help="on loopback (default 1883)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 2 where something cannot be used."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("amqtt", "transitions", "httpx", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    path = options.config or (CONFIG_DEFAULT if CONFIG_DEFAULT.exists() else None)
    try:
        return int(options.act(options, configuration.read(path)))
    except (Unusable, JournalTaken, RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused) as error:
        print(f"liftwatch: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 0


def count(text: str) -> int:
    """Read a number of lifts."""
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("say a number from 1 to 1000000")
    return number


def port(text: str) -> int:
    """Read a port's number."""
    number = int(text)
    if not 1 <= number <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def seconds(text: str) -> float:
    """Read a number of seconds, or a speed: 0 or more."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("say a number, 0 or more")
    return number


def instant(text: str) -> int:
    """Read an instant with a zone."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    rules = configuration.rules(settings)
    endpoints = wiring.endpoints(settings)
    with contextlib.ExitStack() as stores:
        records = stores.enter_context(Records.open(settings.records_url))
        where = settings.monitor.data_dir / "journal"
        journal = stores.enter_context(Journal.open(where, settings.monitor.journal_limit_mb << 20))
        journal.claim()  # before the broker is met: a second monitor would take the first one's session away
        series = stores.enter_context(contextlib.closing(wiring.timeseries(settings, writable=True)))
        monitor = Monitor(
            wiring.reached(wiring.broker(settings)),
            journal,
            records,
            series,
            rules,
            wiring.broker(settings),
            endpoints,
            partition=wiring.partition(settings),
            raw_days=settings.timeseries.raw_days,
            keep_years=settings.records.keep_years,
            batch_s=settings.monitor.batch_s,
            batch_messages=settings.monitor.batch_messages,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: monitor.stop())
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        monitor.run()
    return 0


def serve_command(_: argparse.Namespace, settings: Configuration) -> int:
    """Serve pages and API until a signal."""
    where = settings.dashboards
    Records.open(settings.records_url).close()

    def inject(lift_id: str, cause: str, for_s: float) -> None:
        player.inject(lift_id=lift_id, cause=cause, for_s=for_s, **wiring.player_broker(settings))

    try:
        app.run(
            DashboardSettings(
                open_records=lambda: Records.open(settings.records_url),
                open_series=lambda: wiring.timeseries(settings, writable=False),
                host=where.host,
                port=where.port,
                hosts=where.hosts,
                demo=where.demo,
                causes=tuple(causes.CAUSES),
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
    named = options.scenario
    changes = {name: getattr(options, name) for name in ("lifts", "seed", "form", "vibration", "faults_per_hour")}
    usual = {"form": "json", "vibration": True} if named is None else {}
    try:
        played = scenario.read(named, usual | {name: value for name, value in changes.items() if value is not None})
    except scenario.Contradiction as error:
        raise Unusable(str(error)) from None
    if options.register:
        with Records.open(settings.records_url) as records:
            records.put_lifts(scenario.inhabitants(played), "simulator", time.time_ns())
    if options.to is not None:
        return record_scenario(played, named, options.to)
    player.run(
        player.Settings(
            played,
            **wiring.player_broker(settings),
            speed=options.speed,
            seconds=None if named is None else played.seconds,
            labels=options.labels,
        )
    )
    return 0


def record_scenario(played: scenario.Scenario, named: str | None, folder: Path) -> int:
    """Live a scenario through and write it down."""
    scene = Scene(played, played.start_ns)
    header = Header("simulator", app.VERSION, played.seed, named)
    try:
        with Writer(folder, header, scene.facts) as writer:
            for decoded in wider(told(scene)):
                writer.add(decoded)
                writer.label(scene.labels())
            writer.label(scene.labels())
    except NotARecording as error:
        raise Unusable(str(error)) from None
    print(f"{writer.header.messages} messages of {writer.header.lifts} lifts written to {folder}")
    return 0


def evaluate_command(options: argparse.Namespace, _: Configuration) -> int:
    """Judge a recording or a scenario and write the report."""
    if (options.recording is None) == (options.scenario is None):
        raise Unusable("evaluate: name either the folder of a recording or a --scenario")
    try:
        if options.scenario is None:
            tried = trial.of_recording(options.recording, options.findings)
        else:
            changes = {name: getattr(options, name) for name in ("lifts", "seed", "days")}
            lived = scenario.read(
                options.scenario, {name: value for name, value in changes.items() if value is not None}
            )
            tried = trial.of_scenario(lived, Path(options.scenario).stem, options.processes)
    except (scenario.Contradiction, NotARecording, trial.NothingToHoldAgainst, BadFindings) as error:
        raise Unusable(str(error)) from None
    reports = judge(tried.played, tried.labels, tried.raised)
    folder = options.to or Path(f"{tried.played.name}.evaluation")
    report.write(folder, tried.played, reports, {rule.slug: rule.name for rule in RULES})
    print(report.to_text(reports))
    print(f"Written to {folder}: {', '.join(report.FILES)}")
    return 0


def record_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Take a recording, from the store where a lift is named, else from the broker."""
    if options.lift:
        if options.from_ns is None or options.to_ns is None or options.from_ns >= options.to_ns:
            raise Unusable("--lift: say --from and, later, --to as well")
        taken = recorder.from_store(settings, options.folder, options.lift, options.from_ns, options.to_ns)
    elif options.from_ns is not None or options.to_ns is not None:
        raise Unusable("--from and --to: say --lift as well; what was said at the broker before is heard no more")
    else:
        taken = recorder.from_broker(settings, options.folder, options.for_s)
    state = "" if taken.complete else ", marked incomplete: the broker was away for a while"
    print(f"{taken.messages} messages of {taken.lifts} lifts written to {options.folder}{state}")
    return 0 if taken.complete else 1


def replay_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Play a recording to the broker, or judge it."""
    if options.judge:
        return judge_recording(options, settings)
    played = recorder.opened(options.recording, options.lift)
    if options.register:
        with Records.open(settings.records_url) as records:
            records.put_lifts(played.facts(), "replay", time.time_ns())
    sent = recorder.to_broker(settings, played, Pace(options.speed), options.lift, options.now)
    print(f"{sent} messages sent" if options.lift else f"{sent} of {played.header.messages} messages sent")
    return 0


def judge_recording(options: argparse.Namespace, settings: Configuration) -> int:
    """Judge a recording straight through; the alerts go out as lines, the summary to standard error."""
    judged = recorder.judge(options.recording, configuration.rules(settings), options.lift, options.processes)
    text = b"".join(line + b"\n" for line in judged.lines)
    if options.to is None:
        sys.stdout.buffer.write(text)
    else:
        written(options.to, text)
    print(recorder.summary(judged, options.lift), file=sys.stderr)
    return 0


def inject_command(options: argparse.Namespace, settings: Configuration) -> int:
    """Publish a fault to the simulator."""
    where = wiring.player_broker(settings)
    try:
        player.inject(lift_id=options.lift_id, cause=options.cause, for_s=options.for_s, **where)
    except OSError as error:
        raise Unusable(
            f"the broker {where['host']}:{where['port']} does not answer ({error}); is the demo up?"
        ) from None
    except ValueError as error:
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
        lifts = [entry.facts for entry in records.registry()[1] if entry.registered]
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


if __name__ == "__main__":
    sys.exit(main())
