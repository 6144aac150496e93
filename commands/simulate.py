"""`liftwatch simulate`: a simulated fleet, played to the broker or written as a recording with its labels."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import takewhile
from pathlib import Path

from commands import arguments
from commands.errors import Unusable
from commands.wiring.broker import broker_address
from commands.wiring.recordings import recording_writer, report_written
from configuration import Configuration
from ingest.recordings.replaying import wider
from registry.actor import Actor
from simulator.playback import player
from simulator.playback.signals import ended_by_signals
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios import library
from simulator.scenarios.scenario import InvalidScenario, Scenario, scenario_lifts
from simulator.terminals.messages import FORMS
from store.recordings.format import RecordingHeader
from store.records.repository import Records, RecordsUnavailable
from telemetry.version import VERSION

EXPECTED_ERRORS = (InvalidScenario, RecordsUnavailable)
RATE = "faults by themselves, per hour over the fleet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments, and the shipped scenarios to its help."""
    shipped = "\n".join(f"  {name:<22} {found.about}" for name, found in library.shipped().items())
    parser.epilog = f"Scenarios:\n{shipped}"
    parser.add_argument("--scenario", metavar="NAME", help="one of the scenarios below, or a TOML file")
    parser.add_argument("--lifts", type=arguments.count, help="how many lifts (default: the scenario's, else 50)")
    parser.add_argument("--seed", type=arguments.seed, help="which fleet (default: the scenario's, else 1)")
    faster = "above 1 the lifts begin a day ago, and catch up with now"
    parser.add_argument("--speed", type=arguments.speed, help=f"times real time (default 1); {faster}")
    parser.add_argument("--form", choices=FORMS, help="how bundles are sent (default: the scenario's, else json)")
    vibration = "vibration as well (default: the scenario's, else yes, at 100 Hz)"
    parser.add_argument("--vibration", action=argparse.BooleanOptionalAction, help=vibration)
    hour = "the local hour of day at which the traffic begins, 8 is the morning peak (default: the clock's)"
    parser.add_argument("--hour", type=float, help=hour)
    rate = f"{RATE} (default: the scenario's, else none)"
    parser.add_argument("--faults", "--faults-per-hour", type=float, dest="faults_per_hour", help=rate)
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="write a recording instead, as fast as it goes")
    some = "play only these lifts of the fleet, by number: 1-50, or 51-51"
    parser.add_argument("--numbers", metavar="A-B", help=some)
    parser.add_argument("--labels", type=Path, help="append the labels of faults to this file, a JSON line each")
    parser.add_argument("--register", action="store_true", help="first import these lifts into the registry")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Play the fleet until a signal, or until its scenario is over; or write it as a recording."""
    if options.to is not None and (options.speed is not None or options.labels is not None):
        raise Unusable(
            "--to: leave --speed and --labels out; a recording is written at full speed and contains its labels"
        )
    scenario = read_scenario(options)
    if options.register:
        with Records.open(settings.records_url, settings.records_key_path) as records:
            records.put_lifts(scenario_lifts(scenario), Actor.named("simulator"), time.time_ns())
    if options.to is not None:
        header = write_recording(scenario, options.scenario, options.to)
        return report_written(header, options.to, "it was interrupted")
    player.run(
        player.PlayerSettings(
            scenario,
            broker_address(settings),
            speed=options.speed or 1.0,
            seconds=None if options.scenario is None else scenario.seconds,
            labels=options.labels,
            part=numbered(options.numbers, scenario),
        )
    )
    return 0


def read_scenario(options: argparse.Namespace) -> Scenario:
    """Return the scenario that is named, or the default world, with the changes of the options."""
    defaults = {"form": "json", "vibration": True} if options.scenario is None else {}
    changes = arguments.given(options, "lifts", "seed", "form", "vibration", "faults_per_hour", "hour")
    return library.read(options.scenario, defaults | changes)


def numbered(numbers: str | None, scenario: Scenario) -> slice:
    """Return the part of the fleet that `A-B` names, all of it for None."""
    if numbers is None:
        return slice(None)
    first, _, last = numbers.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= scenario.lifts):
        raise Unusable(f"--numbers: {numbers!r} names no lifts; write two numbers from 1 to {scenario.lifts}, as 1-20")
    return slice(int(first) - 1, int(last))


def write_recording(scenario: Scenario, name: str | None, folder: Path, part: slice = slice(None)) -> RecordingHeader:
    """Simulate a scenario, or a part of its lifts, as fast as possible; write messages and labels to `folder`."""
    simulation = Simulation(scenario, scenario.start_ns, part)
    header = RecordingHeader("simulator", VERSION, scenario.seed, name)
    with ended_by_signals() as ended, recording_writer(folder, header, simulation.facts) as writer:
        for decoded in wider(takewhile(lambda _: not ended.is_set(), decoded_seconds(simulation))):
            writer.add(decoded)
            writer.add_labels(simulation.labels())
        writer.add_labels(simulation.labels())
        writer.close(complete=not ended.is_set())
    if writer.header.complete and (missed := simulation.missing_faults()):
        sys.stderr.write(f"liftwatch: {missed}\n")
    return writer.header
