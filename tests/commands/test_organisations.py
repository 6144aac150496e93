"""`liftwatch organisations add` of an authority: a reason for its districts, and a second person."""

from __future__ import annotations

from pathlib import Path

import pytest

import liftwatch
from registry.actor import Actor
from registry.organisations import OrganisationSettings
from registry.roles import OrganisationKind
from store.records.repository import Records
from tests.alerts.rules import T0

ADD = ("organisations", "add", "City", "--kind", "authority", "--districts", "north, south")


@pytest.fixture(name="records")
def records_of_an_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Records with the operator "Desk"."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIFTWATCH_MONITOR__DATA_DIR", str(tmp_path))
    records = Records.open(f"sqlite:///{tmp_path}/records.db")
    records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, Actor.named("test"), T0)
    return records


def districts_of_city(records: Records) -> list[tuple[str, ...]]:
    """Return the districts of "City", nothing where it does not exist."""
    return [each.districts for each in records.organisations() if each.name == "City"]


def test_the_districts_of_a_new_authority_need_a_reason(records: Records, capsys: pytest.CaptureFixture[str]) -> None:
    assert liftwatch.main(ADD) == 2
    assert "write why with --reason" in capsys.readouterr().err
    assert districts_of_city(records) == []
    assert liftwatch.main([*ADD, "--reason", "as the city decided"]) == 0
    assert districts_of_city(records) == [("north", "south")]
    (asked,) = records.change_requests(T0).items
    assert (asked.state, asked.wanted.reason, asked.by.name) == ("applied", "as the city decided", "command line")


def test_the_districts_of_a_new_authority_wait_where_an_operator_asks_for_a_second_person(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk,) = records.organisations()
    asking = {"settings": OrganisationSettings(second_person=True)}
    records.change_organisation(desk.organisation_id, asking, Actor.named("test"), T0)
    assert liftwatch.main([*ADD, "--reason", "as the city decided"]) == 0
    (asked,) = records.change_requests(T0).items
    assert (asked.state, f"request {asked.id}" in capsys.readouterr().err) == ("waiting", True)
    assert districts_of_city(records) == [()]
