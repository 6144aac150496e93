"""Every query of one organisation returns the rows of its own lifts, over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from alerts.answers import Answer
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.scope import ALL_LIFTS, NAMING_FACTS, NO_LIFTS, LiftScope
from store.records.database import MIGRATIONS, Database
from store.records.repository import AlertFilter, IncidentFilter, Records
from store.records.schema import lifts
from telemetry.batch import Refusal
from tests.alerts.rules import STOP, T0, occurrence

OTTO, RIVAL = LiftScope(names=frozenset({"Otto", "Otto & Sons"})), LiftScope(names=frozenset({"Rival"}))
BY = Actor.named("test")
NORTH = LiftScope(districts=frozenset({"north"}))
LIFTS = [
    LiftFacts("N1", "north", maintenance_firm="Otto"),
    LiftFacts("N2", "north", owner="Rival", maintenance_firm="Rival"),
    LiftFacts("S1", "south", maintenance_firm="Otto & Sons"),
    LiftFacts("S2", "south"),
]


@pytest.fixture(name="records")
def open_records(url: str) -> Iterator[Records]:
    with Records.open(url) as opened:
        opened.put_lifts(LIFTS, BY, T0)
        opened.add_unregistered([("U1", "north")])
        names = ("N1", "N2", "S1", "S2", "U1")
        found = [
            replace(occurrence(STOP, "on", 10, lift_id=name), district="south" if name.startswith("S") else "north")
            for name in names
        ]
        refused = [
            Refusal("not-json", "", f"lift/v1/x/{name}/door", b"?", T0, position, name, name)
            for position, name in enumerate(names, start=1)
        ]
        opened.judge(position=9, occurrences=found, now_ns=T0, refusals=refused)
        yield opened


SEEN = [(ALL_LIFTS, "N1 N2 S1 S2 U1"), (OTTO, "N1 S1"), (RIVAL, "N2"), (NORTH, "N1 N2 U1"), (NO_LIFTS, "")]


@pytest.mark.parametrize(("scope", "expected"), SEEN)
def test_lists_pages_and_single_rows_hold_the_lifts_of_the_scope(
    records: Records, scope: LiftScope, expected: str
) -> None:
    inside = set(expected.split())
    listed, cursor = [], None
    while True:
        page = records.alerts(AlertFilter(), limit=1, cursor=cursor, scope=scope)
        listed += page.items
        cursor = page.next
        if cursor is None:
            break
    assert {alert.lift_id for alert in listed} == inside
    assert {letter.lift_id for letter in records.dead_letters(scope=scope).items} == inside
    assert {name for name in ["N1", "N2", "S1", "S2", "U1"] if records.lift(name, scope)} == inside
    for alert in records.alerts(AlertFilter()).items:
        assert (records.alert(alert.id, scope) is not None) == (alert.lift_id in inside)


def test_a_foreign_alert_is_not_answered(records: Records) -> None:
    alert = records.alerts(AlertFilter(lift_id=("N2",))).items[0]
    assert records.answer(alert.id, Answer("ack", BY), T0, scope=OTTO) is None
    history = records.alert(alert.id)
    assert history is not None
    assert not history.alert.acknowledged


def test_the_alerts_of_a_deleted_lift_stay_with_the_authority_of_their_district(records: Records) -> None:
    records.delete_lift("N1", BY, T0)
    wanted = AlertFilter(lift_id=("N1",))
    assert [len(records.alerts(wanted, scope=scope).items) for scope in (ALL_LIFTS, NORTH, OTTO)] == [1, 1, 0]


def test_a_lift_that_moves_to_another_firm_leaves_the_scope_of_the_first(records: Records) -> None:
    records.patch_lift("N1", {"maintenance_firm": "Rival"}, BY, T0)
    assert [records.lift("N1", scope) is not None for scope in (OTTO, RIVAL)] == [False, True]


def test_an_incident_of_two_organisations_is_over_for_one_by_its_own_alerts(records: Records) -> None:
    first, second = (records.incidents(IncidentFilter(lift_id=(name,))).items[0].incident.id for name in ("N1", "N2"))
    is_over = IncidentFilter(is_over=True)
    assert records.merge_incidents(first, second, BY, T0 + 1) is not None
    assert records.count_incidents(is_over, OTTO).total == 0
    cleared = replace(occurrence(STOP, "off", 30, lift_id="N1"), district="north")
    records.judge(position=10, occurrences=[cleared], now_ns=T0 + 2)
    assert records.count_incidents(is_over, OTTO).total == 1, "N2 still fires, which OTTO does not see"
    assert records.count_incidents(is_over, RIVAL).total == 0


def test_the_migration_reads_the_organisations_of_existing_lifts(bare_url: str) -> None:
    database = Database(bare_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database._writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        facts = '{"lift_id": "L1", "owner": "花园 Homes", "maintenance_firm": null}'
        row = {"lift_id": "L1", "district": "north", "registered": True, "facts": facts, "revision": 1}
        columns = ", ".join(row)
        connection.execute(text(f"INSERT INTO lifts ({columns}) VALUES (:{', :'.join(row)})"), row)
        command.upgrade(config, "head")
    with database.reading() as connection:
        found = connection.execute(select(*(lifts.c[fact] for fact in NAMING_FACTS))).one()
    database.close()
    assert found._asdict() == {"owner": "花园 Homes", "maintenance_firm": None, "insurer": None, "manufacturer": None}
