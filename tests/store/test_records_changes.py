"""What changed since when, who works on a lift until when, and what is forgotten: over SQLite and over PostgreSQL."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import func, select

from alerts.answers import Answer
from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.database import MIGRATIONS
from store.records.repository import DONE, EVERYTHING, AlertFilter, AuditFilter, Records, WantedChange
from store.records.retention import DELETE_AT_ONCE, DELIVERIES_KEPT_NS, YEAR_NS
from store.records.schema import deliveries, transitions
from telemetry.instant import DAY_NS
from tests.alerts.rules import LIFT, MOVED, STOP, T0, S, occurrence

HOUR = 3600 * S


def ids(records: Records, since: int) -> list[str]:
    return [each.facts.lift_id for each in records.registry_since(since).lifts]


def count(records: Records, table: object) -> int:
    with records._database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def actions(records: Records) -> set[str]:
    return {entry.action for entry in records.audit().items}


def test_records_of_the_first_version_are_migrated(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with Records.open(url) as records:
        records.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
        records.judge(position=1, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0)
        with records._database.writing() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0001")
    with Records.open(url) as records:
        assert (ids(records, EVERYTHING), records.registry_since(EVERYTHING).windows) == (["a"], [])
        history = records.alert(records.alerts(AlertFilter()).items[0].id)
        assert history is not None
        assert [(each.kind, each.to) for each in history.transitions] == [("fired", None)]


def test_a_window_of_an_earlier_version_belongs_to_the_organisation_that_asked_for_it(url: str) -> None:
    config, ann = Config(), Actor("Ann", "person:ann", "Firm", "manager", None)
    config.set_main_option("script_location", str(MIGRATIONS))
    wanted = WantedChange("a", "north", "maintenance", {"until_ns": T0 + HOUR}, None, "ropes")
    with Records.open(url) as records:
        records.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
        records.request_change(
            wanted, ann, T0, lambda asked: records.set_maintenance("a", T0 + HOUR, asked.by, T0, "ropes")
        )
        with records._database.writing() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0024")
    with Records.open(url) as records:
        (window,) = records.registry_since(EVERYTHING).windows
    assert (window.note, window.organisation, window.shared) == ("ropes", "Firm", False)


def test_only_changes_since_a_revision_are_read(records: Records) -> None:
    records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(5)], Actor.named("me"), T0)
    before = records.revision()
    assert records.registry_since(before).lifts == []
    records.patch_lift("l3", {"name": "Tower 3"}, Actor.named("me"), T0)
    records.add_unregistered([("x", "south")])
    after = records.registry_since(before)
    assert [(each.facts.lift_id, each.registered) for each in after.lifts] == [("l3", True), ("x", False)]
    assert (after.revision, ids(records, EVERYTHING)) == (records.revision(), ["l0", "l1", "l2", "l3", "l4", "x"])


def test_a_deleted_lift_is_listed_unless_it_is_registered_again(records: Records) -> None:
    records.put_lifts([LiftFacts("a", "north"), LiftFacts("b", "north")], Actor.named("me"), T0)
    before = records.revision()
    for lift_id in ("a", "b"):
        records.delete_lift(lift_id, Actor.named("me"), T0)
    records.put_lift(LiftFacts("b", "south"), Actor.named("me"), T0)
    after = records.registry_since(before)
    assert (after.deleted, [each.facts for each in after.lifts]) == (["a"], [LiftFacts("b", "south")])
    assert records.registry_since(after.revision).deleted == []
    records.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
    records.delete_lift("a", Actor.named("me"), T0)
    assert records.registry_since(after.revision).deleted == ["a"]


def test_a_lift_has_one_maintenance_window_at_a_time_and_its_past_stays(records: Records) -> None:
    records.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
    assert not records.set_maintenance("nobody", T0 + HOUR, Actor.named("ann"), T0)
    assert records.set_maintenance("a", T0 + HOUR, Actor.named("ann"), T0, "ropes")
    before = records.revision()
    assert records.set_maintenance("a", T0 + HOUR, Actor.named("ann"), T0 + 1, "ropes")
    assert records.revision() == before
    assert records.set_maintenance("a", T0 + 2 * HOUR, Actor.named("bob"), T0 + 2)
    records.end_maintenance("a", Actor.named("cid"), T0 + HOUR)
    records.end_maintenance("a", Actor.named("cid"), T0 + HOUR + 1)
    assert records.set_maintenance("a", T0 + 5 * HOUR, Actor.named("ann"), T0 + 3 * HOUR)
    windows = records.registry_since(EVERYTHING).windows
    assert [(each.lift_id, each.from_ns - T0, each.until_ns - T0, each.by, each.note) for each in windows] == [
        ("a", 0, HOUR, "bob", None),
        ("a", 3 * HOUR, 5 * HOUR, "ann", None),
    ]
    done = [(entry.by.name, entry.action) for entry in records.audit(AuditFilter(subject="a")).items]
    assert done == [
        ("ann", "maintenance.set"), ("cid", "maintenance.end"), ("bob", "maintenance.set"), ("ann", "maintenance.set"),
        ("me", "lift.put"),
    ]  # fmt: skip
    assert [each.id for each in records.registry_since(before).windows] == [each.id for each in windows]


def test_alerts_and_audit_are_deleted_after_their_years_with_their_history(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(MOVED, "on", 10), occurrence(STOP, "on", 10)], now_ns=T0)
    moved = records.alerts(AlertFilter(rule=(MOVED.slug,))).items[0].id
    records.answer(moved, Answer("resolve", Actor.named("ann")), T0 + 20 * S)
    assert records.delete_expired(T0 + 4 * YEAR_NS) == 0
    assert records.delete_expired(T0 + 5 * YEAR_NS + DAY_NS) == 4  # the alert, its two transitions, and who resolved it
    assert [alert.rule for alert in records.alerts(AlertFilter()).items] == [STOP.slug]  # it still fires
    assert (count(records, transitions), actions(records)) == (1, {"audit.trim"})
    assert records.alerts(AlertFilter(lift_id=(LIFT,))).items[0].lift_id == LIFT


def test_an_old_alert_with_a_recent_transition_is_kept(records: Records) -> None:
    records.judge(position=1, occurrences=[occurrence(MOVED, "on", 10)], now_ns=T0)
    (alert,) = records.alerts(AlertFilter()).items
    records.answer(alert.id, Answer("resolve", Actor.named("ann")), T0 + YEAR_NS)
    assert records.delete_expired(T0 + 5 * YEAR_NS + DAY_NS) == 0
    assert records.alert(alert.id) is not None


def test_the_retention_is_never_less_than_four_years(records: Records) -> None:
    records.put_lift(LiftFacts("a", "north"), Actor.named("ann"), T0)
    assert records.delete_expired(T0 + 4 * YEAR_NS - DAY_NS, keep_years=1) == 0
    assert records.delete_expired(T0 + 4 * YEAR_NS + DAY_NS, keep_years=1) == 1


def test_deleting_many_rows_ends(records: Records) -> None:
    many = 2 * DELETE_AT_ONCE + 7
    records.put_lifts([LiftFacts(f"l{n}", "north") for n in range(many)], Actor.named("ann"), T0)
    assert records.delete_expired(T0 + 6 * YEAR_NS) == many
    assert actions(records) == {"audit.trim"}


def test_deliveries_are_deleted_after_a_month_and_not_created_again(records: Records) -> None:
    records.register_endpoint("desk")
    records.judge(position=1, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0)
    announced = records.transitions_since(0)
    records.enqueue("desk", announced, announced[-1].id, T0)
    records.store_attempt(records.due(["desk"], T0)[0].id, DONE)
    assert records.delete_expired(T0 + DELIVERIES_KEPT_NS - 1) == 0
    assert records.delete_expired(T0 + DELIVERIES_KEPT_NS + 1) == 1
    assert (count(records, deliveries), records.cursor("webhook:desk")) == (0, announced[-1].id)
