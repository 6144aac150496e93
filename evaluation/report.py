"""Writes an evaluation: report.json (everything), rules.csv (a row for each set and rule), report.html.

Numbers that do not exist (no event, nothing found) are null, empty or a dash; never 0.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from evaluation import plots
from evaluation.bars import CONFUSION_BAR
from evaluation.evaluate import EvaluationRun, GroupScore, Report
from evaluation.matching import FALSE, FOUND
from evaluation.scores import Interval, RuleScore

FILES = ("report.json", "rules.csv", "report.html")
HEADING = (
    f"  {'rule':<30}{'expected':>10}{'found':>7}{'recall':>9}{'alerts':>8}{'false':>7}"
    f"{'delay: median s':>17}{'p99 s':>8}"
    "  besides"
)


def write(folder: Path, run: EvaluationRun, reports: Sequence[Report]) -> None:
    """Write the three files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = to_json(run, reports), to_csv(reports), to_html(run, reports)
    for name, text in zip(FILES, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")


def rows(report: Report) -> list[dict[str, Any]]:
    """Return the figures of each rule, flat."""
    return [_row(report, one) for one in report.scores]


def _row(report: Report, one: RuleScore) -> dict[str, Any]:
    return {
        "set": report.set_name,
        "code": one.rule.code,
        "rule": one.rule.slug,
        "class": one.rule.group,
        "judged": one.judged,
        "episodes": one.episodes,
        "expected": one.expected,
        **one.excused,
        "found": one.found,
        "early": one.early,
        **_interval("recall", one.recall),
        "raised": one.raised,
        **one.verdicts,
        **_interval("precision", one.precision),
        **_interval("false_per_lift_month", one.false_per_lift_month),
        "delay_median_s": one.delay_median_s,
        "delay_p99_s": one.delay_p99_s,
        "lead_median_days": one.lead_median_days,
    }


def _interval(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def to_json(run: EvaluationRun, reports: Sequence[Report]) -> str:
    """Return everything except the single verdicts."""
    document = {
        "recording": run.name,
        "detector": run.detector,
        "seed": run.seed,
        "lifts": len(run.lift_ids),
        "seconds": run.seconds,
        "thresholds": run.thresholds,
        "confidence": 0.95,
        "sets": [
            {
                "set": report.set_name,
                "lifts": report.lifts,
                "lift_months": report.lift_months,
                "rules": rows(report),
                "classes": [_plain(dataclasses.asdict(group)) for group in report.groups],
                **_interval("confusion", report.confusion),
                "causes": [dataclasses.asdict(cause) for cause in report.causes],
            }
            for report in reports
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    interval = Interval(*group.pop("false_per_lift_month"))
    return group | _interval("false_per_lift_month", interval)


def to_csv(reports: Sequence[Report]) -> str:
    """Return a CSV with a row for each set and rule."""
    table = [row for report in reports for row in rows(report)]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]))
    writer.writeheader()
    writer.writerows({k: "" if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in table)
    return text.getvalue()


def to_text(run: EvaluationRun, reports: Sequence[Report]) -> str:
    """Return the figures of the judged rules as tables for a terminal, the held-out lifts last."""
    lines = [f"other than the catalogue's: {other(run.thresholds)}"] if run.thresholds else []
    for report in reports:
        lines.append(f"{report.set_name}: {report.lifts} lifts, {amount(report.lift_months)} lift-months")
        lines.append(HEADING)
        lines += [_line(one) for one in report.scores if one.judged]
        lines += [_group_line(group) for group in report.groups if group.rules]
        lines.append(f"  faults of sensors that raised a critical alert: {percent(report.confusion)}")
    return "\n".join(lines)


def _line(one: RuleScore) -> str:
    recall = "–" if math.isnan(one.recall.value) else f"{one.recall.value:.1%}"
    return (
        f"  {one.rule.code} {one.rule.slug:<26}{one.expected:>10}{one.found:>7}{recall:>9}{one.raised:>8}{one.wrong:>7}"
        f"{figure(one.delay_median_s):>17}{figure(one.delay_p99_s):>8}  {_beyond(one)}"
    ).rstrip()


def _beyond(one: RuleScore) -> str:
    """Return the excused episodes by excuse, and the alerts that found no episode by outcome."""
    counts = {**one.excused, "early": one.early, **one.verdicts}
    return ", ".join(
        f"{number} {why.replace('_', ' ')}" for why, number in counts.items() if number and why not in (FOUND, FALSE)
    )


def _group_line(group: GroupScore) -> str:
    bar, rate = group.bar, group.false_per_lift_month
    recall = f"{group.found / group.expected:.1%}" if group.expected else "–"
    return (
        f"  {group.group}: recall {recall} (bar {bar.recall:.0%}); false alarms a lift-month {rate.value:.3f}, "
        f"at most {rate.high:.3f} with 95 % confidence (bar {bar.false_per_lift_month})"
    )


def to_html(run: EvaluationRun, reports: Sequence[Report]) -> str:
    """Return one self-contained page: tables, and plots as inline SVG."""
    page = Environment(loader=PackageLoader("evaluation", "."), autoescape=select_autoescape(["html"]))
    page.globals |= {"confusion_bar": CONFUSION_BAR}
    page.filters |= {"figure": figure, "percent": percent, "between": between, "other": other, "amount": amount}
    figures = {
        report.set_name: {name: Markup(draw(report)) for name, draw in plots.PLOTS.items()}  # nosec B704
        for report in reports
    }
    return page.get_template("report.html").render(run=run, reports=reports, figures=figures)


def amount(value: float) -> str:
    """Return a number with three significant digits, and never an exponent where it is large."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def other(thresholds: Mapping[str, float]) -> str:
    """Return thresholds as text."""
    return ", ".join(f"{name} = {value:g}" for name, value in thresholds.items())


def figure(value: float | None, digits: int = 1) -> str:
    """Return a number, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def percent(interval: Interval) -> str:
    """Return a share and its interval in percent."""
    if math.isnan(interval.value):
        return "–"
    return f"{100 * interval.value:.1f} % ({100 * interval.low:.1f}–{100 * interval.high:.1f})"


def between(interval: Interval, digits: int = 3) -> str:
    """Return a rate and its interval."""
    if math.isnan(interval.value):
        return "–"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f}–{interval.high:.{digits}f})"
