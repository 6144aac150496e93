"""The command line: parses the top level, imports the module of the requested command only, and runs it.

An unusable setting or argument ends a command with one line for each fault on standard error and exit code 2. A broker
or database that becomes unavailable later is waited for.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from commands.errors import Unusable, nearest

CONFIG_DEFAULT = Path("liftwatch.toml")
UNUSABLE = 2
EPILOG = """\
Start here:
  liftwatch demo                         everything on this machine with 50 simulated lifts
  liftwatch check-config                 check the configuration and its servers
  liftwatch lifts import lifts.csv       import the lifts to monitor
  liftwatch monitor & liftwatch serve    the two processes of a real installation

Configuration is one TOML file (liftwatch.example.toml explains every key) and the environment:
LIFTWATCH_BROKER__HOST=mqtt.example overrides host in [broker].
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of help, the module that implements the command, and variables its libraries read when imported."""

    help: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)


COMMANDS: Mapping[str, Command] = {
    "demo": Command("Run broker, monitor, dashboards and a simulated fleet on this machine", "commands.demo"),
    "monitor": Command(
        "Receive, judge and store messages of lifts, and publish alerts",
        "commands.monitor",
        {"POLARS_MAX_THREADS": "1"},  # a thread pool of polars' own costs the monitor a fifth more CPU
    ),
    "serve": Command("Serve the pages and the HTTP API", "commands.serve"),
    "history": Command("Write past days of a simulated fleet into an empty installation", "commands.history"),
    "simulate": Command("Play a simulated fleet to the broker, or write it as a recording", "commands.simulate"),
    "inject": Command("Inject a fault into a simulated lift", "commands.inject"),
    "record": Command("Record messages from the broker, or readings from the store", "commands.record"),
    "replay": Command("Play a recording to the broker, or judge it without a broker", "commands.replay"),
    "rules": Command("List the rules, and check rules of your own", "commands.rules"),
    "evaluate": Command(
        "Compare alerts with labels: recall, false alarms and delays of each rule", "commands.evaluate"
    ),
    "audit": Command("Verify the chain of the audit log, print its head, or export its rows", "commands.audit"),
    "lifts": Command("Import lifts into the registry, or export it", "commands.lifts"),
    "devices": Command("Add, renew, revoke and list the devices that may connect to the broker", "commands.devices"),
    "influx-tokens": Command("Make InfluxDB tokens that may do no more than they must", "commands.influx_tokens"),
    "people": Command("Add, list, disable and reset the accounts of people and programs", "commands.people"),
    "organisations": Command("List and add organisations", "commands.organisations"),
    "check-config": Command(
        "Check the configuration and connect to the servers that it names", "commands.check_config"
    ),
    "compile": Command("Compile the recurrences ahead of time, so that the monitor starts at once", "commands.compile"),
    "broker": Command("Run the small broker that the demonstration uses without Mosquitto", "commands.broker"),
}


class CommandModule(Protocol):
    """The interface of a command's module."""

    EXPECTED_ERRORS: tuple[type[Exception], ...]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Any], int]


def log_format() -> logging.Formatter:
    """Return the format of a line of log: its time is in UTC, and the text of a message stays on one line."""
    lines = OneLineFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    lines.converter, lines.default_msec_format = time.gmtime, "%s.%03dZ"
    return lines


class OneLineFormatter(logging.Formatter):
    """A formatter that escapes line breaks of a message, so that no value can forge a line of log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802: the name is logging's
        """Return the line of a record, without its traceback."""
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, 2 where something cannot be used."""
    command, options = parse(arguments)
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(log_format())
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.INFO, handlers=[to_stderr])
    for noisy in ("amqtt", "transitions", "httpx", "asyncio", "alembic", "apprise", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    path = options.config or (CONFIG_DEFAULT if CONFIG_DEFAULT.exists() else None)
    expected: tuple[type[Exception], ...] = (Unusable, *command.EXPECTED_ERRORS)
    read = importlib.import_module("commands.configuration_file").read  # only now: it costs more than printing the help
    private_data = importlib.import_module("commands.wiring.private_data").private_data
    try:
        settings = read(path)
        with private_data(settings):
            return command.run(options, settings)
    except expected as error:
        for line in str(error).splitlines():
            print(f"liftwatch: {line}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 0


def parse(arguments: Sequence[str] | None = None) -> tuple[CommandModule, argparse.Namespace]:
    """Import the module of the requested command only; return the module and its options."""
    options = top_parser().parse_args(arguments)
    command = COMMANDS[options.command]
    for name, value in command.environment.items():
        os.environ.setdefault(name, value)
    module = cast(CommandModule, importlib.import_module(command.module))
    parser = argparse.ArgumentParser(
        prog=f"liftwatch {options.command}",
        description=f"{command.help}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return module, parser.parse_args(options.arguments, options)


def top_parser() -> argparse.ArgumentParser:
    """Return the parser of the options before the command; the command's own arguments are left as they are."""
    listed = "\n".join(f"  {name:<14}{command.help}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="liftwatch",
        description="An open monitor for lifts: receives their readings over MQTT, finds faults, alerts people.\n\n"
        f"Commands:\n{listed}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="the TOML file (default: liftwatch.toml where there is one)")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.add_argument("command", type=command_name, metavar="COMMAND", help="one of the commands above")
    own = "its arguments: liftwatch COMMAND --help lists them"
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help=own).required = False
    return parser


def command_name(text: str) -> str:
    """Return the name of a command; refuse another with a hint at the nearest."""
    if text not in COMMANDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a command{nearest(text, COMMANDS)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
