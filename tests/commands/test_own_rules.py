"""Rules of one's own on the command line: files, entry points of packages, listing, checking and replaying."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import liftwatch
from alerts.incidents.kinds import kind_of
from commands import rules as command
from commands.errors import Unusable
from commands.wiring.own_rules import FILE_LIMIT_BYTES, own_rules
from commands.wiring.rules import tuned_rules
from configuration import Configuration
from registry.catalogue import add_own, catalogue, shipped

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/own-rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n# own-rules\.toml\n(.*?)```", PAGE, re.DOTALL)
PACKAGE = re.search(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL)
ONE = """
[brisk]
code = "X01"
table = "rows"
severity = "minor"
when = "ABS(v) > 1.0"
incident = "data"
name.en = "Brisk"
sentence.en = "At {v:.2f} m/s"
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    add_own(())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(ONE, encoding="utf-8")
    return path


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, value: str = "fair_lifts:RULES") -> None:
    """Lay out a package with an entry point as pip does."""
    (folder / "fair_lifts.py").write_text(code, encoding="utf-8")
    info = folder / "fair_lifts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fair-lifts\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[liftwatch.rules]\nfair = {value}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "fair_lifts", raising=False)


def test_the_examples_of_the_documentation_are_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own-rules.toml"
    path.write_text("\n".join(EXAMPLES), encoding="utf-8")
    assert liftwatch.main(["rules", "check", str(path)]) == 0
    output = capsys.readouterr().out
    rules = tomllib.loads("\n".join(EXAMPLES))
    assert {row["table"] for row in rules.values()} == {"rows", "trips", "features", "arrivals"}
    assert all(f"ok     {slug}: sound" in output for slug in rules)


def test_the_package_of_the_documentation_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PACKAGE is not None
    installed(tmp_path, monkeypatch, PACKAGE[2])
    assert liftwatch.main(["rules", "check", "fair"]) == 0
    assert "1 rules, all sound" in capsys.readouterr().out
    assert "overtaking" in {rule.slug for rule in tuned_rules(Configuration())}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("np.nanmean(np.abs(rows.v))", "scores ignore cuts"),
        ("np.abs(rows.v)[::-1]", "scores ignore cuts"),
        ("np.nan_to_num(rows.v)", "silence is unknown"),
        ("rows.v.__iadd__(1.0)", "inputs stay"),
        ("np.abs(rows.v)[:3]", "scores fit"),
        ("1 / 0 * rows.v", "ZeroDivisionError"),
    ],
)
def test_a_rule_that_breaks_the_contract_is_found(
    change: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PACKAGE is not None
    assert "np.abs(rows.v)" in PACKAGE[2]
    installed(tmp_path, monkeypatch, PACKAGE[2].replace("np.abs(rows.v)", f"({change}) * np.ones(len(rows))"))
    monkeypatch.setattr(command, "SECONDS", 120)
    command.world.cache_clear()
    assert liftwatch.main(["rules", "check", "fair"]) == 1
    command.world.cache_clear()
    assert complaint in capsys.readouterr().out


def test_a_package_that_offers_no_rule_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, "RULES = 7")
    with pytest.raises(Unusable, match="entry point fair of fair-lifts: fair_lifts:RULES must be"):
        own_rules(Configuration())


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, "1 / 0")
    with pytest.raises(Unusable, match=r"fair of fair-lifts: cannot be loaded \(ZeroDivisionError"):
        own_rules(Configuration())


def test_own_rules_stand_in_the_catalogue_with_their_kind(file: Path) -> None:
    configured = Configuration.model_validate({"detection": {"rule_files": [str(file)]}})
    assert tuned_rules(configured)[-1].slug == "brisk"
    assert kind_of("brisk", "minor") == "data"
    assert catalogue()["brisk"].name == {"en": "Brisk"}
    assert "brisk" not in shipped()
    tuned = configured.model_copy(update={"rules": {"brisk": {"minor_hold_s": 9.0}}})
    assert tuned_rules(tuned)[-1].levels[0].hold_s == 9.0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [("[brisk]", "[overspeed]", "overspeed is the slug of overspeed"), ('"X01"', '"F01"', "begin with another letter")],
)
def test_a_slug_or_code_of_the_catalogue_is_refused(file: Path, old: str, new: str, complaint: str) -> None:
    file.write_text(ONE.replace(old, new), encoding="utf-8")
    with pytest.raises(Unusable, match=complaint):
        own_rules(Configuration(), [file])


def test_two_files_with_one_slug_are_refused(file: Path) -> None:
    with pytest.raises(Unusable, match="brisk is the slug of brisk"):
        own_rules(Configuration(), [file, file])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"#" * (FILE_LIMIT_BYTES + 1), "larger than 1 MiB"),
        (b"x = '\xff'", "not UTF-8 at byte 5"),
        (b"[brisk", r"own.toml:1:\d+: not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)
    with pytest.raises(Unusable, match=complaint):
        own_rules(Configuration(), [file])
    with pytest.raises(Unusable, match="cannot be read"):
        own_rules(Configuration(), [file.with_name("none.toml")])


def test_a_fault_is_printed_with_its_place(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(ONE.replace("ABS(v)", "ABS(vv)"), encoding="utf-8")
    assert liftwatch.main(["rules", "check", str(file)]) == 2
    assert f"{file}:6:13: brisk.when: vv is no column" in capsys.readouterr().err


def test_rules_are_listed_with_their_tables_and_needs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(["rules", "list", "--rules", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["F01", "entrapment-off-level", "rows"]
    assert lines[-1].split()[:4] == ["X01", "brisk", "rows", "minor"]
    assert "(own, needs no fact)" in lines[-1]


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(["rules", "check", "unfair"]) == 2
    assert "unfair: no such file, and no such entry point" in capsys.readouterr().err


def test_a_recording_is_judged_by_a_rule_file_in_any_number_of_processes(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "morning.toml"
    scenario.write_text("lifts = 4\nseed = 3\nhours = 0.05\nhour = 8.5\n", encoding="utf-8")
    folder = str(tmp_path / "morning")
    assert liftwatch.main(["simulate", "--scenario", str(scenario), "--to", folder]) == 0
    judged = []
    for count in ("1", "2"):
        to = tmp_path / f"alerts-{count}"
        options = ["--judge", "--rules", str(file), "--processes", count, "--to", str(to)]
        assert liftwatch.main(["replay", folder, *options]) == 0
        judged.append(to.read_bytes())
    assert judged[0] == judged[1]
    alerts = [json.loads(line) for line in judged[0].splitlines()]
    brisk = [alert for alert in alerts if alert["rule"] == "brisk"]
    assert brisk
    assert all(abs(alert["evidence"]["v"]) > 1.0 for alert in brisk if alert["state"] == "firing")
    assert liftwatch.main(["replay", folder, "--rules", str(file)]) == 2
    assert "add --judge" in capsys.readouterr().err
