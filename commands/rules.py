"""`liftwatch rules`: list the rules that are judged, and check rules of one's own before they are used."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from commands.errors import Unusable
from commands.wiring.own_rules import GROUP, entry_of, rules_of_file, rules_of_package
from commands.wiring.rules import tuned_rules
from configuration import Configuration
from detectors import contract
from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.observe.arrivals import judged_arrivals
from detectors.rule import Rule
from ingest.fleet import Fleet
from registry.catalogue import SEVERITIES, BadCatalogue, add_own
from registry.facts import FleetFacts
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from telemetry.batch import Batch
from telemetry.groups import joined
from telemetry.order.sequence import Sequencer

EXPECTED_ERRORS: tuple[type[Exception], ...] = ()
START_NS = 978_307_200 * 1_000_000_000
LIFTS, SECONDS = 5, 600
FAULTS_PER_HOUR = 60.0
FAR_NS = 1 << 62


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the catalogue's rules and those of one's own")
    listing.add_argument("--rules", type=Path, action="append", default=[], metavar="FILE", help="this rule file too")
    check = verbs.add_parser("check", help="check a rule file, or the rules of an installed package")
    check.add_argument("rules", metavar="FILE", help="the rule file, or the name of an entry point of a package")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """List or check rules; the exit code is 1 where a rule breaks the contract of rules."""
    if options.verb == "list":
        for rule in tuned_rules(settings, options.rules):
            print(line_of(rule))
        return 0
    rules = named_rules(options.rules)
    faults = sum(report(rule, list(broken(rule))) for rule in rules)
    print(f"{len(rules)} rules, {faults} break the contract of rules" if faults else f"{len(rules)} rules, all sound")
    return 1 if faults else 0


def line_of(rule: Rule) -> str:
    """Return code, slug, table, severities and name of a rule, and the facts that the rule needs."""
    severities = "/".join(SEVERITIES[level.severity] for level in rule.levels)
    origin = "" if rule.slug in {shipped.slug for shipped in RULES} else "own, "
    needs = f"needs {' and '.join(rule.needs)}" if rule.needs else "needs no fact"
    star = "*" if rule.always_judged else " "
    return f"{rule.code:<8}{star} {rule.slug:<24} {rule.table:<9} {severities:<15} {rule.name['en']} ({origin}{needs})"


def named_rules(name: str) -> Sequence[Rule]:
    """Return the rules of a file, or of the entry point of that name; raise Unusable where they cannot be used."""
    path = Path(name)
    points = [] if path.exists() else list(entry_points(group=GROUP, name=name))
    if not points and not path.exists() and path.suffix != ".toml":
        known = sorted(point.name for point in entry_points(group=GROUP))
        there = ", ".join(known) or "none"
        raise Unusable(f"{name}: no such file, and no such entry point of the group {GROUP}; there is {there}")
    rules = [rule for point in points for rule in rules_of_package(point)] if points else rules_of_file(path)
    try:
        add_own(map(entry_of, rules))
    except BadCatalogue as error:
        raise Unusable(f"{name}: {error}; choose another") from None
    return rules


def report(rule: Rule, faults: list[str]) -> bool:
    """Print the checks of a rule that fail, and what the rule raises in a healthy world; return whether one failed."""
    for fault in faults:
        print(f"FAULT  {rule.slug}: {fault}")
    if not faults:
        print(f"ok     {rule.slug}: {quiet(rule)}")
    return bool(faults)


def broken(rule: Rule) -> Iterator[str]:
    """Yield the reasons why a rule breaks the contract of rules, over a simulated world with faults."""
    if rule.table == "arrivals":
        yield from broken_over_arrivals(rule)
        return
    whole, facts = world(FAULTS_PER_HOUR, rule.table == "features")
    for check in contract.CHECKS:
        try:
            check(rule, whole, facts)
        except Exception as error:  # a package's detector may raise anything
            what = str(error) if isinstance(error, contract.BrokenContract) else f"{type(error).__name__}: {error}"
            yield f"{check.__name__.replace('_', ' ')}: {what}"


def broken_over_arrivals(rule: Rule) -> Iterator[str]:
    """Yield why a rule over arrivals breaks: its scores do not fit, or a restart from a snapshot changes findings."""
    _, facts = world(0.0, False)
    steady, restarted = Judge([rule], len(facts)), Judge([rule], len(facts))
    every = np.arange(len(facts), dtype=np.int32)
    try:
        for second in range(0, 3600, 30):
            now_ns, fresh = START_NS + second * 1_000_000_000, Judge([rule], len(facts))
            fresh.restore(restarted.snapshot())
            restarted = fresh
            lift = every[every > second // 600]  # the lifts fall silent one after the other
            arrived = judged_arrivals(lift, np.full(len(lift), now_ns))
            found = [
                judge.step_arrivals(arrived, facts) + judge.tick(now_ns, 0, facts) for judge in (steady, restarted)
            ]
            if repr(found[0]) != repr(found[1]):
                yield "a restart is nothing: a restart from a snapshot changes findings"
                return
    except Exception as error:
        yield f"{type(error).__name__}: {error}"


def quiet(rule: Rule) -> str:
    """Return what a rule raises in a healthy simulated world."""
    if rule.table == "arrivals":
        return "sound"
    whole, facts = world(0.0, rule.table == "features")
    found = sum(finding.kind == "on" for finding in Judge([rule], len(facts)).step(whole, facts))
    hours = LIFTS * SECONDS / 3600
    return f"sound; {found} alerts in {hours:.1f} lift-hours of a healthy simulated world"


@cache
def world(faults_per_hour: float, vibration: bool) -> tuple[Batch, FleetFacts]:
    """Return some simulated minutes of a few lifts as one batch; the registry does not know the last lift."""
    scenario = Scenario(
        lifts=LIFTS, seed=7, hours=1.0, hour=8.5, idle_hz=1, vibration=vibration, faults_per_hour=faults_per_hour
    )
    simulation = Simulation(scenario, START_NS)
    fleet, sequencer = Fleet(), Sequencer()
    fleet.load([(facts, number < LIFTS) for number, facts in enumerate(simulation.facts, start=1)])
    sequencer.grow(LIFTS)
    group = joined([simulation.columns.decoded(simulation.report()) for _ in range(SECONDS)])
    whole, _ = sequencer.step(group, fleet.index(group.messages).lift)
    return whole, fleet.facts
