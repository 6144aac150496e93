"""What the command line takes: each command with its options, what they mean, and help that teaches.

`options.act` names what is to be done: the command's own name, or that of an action on the registry.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.faults import cause_table
from simulator.scenarios import library
from simulator.scenarios.scenario import SEED_LIMIT
from simulator.terminals import replay_forms
from simulator.terminals.messages import FORMS
from telemetry.instant import parse as parse_instant

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
  liftwatch evaluate night --findings theirs.csv        another detector: lift_id,rule,onset[,noticed …]
  liftwatch evaluate --scenario quiet --lifts 200       a world too long to be written: what is raised is false

Lifts are split by seed and name into a set to tune on and a held-out set, which is the one to quote.
"""
FAULTS = "faults by themselves, per hour over the fleet"
FASTER = "above 1 the lifts begin a day ago, and catch up with now"

Command = Callable[..., argparse.ArgumentParser]


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

    def command(name: str, does: str, more: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=does,
            description=f"{does}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(act=name)
        return made

    _demo(command)
    command("monitor", "Hear lifts, judge and remember what they say, announce alerts")
    command("serve", "Serve the pages and the HTTP API")
    _simulate(command)
    _inject(command)
    _record(command)
    _replay(command)
    _evaluate(command)
    _registry(commands.add_parser("lifts", help="Bring lifts into the registry, or take a copy of it"))
    command("check-config", "Read the configuration and try what it names")
    broker = command("broker", "Run the small broker that the demonstration uses without Mosquitto")
    broker.add_argument("--port", type=port, default=1883, help="on loopback (default 1883)")
    return parser


def _demo(command: Command) -> None:
    demo = command("demo", "Run broker, monitor, dashboards and a simulated fleet on this machine")
    demo.add_argument("--lifts", type=count, default=50, help="how many lifts (default 50)")
    demo.add_argument(
        "--seed", type=seed, default=1, help="which fleet: the same seed gives the same lifts (default 1)"
    )
    demo.add_argument("--broker-port", type=port, default=1883, help="the broker's port (default 1883)")
    demo.add_argument("--port", type=port, default=8080, help="the pages' port (default 8080)")
    demo.add_argument("--data", type=Path, help="keep the data in this folder (default: a new one, removed at the end)")
    demo.add_argument("--faults-per-hour", type=float, default=6.0, help=f"{FAULTS} (default 6)")


def _simulate(command: Command) -> None:
    shipped = "\n".join(f"  {name:<22} {found.about}" for name, found in library.shipped().items())
    does = "Play a simulated fleet to the broker, or write it as a recording"
    simulate = command("simulate", does, f"Scenarios:\n{shipped}")
    simulate.add_argument("--scenario", metavar="NAME", help="one of those below, or a TOML file of your own")
    simulate.add_argument("--lifts", type=count, help="how many lifts (default: the scenario's, else 50)")
    simulate.add_argument("--seed", type=seed, help="which fleet (default: the scenario's, else 1)")
    simulate.add_argument("--speed", type=speed, help=f"times real time (default 1); {FASTER}")
    simulate.add_argument("--form", choices=FORMS, help="how bundles are sent (default: the scenario's, else json)")
    vibration = "vibration as well (default: the scenario's, else yes, at 100 Hz)"
    simulate.add_argument("--vibration", action=argparse.BooleanOptionalAction, help=vibration)
    rate = f"{FAULTS} (default: the scenario's, else none)"
    simulate.add_argument("--faults", "--faults-per-hour", type=float, dest="faults_per_hour", help=rate)
    simulate.add_argument("--to", type=Path, metavar="FOLDER", help="write a recording instead, as fast as it goes")
    simulate.add_argument("--labels", type=Path, help="append what really happened to this file, a JSON line each")
    simulate.add_argument("--register", action="store_true", help="first put these lifts into the registry")


def _inject(command: Command) -> None:
    known = "\n".join(f"  {slug:<30} {cause.en}" for slug, cause in cause_table.CAUSES.items())
    inject = command("inject", "Put a fault into a simulated lift", f"Causes:\n{known}")
    inject.add_argument("lift_id", help="the simulated lift")
    inject.add_argument("cause", choices=list(cause_table.CAUSES), metavar="CAUSE", help="see below")
    inject.add_argument(
        "--for", dest="for_s", type=float, default=60.0, metavar="SECONDS", help="how long (default 60)"
    )


def _record(command: Command) -> None:
    record = command("record", "Write down what lifts say at the broker, or what the store holds of one")
    record.add_argument("folder", type=Path, help="the recording: a folder that is not there yet")
    until = "how long (default: until Ctrl-C)"
    record.add_argument("--for", dest="for_s", type=seconds, default=float("inf"), metavar="SECONDS", help=until)
    record.add_argument("--lift", action="append", default=[], help="from the store: this lift (may be repeated)")
    record.add_argument("--from", dest="from_ns", type=instant, metavar="TIME", help="from the store: from here on")
    record.add_argument("--to", dest="to_ns", type=instant, metavar="TIME", help="from the store: up to here")


def _replay(command: Command) -> None:
    replay = command("replay", "Play a recording to the broker, or straight through the rules")
    replay.add_argument("recording", type=Path, help="the recording's folder")
    replay.add_argument("--speed", type=seconds, help="times real time (default 1); 0: as fast as the broker takes it")
    replay.add_argument("--lift", action="append", default=[], help="this lift alone (may be repeated)")
    replay.add_argument("--form", choices=replay_forms.FORMS, help="how its messages are written (default json)")
    replay.add_argument("--now", action="store_true", help="move its times to the present")
    replay.add_argument("--register", action="store_true", help="first put its lifts into the registry")
    replay.add_argument("--judge", action="store_true", help="no broker: judge it, and write the alerts as JSON lines")
    replay.add_argument("--processes", type=count, help="judge in so many processes (default 1)")
    replay.add_argument("--to", type=Path, metavar="FILE", help="write the alerts here (default: standard output)")


def _evaluate(command: Command) -> None:
    does = "Hold alerts against what truly happened: recall, false alarms and delays of each rule"
    evaluate = command("evaluate", does, EVALUATE_MORE)
    evaluate.add_argument("recording", nargs="?", type=Path, help="the folder of a recording that has labels")
    evaluate.add_argument("--scenario", metavar="NAME", help="live through a scenario instead of a recording")
    evaluate.add_argument("--lifts", type=count, help="how many lifts the scenario has")
    evaluate.add_argument("--seed", type=seed, help="which fleet it is")
    evaluate.add_argument("--days", type=count, help="how many days it lasts")
    evaluate.add_argument("--processes", type=count, help="live a scenario in so many processes (default 1)")
    evaluate.add_argument("--findings", type=Path, metavar="CSV", help="another detector's findings, instead of ours")
    named = "RECORDING.evaluation, RECORDING.CSV.evaluation or NAME.evaluation"
    evaluate.add_argument("--to", type=Path, metavar="FOLDER", help=f"where the report goes (default: {named}, here)")


def _registry(lifts: argparse.ArgumentParser) -> None:
    actions = lifts.add_subparsers(dest="action", required=True, metavar="ACTION")
    bring = actions.add_parser("import", help="take lifts from CSV or JSON; rows that do not fit are named, with why")
    bring.add_argument("file", type=Path, help="a .csv or .json file (the columns: docs/contract.md, section 2)")
    bring.add_argument("--by", default="command line", help="who does this, for the audit")
    bring.set_defaults(act="import")
    take = actions.add_parser("export", help="write the registry as CSV or JSON")
    take.add_argument("file", type=Path, nargs="?", help="where to (default: standard output, JSON)")
    take.set_defaults(act="export")


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return those of these options that somebody gave."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def count(text: str) -> int:
    """Read a number of lifts."""
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("say a whole number from 1 to 1000000")
    return int(text)


def seed(text: str) -> int:
    """Read a seed."""
    if not text.isdecimal() or int(text) > SEED_LIMIT:
        raise argparse.ArgumentTypeError(f"say a whole number from 0 to {SEED_LIMIT}")
    return int(text)


def speed(text: str) -> float:
    """Read how many times real time."""
    number = seconds(text)
    if number == 0:
        raise argparse.ArgumentTypeError("say a number above 0; 1 is real time")
    return number


def port(text: str) -> int:
    """Read a port's number."""
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds, or a speed: 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("say a number, 0 or more")
    return number


def instant(text: str) -> int:
    """Read an instant with a zone."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
