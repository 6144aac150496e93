"""The tables of a referee's report in Markdown: rules, causes, and false alarms without a fault."""

from __future__ import annotations

import math
from collections.abc import Iterator

from evaluation.evaluate import CauseScore, Report
from evaluation.matching import BESIDE, FALSE, PROVOKED
from evaluation.report import amount, between, figure, percent
from evaluation.scores import RuleScore
from registry.catalogue import catalogue

RULE_HEADER = (
    "| rule | expected | found | recall, % (95 %) | alerts | beside | false | delay, median s | p99 s | lead, days |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
CAUSE_HEADER = ("| cause | faults | found by | critical alerts |", "|---|---|---|---|")


def tables(faults: Report, quiet: Report | None) -> str:
    """Return the tables of worlds with faults, and of the quiet world where it was run."""
    lines = [f"{faults.lifts} lifts with at most one fault each, {amount(faults.lift_months)} lift-months", ""]
    lines += [*RULE_HEADER, *(_rule_row(one) for one in faults.scores if one.episodes or one.raised), ""]
    lines += [*CAUSE_HEADER, *(_cause_row(one) for one in faults.causes), ""]
    lines += [f"Faults of sensors and terminals that raised a critical alert: {percent(faults.confusion)}", ""]
    return "\n".join([*lines, *(_quiet_lines(quiet) if quiet else ["No quiet world was run."])])


def _rule_row(one: RuleScore) -> str:
    delays = one.delays_s
    cells = (
        *(f"`{one.rule.slug}` {one.rule.code}", one.expected, one.found, percent(one.recall), one.raised),
        *(one.verdicts[BESIDE], one.verdicts[FALSE] + one.verdicts[PROVOKED]),
        *(figure(one.delay_median_s if delays else None), figure(one.delay_p99_s if delays else None)),
        figure(None if math.isnan(one.lead_median_days) else one.lead_median_days),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _cause_row(one: CauseScore) -> str:
    found = ", ".join(
        f"{catalogue()[rule].code} {hit} of {due}" for rule, (due, hit) in one.found.items() if due or hit
    )
    return f"| `{one.cause}` | {one.events} | {found or '–'} | {one.raised.get('critical', 0)} |"


def _quiet_lines(quiet: Report) -> Iterator[str]:
    yield f"Without a fault: {quiet.lifts} lifts, {amount(quiet.lift_months)} lift-months; false alarms a lift-month:"
    yield ""
    for group in quiet.groups:
        yield f"- {group.group}: {between(group.false_per_lift_month)}, aim {group.bar.false_per_lift_month}"
    for one in quiet.scores:
        if one.wrong:
            yield f"- {one.rule.code} `{one.rule.slug}`: {one.wrong}, {between(one.false_per_lift_month)}"
