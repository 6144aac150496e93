"""Organisations: names that lifts have, renames, merges and closing while their lifts are live."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from registry.lift_facts import LiftFacts
from registry.organisations import Organisation, OrganisationSettings
from registry.roles import OrganisationKind, Role
from store.records.database import MIGRATIONS
from store.records.lifts import IMPORT_AT_ONCE
from store.records.repository import NameTaken, Records, VersionConflict
from tests.store.identity.identities import BY, S_NS, T_NS, organisation, person

FIRM = OrganisationKind.MAINTENANCE_FIRM


def named(records: Records, name: str) -> Organisation:
    return next(each for each in records.organisations() if name in each.names)


def lift(lift_id: str, firm: str | None = "Firm", **facts: str) -> LiftFacts:
    return LiftFacts(lift_id, "d1", maintenance_firm=firm, **facts)  # type: ignore[arg-type]


def ids(records: Records, each: Organisation) -> list[str]:
    return [one for one in ("L1", "L2", "L3") if records.lift(one, each.lifts) is not None]


def test_lifts_create_the_organisations_that_they_name(records: Records) -> None:
    records.put_lifts([lift("L1", owner="Owner", insurer="Insurer", manufacturer="Firm"), lift("L2", None)], BY, T_NS)
    found = {each.name: each.kind for each in records.organisations()}
    assert found == {"Firm": FIRM, "Owner": OrganisationKind.OWNER, "Insurer": OrganisationKind.INSURER}
    records.patch_lift("L2", {"owner": "Second"}, BY, T_NS)
    assert named(records, "Second").kind is OrganisationKind.OWNER


def test_another_spelling_is_a_name_of_the_same_organisation(records: Records) -> None:
    records.put_lifts([lift("L1", "ABC 电梯"), lift("L2", "ＡＢＣ  电梯")], BY, T_NS)
    firm = named(records, "ABC 电梯")
    assert firm.names == {"ABC 电梯", "ＡＢＣ  电梯"}
    assert ids(records, firm) == ["L1", "L2"]


def test_a_name_that_another_organisation_has_or_had_is_refused(records: Records) -> None:
    first, second = organisation(records, "First"), organisation(records, "Second")
    records.change_organisation(first.organisation_id, {"name": "Renamed"}, BY, T_NS)
    for name in ("First", "Renamed", " Ｆirst "):
        with pytest.raises(NameTaken):
            records.change_organisation(second.organisation_id, {"name": name}, BY, T_NS)
        with pytest.raises(NameTaken):
            records.add_organisation({"name": name, "kind": FIRM}, BY, T_NS)
    back = records.change_organisation(first.organisation_id, {"name": "First"}, BY, T_NS)
    assert back is not None
    assert back.name == "First"


def test_a_rename_never_loses_a_lift_and_ends_in_the_facts(records: Records) -> None:
    records.put_lifts([lift(f"L{n}") for n in range(IMPORT_AT_ONCE + 5)], BY, T_NS)
    firm = named(records, "Firm")
    after = records.change_organisation(firm.organisation_id, {"name": "New Firm"}, BY, T_NS)
    assert after is not None
    assert ids(records, after) == ["L1", "L2", "L3"]
    assert records.rewrite_names(BY, T_NS) == IMPORT_AT_ONCE + 5
    assert {each.maintenance_firm for each in records.registered()} == {"New Firm"}
    assert ids(records, after) == ["L1", "L2", "L3"]
    assert records.rewrite_names(BY, T_NS) == 0


def test_a_lift_that_is_imported_by_a_former_name_is_still_in_the_scope(records: Records) -> None:
    records.put_lifts([lift("L1")], BY, T_NS)
    firm = records.change_organisation(named(records, "Firm").organisation_id, {"name": "New Firm"}, BY, T_NS)
    assert firm is not None
    records.put_lifts([lift("L2")], BY, T_NS)
    assert len(records.organisations()) == 1
    assert ids(records, firm) == ["L1", "L2"]


def test_a_change_of_facts_during_a_rewrite_is_kept(records: Records) -> None:
    records.put_lifts([lift(f"L{n}") for n in range(3 * IMPORT_AT_ONCE)], BY, T_NS)
    records.change_organisation(named(records, "Firm").organisation_id, {"name": "New Firm"}, BY, T_NS)
    rewriting = threading.Thread(target=records.rewrite_names, args=(BY, T_NS))
    rewriting.start()
    records.patch_lift("L999", {"name": "Lobby"}, BY, T_NS)
    rewriting.join()
    found = records.lift("L999")
    assert found is not None
    assert (found.facts.name, found.facts.maintenance_firm) == ("Lobby", "New Firm")


def test_a_merge_moves_names_people_and_lifts_and_closes_the_other(records: Records) -> None:
    records.put_lifts([lift("L1", "First"), lift("L2", "Second")], BY, T_NS)
    first, second = named(records, "First"), named(records, "Second")
    both = person(records, "both", first, Role.VIEWER)
    records.set_role(person(records, "desk", organisation(records, "Desk")).person_id, second.organisation_id,
                     Role.MECHANIC, BY, T_NS)  # fmt: skip
    records.set_role(both.person_id, second.organisation_id, Role.MANAGER, BY, T_NS)
    assert records.merge_organisations(first.organisation_id, second.organisation_id, BY, T_NS)
    merged, closed = records.organisation(first.organisation_id), records.organisation(second.organisation_id)
    assert merged is not None
    assert closed is not None
    assert ids(records, merged) == ["L1", "L2"]
    assert closed.closed_ns == T_NS
    assert {(each.login, each.memberships[-1].role) for each in records.people(first.organisation_id)} == {
        ("both", Role.VIEWER), ("desk", Role.MECHANIC),
    }  # fmt: skip
    assert records.people(second.organisation_id) == []
    records.rewrite_names(BY, T_NS)
    assert {each.maintenance_firm for each in records.registered()} == {"First"}
    assert not records.merge_organisations(first.organisation_id, "none", BY, T_NS)


@pytest.mark.parametrize("turned", [False, True])
def test_a_merge_unites_the_districts_and_what_the_two_demand(records: Records, turned: bool) -> None:
    kept, closed = OrganisationSettings(second_person=True), OrganisationSettings(second_factor=True)
    ids_of_both = [
        records.add_organisation(
            {"name": name, "kind": OrganisationKind.AUTHORITY, "districts": districts, "settings": settings}, BY, T_NS
        ).organisation_id
        for name, districts, settings in (("South", ("d0", "d1"), kept), ("North", ("d1", "d2"), closed))
    ]
    into_id, other_id = reversed(ids_of_both) if turned else ids_of_both
    assert records.merge_organisations(into_id, other_id, BY, T_NS)
    merged = records.organisation(into_id)
    assert merged is not None
    assert set(merged.districts) == {"d0", "d1", "d2"}
    assert merged.settings == OrganisationSettings(second_person=True, second_factor=True)
    assert merged.lifts.districts == {"d0", "d1", "d2"}


def test_an_organisation_is_not_merged_with_itself(records: Records) -> None:
    first = organisation(records, "First")
    assert not records.merge_organisations(first.organisation_id, first.organisation_id, BY, T_NS)


def test_a_closed_organisation_sees_nothing_and_its_lifts_stay(records: Records) -> None:
    records.put_lifts([lift("L1")], BY, T_NS)
    firm = records.change_organisation(named(records, "Firm").organisation_id, {"closed_ns": T_NS}, BY, T_NS)
    assert firm is not None
    assert ids(records, firm) == []
    assert records.lift("L1") is not None
    reopened = records.change_organisation(firm.organisation_id, {"closed_ns": None}, BY, T_NS)
    assert reopened is not None
    assert ids(records, reopened) == ["L1"]


def test_of_two_changes_from_one_version_one_is_applied(records: Records) -> None:
    first = organisation(records, "First")
    version = [str(first.revision)]
    assert records.change_organisation(first.organisation_id, {"address": "A"}, BY, T_NS, version)
    with pytest.raises(VersionConflict):
        records.change_organisation(first.organisation_id, {"address": "B"}, BY, T_NS, version)
    after = records.organisation(first.organisation_id)
    assert after is not None
    assert after == replace(first, address="A", revision=first.revision + 1)


def test_every_change_is_in_the_audit_log(records: Records) -> None:
    first = organisation(records, "First")
    records.change_organisation(first.organisation_id, {"districts": ("d1",)}, BY, T_NS + S_NS)
    with records._database.reading() as connection:
        rows = connection.execute(text("SELECT action, subject, after FROM audit ORDER BY id")).all()
    assert [(row.action, row.subject) for row in rows] == [
        ("organisation.add", first.organisation_id), ("organisation.change", first.organisation_id),
    ]  # fmt: skip
    assert '"districts":["d1"]' in rows[1].after


def test_the_migration_creates_the_organisations_of_existing_lifts(records: Records) -> None:
    records.put_lifts([lift("L1", "ABC"), lift("L2", "ＡＢＣ", owner="ABC"), lift("L3", owner="Owner")], BY, T_NS)
    downgrade(records, "0006")
    with Records.open(records._database.url.render_as_string(hide_password=False)) as migrated:
        found = {each.name: (each.kind, each.names) for each in migrated.organisations()}
    assert found == {
        "ABC": (FIRM, {"ABC", "ＡＢＣ"}), "Firm": (FIRM, {"Firm"}), "Owner": (OrganisationKind.OWNER, {"Owner"}),
    }  # fmt: skip


def downgrade(records: Records, revision: str) -> None:
    """Undo the migrations after one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with records._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
