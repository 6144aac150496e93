"""The trial: a world judged as it is lived equals the same world recorded first, in any number of processes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import liftwatch
from commands import trial
from evaluation.evaluate import evaluate
from simulator.scenarios import library
from simulator.scenarios.scenario import Scenario

SCENARIO = """
lifts = 40
hours = 0.1
idle_hz = 1

[[faults]]
lift = 3
cause = "car-stalled-between-floors"
for_s = 90

[[faults]]
lift = 31
cause = "car-stalled-between-floors"
for_s = 90
"""


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("night") / "night.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def recording(night: Path) -> Path:
    """A recording of that night, which nobody writes to."""
    folder = night.parent / "taken"
    assert liftwatch.main(["simulate", "--scenario", str(night), "--to", str(folder)]) == 0
    return folder


def read(night: Path) -> Scenario:
    return library.read(str(night), {})


def test_the_verdict_is_the_same_in_one_process_in_two_and_from_a_recording(night: Path, recording: Path) -> None:
    alone, together = (trial.judge_scenario(read(night), "night", processes) for processes in (1, 2))
    assert sorted(alone.raised, key=repr) == sorted(together.raised, key=repr)
    assert sorted(alone.labels, key=repr) == sorted(together.labels, key=repr)
    assert alone.evaluation_run == together.evaluation_run
    assert {one.lift_id for one in alone.raised} == {"sim-00003", "sim-00031"}
    recorded = trial.judge_recording(recording)
    assert sorted(recorded.raised, key=repr) == sorted(alone.raised, key=repr)
    assert len(recorded.labels) == len(alone.labels)
    assert recorded.evaluation_run.seconds == pytest.approx(alone.evaluation_run.seconds, abs=1.0)


def test_the_command_writes_a_report_of_both_sets(
    night: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert liftwatch.main(["evaluate", "--scenario", str(night), "--to", str(tmp_path / "report")]) == 0
    document = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert {part["set"] for part in document["sets"]} == {"tuning", "held-out"}
    assert sum(part["lifts"] for part in document["sets"]) == 40
    assert "F01 entrapment-off-level" in capsys.readouterr().out


def test_the_thresholds_of_the_configuration_are_tried_and_named(
    night: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text("[rules.entrapment-off-level]\ncritical_hold_s = 100\ncritical_clear_s = 10\n", encoding="utf-8")
    to = ["--to", str(tmp_path / "report")]
    assert liftwatch.main(["--config", str(config), "evaluate", "--scenario", str(night), *to]) == 0
    document = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert [rule["raised"] for part in document["sets"] for rule in part["rules"] if rule["code"] == "F01"] == [0, 0]
    assert document["thresholds"] == {"entrapment-off-level.critical_hold_s": 100}
    assert "other than the catalogue's: entrapment-off-level.critical_hold_s = 100\n" in capsys.readouterr().out
    assert "entrapment-off-level.critical_hold_s = 100" in (tmp_path / "report/report.html").read_text(encoding="utf-8")


def test_a_report_is_named_after_what_was_tried(
    night: Path, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs.csv").write_text("lift_id,rule,onset\n", encoding="utf-8")
    shutil.copytree(recording, "taken")
    assert liftwatch.main(["evaluate", "taken"]) == 0
    assert liftwatch.main(["evaluate", "taken", "--findings", "theirs.csv"]) == 0
    assert liftwatch.main(["evaluate", "--scenario", str(night)]) == 0
    there = {path.name for path in tmp_path.glob("*.evaluation")}
    assert there == {"taken.evaluation", "taken.theirs.evaluation", "night.evaluation"}


def test_another_detector_is_held_against_the_same_labels(recording: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("lift_id,rule,onset\nsim-00001,overspeed,2001-09-09T23:03:00Z\n", encoding="utf-8")
    tried = trial.judge_recording(recording, theirs)
    assert {"overspeed"} < tried.evaluation_run.judged
    assert tried.evaluation_run.detector == "theirs"


def test_findings_that_cannot_be_read_are_one_clear_line_that_names_the_file(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, theirs = recording, tmp_path / "theirs.csv"

    def refused(findings: Path) -> str:
        capsys.readouterr()
        assert liftwatch.main(["evaluate", str(folder), "--findings", str(findings)]) == 2
        return capsys.readouterr().err

    assert f"{theirs} cannot be read" in refused(theirs)
    assert f"{folder} cannot be read" in refused(folder)
    theirs.write_bytes("lift_id,rule,onset\ncafé,overspeed,".encode("latin-1"))
    assert f"{theirs} is not UTF-8" in refused(theirs)
    theirs.write_text("lift_id,rule,onset\nnobody,overspeed,2001-09-09T23:03:00Z\n", encoding="utf-8-sig")
    assert f"{theirs}, line 2: lift_id: 'nobody' is not in the recording" in refused(theirs)


def test_a_detector_that_finds_nothing_has_a_recall_of_nought_for_every_rule_that_was_expected(
    recording: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("lift_id,rule,onset\n", encoding="utf-8")
    tried = trial.judge_recording(recording, theirs)
    ours = {one.rule for one in trial.judge_recording(recording).raised}
    assert ours
    beside = {"safety-chain-open"}  # a stop between landings, whose label has another cause
    assert ours - beside <= tried.evaluation_run.judged
    scores = [
        one
        for report in evaluate(tried.evaluation_run, tried.labels, tried.raised)
        for one in report.scores
        if one.expected
    ]
    assert scores
    assert all(one.judged and one.recall.value == 0 for one in scores)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name either the folder of a recording or a --scenario"),
        (["nowhere"], "nowhere has no recording.json"),
        (["--scenario", "entrapement"], "did you mean entrapment"),
        (["--scenario", "quiet", "--days", "0"], "--days"),
        (["--scenario", "quiet", "--findings", "theirs.csv"], "--findings: name the recording"),
        (["night", "--lifts", "3"], "--lifts: leave it out"),
        (["night", "--days", "3"], "--days: leave it out"),
        (["night", "--seed", "3"], "--seed: leave it out"),
        (["night", "--processes", "1"], "--processes: leave it out"),
        (["--scenario", "quiet", "--to", "file"], "cannot write to file: file is not a folder"),
        (["--scenario", "quiet", "--to", "file/report"], "cannot write to file/report: file is not a folder"),
    ],
)
def test_what_cannot_be_tried_is_one_clear_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    try:
        code = liftwatch.main(["evaluate", *arguments])
    except SystemExit as usage:
        code = int(str(usage.code))
    assert code == 2
    assert message in capsys.readouterr().err


def test_an_incomplete_recording_is_not_evaluated(recording: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(recording, tmp_path / "taken")
    header = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    (folder / "recording.json").write_text(json.dumps(header | {"complete": False}), encoding="utf-8")
    with pytest.raises(trial.NoLabels, match="incomplete"):
        trial.judge_recording(folder)


@pytest.mark.parametrize(("lifts", "processes"), [(1, 1), (20, 2), (50, 2), (1000, 3), (41, 8)])
def test_the_parts_are_whole_estates_and_all_of_the_fleet(lifts: int, processes: int) -> None:
    parts = trial.fleet_parts(lifts, processes)
    assert [k for part in parts for k in range(lifts)[part]] == list(range(lifts))
    assert all(part.start % 20 == 0 for part in parts)
    assert len(parts) <= processes
