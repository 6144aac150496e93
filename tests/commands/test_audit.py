"""`liftwatch audit`: prints whether the chain is unbroken and the places of its breaks; the exit code shows both."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import text

import liftwatch
from registry.actor import Actor
from store.records.repository import AuditFilter, AuditSubject, Records
from tests.alerts.rules import T0

ANN = Actor("Ann", "person:7", "Desk", "dispatcher", "192.0.2.7")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    address = f"sqlite:///{tmp_path}/records.db"
    monkeypatch.setenv("LIFTWATCH_RECORDS__URL", address)
    with Records.open(address) as records:
        for number in range(3):
            records.write_audit(T0 + number, ANN, "lift.put", [AuditSubject(f"L{number}", lift_id=f"L{number}")])
    return address


def test_an_unbroken_chain_is_verified_with_its_head(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(["audit", "head"]) == 0
    head = capsys.readouterr().out.strip()
    assert liftwatch.main(["audit", "verify", "--head", head]) == 0
    assert capsys.readouterr().out == f"3 rows after row 0, unbroken; head {head}\n"


def test_breaks_are_named_and_set_the_exit_code(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Records.open(url) as records, records._database.writing() as connection:
        connection.execute(text("UPDATE audit SET \"by\" = 'Bob' WHERE id = 2"))
    assert liftwatch.main(["audit", "verify"]) == 1
    output = capsys.readouterr()
    assert output.err == "row 2 was changed or moved: its content does not have its hash\n"
    assert output.out.startswith("3 rows after row 0, 1 break")


def test_a_head_that_was_kept_shows_a_chain_that_was_written_anew(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(["audit", "verify", "--head", f"2:{'0' * 64}"]) == 1
    assert capsys.readouterr().err == f"row 2 is not the row whose hash was kept: {'0' * 64}\n"


def test_a_head_of_another_form_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        liftwatch.main(["audit", "verify", "--head", "12"])
    assert "'12' is no head of a chain; write its id and 64 digits" in capsys.readouterr().err


def test_exports_by_commands_are_in_the_audit_log(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(["lifts", "export", str(tmp_path / "lifts.csv")]) == 0
    assert liftwatch.main(["audit", "export", str(tmp_path / "audit.csv"), "--action", "lift.", "--lift", "L1"]) == 0
    table = list(csv.DictReader(io.StringIO((tmp_path / "audit.csv").read_text(encoding="utf-8"), newline="")))
    assert [(row["by"], row["action"], row["subject"], row["address"]) for row in table] == [
        ("Ann", "lift.put", "L1", "192.0.2.7")
    ]
    with Records.open(url) as records:
        exports = records.audit(AuditFilter(who="command line")).items
        assert [(each.action, each.subject, each.detail) for each in exports] == [
            ("audit.export", "audit", '{"action":"lift.","lift_id":"L1"}'), ("lift.export", "registry", '{"lifts":0}'),
        ]  # fmt: skip


def test_an_export_to_a_place_that_cannot_be_written_is_refused(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert liftwatch.main(["audit", "export", str(tmp_path / "none" / "audit.csv")]) == 2
    assert "name another file" in capsys.readouterr().err


def test_the_export_of_stored_readings_is_in_the_audit_log(url: str, tmp_path: Path) -> None:
    span = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"]
    assert liftwatch.main(["record", str(tmp_path / "recording"), "--lift", "L1", *span]) == 2  # the store is empty
    with Records.open(url) as records:
        (row,) = records.audit(AuditFilter(action="readings.export")).items
        assert (row.by.name, row.lift_id) == ("command line", "L1")
        assert row.detail == '{"from":"2026-01-01T00:00:00.000000000Z","to":"2026-01-02T00:00:00.000000000Z"}'
