"""The lifts of the registry in the records: changes, imports, unregistered lifts, revisions."""

from __future__ import annotations

from dataclasses import replace

from registry.actor import Actor
from registry.facts import Floor, LiftFacts
from store.records.lifts import UNREGISTERED_LIMIT
from store.records.repository import AuditFilter, Records
from tests.alerts.rules import T0, S

FACTS = LiftFacts("a", "north", name="Tower 3", floors=(Floor("G", 0.0), Floor("1", 4.5)), rated_speed_mps=1.75)


def test_a_lift_is_read_back_as_it_was_stored(records: Records) -> None:
    assert records.put_lift(FACTS, Actor.named("me"), T0)
    ((found),) = records.registry()[1]
    assert (found.facts, found.registered) == (FACTS, True)


def test_every_change_of_the_registry_increments_its_revision(records: Records) -> None:
    seen = [records.revision()]
    for change in (
        lambda: records.put_lift(FACTS, Actor.named("me"), T0),
        lambda: records.patch_lift("a", {"name": "Tower 4"}, Actor.named("me"), T0),
        lambda: records.add_unregistered([("b", "south")]),
        lambda: records.delete_lift("a", Actor.named("me"), T0),
    ):
        change()
        seen.append(records.revision())
    assert seen == sorted(set(seen))


def test_create_only_does_not_change_a_registered_lift(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    assert not records.put_lift(LiftFacts("a", "south"), Actor.named("me"), T0, create_only=True)
    assert records.registry()[1][0].facts == FACTS


def test_a_patch_changes_the_named_facts_only(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    after = records.patch_lift("a", {"rated_speed_mps": 2.5}, Actor.named("me"), T0)
    assert after is not None
    assert (after.rated_speed_mps, after.name, after.floors) == (2.5, FACTS.name, FACTS.floors)
    assert records.patch_lift("nobody", {}, Actor.named("me"), T0) is None


def test_a_patch_that_changes_nothing_leaves_the_revision(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    before = records.revision()
    records.patch_lift("a", {"name": "Tower 3"}, Actor.named("me"), T0)
    assert records.revision() == before


def test_an_unregistered_lift_becomes_registered_when_it_is_put(records: Records) -> None:
    records.add_unregistered([("a", "north")])
    assert [one.registered for one in records.registry()[1]] == [False]
    assert records.put_lift(FACTS, Actor.named("me"), T0)
    assert [(one.facts, one.registered) for one in records.registry()[1]] == [(FACTS, True)]


def test_unregistered_lifts_have_a_limit_and_the_rest_is_counted(records: Records) -> None:
    assert records.add_unregistered((f"u{n}", "north") for n in range(UNREGISTERED_LIMIT - 1)) == 0
    assert records.add_unregistered([("x", "north"), ("y", "north"), ("u0", "north")]) == 1
    assert len(records.registry()[1]) == UNREGISTERED_LIMIT


def test_an_unregistered_lift_does_not_replace_a_registered_one(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("me"), T0)
    assert records.add_unregistered([("a", "south")]) == 0
    assert records.registry()[1][0].facts == FACTS


def test_an_import_stores_many_lifts_and_a_second_one_replaces_them(records: Records) -> None:
    records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(2000)], Actor.named("me"), T0)
    records.put_lifts([LiftFacts("l7", "south")], Actor.named("me"), T0)
    districts = {one.facts.lift_id: one.facts.district for one in records.registry()[1]}
    assert (len(districts), districts["l7"], districts["l8"]) == (2000, "south", "north")


def test_others_write_between_the_transactions_of_an_import(records: Records, url: str) -> None:
    seen: list[tuple[int, int]] = []

    def write(taken: int) -> None:
        other.move_cursor("mqtt", taken)
        seen.append((taken, len(other.registered())))

    with Records.open(url) as other:
        records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(2500)], Actor.named("me"), T0, write)
    assert seen == [(1000, 1000), (2000, 2000), (2500, 2500)]


def test_the_same_import_again_changes_nothing(records: Records) -> None:
    many = [replace(FACTS, lift_id=f"l{n}") for n in range(1200)]
    records.put_lifts(many[:1000], Actor.named("me"), T0)
    records.put_lifts(many, Actor.named("me"), T0 + S)
    before = records.revision()
    records.put_lifts(many, Actor.named("me"), T0 + 2 * S)
    assert (records.revision(), len(records.audit(limit=2000).items)) == (before, 1200)


def test_changes_of_the_registry_are_read_in_slices(records: Records) -> None:
    records.put_lifts([LiftFacts(f"l{n:04}", "north") for n in range(2500)], Actor.named("me"), T0)
    records.delete_lift("l0001", Actor.named("me"), T0)
    records.set_maintenance("l0002", T0 + 100 * S, Actor.named("me"), T0)
    found, sizes, revision = set(), [], 0
    while True:
        changes = records.registry_since(revision, 1500)
        found |= {each.facts.lift_id for each in changes.lifts}
        sizes.append(len(changes.lifts))
        assert changes.revision > revision
        revision = changes.revision
        if changes.is_complete:
            break
    assert (len(found), sizes, changes.deleted) == (2499, [1999, 500], ["l0001"])
    assert [window.lift_id for window in changes.windows] == ["l0002"]
    assert revision == records.revision()


def test_every_change_is_in_the_audit_with_its_author(records: Records) -> None:
    records.put_lift(FACTS, Actor.named("ann"), T0)
    records.delete_lift("a", Actor.named("bob"), T0 + S)
    assert not records.delete_lift("a", Actor.named("cid"), T0 + 2 * S)
    entries = records.audit(AuditFilter(subject="a")).items
    assert [(entry.by.name, entry.action, entry.at_ns) for entry in entries] == [
        ("bob", "lift.delete", T0 + S), ("ann", "lift.put", T0),
    ]  # fmt: skip
