"""`liftwatch lifts import` of thresholds: a reason, a second person, the authority, and who has run it."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

import liftwatch
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.organisations import OrganisationSettings
from registry.roles import OrganisationKind, Role
from registry.ways import MAIL
from store.records.repository import AuditFilter, Records
from tests.alerts.rules import T0, S
from tests.store.broken_lift import break_lift

BY = Actor.named("test")


@pytest.fixture(name="records")
def records_of_one_lift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Records with the lift A17 of "Firm", and an inspector of its district who is notified by mail."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIFTWATCH_MONITOR__DATA_DIR", str(tmp_path))
    records = Records.open(f"sqlite:///{tmp_path}/records.db")
    records.put_lift(LiftFacts("A17", "north", rated_speed_mps=1.0, maintenance_firm="Firm"), BY, T0)
    fields = {"name": "City", "kind": OrganisationKind.AUTHORITY, "districts": ("north",)}
    city = records.add_organisation(fields, BY, T0)
    ivy = records.add_person("Ivy", "ivy", {city.organisation_id: Role.INSPECTOR}, BY, T0)
    assert ivy is not None
    way = records.add_way(ivy.person_id, MAIL, "ivy@city.example", None, BY, T0)
    (code,) = records.claim_notifications(T0, S, 9)
    records.verify_way(ivy.person_id, way.way_id, code.notification.code or "", BY, T0)
    return records


def run(tmp_path: Path, speed: float, *more: str, name: str = "A17", address: str = "Road 1") -> int:
    """Import one lift."""
    rows = f"lift_id,district,address,rated_speed_mps,maintenance_firm\n{name},north,{address},{speed},Firm\n"
    (tmp_path / "lifts.csv").write_text(rows, encoding="utf-8")
    return liftwatch.main(["lifts", "import", str(tmp_path / "lifts.csv"), *more])


def speed_of(records: Records) -> float:
    """Return the rated speed of the lift."""
    found = records.lift("A17")
    assert found is not None
    return found.facts.rated_speed_mps


def notified(records: Records) -> list[str]:
    """Return the sentences that wait for the authority."""
    waiting = records.claim_notifications(2 * T0, S, 9)
    return [each.notification.sentence["en"] for each in waiting if each.notification.kind == "change"]


def test_a_change_of_thresholds_without_a_reason_changes_nothing(
    tmp_path: Path, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, 9.0) == 2
    assert "the changes of A17 can hide a danger: write why with --reason" in capsys.readouterr().err
    assert (speed_of(records), notified(records)) == (1.0, [])
    assert run(tmp_path, 9.0, name="NEW-1") == 0, "a new lift has no threshold that changes"
    assert run(tmp_path, 1.0, address="Road 2") == 0


def test_a_change_with_a_reason_is_applied_recorded_and_told_to_the_authority(tmp_path: Path, records: Records) -> None:
    assert run(tmp_path, 9.0, "--reason", "new drive") == 0
    assert speed_of(records) == 9.0
    (asked,) = records.change_requests(T0).items
    assert (asked.state, asked.wanted.reason, asked.by.name) == ("applied", "new drive", "command line")
    assert [each.rpartition(": ")[2] for each in notified(records)] == ["new drive"]
    rows = records.audit(AuditFilter(who="command line", lift_id="A17")).items
    assert {row.action for row in rows} == {"lift.import", "change.applied"}
    assert {row.by.address for row in rows} == {f"{getpass.getuser()}@{socket.gethostname()}"[:64]}


@pytest.mark.parametrize("asking", ["Firm", "Desk"])
def test_a_change_waits_where_the_firm_or_an_operator_asks_for_a_second_person(
    tmp_path: Path, records: Records, asking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0)
    (found,) = [each for each in records.organisations() if each.name == asking]
    records.change_organisation(found.organisation_id, {"settings": OrganisationSettings(second_person=True)}, BY, T0)
    assert run(tmp_path, 9.0, "--reason", "new drive", address="Road 9") == 0
    lift = records.lift("A17")
    assert lift is not None
    assert (lift.facts.rated_speed_mps, lift.facts.address) == (1.0, "Road 9"), "the other facts are taken now"
    (asked,) = records.change_requests(asked_ns := records.change_requests(T0).items[0].made_ns).items
    assert (asked.state, f"request {asked.id}" in capsys.readouterr().err) == ("waiting", True)
    boss = Actor("Boss", "person:boss", "Desk", "manager", "192.0.2.1")
    decided = records.decide_change(asked.id, boss, asked_ns, lambda _: None)
    assert decided is not None
    assert decided.state == "applied"


def test_the_authority_is_notified_of_what_an_import_changed_before_it_broke_off(
    tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.records.lifts.IMPORT_AT_ONCE", 1)
    records.put_lift(LiftFacts("B17", "north", rated_speed_mps=1.0, maintenance_firm="Firm"), BY, T0)
    break_lift(records, "B17")
    rows = "lift_id,district,rated_speed_mps,maintenance_firm\nA17,north,9.0,Firm\nB17,north,9.0,Firm\n"
    (tmp_path / "lifts.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(IntegrityError):
        liftwatch.main(["lifts", "import", str(tmp_path / "lifts.csv"), "--reason", "new drive"])
    assert {each.lift_id: each.rated_speed_mps for each in records.registered()} == {"A17": 9.0, "B17": 1.0}
    assert [each.wanted.lift_id for each in records.change_requests(T0).items] == ["A17"]
    assert [each.rpartition(": ")[2] for each in notified(records)] == ["new drive"]


def test_a_move_to_another_district_needs_a_reason_and_is_told_to_the_authority(
    tmp_path: Path, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lifts.csv"
    path.write_text("lift_id,district,rated_speed_mps,maintenance_firm\nA17,south,1,Firm\n", encoding="utf-8")
    assert liftwatch.main(["lifts", "import", str(path)]) == 2
    assert "the changes of A17 can hide a danger: write why with --reason" in capsys.readouterr().err
    assert liftwatch.main(["lifts", "import", str(path), "--reason", "the border was moved"]) == 0
    assert [(each.lift_id, each.district) for each in records.registered()] == [("A17", "south")]
    (told,) = notified(records)
    assert "applied: district, by command line" in told
