"""`liftwatch evaluate`: compares alerts with labels, and reports recall, false alarms and delays."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from commands import arguments, trial
from commands.errors import Unusable
from commands.wiring.files import require_writable
from commands.wiring.rules import changed_thresholds, tuned_rules
from configuration import Configuration
from detectors.rule import Rule
from evaluation import report
from evaluation.evaluate import evaluate
from evaluation.raised import BadFindings
from simulator.scenarios import library
from simulator.scenarios.scenario import InvalidScenario
from store.recordings.format import InvalidRecording

EXPECTED_ERRORS = (InvalidScenario, InvalidRecording, trial.NoLabels, BadFindings)
EPILOG = """\
  liftwatch simulate --scenario entrapment --to night
  liftwatch evaluate night                              the present rules, straight through
  liftwatch evaluate night --findings theirs.csv        another detector: lift_id,rule,onset[,noticed …]
  liftwatch evaluate --scenario quiet --lifts 200       a world too long to be written: what is raised is false

Lifts are split by seed and id into a set to tune on and a held-out set, which is the one to quote.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("recording", nargs="?", type=Path, help="the folder of a recording that has labels")
    parser.add_argument("--scenario", metavar="NAME", help="simulate a scenario instead of a recording")
    parser.add_argument("--lifts", type=arguments.count, help="how many lifts the scenario has")
    parser.add_argument("--seed", type=arguments.seed, help="which fleet it is")
    parser.add_argument("--days", type=arguments.count, help="how many days it lasts")
    parser.add_argument("--processes", type=arguments.count, help="simulate in so many processes (default 1)")
    parser.add_argument("--findings", type=Path, metavar="CSV", help="another detector's findings, instead of ours")
    named = "RECORDING.evaluation, RECORDING.CSV.evaluation or NAME.evaluation"
    parser.add_argument("--to", type=Path, metavar="FOLDER", help=f"where the report goes (default: {named}, here)")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Judge a recording or a scenario, write the report and print it."""
    refuse_contradictions(options)
    folder = options.to or Path(f"{report_name(options)}.evaluation")
    require_writable(folder)
    tried = run_trial(options, tuned_rules(settings))
    evaluation_run = tried.evaluation_run
    if options.findings is None:
        evaluation_run = replace(evaluation_run, thresholds=changed_thresholds(settings))
    reports = evaluate(evaluation_run, tried.labels, tried.raised)
    try:
        report.write(folder, evaluation_run, reports)
    except OSError as error:
        raise Unusable(f"cannot write to {folder} ({error.strerror}); name another folder with --to") from None
    print(report.to_text(evaluation_run, reports))
    print(f"Written to {folder}: {', '.join(report.FILES)}")
    return 0


def refuse_contradictions(options: argparse.Namespace) -> None:
    """Raise Unusable for options that have no effect together."""
    if (options.recording is None) == (options.scenario is None):
        raise Unusable("evaluate: name either the folder of a recording or a --scenario")
    if options.scenario is not None and options.findings is not None:
        raise Unusable("--findings: name the recording of these findings instead of a --scenario")
    for_scenario = arguments.given(options, "lifts", "days", "seed", "processes")
    if options.recording is not None and for_scenario:
        raise Unusable(f"--{next(iter(for_scenario))}: leave it out; it applies to a --scenario only")


def report_name(options: argparse.Namespace) -> str:
    """Return the report's name: the scenario's, or the recording's with the other detector's."""
    if options.scenario is not None:
        return Path(options.scenario).stem
    name: str = options.recording.resolve().name
    return name if options.findings is None else f"{name}.{options.findings.stem}"


def run_trial(options: argparse.Namespace, rules: tuple[Rule, ...]) -> trial.Trial:
    """Judge the recording or the scenario that the options name."""
    if options.scenario is None:
        return trial.judge_recording(options.recording, options.findings, rules)
    scenario = library.read(options.scenario, arguments.given(options, "lifts", "seed", "days"))
    return trial.judge_scenario(scenario, Path(options.scenario).stem, options.processes or 1, rules)
