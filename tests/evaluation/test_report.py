"""The report's three files agree, unknown is never 0, and the text of a file is never taken for markup."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from evaluation.evaluate import EvaluationRun, evaluate
from evaluation.raised import BadFindings, RaisedAlert, RecordingScope, read_csv
from evaluation.report import FILES, to_html, to_text, write
from evaluation.scores import MONTH_S
from registry.catalogue import catalogue
from tests.evaluation.labels import at, raised, row

F01 = "entrapment-off-level"
WATCHED = RecordingScope({"sim-1", "sim-2"}, at(0), at(3600))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A written report, which the tests only read."""
    place = tmp_path_factory.mktemp("report")
    lifts = [f"sim-{k:05d}" for k in range(1, 41)]
    rows = [row(0, 60, F01, lift_id=lift, event=f"{lift}/1") for lift in lifts]
    rows.append(row(500, 900, lift_id=lifts[0], event="near", kind="near-miss", cause="<b>removal</b>", symptom=None))
    alerts = [raised(F01, 0.2, 30 + k / 10, lift) for k, lift in enumerate(lifts[:-1])]
    alerts.append(raised(F01, 600, 630, lifts[0]))
    run = EvaluationRun("night & day", "liftwatch", 3, lifts, MONTH_S, frozenset({F01}))
    write(place, run, evaluate(run, rows, alerts))
    return place


def test_json_and_csv_hold_the_same_figures(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    flat = [rule for part in document["sets"] for rule in part["rules"]]
    with (folder / "rules.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(flat) == 2 * len(catalogue())
    for rule, written in zip(flat, table, strict=True):
        assert {name: "" if value is None else str(value) for name, value in rule.items()} == written


def test_figures_without_data_are_null(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    stalled = next(rule for rule in document["sets"][0]["rules"] if rule["rule"] == "stalled")
    assert stalled["recall"] is None
    assert stalled["delay_median_s"] is None
    assert stalled["judged"] is False


def test_the_page_shows_every_rule_and_escapes_what_it_was_given(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f"{rule.code} {rule.slug}" in page for rule in catalogue().values())
    assert "night &amp; day" in page
    assert "&lt;b&gt;removal" in page
    assert "<b>removal" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") == page.count("</svg>") >= 4


def test_the_text_names_excuses_and_the_evaluated_time() -> None:
    run = EvaluationRun("night", "liftwatch", 3, ["sim-00001"], 360.0, frozenset({F01}))
    reports = evaluate(run, [row(0, 20, F01, lift_id="sim-00001")], [raised(F01, 0, 15, "sim-00001")])
    text = to_text(run, reports)
    assert "1 lifts, 0.000139 lift-months" in text
    line = next(line for line in text.splitlines() if F01 in line)
    assert line.split()[2:4] == ["0", "0"]
    assert line.endswith("1 short, 1 early")
    assert "0.000139 lift-months" in to_html(run, reports)


def test_each_table_and_plot_that_is_wider_than_a_phone_scrolls_by_itself(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    wide = page.split('<div class="wide"')[1:]
    assert len(wide) == page.count("<table") + page.count("<svg")
    assert all("<table" in part or "<svg" in part for part in wide)


def test_the_same_figures_are_written_as_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = {name: (folder / name).read_bytes() for name in FILES}
    run = EvaluationRun("night & day", "liftwatch", 3, ["sim-00001"], MONTH_S, frozenset({F01}))
    for place in ("one", "two"):
        write(tmp_path / place, run, evaluate(run, [row(0, 60, F01, lift_id="sim-00001")], []))
    assert [(tmp_path / "one" / name).read_bytes() for name in FILES] == [
        (tmp_path / "two" / name).read_bytes() for name in FILES
    ]
    assert set(first) == set(FILES)


def test_findings_of_another_detector_are_read_with_their_times() -> None:
    text = """lift_id,rule,onset,noticed,cleared
sim-1,overspeed,2001-01-01T00:00:01.250Z,2001-01-01T08:00:03+08:00,2001-01-01T00:00:09Z
sim-2, F08 , 2001-01-01T00:00:01Z,,
"""
    assert read_csv(text.splitlines(), WATCHED) == [
        RaisedAlert("sim-1", "overspeed", "critical", at(1.25), at(3), at(9)),
        RaisedAlert("sim-2", "overspeed", "critical", at(1), at(1), at(1)),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sim-1,overspede,2001-01-01T00:00:01Z", "line 2: rule: 'overspede' is not known; 'overspeed' is"),
        ("sim-1,overspeed,yesterday", "line 2: onset: 'yesterday' is not an RFC 3339 time"),
        ("sim-1,overspeed,2001-01-01T00:00:01", "line 2: onset: .* is not an RFC 3339 time"),
        (",overspeed,2001-01-01T00:00:01Z", "line 2: lift_id: '' is not in the recording"),
        ("nobody,overspeed,2001-01-01T00:00:01Z", "line 2: lift_id: 'nobody' is not in the recording"),
        ("sim-1", "line 2: rule: ''"),
        ("sim-1,overspeed,2001-01-01T00:00:01Z,,,a,b", "line 2: more cells than columns"),
        ("sim-1,overspeed,2001-01-01T00:00:02Z,2001-01-01T00:00:01Z", "line 2: noticed: .* is before the onset"),
        ("sim-1,overspeed,2001-01-01T00:00:02Z,,2001-01-01T00:00:01Z", "line 2: cleared: .* is before the onset"),
        ("sim-1,overspeed,2001-01-01T00:00:01+08:00", "line 2: onset: .* is outside of the recording"),
        ("sim-1,overspeed,2001-01-01T00:00:01Z,2031-01-01T00:00:01Z", "line 2: noticed: .* is outside"),
        (f"sim-1,overspeed,{'x' * 200_000}", "line 2: field larger than field limit"),
    ],
)
def test_a_bad_finding_is_reported_with_its_line_and_a_remedy(line: str, message: str) -> None:
    with pytest.raises(BadFindings, match=message):
        read_csv(["lift_id,rule,onset,noticed,cleared", line], WATCHED)


def test_the_same_finding_twice_is_refused() -> None:
    line = "sim-1,overspeed,2001-01-01T00:00:01Z"
    with pytest.raises(BadFindings, match="line 3: the same finding as in line 2"):
        read_csv(["lift_id,rule,onset", line, line], WATCHED)


def test_a_missing_column_is_reported_by_name() -> None:
    with pytest.raises(BadFindings, match="line 1: no column 'onset'"):
        read_csv(["lift_id,rule", "a,overspeed"], WATCHED)


def test_rates_in_the_json_are_finite_or_null(folder: Path) -> None:
    text = (folder / "report.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
